/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* What happens in a guest, what is to be done about it, and who is asked: events, answers, claims. */
#ifndef AVC_AVC_EVENT_H
#define AVC_AVC_EVENT_H

#include <avc/status.h>

#ifdef __cplusplus
extern "C" {
#endif

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

/**
 * One event, as claims and the VMM see it. Registers are read from the vCPU: avc_vcpu_gpr(). For other languages: `kind`
 * is byte 0, `answer` is byte 1. The first eight bytes are read and written as one word by the library
 * (src/core/exit/event.h).
 */
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

/* A trap is named by its exception class (ESR_EL2.EC, 0..63), or by one of these: see avc/observe.h. */
#define AVC_TRAP_IRQ    64
#define AVC_TRAP_FIQ    65
#define AVC_TRAP_SERROR 66
#define AVC_NR_TRAPS    67

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

#ifdef __cplusplus
}
#endif
#endif
