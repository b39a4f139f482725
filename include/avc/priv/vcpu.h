/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* No API: the layout of struct avc_vcpu, and the bits of its members. */
#ifndef AVC_PRIV_VCPU_H
#define AVC_PRIV_VCPU_H

#include <avc/event.h>

/* Why a vCPU cannot simply go back into its guest: bits of avc_vcpu.requests. Set from any CPU. */
#define AVC_REQUEST_KICK  (1u << 0) /* run must return AVC_KICKED */
#define AVC_REQUEST_IRQC  (1u << 1) /* the interrupt controller wants its enter() called */
#define AVC_REQUEST_POWER (1u << 2) /* it was switched on, or is off */
#define AVC_REQUEST_TRAPS (1u << 3) /* trap registers changed */
#define AVC_REQUEST_WATCH (1u << 4) /* another observer, or none */
#define AVC_REQUEST_ALL   0x1fu
/* not to be asked for: an SError was taken on the way out of the guest */
#define AVC_REQUEST_SERROR (1u << 5)

/* Rare work at run's entry and exit, known on this CPU alone. */
#define AVC_WORK_VSE  (1u << 0) /* a virtual SError was pending when the guest was entered */
#define AVC_WORK_HOST (1u << 1) /* registers the host uses must be swapped */
#define AVC_WORK_FP   (1u << 2) /* the host wants its FP registers back at run's return */
#define AVC_WORK_SEEN (1u << 3) /* there is an observer */
#define AVC_WORK_STEP (1u << 4) /* a step over an ERETAA is on its way: see src/core/exit/eret.c */

/* Power state, changed by PSCI with compare-and-swap: OFF to CLAIMED by one caller, which then writes where to start
   and makes it PENDING; to ON by the vCPU itself. GONE: destroyed. The low three bits, as a signed number, are what
   PSCI's AFFINITY_INFO says of it. */
enum avc_power {
    AVC_POWER_ON = 0,
    AVC_POWER_OFF = 1,
    AVC_POWER_PENDING = 2,
    AVC_POWER_GONE = 6,
    AVC_POWER_CLAIMED = 8 + 2,
};

/* Whether run is in progress. */
enum avc_mode { AVC_MODE_HOST, AVC_MODE_GUEST };

/* Whether WFI and WFE trap. */
enum avc_wfx { AVC_WFX_AS_VM, AVC_WFX_TRAPPED, AVC_WFX_FREE };

#define AVC_NR_CTX 224 /* at least the saved registers of avc/sysreg.def; a test compares */

struct avc_fp {
    uint64_t v[32][2] __attribute__((aligned(16)));
    uint64_t fpcr, fpsr;
};

/* The trap that is being observed; see src/core/exit/observe.c. */
struct avc_observe_ops;
struct avc_observed {
    const struct avc_observer *by; /* the observer that is taken up, or NULL; atomic */
    uint64_t in, pc, esr, faults;  /* of the trap: when, where, why, and nr_faults before it */
    uint64_t since;                /* when the guest was entered */
    uint32_t trap;
    bool open; /* it is not over yet */
};

struct avc_vcpu {
    /* Hot: all that the way of an exit reads and writes here. vectors.S reaches it through SP_EL2 while the guest runs;
       hw/offsets.h has the offsets, asserted. */
    uint64_t x[31];
    uint64_t pc;
    uint64_t pstate;
    uint64_t requests;                   /* AVC_REQUEST_..., atomic */
    uint64_t host_sp;                    /* run's stack */
    const struct avc_trap_row *dispatch; /* AVC_NR_TRAPS rows: the VM's, or those that observe */
    struct avc_vm *vm;
    const struct avc_claim *asked; /* with AVC_ASK: about the event that has begun */
    uint64_t vbar, hcr;            /* the guest's EL2 controls, and the host's */
    uint64_t host_vbar, host_hcr;
    uint64_t cptr, host_cptr;
    const struct avc_call_entry *call; /* the VM's tables, each with its multiplier */
    uint64_t call_hash;
    const struct avc_mmio_entry *mmio;
    uint64_t mmio_hash;
    const struct avc_sysreg_entry *sysreg;
    uint64_t sysreg_hash;
    struct avc_vcpu *self; /* a pair by which a dump finds the vCPU, like that in run's frame: this, and */
    uint64_t self_at;      /* 16 less than where the pair is */
    uint64_t serror;       /* 1 << 63 | ESR_EL2 of an SError taken while leaving */
    struct avc_pcpu *pcpu; /* the CPU where it is loaded, or NULL; atomic */
    uint32_t on;           /* MPIDR_EL1 of that CPU, 0: not loaded. The four make one doubleword, which run compares */
    uint8_t on_aff3;       /*   bits 39..32 of it */
    uint8_t mode;          /* enum avc_mode, atomic */
    uint16_t work;         /* what run has to do besides, at entry and exit: AVC_WORK_... */
    bool fp_live;          /* the guest's FP registers are in the CPU */
    bool debug_live;       /* the guest's breakpoints are in the CPU */
    bool vserror;          /* a virtual SError is pending */
    bool irq_line, fiq_line; /* without interrupt controller */
    struct avc_exit exit;    /* the event being dealt with; run does as its answer says when it begins */

    /* Cold. */
    uint64_t nr_traps[AVC_NR_TRAPS]; /* counters: avc_vcpu_counters(); an exit touches two */
    uint64_t nr_exits[AVC_NR_KINDS];
    struct avc_exit failed; /* AVC_FAIL, so that a call from the wrong CPU leaves `exit` to its owner */
    uint64_t magic;
    uint64_t nr_isv0, nr_faults, nr_undef, nr_unclaimed; /* more counters */
    const struct avc_observer *observer;                 /* the one asked for, or NULL; atomic */
    const struct avc_observe_ops *observe; /* what run calls when there is one, or was; NULL: there never was */
    struct avc_observed observed;
    uint32_t index;         /* in its VM */
    uint32_t power;         /* enum avc_power, atomic */
    uint32_t traps_version; /* the VM's, that its trap registers are of; atomic */
    uint8_t wfx;            /* enum avc_wfx: what avc_vcpu_trap_wfx() said last */
    uint64_t mpidr;         /* VMPIDR_EL2 */
    uint64_t affinity;      /* its affinity fields, what PSCI calls name it by */
    uint64_t start_pc, start_x0;
    uint64_t vttbr;           /* VTTBR_EL2 while loaded */
    struct avc_pcpu *last;    /* CPU it ran on last (local-TLB rule) */
    uint64_t ctx[AVC_NR_CTX]; /* EL1/EL0 system registers while not loaded; index: enum avc_ctx */
    uint32_t live;            /* groups of ctx[] that have changed places with the CPU: see src/hw/regs.c */
    struct avc_fp *fp;        /* &fp_storage */
    void *irqc_data;          /* the interrupt controller's own */
    void *user;
    struct avc_fp fp_storage;
    struct avc_fp host_fp;
} __attribute__((aligned(64)));

#endif
