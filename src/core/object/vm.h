/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* A VM on the inside: see vm.c. */
#ifndef AVC_VM_IN_H
#define AVC_VM_IN_H

#include "core/core.h"

/* The first load seals. */
enum avc_status avc_vm_seal(struct avc_vm *vm);

#endif
