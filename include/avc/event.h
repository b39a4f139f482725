/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Events, answers and claims. A trap of the guest becomes an event, struct avc_exit. Somebody answers it: a claim of
 * the embedder's, a part of the library, or the VMM when avc_vcpu_run() returns the event. The answer, enum avc_answer,
 * says how the library completes the instruction.
 */
#ifndef AVC_AVC_EVENT_H
#define AVC_AVC_EVENT_H

#include <avc/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* --------------------------------------------------------------------------------- events and answers --- */

/**
 * What happened. Claims can be made for the kinds of the first group. `key` is the member of struct avc_exit; the
 * library compares it with the range of a claim.
 */
enum avc_kind {
    /* A synchronous exception of any class, before it is decoded. key: the exception class, ESR_EL2.EC, 0..63. */
    AVC_CLASS,
    /* HVC or SMC; `esr` says which, `imm` has its immediate. key: the function id, W0. */
    AVC_CALL,
    /* MSR, MRS, or a system instruction. key: AVC_SYSREG_KEY(op0, op1, CRn, CRm, op2). */
    AVC_SYSREG,
    /* A load or store of one general register, where stage 2 maps nothing; a claim also gets those that stage 2 maps
       without the permission. key: the IPA of the first byte. */
    AVC_MMIO,
    /* A system call of EL0, on a CPU whose FEAT_FGT can trap it. key: the number, X8 (AArch32: R7). */
    AVC_SVC,
    AVC_NR_CLAIM_KINDS,

    /* Any other access that stage 2 does not permit. key: the IPA. There are two cases.
       `size` is 0: the library cannot decode the access. It is an instruction fetch, a table walk, an atomic, a pair, a
       SIMD or a write-back access. Map the memory and answer RETRY; DONE does the same.
       `size` is not 0: memory is mapped here, but not writable (or not readable), and no claim has answered this
       plain load or store. Give the permission and answer RETRY, or emulate the access and answer DONE.
       Bit 7 of `esr`, S1PTW: the access is a read of the guest's own table, in a walk for the address `va`. `value` is
       then the level, 0..3, that the guest's syndrome gets with FAULT. The library presets it. It knows the first level
       for sure, and takes any other for the last one. A VMM that can read the guest's tables may set what is right. */
    AVC_STAGE2 = AVC_NR_CLAIM_KINDS,
    /* A physical interrupt. key: the token that irq_fetch returned; AVC_IRQ_SPURIOUS without irq_fetch, and for an
       FIQ. `handled` says whether this CPU's handler has dealt with it. If not, it is still pending. */
    AVC_IRQ,
    /* avc_vcpu_kick() was called. The library gives this exit by itself, too, where it would keep interrupts masked for
       long: between the pieces of a long access (avc/decoder.h), for example. Take interrupts, and run the vCPU
       again. */
    AVC_KICKED,
    /* The vCPU waits. key: 0 for WFI, 1 for WFIT. value: the CNTPCT_EL0 at which its own timers or its timeout will
       wake it; ~0: never. A VMM that blocks its thread takes the earlier of `value` and avc_vcpu_deadline(): the timers
       may have changed, and the timeout is none of them. If a physical SError is there to be reported, run returns
       AVC_SERROR instead, and the guest executes the instruction anew. */
    AVC_WFI,
    /* The same by WFE (key 0) or WFET (key 1), for a VM that asked for this trap (AVC_VM_TRAP_WFE). */
    AVC_WFE,
    /* The vCPU is off, or was never started. Run it again after the HAL's wake() was called for it. */
    AVC_CPU_OFF,
    /* PSCI CPU_SUSPEND: the vCPU waits as for AVC_WFI. key: power_state; value: as AVC_WFI. */
    AVC_CPU_SUSPEND,
    /* PSCI SYSTEM_OFF: the guest powers the VM off. */
    AVC_SYSTEM_OFF,
    /* PSCI SYSTEM_RESET, SYSTEM_RESET2: the guest resets the VM. key: the function id; value: the reset type; arg:
       the cookie, X2. */
    AVC_SYSTEM_RESET,
    /* A physical SError was taken while the guest ran. esr: its syndrome. */
    AVC_SERROR,
    /* avc_vcpu_run() has run nothing. status: why. */
    AVC_FAIL,
    AVC_NR_KINDS
};

