/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Bits of avc_features.errata. */
#ifndef AVC_ERRATA_H
#define AVC_ERRATA_H

#include <stdint.h>

/* A speculated AT walks the tables of EL1 while EL2 executes, and leaves in the TLB what it finds: src/hw/regs.c. */
#define AVC_ERRATUM_AT (1u << 0)
/* A broadcast TLBI and its DSB can end before all accesses by the old entries have: src/core/mem/tlb.c does both
   twice. All CPUs have to, if one has it. */
#define AVC_ERRATUM_TLBI (1u << 1)
/* A read of PAR_EL1 and a load from device memory can lock each other: a DMB SY stands around each read. */
#define AVC_ERRATUM_PAR (1u << 2)

uint32_t avc_errata_of(uint64_t midr);

#endif
