/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * What the host gives to the library: struct avc_hal, the callbacks of one CPU, and the contract about who acknowledges
 * and ends physical interrupts.
 */
#ifndef AVC_HOST_H
#define AVC_HOST_H

#include <avc/event.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * A physical interrupt, as the value that the host's interrupt controller gave when the host acknowledged it (a read of
 * ICC_IAR1_EL1 or GICC_IAR). The library gives it back unchanged. Only bits 9..0 of a GICv2's value are the INTID: bits
 * 12..10 name the CPU that sent an SGI, and GICC_EOIR wants them back.
 */
typedef uint32_t avc_irq_t;

/**
 * "No interrupt": what irq_fetch returns when there was nothing to acknowledge. This is not the GIC's 1023. The library
 * takes the GIC's special INTIDs, 1020 to 1023, as the same (IHI 0069, 2.2.1), so irq_fetch may return what it has
 * read. A host whose controller is no GIC must not use these four values as tokens.
 */
#define AVC_IRQ_SPURIOUS UINT32_MAX

/** How urgent a log line is. */
enum avc_log_level { AVC_LOG_ERROR, AVC_LOG_WARN, AVC_LOG_INFO };

/**
 * The host's callbacks for one CPU. Two CPUs may have different ones. The struct is borrowed, and constant, while a CPU
 * is initialised with it.
 *
 * Context of the callbacks: the library calls them on the CPU concerned, with IRQs masked. There is one exception: when
 * the host itself calls a function that leads to wake(), IRQs stay as the host has them.
 * A callback that is called during avc_vcpu_run() has the limits of a claim's function: no FP or SIMD, no registers
 * that the host reserves for its threads. A callback must not call the library. There are exceptions here as well: each
 * may call avc_vcpu_kick() and avc_vcpu_is_loaded(), and irq_handler may call every function of context any.
 *
 * Physical interrupts: exactly one party acknowledges each, and exactly one party ends it.
 *
 * Without irq_fetch the library never acknowledges or ends an interrupt. An interrupt that arrives while a guest runs
 * stays pending: avc_vcpu_run() returns AVC_IRQ with `handled` false, and the host's own vector takes the interrupt
 * when the host unmasks. Only the interrupts of the loaded vCPU's timers and of its maintenance go away without the
 * host: the library masks them by irq_mask, or removes their cause.
 *
 * With irq_fetch:
 *   - The library calls irq_fetch once for each IRQ that it takes from a guest, and once in each avc_pcpu_irq(). The
 *     interrupt that it returns counts as acknowledged from then on.
 *   - The library keeps an interrupt of a timer or of the maintenance, while a vCPU with an interrupt controller is
 *     loaded on this CPU. It calls irq_end for it exactly once, on this CPU, before the next irq_fetch. `deactivate` is
 *     false only with eoi_split, and only for a timer's interrupt. Then the interrupt stays active. The guest
 *     deactivates it through its list register; else the library does, by ICC_DIR_EL1 on this CPU, at the latest when
 *     the vCPU is put.
 *   - The library hands any other interrupt to this CPU's handler, exactly once. The handler owns it to its end. The
 *     library does not touch it again, whatever the handler answers.
 *   - At any time the library is responsible for at most one acknowledged interrupt that is not ended: it calls
 *     irq_fetch only after the irq_end or the handler of the interrupt before. (A handler that unmasks IRQs at EL2
 *     nests on its own responsibility.)
 */
struct avc_hal {
    /** Yours; the first argument of each callback. */
    void *ctx;

    /** Required. Stops the machine, because of a bug of the library or of the host. Must not return. */
    void (*panic)(void *ctx, const char *why);

    /** Required for a VM with more than one vCPU, or with an interrupt controller. The vCPU has work to do. If it
        runs on another CPU, interrupt that CPU. If its thread is blocked, make it runnable. The library may call
        this on any CPU, for any vCPU of the machine. It calls the function of the calling CPU, or of another enabled
        CPU if the calling one is not enabled. */
    void (*wake)(void *ctx, struct avc_vcpu *vcpu);

    /** Optional. Acknowledges the pending interrupt of the highest priority and returns its token, or
        AVC_IRQ_SPURIOUS. NULL: interrupts stay pending, avc_vcpu_run() returns AVC_IRQ, and the host's own vector
        takes them. */
    avc_irq_t (*irq_fetch)(void *ctx);

