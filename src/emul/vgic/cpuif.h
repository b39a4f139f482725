/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The CPU interface's registers that trap. */
#ifndef AVC_VGIC_CPUIF_H
#define AVC_VGIC_CPUIF_H

#include "emul/vgic/state.h"

/* Claims these registers. Errors: ENOMEM (claims). */
enum avc_status avc_vgic_cpuif_attach(struct avc_vgic *vgic);

#endif