/**
 * What is to be done about an event. The library presets the member `answer` of each exit to what the architecture
 * would do, so a VMM may ignore any exit. IRQ, KICKED, CPU_OFF, CPU_SUSPEND, SYSTEM_OFF and SYSTEM_RESET have nothing
 * to be completed: all answers to them are the same.
 */
enum avc_answer {
    /* The event is dealt with. A read's register gets `value`. The PC moves past the instruction, where the
       architecture moves it. */
    AVC_DONE,
    /* The guest executes the instruction again. */
    AVC_RETRY,
    /* The guest gets an error. SYSREG, CLASS, SVC, WFI, WFE: an UNDEFINED exception. MMIO, STAGE2: a synchronous
       external abort. CALL: NOT_SUPPORTED in X0. SERROR: a virtual SError. */
    AVC_FAULT,
    /* A claim's answer only: avc_vcpu_run() returns the event to the VMM. */
    AVC_EXIT,
    /* A claim's answer: it leaves the event to others. The library goes on as if this claim were not there: it asks
       its own claim on the key (PSCI, vGIC), if there is one, and else does what it does without a claim. They find
       `value` as this claim has left it, so a claim can filter what the guest writes. The claim's changes of other
       members have no effect. The VMM's answer to CLASS or SVC: the guest gets the exception that it would have got
       without the trap. That is UNDEFINED where there would have been none. WFI, WFE and ERET are carried out
       instead; when an ERETAA or ERETAB is interrupted, the claim on it is asked again. */
    AVC_PASS
};

/**
 * One event, as claims and the VMM see it. avc_vcpu_gpr() reads the guest's registers. Everything but `answer` and
 * `value` is read-only.
 *
 * For other languages: `kind` is byte 0 and `answer` is byte 1. The library also reads and writes the first eight bytes
 * as one doubleword (src/core/exit/event.h).
 */
struct avc_exit {
    enum avc_kind kind : 8;
    enum avc_answer answer : 8; /* yours to set */
    uint8_t size;               /* bytes. MMIO: 1, 2, 4 or 8; STAGE2: the same, or 0 when the access is not decoded */
    bool write;                 /* MMIO, SYSREG, STAGE2: the guest writes */
    bool fetch;                 /* STAGE2: the guest fetches an instruction */
    bool handled;               /* IRQ: this CPU's handler has dealt with the interrupt; see AVC_IRQ */
    bool step;                  /* private: whether DONE moves the PC */
    uint8_t own;                /* private: what PASS means */
    uint64_t key;               /* see enum avc_kind */
    uint64_t value;             /* write: what the guest writes; read: yours to set, its low `size` bytes count */
    uint64_t esr;               /* ESR_EL2 as the trap left it; 0 where there was no synchronous exception or SError */
    uint64_t pc;                /* PC of the trapped instruction; for HVC, of the instruction after it */
    uint64_t va;                /* MMIO, STAGE2, CLASS: FAR_EL2, the virtual address */
    uint64_t arg;               /* see enum avc_kind */
    uint16_t imm;               /* CALL, CLASS, SVC: immediate of HVC, SMC, SVC, BRK */
    enum avc_status status;     /* FAIL */
};

/** Answers an event with DONE and a value, which is a read's or a call's result. Returns AVC_DONE, for claims to
    return. Context: loaded, claim. */
static inline enum avc_answer avc_done(struct avc_exit *e, uint64_t value)
{
    e->value = value;
    e->answer = AVC_DONE;
    return AVC_DONE;
}

/** The name of a kind, such as "AVC_MMIO"; "?" for a number that is none. Context: any. */
const char *avc_kind_name(enum avc_kind kind);

/** The key of a system register: the fields of its MRS encoding, as they stand in bits 20..5 of the instruction. */
#define AVC_SYSREG_KEY(op0, op1, crn, crm, op2)                                                                        \
    ((uint32_t)(op0) << 14 | (uint32_t)(op1) << 11 | (uint32_t)(crn) << 7 | (uint32_t)(crm) << 3 | (uint32_t)(op2))

/** A trap is named by a number: its exception class, 0..63, or one of these. avc/observe.h counts by it. */
#define AVC_TRAP_IRQ    64
#define AVC_TRAP_FIQ    65
#define AVC_TRAP_SERROR 66
#define AVC_NR_TRAPS    67

