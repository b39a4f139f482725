/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * arm_vcpu: AArch64 virtual CPUs for a kernel that runs at EL2.
 *
 * The way through it:
 *
 *     avc_machine_init   once            what the CPUs and VMs share
 *     avc_pcpu_enable    on each CPU     probes it; takes nothing it does not give back
 *     avc_stage2_init    per VM          guest memory (avc/stage2.h), or avc_stage2_adopt
 *     avc_vm_init        per VM          then avc_vm_claim, avc_psci_attach, avc_vgic_attach, ...
 *     avc_vcpu_init      per vCPU        then avc_vcpu_start for the first
 *     avc_vcpu_load      on a CPU        EL1 state in; the first load seals the VM
 *     avc_vcpu_run       again and again each return is one struct avc_exit
 *     avc_vcpu_put       on that CPU     EL1 state out; the vCPU may move
 *
 * All storage is the caller's: every struct here may live in static memory, on a heap or in a page. The members
 * are visible so that the compiler knows their size; unless a comment says otherwise they belong to the library.
 * Nothing here allocates, and nothing is global. Unless a function says otherwise it may be called on any CPU, at
 * EL2, with interrupts masked or not, and must not be called from a claim.
 *
 * Calling contexts, used by the comments below:
 *   setup    from one CPU at a time, before the object is in use
 *   loaded   on the CPU where the vCPU is loaded, from the thread that loaded it, outside of run
 *   claim    from a claim's function, on the vCPU it was called for
 *   any      from anywhere, any CPU, interrupt handlers too
 */
#ifndef AVC_AVC_H
#define AVC_AVC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <avc/priv/result.h>

