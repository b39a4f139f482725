/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The library's own view of a VM: see vm.c. */
#ifndef AVC_VM_IN_H
#define AVC_VM_IN_H

#include "core/core.h"

/* Seals the VM. The first load calls it. */
enum avc_status avc_vm_seal(struct avc_vm *vm);

#endif