/* --------------------------------------------------------------------------------------------- claims --- */

/**
 * The function of a claim. The library calls it at EL2, on the stack of avc_vcpu_run(), with IRQs masked. The guest's
 * EL1 and EL0 state is live in the CPU, and so are the guest's values in the host's registers that the library has
 * borrowed (docs/embedding.md). Therefore the function takes bounded time, does not block, does not use FP or SIMD, and
 * does not use registers that the host reserves for its threads. For what needs more it returns AVC_EXIT; the VMM does
 * that. It returns its answer; the library ignores e->answer.
 */
typedef enum avc_answer avc_claim_fn(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx);

/**
 * A range of keys, and who answers events with these keys.
 *
 * A claim of kind MMIO gets loads and stores whose first byte is in its range; the access may reach beyond it. It gets
 * only what stage 2 does not permit: over read-only memory it gets the stores, as flash needs it. It does not get what
 * is not one register's load or store (a pair, an atomic, SIMD, write-back, a fetch, a table walk): this becomes an
 * AVC_STAGE2 event for the VMM. With a decoder (avc/decoder.h) it gets pairs, SIMD and write-back, part by part.
 */
struct avc_claim {
    enum avc_kind kind;
    uint64_t first, last; /* range of keys, both included */
    avc_claim_fn *fn;     /* NULL: the event goes to the VMM, as if a function had answered EXIT, but cheaper */
    void *ctx;
};

/** Ready-made functions for a claim of any kind. avc_to_vmm() answers EXIT, avc_deny() answers FAULT. ctx: not used. */
avc_claim_fn avc_to_vmm, avc_deny;

/**
 * A ready-made function for claims of kind CALL. It hands the guest's HVC or SMC on to the host's firmware by an SMC:
 * x0 to x17 go there as the guest has them, and the guest gets x0 to x17 as they come back. ctx: a const struct
 * avc_firmware_audit, or NULL.
 *
 * It does not forward calls by which the guest would speak for EL2:
 *   - PSCI, SDEI and DRTM (0x84000000..3f, 0x84000110..12f), and ARCH_WORKAROUND_2, which switches a mitigation of the
 *     physical CPU; also their 64-bit forms, and ids that differ from these in bits 23..16 only, which firmware may
 *     ignore. The answer is PASS. With avc_psci_attach() the library then serves PSCI and ARCH_WORKAROUND_2 itself. The
 *     guest reads NOT_SUPPORTED for the others.
 *   - Calls with an immediate other than 0, which are no SMCCC calls: NOT_SUPPORTED.
 *   - Any call, on a CPU without EL3 (ID_AA64PFR0_EL1.EL3) whose HAL does not say AVC_HOST_SMC: NOT_SUPPORTED.
 * It clears bit 16 of a fast call's id. This is SMCCC's hint that SVE registers hold nothing, and they hold the host's
 * values.
 *
 * Two dangers remain. An address in an argument is an IPA of the guest's, and firmware takes it for a physical address.
 * The client id in W7 is what the guest wrote. Use this function only for calls that have neither, or write a claim
 * that checks them and then calls this function or avc_smc(). Firmware must answer quickly: IRQs stay masked until it
 * returns.
 */
avc_claim_fn avc_to_firmware;

/**
 * Functions that see each call that avc_to_firmware() forwards. They are called as the claim is, with the same context
 * and limits. On one vCPU an answer always belongs to the call before it. The struct is borrowed, and constant, while
 * the VM exists. Each member may be NULL.
 */
struct avc_firmware_audit {
    void *ctx;
    /** Sees x0 to x17 as firmware will get them; e->esr and e->pc say how and from where the guest called. Returns
        false to refuse the call: the guest reads NOT_SUPPORTED, and `answer` is not called. */
    bool (*call)(void *ctx, struct avc_vcpu *vcpu, const struct avc_exit *e, const uint64_t x[18]);
    /** Sees x0 to x17 as firmware left them. */
    void (*answer)(void *ctx, struct avc_vcpu *vcpu, const struct avc_exit *e, const uint64_t x[18]);
};

/** How many entries of struct avc_claim a VM needs as storage, for n claims of the embedder's and the library's own. */
#define AVC_CLAIM_SLOTS(n) (2 * (n) + 64)

#ifdef __cplusplus
}
#endif
#endif
