/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* An exception at EL2 that nobody expects: see dump.c. These functions never return. */
#ifndef AVC_DUMP_H
#define AVC_DUMP_H

#include "core/core.h"

struct avc_dump {
    uint64_t vector, sp, esr, elr, far; /* vector: 0..15, as in the table */
};
/* vectors.S, while a guest runs. `sp` is the stack it happened on, run's or (in the vectors themselves) the vCPU:
   avc_dump_find_vcpu(sp) finds the vCPU either way, or NULL. */
_Noreturn void avc_trap_host(uint64_t vector, uint64_t sp, uint64_t esr, uint64_t elr, uint64_t far);
struct avc_vcpu *avc_dump_find_vcpu(uint64_t sp);
/* host_vectors.S; pcpu: TPIDR_EL2 */
_Noreturn void avc_host_trap(uint64_t vector, uint64_t sp, uint64_t esr, uint64_t elr, uint64_t far,
                             struct avc_pcpu *pcpu);

#endif
