/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The distributor's and the redistributors' frames. */
#ifndef AVC_VGIC_FRAME_H
#define AVC_VGIC_FRAME_H

#include "emul/vgic/state.h"

/* The claims of the distributor, and of all redistributors. */
extern const union avc_fast avc_vgic_dist_fast, avc_vgic_redist_fast;
avc_claim_fn avc_vgic_dist_access, avc_vgic_redist_access;

#endif
