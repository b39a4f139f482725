/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* No API: the layout of struct avc_vcpu, and the bits of its members. */
#ifndef AVC_PRIV_VCPU_H
#define AVC_PRIV_VCPU_H

#include <avc/event.h>

/* Bits of avc_vcpu.requests: what has to be done before the guest is entered next. Any CPU may set them. */
#define AVC_REQUEST_KICK  (1u << 0) /* avc_vcpu_run() must return AVC_KICKED */
#define AVC_REQUEST_IRQC  (1u << 1) /* the interrupt controller's enter() must be called */
#define AVC_REQUEST_POWER (1u << 2) /* the vCPU was switched on, or is off */
#define AVC_REQUEST_TRAPS (1u << 3) /* the VM's trap registers have changed */
#define AVC_REQUEST_WATCH (1u << 4) /* there is another observer, or none any more */
#define AVC_REQUEST_ALL   0x1fu
/* set by run alone: an SError was taken while the guest was left */
#define AVC_REQUEST_SERROR (1u << 5)
/* the same: parts of an access are left to do, see src/core/exit/decoder.c */
#define AVC_REQUEST_PART (1u << 6)

/* Bits of avc_vcpu.work: what run does at its entry and exit besides. Only the CPU where the vCPU is loaded uses
   them. */
#define AVC_WORK_VSE  (1u << 0) /* a virtual SError was pending when the guest was entered */
#define AVC_WORK_HOST (1u << 1) /* the registers of avc_hal.uses must be swapped */
#define AVC_WORK_FP   (1u << 2) /* the host's FP registers must be back at run's return */
#define AVC_WORK_SEEN (1u << 3) /* there is an observer */
#define AVC_WORK_STEP (1u << 4) /* the guest steps over an ERETAA: see src/core/exit/eret.c */

/* The power state. PSCI changes it by compare-and-swap: one caller of CPU_ON makes OFF to CLAIMED, writes where to
   start, and makes it PENDING. The owner makes any state CLAIMED, to reset, start or destroy the vCPU. The vCPU itself
   makes PENDING to ON. GONE: the vCPU is destroyed. The low three bits are what PSCI's AFFINITY_INFO returns, as a
   signed number. */
enum avc_power {
    AVC_POWER_ON = 0,
    AVC_POWER_OFF = 1,
    AVC_POWER_PENDING = 2,
    AVC_POWER_GONE = 6,
    AVC_POWER_CLAIMED = 8 + 2,
};

/* GUEST: avc_vcpu_run() is in progress. */
enum avc_mode { AVC_MODE_HOST, AVC_MODE_GUEST };

/* Whether WFI and WFE trap: as the VM's flags say, or as avc_vcpu_trap_wfx() has said. */
enum avc_wfx { AVC_WFX_AS_VM, AVC_WFX_TRAPPED, AVC_WFX_FREE };

#define AVC_NR_CTX 224 /* at least as many as avc/sysreg.def has saved registers: see avc/priv/ctx.h */

struct avc_fp {
    uint64_t v[32][2] __attribute__((aligned(16)));
    uint64_t fpcr, fpsr;
};

/* The trap that an observer sees: see src/core/exit/observe.c. */
struct avc_observe_ops;
struct avc_observed {
    const struct avc_observer *by; /* the observer that run uses, or NULL; atomic */
    uint64_t in, pc, esr, faults;  /* CNTPCT_EL0, ELR_EL2 and ESR_EL2 of the trap, and nr_faults before it */
    uint64_t since;                /* CNTPCT_EL0 when the guest was entered */
    uint32_t trap;
    bool open; /* the trap is not over yet */
};

