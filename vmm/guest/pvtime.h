/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Paravirtualized time (Arm DEN0057): a guest reads how long its vCPUs were ready to run, and had no CPU. Each has a
 * structure in a page that the guest can read, and finds by a call.
 */
#ifndef VMM_GUEST_PVTIME_H
#define VMM_GUEST_PVTIME_H

#include <avc/avc.h>
#include <avc/state.h>
#include <stdbool.h>

#include "map.h"

/** Function ids. They, and the question for the first by SMCCC_ARCH_FEATURES, are calls that need a claim. */
#define VMM_PVTIME_FEATURES UINT32_C(0xC5000020)
#define VMM_PVTIME_ST       UINT32_C(0xC5000021)
#define VMM_ARCH_FEATURES   UINT32_C(0x80000001)

/** A vCPU's structure (DEN0057, 3.2.2), 64 bytes each; little-endian. */
struct vmm_pvtime_record {
    uint32_t revision, attributes; /* both 0 */
    uint64_t stolen;               /* ns */
    uint64_t unused[6];
};

struct vmm_pvtime {
    uint64_t base, hz;
    struct vmm_pvtime_record *record; /* the page */
    unsigned nr;                      /* of vCPUs */
    uint64_t ticks[VMM_MAX_VCPUS];    /* stolen; only the CPU that runs the vCPU writes it */
};

/** Its state as values; vmm_pvtime_state says which records they are. */
struct vmm_pvtime_values {
    uint64_t base;
    uint64_t ns[VMM_MAX_VCPUS];
};

/** The table for avc/state.h. */
extern const struct avc_state_model vmm_pvtime_state;

/** Prepares it for `nr` vCPUs, from 0 on. page: 4 KiB, cleared, which the guest can read at `base`. hz: of the ticks
    below. */
void vmm_pvtime_init(struct vmm_pvtime *pv, uint64_t base, void *page, unsigned nr, uint64_t hz);

/** The claims' function. ctx is the struct vmm_pvtime. */
avc_claim_fn vmm_pvtime_call;

/** A vCPU that runs from now on was ready for so long. Called where the vCPU is about to run. */
void vmm_pvtime_add(struct vmm_pvtime *pv, unsigned vcpu, uint64_t ticks);

/** Nothing was stolen. No vCPU runs. */
void vmm_pvtime_reset(struct vmm_pvtime *pv);

/** Tell the state, and take one over: false, and nothing changes, if it is of a machine that has it elsewhere. No vCPU
    runs. */
void vmm_pvtime_get(const struct vmm_pvtime *pv, struct vmm_pvtime_values *values);
bool vmm_pvtime_set(struct vmm_pvtime *pv, const struct vmm_pvtime_values *values);

#endif