#ifdef __cplusplus
extern "C" {
#endif

#define AVC_VERSION "0.1.0"

#define AVC_MUST_USE __attribute__((warn_unused_result))

/** Guest ("intermediate") and host physical addresses, in bytes. */
typedef uint64_t avc_ipa_t;
typedef uint64_t avc_pa_t;

/* See src/core/atomic.h. */
struct avc_lock {
    uint32_t held;
};

struct avc_exit;
struct avc_machine;
struct avc_pcpu;
struct avc_stage2;
struct avc_vcpu;
struct avc_vm;

/* ---------------------------------------------------------------------------------------------- status --- */

/* One table for code, name and text. */
#define AVC_STATUS_LIST(X)                                                                                             \
    X(AVC_OK, "done")                                                                                                  \
    X(AVC_EINVAL, "an argument is null, or has a value that is never valid")                                           \
    X(AVC_EALIGN, "an address, a size or an object is not aligned as required")                                        \
    X(AVC_ERANGE, "an address or a number lies outside of what was configured")                                        \
    X(AVC_ENOMEM, "the caller's storage or page callback has nothing left")                                            \
    X(AVC_EBUSY, "in use: loaded on a CPU, or asked from another CPU while loaded")                                    \
    X(AVC_EEXIST, "there already: initialised twice, mapped, or claimed by someone else")                              \
    X(AVC_ENOENT, "not there: not initialised, not mapped, or an unknown id")                                          \
    X(AVC_ESTATE, "not now: the object is not in the state that this call needs")                                      \
    X(AVC_ESEALED, "too late: the VM was sealed when a vCPU was first loaded")                                         \
    X(AVC_ENOTSUP, "this CPU, or this build of the library, cannot do that")                                           \
    X(AVC_ENOTRAP, "this CPU has no trap that would make the claim see anything")                                      \
    X(AVC_EHAL, "a member of struct avc_hal that this needs is missing")

enum avc_status {
#define AVC_STATUS_ENUM(code, text) code,
    AVC_STATUS_LIST(AVC_STATUS_ENUM)
#undef AVC_STATUS_ENUM
};

/** The text of a status code, and its name ("AVC_EINVAL"); never NULL. Context: any. */
const char *avc_status_text(enum avc_status status);
const char *avc_status_name(enum avc_status status);

/* --------------------------------------------------------------------------------- events and answers --- */

/** What happened. The first group can be claimed; `key` is what a claim's range is compared with. */
enum avc_kind {
    AVC_CLASS,  /* any synchronous exception; key: exception class (ESR_EL2.EC, 0..63) */
    AVC_CALL,   /* HVC or SMC (imm: its immediate, esr: which); key: function id, W0 */
    AVC_SYSREG, /* MSR, MRS, or a system instruction; key: AVC_SYSREG_KEY(op0, op1, CRn, CRm, op2) */
    AVC_MMIO,   /* a load or store to where no memory is; key: IPA */
    AVC_SVC,    /* a system call of EL0, where FEAT_FGT can trap it; key: number, X8 */
    AVC_NR_CLAIM_KINDS,

    AVC_STAGE2 = AVC_NR_CLAIM_KINDS, /* memory not mapped, or not with this permission, and not decodable as MMIO:
                                        fetch, table walk, atomic, pair...; key: IPA; map it and answer RETRY */
    AVC_IRQ,          /* a physical interrupt; key: token; `handled` says whether the HAL's handler has done it */
    AVC_KICKED,       /* avc_vcpu_kick() */
    AVC_WFI,          /* waits; value: CNTPCT_EL0 at which a timer of its own will wake it, ~0 for none */
    AVC_WFE,          /* as WFI, when the VM asked for the trap */
    AVC_CPU_OFF,      /* the vCPU is off, or not started yet; run it again after wake() */
    AVC_CPU_SUSPEND,  /* PSCI CPU_SUSPEND; as AVC_WFI; key: power_state */
    AVC_SYSTEM_OFF,   /* the VM asks to be powered off */
    AVC_SYSTEM_RESET, /* the VM asks to be reset; key: PSCI function id; value: reset type; arg: cookie (x2) */
    AVC_SERROR,       /* a physical SError was taken while the guest ran; esr */
    AVC_FAIL,         /* run refused to run; status says why */
    AVC_NR_KINDS
};

/**
 * What is to be done about it. Each exit comes with `answer` preset to what the architecture would do, so a VMM that
 * ignores an exit is safe. Exits that are no instruction's (IRQ, KICKED, CPU_OFF, CPU_SUSPEND, SYSTEM_OFF, SYSTEM_RESET)
 * leave nothing to be done: any answer will do.
 */
enum avc_answer {
    AVC_DONE,  /* finished: for a read, `value` goes to the register; step past if the architecture says so */
    AVC_RETRY, /* do the instruction again */
    AVC_FAULT, /* the guest's fault: UNDEFINED for SYSREG, CLASS, SVC, WFI and WFE; an external abort for MMIO and STAGE2;
                  NOT_SUPPORTED for CALL; a virtual SError for SERROR */
    AVC_EXIT, /* (claims) to the VMM: run returns with this event */
    AVC_PASS /* (claims) not mine: go on as if this claim were not there, with the library's own claim on the key (PSCI,
                  vGIC) if there is one, then with what it does without any. Of the event only `value` goes on as the claim
                  left it: what a guest writes can be filtered. In an exit of kind CLASS or SVC: the guest gets the
                  exception that it would have had without the trap, which for what would have had none is UNDEFINED; but
                  WFI, WFE and ERET are done (about an ERETAA that is interrupted a claim is asked again) */
};

/** One event, as claims and the VMM see it. Registers are read from the vCPU: avc_vcpu_gpr(). The first eight bytes are one
    doubleword on the way of an exit: src/core/exit/event.h. */
struct avc_exit {
    enum avc_kind kind : 8;
    enum avc_answer answer : 8; /* yours to set */
    uint8_t size;               /* MMIO: 1, 2, 4 or 8 bytes; STAGE2: the same, or 0: not decoded, DONE is as RETRY */
    bool write;                 /* MMIO, SYSREG, STAGE2: the guest writes */
    bool fetch;                 /* STAGE2: an instruction fetch */
    bool handled;               /* IRQ: the handler of this CPU has dealt with it; else it is still pending */
    bool step;                  /* private: DONE moves the PC */
    uint8_t own;                /* private: what PASS means */
    uint64_t key;               /* see enum avc_kind */
    uint64_t value;             /* write: what the guest wrote; read: yours to set, the low `size` bytes count */
    uint64_t esr;               /* ESR_EL2 as taken */
    uint64_t pc;                /* the guest's PC: of the trapped instruction; for HVC of the one after it */
    uint64_t va;                /* MMIO, STAGE2: FAR_EL2 */
    uint64_t arg;               /* see enum avc_kind */
    uint16_t imm;               /* CALL, CLASS, SVC: immediate of HVC, SMC, SVC, BRK */
    enum avc_status status;     /* FAIL */
};

/** Finishes an exit with a value. Context: loaded, claim. */
static inline enum avc_answer avc_done(struct avc_exit *e, uint64_t value)
{
    e->value = value;
    e->answer = AVC_DONE;
    return AVC_DONE;
}

/** "AVC_MMIO" and so on; never NULL. Context: any. */
const char *avc_kind_name(enum avc_kind kind);

/** The key of a system register: the fields of its MRS encoding, packed as in the instruction's bits 20..5. */
#define AVC_SYSREG_KEY(op0, op1, crn, crm, op2)                                                                        \
    ((uint32_t)(op0) << 14 | (uint32_t)(op1) << 11 | (uint32_t)(crn) << 7 | (uint32_t)(crm) << 3 | (uint32_t)(op2))

/* --------------------------------------------------------------------------------------------- claims --- */

/**
 * A claim's function. Runs at EL2 on run's stack with IRQs masked and the guest's EL1/EL0 state live in the CPU: it
 * must be bounded, must not block, must not use FP or SIMD, and sees none of the host's per-thread registers that the
 * library has borrowed. What needs more answers AVC_EXIT and is done in the VMM's loop.
 */
typedef enum avc_answer avc_claim_fn(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx);

/**
 * An MMIO claim gets loads and stores whose first byte is in its range; they may reach beyond it. Where stage 2 permits an
 * access none ever traps, whoever claims the address: over read-only memory a claim sees the stores (flash). What is not one
 * register's load or store (pairs, atomics, SIMD, write-back, fetches, table walks) is not offered to MMIO claims; it goes
 * to the VMM as AVC_STAGE2.
 */
struct avc_claim {
    enum avc_kind kind;
    uint64_t first, last; /* range of keys, both included */
    avc_claim_fn *fn; /* NULL: nobody is asked, the event goes to the VMM; cheaper than a function that answers EXIT */
    void *ctx;
};

/** Ready-made claim functions: hand the event to the VMM; answer FAULT. Any kind of claim; ctx: not used. */
avc_claim_fn avc_to_vmm, avc_deny;

/**
 * Ready-made claim function for CALL: hands the guest's call, HVC or SMC, on to the host's firmware by SMC, x0..x17 as
 * they are, and gives the guest x0..x17 as they come back. ctx: a const struct avc_firmware_audit, or NULL.
 *
 * It forwards all that the claim's range has in it but what would let the guest speak for EL2:
 *   PSCI, SDEI and DRTM (0x84000000..3f and 0x84000110..12f), ARCH_WORKAROUND_2, which switches a mitigation of the CPU,
 *   their 64-bit forms, and ids that differ from these in bits 23..16 alone, which firmware may ignore: the answer is
 *   PASS. With avc_psci_attach() PSCI and ARCH_WORKAROUND_2 are then served here; all else is NOT_SUPPORTED;
 *   SMCCC's hint that SVE registers hold nothing (bit 16 of a fast call's id) is cleared: they are the host's;
 *   an immediate other than 0 is no SMCCC call: NOT_SUPPORTED;
 *   on a CPU without EL3 (ID_AA64PFR0_EL1) nothing is forwarded, unless the host says AVC_HOST_SMC: NOT_SUPPORTED.
 * An address in an argument is an IPA of the guest's, which firmware takes for a physical one, and the client id in W7 is
 * what the guest wrote: claim for this function only calls that have neither, or see to them in a claim of your own that
 * calls it, or avc_smc(). Firmware must be quick, as a claim: IRQs stay masked until it is back.
 */
avc_claim_fn avc_to_firmware;

/**
 * Sees each call on its way to firmware, and each answer, from the claim that forwards it (same context, same limits): x0
 * to x17 as firmware gets them, and as it left them. e: how and from where the guest called (esr, pc). On one vCPU an
 * answer is always that of the call before. Constant while the VM exists; each member may be NULL.
 */
struct avc_firmware_audit {
    void *ctx;
    /** false: the call is not made; the guest reads NOT_SUPPORTED, and there is no answer to be seen. */
    bool (*call)(void *ctx, struct avc_vcpu *vcpu, const struct avc_exit *e, const uint64_t x[18]);
    void (*answer)(void *ctx, struct avc_vcpu *vcpu, const struct avc_exit *e, const uint64_t x[18]);
};

/** Entries of caller's storage that a VM needs for `n` claims of the embedder's and the library's own. */
#define AVC_CLAIM_SLOTS(n) (2 * (n) + 64)

/* ------------------------------------------------------------------------------------------- the host --- */

/** A physical interrupt as the host's controller names it: the raw acknowledge value (IAR). */
typedef uint32_t avc_irq_t;
#define AVC_IRQ_SPURIOUS UINT32_MAX

/** How much the host says in log lines. */
enum avc_log_level { AVC_LOG_ERROR, AVC_LOG_WARN, AVC_LOG_INFO };

/**
 * What the host gives. Constant while a CPU uses it; CPUs may have different ones. All functions are called on the CPU
 * concerned with IRQs masked; wake, when it is the host that asks for something, with IRQs as that call finds them. Those
 * called in the course of run stand where a claim does: no FP or SIMD, no per-thread registers of the host's. They must
 * not call back into the library, but for avc_vcpu_kick() and avc_vcpu_is_loaded(); irq_handler may call whatever has
 * context any.
 *
 * Physical interrupts: exactly one party acknowledges each, and exactly one ends it.
 *
 * Without irq_fetch the library acknowledges and ends nothing. One that comes while a guest runs stays pending: run
 * returns AVC_IRQ with `handled` false, and the host's own vector takes it when the host unmasks. Only the timers' and
 * the maintenance interrupt of the vCPU's own controller go away by themselves, masked by irq_mask or with their cause.
 *
 * With irq_fetch:
 *   - It is called once for each IRQ taken from a guest, and once in each avc_pcpu_irq(). What it returns is acknowledged
 *     from then on, or AVC_IRQ_SPURIOUS: nothing was.
 *   - A timer's or the maintenance interrupt, of a vCPU that is loaded here and has a controller, is the library's. It
 *     calls irq_end for it exactly once, on this CPU, before it fetches again. With `deactivate` false, which happens
 *     with eoi_split only, and to the timers' only, the interrupt stays active: the guest deactivates it, through its
 *     list register, or the library does by ICC_DIR_EL1, on this CPU, when the vCPU is put at the latest.
 *   - Any other is passed to this CPU's handler exactly once, which owns it to its end. The library does not look at it
 *     again, whatever the answer.
 *   - Not more than one is acknowledged and not yet ended by the library's doing: a fetch comes after the last one's
 *     irq_end or handler. (A handler that unmasks at EL2 nests by its own doing.)
 */
struct avc_hal {
    void *ctx;

    /** Required. A bug of the library or of the host; must not return. */
    void (*panic)(void *ctx, const char *why);

    /** Required with more than one vCPU, or with timers. The vCPU has work: if it runs on another CPU, interrupt that
        CPU; if it is blocked, make it runnable. May be called on any CPU, for any vCPU of the machine: it is that of the
        HAL of the CPU that asks. */
    void (*wake)(void *ctx, struct avc_vcpu *vcpu);

    /** Optional. Acknowledges the highest pending interrupt: its raw IAR value, or AVC_IRQ_SPURIOUS.
        NULL: interrupts stay pending, run returns AVC_IRQ, and the host's own vectors take them. */
    avc_irq_t (*irq_fetch)(void *ctx);

    /** Required with irq_fetch. Ends an interrupt that the library kept for itself: priority drop, and with
        `deactivate` also deactivation. (With EOImode 0 the drop is both.) */
    void (*irq_end)(void *ctx, avc_irq_t irq, bool deactivate);

    /** Masks or unmasks a PPI of this CPU at the physical interrupt controller. Required with timers. */
    void (*irq_mask)(void *ctx, uint32_t intid, bool masked);

    /** Required with irq_fetch: the handler of this CPU until avc_pcpu_set_irq_handler(). Owns the interrupt to its
        end. AVC_EXIT: run returns AVC_IRQ with `handled` set; AVC_DONE, or any other answer: back to the guest. While a
        guest runs it must not unmask; called by a vector at EL2 it may, if it masks again before it returns. */
    enum avc_answer (*irq_handler)(void *ctx, avc_irq_t irq);

    /** Optional. One line, no newline. */
    void (*log)(void *ctx, enum avc_log_level level, const char *line);

    bool eoi_split; /* this CPU's interface runs with EOImode 1: dropping and deactivating are two steps. Needed for
                       interrupts linked to hardware; without it timer PPIs are masked until the guest's EOI */

    uint32_t vtimer_ppi; /* physical INTIDs, 0: the usual ones, 27, 30 and 25 */
    uint32_t ptimer_ppi;
    uint32_t maintenance_ppi;

    /** What the host uses at EL2 between runs and wants given back at each return of run; and AVC_HOST_SMC. */
    uint32_t uses;
};

#define AVC_HOST_SP_EL0 (1u << 0) /* SP_EL0, as a current-thread pointer */
#define AVC_HOST_TPIDR  (1u << 1) /* TPIDR_EL0, TPIDRRO_EL0 and TPIDR_EL1 */
#define AVC_HOST_PAUTH  (1u << 2) /* pointer authentication keys */
/* The host never touches FP and SIMD between load and put: the guest's stay in the CPU. Not set: the guest's are saved,
   and V8..V15 (low halves), FPCR and FPSR of the host are put back, at each return of run in which the guest used them. */
#define AVC_HOST_NO_FP (1u << 3)
/* SMC has an answer although ID_AA64PFR0_EL1 shows no EL3: from a hypervisor below, or the emulator. Without it
   avc_to_firmware() answers for such a CPU, since SMC would be UNDEFINED, at EL2. */
#define AVC_HOST_SMC (1u << 4)

/** A replaceable interrupt handler: one pointer to a constant pair. fn is as avc_hal.irq_handler. */
struct avc_irq_handler {
    enum avc_answer (*fn)(void *ctx, avc_irq_t irq);
    void *ctx;
};

/* ------------------------------------------------------------------------------------ features, machine --- */

/* What the library asks of a CPU, made from its ID registers by src/core/policy/feature.c. */
enum avc_feature_bit {
    AVC_FEAT_VHE,
    AVC_FEAT_VMID16,
    AVC_FEAT_FGT,
    AVC_FEAT_ECV,
    AVC_FEAT_EVT,
    AVC_FEAT_PAUTH,
    AVC_FEAT_RAS,
    AVC_FEAT_SVE,
    AVC_FEAT_SME,
    AVC_FEAT_MTE,
    AVC_FEAT_HCX,
    AVC_FEAT_TLBIRANGE,
    AVC_FEAT_TLBIOS,
    AVC_FEAT_TTL,
    AVC_FEAT_XNX,
    AVC_FEAT_HAFDBS,
    AVC_FEAT_AA32EL0,
    AVC_FEAT_AA32EL1,
    AVC_FEAT_PMU,
    AVC_FEAT_SPE,
    AVC_FEAT_TRBE,
    AVC_FEAT_TRF,
    AVC_FEAT_AMU,
    AVC_FEAT_MPAM,
    AVC_FEAT_LOR,
    AVC_FEAT_DOUBLELOCK,
    AVC_FEAT_RNDR,
    AVC_FEAT_CSV2_2,
    AVC_FEAT_SCXTNUM,
    AVC_FEAT_TCR2,
    AVC_FEAT_S1PIE,
    AVC_FEAT_GICV3,
    AVC_FEAT_IDST,
    AVC_FEAT_FWB,
    AVC_FEAT_DIT,
    AVC_FEAT_SSBS,
    AVC_FEAT_PAN,
    AVC_FEAT_NV,
    AVC_FEAT_IESB,
    AVC_FEAT_BBM2,
    AVC_FEAT_LSE,
    AVC_FEAT_WFXT,
    AVC_FEAT_LPA2,
    AVC_FEAT_BTI,
    AVC_FEAT_FP,
    AVC_NR_FEATURES
};

#define AVC_NR_ID_REGS 56 /* op0=3, op1=0, CRn=0, CRm=1..7, op2=0..7 */

struct avc_features {
    uint64_t id[AVC_NR_ID_REGS]; /* as read; index (CRm - 1) * 8 + op2 */
    uint64_t has;                /* bit per enum avc_feature_bit */
    uint8_t pa_bits;             /* 32..52 */
    uint8_t breakpoints, watchpoints;
    uint8_t list_regs, pri_bits; /* GICv3 virtual CPU interface; 0 when there is none */
    uint64_t midr, ctr, dczid, clidr;
    uint64_t cntfrq;
    uint32_t workarounds; /* what firmware says of SMCCC_ARCH_WORKAROUND_1/2/3: 2 bits each, see avc/psci.h */
};

/** What the CPUs and VMs of a host share. Lives as long as any of them. */
struct avc_machine {
    uint64_t magic;
    struct avc_lock lock;
    struct avc_features features; /* common to all enabled CPUs */
    uint32_t enabled;             /* CPUs enabled now */
    bool fixed;                   /* a VM was sealed: features may not shrink any more */
    struct avc_pcpu *pcpus;       /* list of the enabled ones */
    /* VMIDs: see vmid.c */
    uint64_t vmid_generation;
    uint64_t vmid_map[65536 / 64]; /* those given out in this generation */
    uint32_t vmid_next;            /* where the search goes on */
};

/** Prepares a machine: one for a CPU, since each numbers VMIDs for itself. Errors: EINVAL (null), EALIGN, EEXIST (initialised before). Context: setup. */
AVC_MUST_USE enum avc_status avc_machine_init(struct avc_machine *machine);

/** Forgets a machine. Errors: EINVAL, ENOENT, EBUSY (a CPU is enabled). Context: setup. */
AVC_MUST_USE enum avc_status avc_machine_destroy(struct avc_machine *machine);

/** Whether this CPU, as it is now, can run guests: AVC_OK, or ENOTSUP at EL1, without EL2's stage 2, with an
    implementation that has no AArch64 EL1 and so on. Changes nothing. Context: any, at EL1 or EL2. */
AVC_MUST_USE enum avc_status avc_has_hardware_support(void);

/* --------------------------------------------------------------------------------------------- one CPU --- */

#define AVC_NR_RAN 16

struct avc_pcpu {
    uint64_t magic;
    struct avc_machine *machine;
    const struct avc_hal *hal;
    const struct avc_irq_handler *irq_handler; /* never NULL once initialised; swapped atomically */
    const struct avc_irq_handler *irq_in_use;  /* the one that runs now */
    struct avc_irq_handler hal_handler;        /* the HAL's, as a pair */
    struct avc_vcpu *current;                  /* loaded here, or NULL */
    uint64_t mpidr;                            /* MPIDR_EL1 of the CPU */
    struct avc_features features;
    struct avc_pcpu *next;
    bool enabled;
    uint64_t vmid_active; /* of the loaded vCPU, 0: none. See vmid.c for these three */
    bool tlb_stale;       /* before the next guest all of the TLB must go: set by enable and by a VMID rollover */
    struct avc_ran {      /* who ran here last under a VMID; index: its low bits (local-TLB rule) */
        const struct avc_vcpu *vcpu;
        uint64_t vmid;
    } ran[AVC_NR_RAN];
    uint64_t host_saved[32];                     /* the host's EL2 controls from load to put; see src/hw/regs.c */
    uint64_t found_vbar, found_tpidr, found_imo; /* what our vectors have taken the place of */
    bool vectors;                                /* they stand for good */
    uint8_t dumps;                               /* exceptions nobody expected */
};

/** Prepares the object of one CPU. Borrowed: hal, for as long as the object lives.
    Errors: EINVAL, EALIGN, EEXIST, EHAL (panic missing; irq_fetch without irq_end and irq_handler). Context: setup. */
AVC_MUST_USE enum avc_status avc_pcpu_init(struct avc_pcpu *pcpu, struct avc_machine *machine,
                                           const struct avc_hal *hal);

/** Probes the calling CPU and makes it ready to load vCPUs. Claims nothing that disable does not give back.
    Errors: EINVAL, ENOENT (not initialised), EBUSY (enabled already, or this CPU is by another object), ENOTSUP (see
    avc_has_hardware_support(); or a VM was sealed and this CPU lacks a feature the others have). Context: setup, on the CPU itself, at EL2. */
AVC_MUST_USE enum avc_status avc_pcpu_enable(struct avc_pcpu *pcpu);

/** Gives the calling CPU back as enable found it. The object's storage must outlive calls that other CPUs are making just
    now: they look for their own in the machine's list without a lock. Errors: EINVAL, ENOENT, ESTATE (not enabled), EBUSY (a vCPU is
    loaded, or called on another CPU). Context: on the CPU itself. */
AVC_MUST_USE enum avc_status avc_pcpu_disable(struct avc_pcpu *pcpu);

/** Whether enable succeeded and disable did not. Context: any. */
bool avc_pcpu_is_enabled(const struct avc_pcpu *pcpu);

/**
 * Replaces this CPU's interrupt handler; NULL puts the HAL's back. Each interrupt goes to one pair, function and context
 * together: the old one or the new one. One that is being handled is finished by the pair it went to; a handler may
 * replace itself. Borrowed: the pair, and what its function uses, until it is no longer in use: after this call,
 * avc_pcpu_irq_handler_in_use(pcpu, old) false means that the old one may go. That is so at the latest when the call of it
 * that is in progress has returned; for the caller on the CPU itself, outside of a handler, at once. Several CPUs may call
 * this for one pcpu; a pair may go when it is not in use and nobody is going to set it again.
 * Errors: EINVAL (null, or a pair without function), ENOENT (not initialised). Context: any, handlers too.
 */
AVC_MUST_USE enum avc_status avc_pcpu_set_irq_handler(struct avc_pcpu *pcpu, const struct avc_irq_handler *handler);

/** Whether this pair (NULL: the HAL's) is the CPU's handler, or its function is being called there. While handlers nest
    at EL2 it is true of any pair. Context: any. */
bool avc_pcpu_irq_handler_in_use(const struct avc_pcpu *pcpu, const struct avc_irq_handler *handler);

/**
 * For the host's own IRQ vector: fetches one interrupt through the HAL, keeps it if it is a timer's or the maintenance
 * interrupt of the vCPU loaded here, and hands it to this CPU's handler otherwise. Returns the handler's answer;
 * AVC_DONE when it was the library's, or spurious. Without irq_fetch: AVC_DONE when what was pending was the loaded vCPU's
 * own, and is gone; AVC_PASS: it is the host's, to acknowledge and end. (A timer's that comes in just then and is
 * acknowledged by the host is ended like any other: it comes again, and goes the first way.) EL2 takes IRQs where
 * HCR_EL2.IMO is 1 or {E2H,TGE} are {1,1}. Context: on the CPU itself, enabled, IRQs masked, outside of run.
 */
enum avc_answer avc_pcpu_irq(struct avc_pcpu *pcpu);

/**
 * For a kernel without vectors: lets the library's stand at EL2 for good, between runs and without any vCPU. Each IRQ taken
 * at EL2 is an avc_pcpu_irq(), on the stack it finds (EL2h; 192 bytes, and what the HAL uses), with x0..x30, ELR_EL2 and
 * SPSR_EL2 kept. Anything else is a line in hal->log and hal->panic. Borrowed until they are removed: VBAR_EL2; TPIDR_EL2,
 * which the host must not write; HCR_EL2.IMO, which is set. PSTATE stays: the host unmasks.
 * Errors: EINVAL, ENOENT (not initialised), ESTATE (not enabled), EBUSY (a vCPU is loaded, or called on another CPU),
 * EEXIST (they stand already), EHAL (no irq_fetch). Context: on the CPU itself, outside of handlers.
 */
AVC_MUST_USE enum avc_status avc_pcpu_install_vectors(struct avc_pcpu *pcpu);

/** Gives VBAR_EL2, TPIDR_EL2 and HCR_EL2.IMO back as install found them; avc_pcpu_disable() does it too.
    Errors: EINVAL, ENOENT (not initialised, or not installed), ESTATE, EBUSY. Context: as install. */
AVC_MUST_USE enum avc_status avc_pcpu_remove_vectors(struct avc_pcpu *pcpu);

/* ------------------------------------------------------------------------------------------------- VMs --- */

/**
 * The interrupt controller of a VM, seen from the core. avc/vgic.h is one. With none, avc_vcpu_set_irq() drives
 * HCR_EL2.VI alone. Every function is called with IRQs masked.
 */
struct avc_irqc_ops {
    void (*load)(struct avc_vcpu *vcpu);  /* on the CPU it is being loaded on */
    void (*put)(struct avc_vcpu *vcpu);   /* on the CPU it is being taken from */
    void (*enter)(struct avc_vcpu *vcpu); /* before entering the guest, when AVC_REQUEST_IRQC was set */
    void (*reset)(struct avc_vcpu *vcpu); /* vCPU is not loaded */
    /* a physical interrupt was fetched while it is loaded here: true when it was for this controller, which has then ended
       it by hal->irq_end. AVC_IRQ_SPURIOUS: one is pending and the host does not fetch; true when there is none any more
       that is this controller's, and there was */
    bool (*irq)(struct avc_vcpu *vcpu, avc_irq_t irq);
    bool (*pending)(struct avc_vcpu *vcpu);      /* would WFI complete now? any CPU */
    uint64_t (*deadline)(struct avc_vcpu *vcpu); /* CNTPCT at which it will have a timer interrupt, ~0 none */
    enum avc_status (*set_irq)(struct avc_vm *vm, struct avc_vcpu *vcpu, uint32_t intid, bool level);
    /* optional: as irq, for one that was fetched (or was spurious) because it was taken from the guest of this vCPU. Settles
       it, ends it, and returns AVC_RESUME; or returns avc_vcpu_irq_host(vcpu, irq). Default: irq, and that */
    enum avc_result (*irq_taken)(struct avc_vcpu *vcpu, avc_irq_t irq);
};

#define AVC_VM_TRAP_WFE (1u << 0) /* WFE exits, for hosts with more vCPUs than CPUs */
#define AVC_VM_NO_WFI   (1u << 1) /* WFI is not trapped: one vCPU owns its CPU */

/** How a VM is made. Everything pointed to is borrowed until avc_vm_destroy(). */
struct avc_vm_config {
    struct avc_stage2 *stage2; /* required: its memory */
    struct avc_vcpu **vcpus;   /* storage for max_vcpus pointers */
    uint32_t max_vcpus;
    struct avc_claim *claims; /* storage: AVC_CLAIM_SLOTS(number of your claims) */
    uint32_t max_claims;      /* entries in it, up to 65535 */
    uint32_t flags;           /* AVC_VM_... */
    void *user;               /* yours: avc_vm_user() */
};

/* Values of the EL2 trap registers, made by traps.c from features, claims and flags when the VM is sealed. */
struct avc_traps {
    uint64_t hcr;            /* HCR_EL2, without E2H */
    uint64_t cptr, cptr_vhe; /* CPTR_EL2 with E2H=0 and E2H=1, FP trapped */
    uint64_t mdcr, hstr;
    uint64_t cnthctl, cnthctl_vhe;
    uint64_t vtcr;
    uint64_t hcrx;
    uint64_t hfgrtr, hfgwtr, hfgitr, hdfgrtr, hdfgwtr, hafgrtr;
};

/* A sorted, indexed set of claims of one kind: claims[bucket[b].first] .. claims[bucket[b].end - 1] are those with keys in
   bucket b. */
#define AVC_BUCKETS 64
struct avc_claim_index {
    const struct avc_claim *claims; /* sorted, disjoint */
    uint32_t nr;
    struct {
        uint16_t first, end;
    } bucket[AVC_BUCKETS];
};

/* Tags of the library's own claims, in struct avc_claim.kind beside the kind. */
#define AVC_CLAIM_BUILTIN 0x100u
#define AVC_CLAIM_FAST    0x200u /* ctx is a const union avc_fast *: what handles it, besides fn; see core/claim/index.h */
#define AVC_CLAIM_KIND    0xffu

struct avc_mmio_entry;
struct avc_sysreg_entry;
struct avc_call_row;
struct avc_call;
typedef enum avc_result avc_mmio_fn(struct avc_vcpu *vcpu, uint64_t esr, const struct avc_mmio_entry *entry);
typedef enum avc_result avc_sysreg_fn(struct avc_vcpu *vcpu, uint64_t esr, const struct avc_sysreg_entry *entry);
typedef enum avc_result avc_call_fn(struct avc_vcpu *vcpu, uint64_t fid, const struct avc_call_row *row); /* fid: W0 */
union avc_fast {
    avc_mmio_fn *mmio;
    avc_sysreg_fn *sysreg;
    const struct avc_call *call;
};

/* Who answers for a page of device registers, or for one access to a system register, by hash; see
   src/core/claim/index.c. */
#define AVC_INDEX_SIZE 256
struct avc_mmio_entry {
    uint64_t hpfar;  /* what HPFAR_EL2 has for the page: IPA / 4096 * 16; ~0: none */
    avc_mmio_fn *fn; /* handles an access there */
    const struct avc_claim *claim;
};
struct avc_sysreg_entry {
    uint32_t esr, key; /* its syndrome, without the general register, 0: none; and the register's key */
    avc_sysreg_fn *fn; /* handles the access */
    const struct avc_claim *claim;
    uint64_t value; /* of an ID register */
};

/* What is done about function ids, 16 in a row: see src/core/claim/index.c. */
#define AVC_CALL_INDEX_SIZE 64
#define AVC_CALL_ROWS       48
#define AVC_CALL_WIDE       16
struct avc_call_entry {
    uint64_t ids; /* function id / 16; ~0: none */
    const struct avc_call_row *row;
};
struct avc_call_row {
    avc_call_fn *fn[16];
    const struct avc_claim *claim[16];
};
struct avc_call_range {
    uint32_t first, last;
    const struct avc_claim *claim;
};

/* A trap is named by its exception class (ESR_EL2.EC, 0..63), or by one of these: see avc/observe.h. */
#define AVC_TRAP_IRQ    64
#define AVC_TRAP_FIQ    65
#define AVC_TRAP_SERROR 66
#define AVC_NR_TRAPS    67

/* A row of the dispatch table: see src/core/exit/trap.h. */
struct avc_trap_class;
typedef enum avc_result avc_trap_fn(struct avc_vcpu *vcpu, uint64_t esr);
struct avc_trap_row {
    avc_trap_fn *fn;
    uint64_t named; /* the bit of ESR_EL2 that is set when the instruction names one of x16..x31; 0: it names none */
    avc_trap_fn *slow;
    const struct avc_trap_class *about; /* NULL: an interrupt or SError */
};

struct avc_vm {
    struct avc_mmio_entry mmio[AVC_INDEX_SIZE];
    struct avc_sysreg_entry sysreg[AVC_INDEX_SIZE];
    struct avc_call_entry call[AVC_CALL_INDEX_SIZE];
    struct avc_vcpu **vcpus;
    uint64_t nr_vcpus; /* as wide as a load reaches it */
    struct avc_vcpu *
        near[16]; /* by the low bits of Aff0, which number the vCPUs that one SGI reaches: the first such, or another */
    uint32_t max_vcpus;
    uint64_t mmio_hash, sysreg_hash, call_hash; /* multipliers */
    uint64_t magic;
    struct avc_machine *machine;
    struct avc_stage2 *stage2;
    struct avc_claim_index index[AVC_NR_CLAIM_KINDS];
    uint32_t nr_call_wide; /* more than AVC_CALL_WIDE: any id may be claimed */
    struct avc_call_range call_wide[AVC_CALL_WIDE];
    struct avc_call_row call_rows[AVC_CALL_ROWS];
    const struct avc_trap_row *dispatch; /* AVC_NR_TRAPS rows */
    const struct avc_irqc_ops *irqc;
    bool (*irq)(struct avc_vcpu *vcpu, avc_irq_t irq); /* the controller's, or one that knows no interrupt */
    enum avc_result (*irq_taken)(struct avc_vcpu *vcpu, avc_irq_t irq);
    void *irqc_data;          /* the controller's own */
    struct avc_claim *claims; /* 0..nr_claims: the embedder's; from the end: the library's own */
    uint32_t max_claims, nr_claims, nr_builtin;
    uint32_t flags;
    bool sealed;
    bool psci; /* PSCI attached: vCPUs but the first start off */
    struct avc_lock lock;
    struct avc_features features; /* what sealed it */
    struct avc_traps traps;
    uint64_t svc_traps;               /* the bits of traps.hfgitr that avc_vm_trap_svc() switches */
    uint32_t traps_version;           /* odd while they are off, one more after each change; atomic */
    uint64_t id_regs[AVC_NR_ID_REGS]; /* what the guest reads */
    uint64_t cntvoff;                 /* CNTVCT = CNTPCT - cntvoff */
    void *user;
    struct avc_trap_row class_rows[AVC_NR_TRAPS]; /* its dispatch table, with CLASS claims */
};

/** Prepares a VM. Errors: EINVAL, EALIGN, EEXIST, ENOENT (machine or stage2 not initialised), EBUSY (stage2 has a VM),
    ERANGE (max_claims). Context: setup. */
AVC_MUST_USE enum avc_status avc_vm_init(struct avc_vm *vm, struct avc_machine *machine,
                                         const struct avc_vm_config *config);

/** Takes a VM and its vCPUs back. Errors: EINVAL, ENOENT, EBUSY (a vCPU is loaded). Context: setup. */
AVC_MUST_USE enum avc_status avc_vm_destroy(struct avc_vm *vm);

/** Makes a claim; copied. Before the first load. Claims of one kind must not overlap; they go before the library's own,
    which are asked when they pass. Errors: EINVAL, ENOENT, ESEALED, ERANGE (first > last, key too big), EEXIST
    (overlap), ENOMEM (storage), ENOTRAP (the CPU has no such trap). Context: setup. */
AVC_MUST_USE enum avc_status avc_vm_claim(struct avc_vm *vm, const struct avc_claim *claim);

/** For parts of the library and add-ons like them: as avc_vm_claim(), but an embedder's claim on a key wins, and no
    error comes of an overlap with one. Context: setup. */
AVC_MUST_USE enum avc_status avc_vm_claim_builtin(struct avc_vm *vm, const struct avc_claim *claim);

/**
 * Switches the traps of system calls and exception returns (HFGITR_EL2.SVC_EL0, SVC_EL1 and ERET) off, and on again: all that
 * the VM's claims of kind SVC, and of kind CLASS on 0x11, 0x15 and 0x1a, see. Each vCPU follows at its next entry into the
 * guest, for which one that runs is pulled out of it: when the call returns others may not have followed yet. While they
 * are off system calls cost what they do without claims. Default: on, once there are such claims; a VM that
 * starts with them off is told so before its first load.
 * Errors: EINVAL, ENOENT, ENOTRAP (the CPU lacks FEAT_FGT; after the first load also: no such claim).
 * Context: any, and claims.
 */
AVC_MUST_USE enum avc_status avc_vm_trap_svc(struct avc_vm *vm, bool on);

/** Sets the interrupt controller. Errors: EINVAL (null, or a function other than irq is), ENOENT, ESEALED, EEXIST. Context: setup. */
AVC_MUST_USE enum avc_status avc_vm_set_irqc(struct avc_vm *vm, const struct avc_irqc_ops *ops, void *data);

/** The n-th vCPU in the order of init, NULL past the last; how many there are. Context: any. */
struct avc_vcpu *avc_vm_vcpu(const struct avc_vm *vm, uint32_t n);
uint32_t avc_vm_nr_vcpus(const struct avc_vm *vm);
/** The vCPU whose MPIDR affinity bits (Aff3..0) are these, or NULL. Context: any. */
struct avc_vcpu *avc_vm_vcpu_by_mpidr(const struct avc_vm *vm, uint64_t mpidr);
void *avc_vm_user(const struct avc_vm *vm);

/** What the guest's virtual counter shows is CNTPCT_EL0 minus this. Default: CNTPCT_EL0 at avc_vm_init(), so that it
    starts at 0. Errors: EINVAL, ENOENT, ESEALED. Context: setup. */
AVC_MUST_USE enum avc_status avc_vm_set_counter_offset(struct avc_vm *vm, uint64_t offset);

/** Drives an interrupt line of the VM's controller: a shared one (SPI) by its INTID, level or rising edge as the
    guest configured it (a pulse is a call with true, then one with false).
    Errors: EINVAL, ENOENT (no controller), ERANGE (no such INTID). Context: any. */
AVC_MUST_USE enum avc_status avc_vm_set_irq(struct avc_vm *vm, uint32_t intid, bool level);

/* ----------------------------------------------------------------------------------------------- vCPUs --- */

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
   and makes it PENDING; to ON by the vCPU itself. The low two bits are what PSCI's AFFINITY_INFO says of it. */
enum avc_power { AVC_POWER_ON = 0, AVC_POWER_OFF = 1, AVC_POWER_PENDING = 2, AVC_POWER_CLAIMED = 4 + 2 };

/* Whether run is in progress. */
enum avc_mode { AVC_MODE_HOST, AVC_MODE_GUEST };

#define AVC_NR_CTX 224 /* at least the saved registers of avc/sysreg.def; a test compares */

struct avc_fp {
    uint64_t v[32][2] __attribute__((aligned(16)));
    uint64_t fpcr, fpsr;
};

/* The trap that is being observed; see src/core/exit/observe.c. */
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
    struct avc_observed observed;
    uint32_t index;         /* in its VM */
    uint32_t power;         /* enum avc_power, atomic */
    uint32_t traps_version; /* the VM's, that its trap registers are of; atomic */
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

struct avc_vcpu_config {
    uint64_t mpidr; /* affinity fields (Aff3..0) the guest sees; must differ within the VM */
    void *user;     /* yours: avc_vcpu_user() */
};

/** Prepares a vCPU and adds it to its VM; it is off and reset. Errors: EINVAL, EALIGN (64 bytes),
    EEXIST (initialised before, or the MPIDR is taken), ENOENT, ESEALED, ENOMEM (max_vcpus). Context: setup. */
AVC_MUST_USE enum avc_status avc_vcpu_init(struct avc_vcpu *vcpu, struct avc_vm *vm,
                                           const struct avc_vcpu_config *config);

/** All registers to their architectural reset values; off. Errors: EINVAL, ENOENT, EBUSY (loaded). Context: any
    thread that owns the vCPU. */
AVC_MUST_USE enum avc_status avc_vcpu_reset(struct avc_vcpu *vcpu);

/** Resets and switches on: EL1h, MMU off, interrupts masked, PC and X0 as given; the host's part of what PSCI CPU_ON
    does. Errors: as reset. */
AVC_MUST_USE enum avc_status avc_vcpu_start(struct avc_vcpu *vcpu, avc_ipa_t pc, uint64_t x0);

/** Takes a vCPU out of use for good: all that is asked of it later is refused (ENOENT), and the guest finds no such CPU.
    Its place in the VM's list, and so its storage, stays until avc_vm_destroy(). Errors: EINVAL, ENOENT, EBUSY. */
AVC_MUST_USE enum avc_status avc_vcpu_destroy(struct avc_vcpu *vcpu);

/** Moves the vCPU onto the calling CPU; the first load of a VM seals it. Errors: EINVAL, ENOENT, ESTATE (CPU not
    enabled), EBUSY (loaded somewhere, or the CPU has another one), ENOTSUP, EHAL (wake missing with 2 vCPUs; irq_mask
    missing with timers), ENOMEM (claims), ENOTRAP (a CPU enabled since a claim was made lacks its trap). VBAR_EL2,
    CPTR_EL2 and HCR_EL2 are read here and given back at each return of run: the host must not change them until put. Context: on the CPU itself, IRQs masked or not. */
AVC_MUST_USE enum avc_status avc_vcpu_load(struct avc_vcpu *vcpu, struct avc_pcpu *pcpu);

/** Moves it off again. Errors: EINVAL, ENOENT, ESTATE (not loaded, or from a claim), EBUSY (loaded on another CPU).
    Context: loaded. */
AVC_MUST_USE enum avc_status avc_vcpu_put(struct avc_vcpu *vcpu);

/** Finishes the last exit as its `answer` says, enters the guest, and comes back with the next exit; never NULL. The
    exit belongs to the vCPU and is valid until the next run. Takes the guest's exceptions through vectors of its own,
    which are in place only inside of the call. PSTATE.PAN, DIT, SSBS and TCO are afterwards as the exception left them: a
    host with E2H=1 that relies on PAN sets it again. Errors: an exit of kind AVC_FAIL: ESTATE (not loaded, or from a
    claim), EBUSY (loaded on another CPU). Context: loaded, EL2h, with 1 KiB of stack besides what the HAL and claims
    use. */
struct avc_exit *avc_vcpu_run(struct avc_vcpu *vcpu);

/** Makes run return AVC_KICKED, now if it is in progress, at once if it is called next. Context: any. */
void avc_vcpu_kick(struct avc_vcpu *vcpu);

/** For parts of the library and add-ons like them: sets request bits; if the vCPU runs its guest on another CPU, or is
    not loaded, calls wake(). Must be called without locks. Context: any. */
void avc_vcpu_request(struct avc_vcpu *vcpu, uint64_t requests);

/** For interrupt controllers: what avc_irqc_ops.irq_taken returns for an interrupt that is not theirs. This CPU's handler has
    it. Context: irq_taken. */
enum avc_result avc_vcpu_irq_host(struct avc_vcpu *vcpu, avc_irq_t irq);

/** Whether the vCPU has a reason to run: kicked, an interrupt for it, switched on. A blocked one asks it after it has set
    "blocked", so that nothing is missed. Context: any. */
bool avc_vcpu_has_work(struct avc_vcpu *vcpu);

/** CNTPCT_EL0 at which a timer of the vCPU will have an interrupt for it: ~0 none, 0 now. Context: thread that owns it, not loaded or
    loaded here. */
uint64_t avc_vcpu_deadline(struct avc_vcpu *vcpu);

/** Drives a private interrupt (PPI) of this vCPU; without controller INTID 0 is its IRQ line, 1 its FIQ line. Errors as
    avc_vm_set_irq(). Context: any. */
AVC_MUST_USE enum avc_status avc_vcpu_set_irq(struct avc_vcpu *vcpu, uint32_t intid, bool level);

/** Registers by id: avc/sysreg.h names them, from avc/sysreg.def. The live register or the saved copy, whichever holds
    it. A PC set while an exit is open is where DONE steps from: answer AVC_RETRY to go on right there.
    Errors: EINVAL, ENOENT (unknown, or hidden from this guest), EBUSY (loaded elsewhere), ERANGE (read-only).
    Context: thread that owns it. */
AVC_MUST_USE enum avc_status avc_vcpu_get(struct avc_vcpu *vcpu, uint32_t reg, uint64_t *value);
AVC_MUST_USE enum avc_status avc_vcpu_set(struct avc_vcpu *vcpu, uint32_t reg, uint64_t value);

/** V<n> and as above; halves: [0] bits 63..0. */
AVC_MUST_USE enum avc_status avc_vcpu_get_fp(struct avc_vcpu *vcpu, uint32_t n, uint64_t value[2]);
AVC_MUST_USE enum avc_status avc_vcpu_set_fp(struct avc_vcpu *vcpu, uint32_t n, const uint64_t value[2]);

/** General registers, n 0..30; 31 is XZR. Context: loaded (outside of run), claim, or not loaded. */
static inline uint64_t avc_vcpu_gpr(const struct avc_vcpu *vcpu, unsigned n)
{
    return n < 31 ? vcpu->x[n] : 0;
}
static inline void avc_vcpu_set_gpr(struct avc_vcpu *vcpu, unsigned n, uint64_t value)
{
    if (n < 31)
        vcpu->x[n] = value;
}
/** The result of a call (AVC_CALL), for X0; X1..X3 are set as registers. Answers the exit: DONE; a claim also returns
    that. Context: loaded, claim. */
void avc_vcpu_set_return_value(struct avc_vcpu *vcpu, uint64_t value);

/** Context: any. */
struct avc_vm *avc_vcpu_vm(const struct avc_vcpu *vcpu);
void *avc_vcpu_user(const struct avc_vcpu *vcpu);
bool avc_vcpu_is_loaded(const struct avc_vcpu *vcpu);

/* ----------------------------------------------------------------------------------------------- extra --- */

/** An SMC to firmware, SMCCC 1.2: x[0..17] in and out. UNDEFINED where there is none. Context: any, claims too, at EL2. */
void avc_smc(uint64_t x[18]);

#ifdef __cplusplus
}
#endif
#endif
