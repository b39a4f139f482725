/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* What the host gives: struct avc_hal, and whose an interrupt is. */
#ifndef AVC_HOST_H
#define AVC_HOST_H

#include <avc/event.h>

#ifdef __cplusplus
extern "C" {
#endif

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

#ifdef __cplusplus
}
#endif
#endif
