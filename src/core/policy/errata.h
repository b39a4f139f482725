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
/* A fault of stage 1, of an access that crosses a page, can be reported as one of stage 2: stage 1 is asked before any
   is believed. All VMs have to, if one CPU has it. */
#define AVC_ERRATUM_STAGE1 (1u << 3)

uint32_t avc_errata_of(uint64_t midr);

#endif
