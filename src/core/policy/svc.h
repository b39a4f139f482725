/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* System calls: see svc.c and svc_switch.c. */
#ifndef AVC_SVC_H
#define AVC_SVC_H

#include "core/core.h"

avc_trap_fn avc_trap_svc;

void avc_svc_write(struct avc_vm *vm, bool on); /* the VM is locked, or is being sealed */
void avc_svc_seal(struct avc_vm *vm); /* finds what avc_vm_trap_svc() switches in vm->traps; after avc_traps_make() */

#endif