struct avc_vcpu {
    /* Hot: what exits read and write. vectors.S finds the vCPU through SP_EL2 while the guest runs, and its members
       by hw/offsets.h, which asserts them. */
    uint64_t x[31];
    uint64_t pc;
    uint64_t pstate;
    uint64_t requests;                   /* AVC_REQUEST_..., atomic */
    uint64_t host_sp;                    /* run's stack */
    const struct avc_trap_row *dispatch; /* AVC_NR_TRAPS rows: the VM's, or those that observe */
    struct avc_vm *vm;
    const struct avc_claim *asked; /* the claim that AVC_ASK has the vector call */
    uint64_t vbar, hcr;            /* EL2's controls while the guest runs, and the host's */
    uint64_t host_vbar, host_hcr;
    uint64_t cptr, host_cptr;
    const struct avc_call_entry *call; /* the VM's indexes, each with its multiplier */
    uint64_t call_hash;
    const struct avc_mmio_entry *mmio;
    uint64_t mmio_hash;
    const struct avc_sysreg_entry *sysreg;
    uint64_t sysreg_hash;
    struct avc_vcpu *self;   /* a pair by which a dump finds the vCPU, as in run's frame: its address, and */
    uint64_t self_at;        /* the address of the pair, less 16 */
    uint64_t serror;         /* 1 << 63 | ESR_EL2 of an SError that was taken while the guest was left */
    struct avc_pcpu *pcpu;   /* the CPU where it is loaded, or NULL; atomic */
    uint32_t on;             /* MPIDR_EL1 of that CPU; 0: not loaded. The next four are one doubleword, for run */
    uint8_t on_aff3;         /* bits 39..32 of that MPIDR_EL1 */
    uint8_t mode;            /* enum avc_mode, atomic */
    uint16_t work;           /* AVC_WORK_... */
    bool fp_live;            /* the guest's FP registers are in the CPU */
    bool debug_live;         /* the guest's breakpoints are in the CPU */
    bool vserror;            /* a virtual SError is pending */
    bool irq_line, fiq_line; /* levels, in a VM without interrupt controller */
    uint16_t harden;         /* of the CPU where it is loaded: see avc_pcpu.harden */
    struct avc_exit exit;    /* the event in progress; run completes it when it begins */

    /* Cold. */
    uint64_t nr_traps[AVC_NR_TRAPS]; /* counters, read by avc_vcpu_counters(); an exit touches two of them */
    uint64_t nr_exits[AVC_NR_KINDS];
    struct avc_exit failed; /* an exit of kind AVC_FAIL; a call on the wrong CPU must not write `exit` */
    uint64_t magic;
    uint64_t nr_isv0, nr_faults, nr_undef, nr_unclaimed; /* more counters */
    const struct avc_observer *observer;                 /* the one that was set last, or NULL; atomic */
    const struct avc_observe_ops *observe;               /* what run calls then; NULL: there never was an observer */
    struct avc_observed observed;
    uint32_t index;         /* in its VM */
    uint32_t power;         /* enum avc_power, atomic */
    uint32_t traps_version; /* avc_vm.traps_version that its trap registers belong to; atomic */
    uint8_t wfx;            /* enum avc_wfx */
    bool fresh;        /* power is PENDING, and the registers are what it starts with: see src/core/object/vcpu.c */
    uint64_t mpidr;    /* VMPIDR_EL2 */
    uint64_t affinity; /* its affinity fields, by which PSCI calls name it */
    uint64_t start_pc, start_x0;
    uint64_t vttbr;           /* VTTBR_EL2 while loaded */
    struct avc_pcpu *last;    /* the CPU where it was loaded last: see src/core/mem/vmid.c */
    uint64_t ctx[AVC_NR_CTX]; /* EL1 and EL0 system registers while it is not loaded, by enum avc_ctx */
    uint32_t live;            /* groups of ctx[] whose registers are in the CPU: see src/hw/regs.c */
    uint32_t groups;          /* all groups that the VM has; for regs.c */
    struct avc_fp *fp;        /* &fp_storage */
    void *irqc_data;          /* the interrupt controller's own */
    void *user;
    struct avc_fp fp_storage;
    struct avc_fp host_fp;
} __attribute__((aligned(64)));

#endif
