/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* What the files of the bench's EL2 half offer each other. */
#ifndef BENCH_HOST_H
#define BENCH_HOST_H

#include "testvm.h"

/* vm.c: makes the VM with all its claims, and starts the first vCPU. flags are those of struct avc_vm_config. */
void bench_vm_init(struct test_vm *t, uint32_t flags);

/* host_rows.c: prints the rows of the host's own calls. No vCPU of the VM has run before; they may run afterwards. */
void host_rows(struct test_vm *t);

/* Puts the vCPU, loads it again, and returns how many ticks that took. */
uint64_t host_put_load(struct avc_vcpu *vcpu);

#endif
