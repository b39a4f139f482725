/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* No API: the layout of struct avc_vm. */
#ifndef AVC_PRIV_VM_H
#define AVC_PRIV_VM_H

#include <avc/feature.h>
#include <avc/host.h>
#include <avc/priv/index.h>
#include <avc/priv/lock.h>

#ifdef __cplusplus
extern "C" {
#endif

struct avc_irqc_ops;
struct avc_decoder;

/* Values of EL2's trap registers. src/core/policy/traps.c makes them of features, claims and flags when the VM is
   sealed. */
struct avc_traps {
    uint64_t hcr;            /* HCR_EL2, without E2H */
    uint64_t cptr, cptr_vhe; /* CPTR_EL2 with FP trapped, for E2H=0 and E2H=1 */
    uint64_t mdcr, hstr;
    uint64_t cnthctl, cnthctl_vhe;
    uint64_t vtcr;
    uint64_t hcrx;
    uint64_t hfgrtr, hfgwtr, hfgitr, hdfgrtr, hdfgwtr, hafgrtr;
};

/* A row of the dispatch table of traps: see src/core/exit/trap.h. */
struct avc_trap_class;
typedef enum avc_result avc_trap_fn(struct avc_vcpu *vcpu, uint64_t esr);
struct avc_trap_row {
    avc_trap_fn *fn;
    uint64_t named; /* bit of ESR_EL2 that is set if the instruction names one of x16..x31; 0: it never does */
    avc_trap_fn *slow;
    const struct avc_trap_class *about; /* NULL for interrupts and SError */
};

struct avc_vm {
    /* Ranges of ids that are in no row. The last in use has all ids: nobody claims them, or the slow path searches. */
    struct avc_call_range call_wide[AVC_CALL_WIDE + 1];
    struct avc_mmio_entry mmio[AVC_INDEX_SIZE];
    struct avc_sysreg_entry sysreg[AVC_INDEX_SIZE];
    struct avc_call_entry call[AVC_CALL_INDEX_SIZE];
    struct avc_vcpu **vcpus;
    uint64_t nr_vcpus;         /* 64 bits, so that a load's immediate offset reaches it */
    struct avc_vcpu *near[16]; /* by the low four bits of Aff0: the first vCPU with them, or another vCPU */
    uint32_t max_vcpus;
    uint64_t mmio_hash, sysreg_hash, call_hash; /* the indexes' multipliers */
    uint64_t magic;
    struct avc_machine *machine;
    struct avc_stage2 *stage2;
    struct avc_claim_index index[AVC_NR_CLAIM_KINDS];
    struct avc_call_row call_rows[AVC_CALL_ROWS];
    const struct avc_trap_row *dispatch; /* AVC_NR_TRAPS rows */
    const struct avc_irqc_ops *irqc;
    bool (*irq)(struct avc_vcpu *vcpu, avc_irq_t irq); /* irqc->irq, or a function that returns false */
    enum avc_result (*irq_taken)(struct avc_vcpu *vcpu, avc_irq_t irq);
    void *irqc_data;             /* the controller's own */
    struct avc_decoder *decoder; /* or NULL */
    struct avc_claim
        *claims; /* from the start: the embedder's, nr_claims; up to the end: the library's own, nr_builtin */
    uint32_t max_claims, nr_claims, nr_builtin;
    uint32_t flags;
    bool sealed;
    bool psci;                    /* PSCI is attached */
    struct avc_lock lock;         /* for the traps that can be switched; held with interrupts masked */
    struct avc_lock sealing;      /* held for long, with interrupts as the caller has them */
    struct avc_features features; /* the machine's, when the VM was sealed */
    struct avc_traps traps;
    uint64_t svc_traps;               /* the bits of traps.hfgitr that avc_vm_trap_svc() switches */
    uint32_t traps_version;           /* odd while they are off; each change adds one; atomic */
    uint64_t id_regs[AVC_NR_ID_REGS]; /* what the guest reads */
    uint64_t cntvoff;                 /* CNTVCT = CNTPCT - cntvoff */
    void *user;
    struct avc_trap_row class_rows[AVC_NR_TRAPS]; /* storage for the dispatch table of a VM with CLASS claims */
};

#ifdef __cplusplus
}
#endif
#endif
