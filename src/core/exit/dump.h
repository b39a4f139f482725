/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* An exception at EL2 that nobody expects: see dump.c. These functions never return. */
#ifndef AVC_DUMP_H
#define AVC_DUMP_H

#include "core/core.h"

struct avc_dump {
    uint64_t vector, sp, esr, elr, far; /* vector: 0..15, as in the table */
};
/* Called by vectors.S while a guest runs. `sp` is the stack on which it happened: run's, or the vCPU when the
   vectors themselves took the exception. In both cases avc_dump_find_vcpu(sp) finds the vCPU, or returns NULL. */
_Noreturn void avc_trap_host(uint64_t vector, uint64_t sp, uint64_t esr, uint64_t elr, uint64_t far);
struct avc_vcpu *avc_dump_find_vcpu(uint64_t sp);
/* Called by host_vectors.S. pcpu: TPIDR_EL2. */
_Noreturn void avc_host_trap(uint64_t vector, uint64_t sp, uint64_t esr, uint64_t elr, uint64_t far,
                             struct avc_pcpu *pcpu);

#endif