    /** Required with irq_fetch. Ends an interrupt that the library has kept: drops its priority, and deactivates it
        if `deactivate` is true. (With EOImode 0 the priority drop deactivates as well.) */
    void (*irq_end)(void *ctx, avc_irq_t irq, bool deactivate);

    /** Required for a VM with an interrupt controller. Masks or unmasks a PPI of the calling CPU at the physical
        interrupt controller. */
    void (*irq_mask)(void *ctx, uint32_t intid, bool masked);

    /** Required with irq_fetch. Handles an interrupt, to its end; avc_pcpu_set_irq_handler() replaces it. When the
        interrupt was taken from a guest, the answer AVC_EXIT makes avc_vcpu_run() return AVC_IRQ with `handled`
        true; after any other answer the guest goes on. The handler must not unmask IRQs then. When a vector at EL2
        has called it, it may, if it masks them again before it returns. */
    enum avc_answer (*irq_handler)(void *ctx, avc_irq_t irq);

    /** Optional. Writes one line of text; there is no newline in it. NULL: the library writes nothing. */
    void (*log)(void *ctx, enum avc_log_level level, const char *line);

    /** This CPU's interface of the interrupt controller runs with EOImode 1: priority drop and deactivation are two
        steps. Then the guest itself ends the physical interrupt of its timer. Default, false: the library masks the
        timer's PPI until the guest has ended the virtual interrupt. */
    bool eoi_split;

    /** The physical INTIDs of the EL1 virtual timer, the EL1 physical timer and the GIC's maintenance interrupt. 0:
        the usual ones, 27, 30 and 25. */
    uint32_t vtimer_ppi;
    uint32_t ptimer_ppi;
    uint32_t maintenance_ppi;

    /** What the host uses at EL2: AVC_HOST_... */
    uint32_t uses;
};

/** The host keeps something in these registers at EL2, and wants it back at each return of avc_vcpu_run(). Without
    the bit it comes back at avc_vcpu_put(), or never with AVC_HOST_NO_EL1. */
#define AVC_HOST_SP_EL0 (1u << 0) /* SP_EL0, as a pointer to the current thread */
#define AVC_HOST_TPIDR  (1u << 1) /* TPIDR_EL0, TPIDRRO_EL0 and TPIDR_EL1 */
#define AVC_HOST_PAUTH  (1u << 2) /* pointer authentication keys */

/** The host does not touch FP and SIMD registers between load and put: the guest's values stay in the CPU. Without
    the bit each return of avc_vcpu_run() after the guest has used FP saves the guest's values, and restores the
    host's V8..V15 (low halves), FPCR and FPSR. */
#define AVC_HOST_NO_FP (1u << 3)

/** SMC works although ID_AA64PFR0_EL1 shows no EL3: a hypervisor below, or an emulator, answers it. Without the bit
    avc_to_firmware() makes no SMC on such a CPU, because it would be UNDEFINED at EL2. */
#define AVC_HOST_SMC (1u << 4)

/** Firmware at EL3 lets EL2 have SCXTNUM_EL1 and SCXTNUM_EL0 (SCR_EL3.EnSCXT = 1). Without the bit a guest on a CPU
    with EL3 sees ID_AA64PFR0_EL1.CSV2 = 1 at most, and no SCXTNUM: an access that EL3 traps ends many a firmware. A
    CPU without EL3 does not need it. */
#define AVC_HOST_SCXTNUM (1u << 5)

/** The host executes nothing at EL1 or EL0. Of the EL1 and EL0 registers it wants back those alone whose bits above are
    set; MDSCR_EL1, breakpoints, watchpoints and FP come back in any case. It does not want EL2's controls over EL1 back
    either: HSTR, HCRX, VTTBR, VTCR, VPIDR, VMPIDR, and the traps of FGT and MPAM. After avc_vcpu_put() all of these are
    UNKNOWN, and the EL1 timers are off. Load and put cost less then. Without the bit all of it comes back at
    avc_vcpu_put(). */
#define AVC_HOST_NO_EL1 (1u << 6)

/** An interrupt handler with its context. fn: as avc_hal.irq_handler. */
struct avc_irq_handler {
    enum avc_answer (*fn)(void *ctx, avc_irq_t irq);
    void *ctx;
};

#ifdef __cplusplus
}
#endif
#endif
