/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* What CPUs have, and what guests see of it: see feature.c. */
#ifndef AVC_FEATURE_IN_H
#define AVC_FEATURE_IN_H

#include "core/core.h"

/* Notes that this CPU does not need ARCH_WORKAROUND_3 where the ID registers say so and firmware is silent. A guest
   that is not told takes a CPU that it does not know for vulnerable. */
void avc_feature_unaffected(struct avc_features *features);
void avc_feature_decode(struct avc_features *f); /* makes ->has etc. from ->id */
/* Keeps the lowest of both in `all`. If that is fixed, nothing changes, and false says that `one` has less. */
bool avc_feature_common(struct avc_features *all, const struct avc_features *one, bool fixed);
void avc_feature_guest_ids(struct avc_vm *vm); /* makes vm->id_regs from vm->features */

#endif
