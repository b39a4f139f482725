/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The parts of the bench's EL2 half. */
#ifndef BENCH_HOST_H
#define BENCH_HOST_H

#include "testvm.h"

/* vm.c: the VM with all its claims, the first vCPU started. flags: as in struct avc_vm_config. */
void bench_vm_init(struct test_vm *t, uint32_t flags);

/* host_rows.c: prints the rows of what the host calls. The VM's vCPUs have not run yet, and may then. */
void host_rows(struct test_vm *t);

/* Puts the vCPU and loads it again, which took so many ticks. */
uint64_t host_put_load(struct avc_vcpu *v);

#endif
