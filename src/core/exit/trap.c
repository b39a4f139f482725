/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The table of the 64 exception classes, each with a defined answer, and the small answers. Guest input never gets more
 * than an exception of the guest's own out of this: whatever the table does not expect is UNDEFINED.
 */
#include "arch/esr.h"

#define undef   avc_trap_undef
#define reflect avc_trap_reflect
#define cp15    avc_trap_cp15
#define never   avc_trap_undef /* the answer to what cannot come, too */

#define UNALLOCATED(X, ec)                                                                                             \
    X(ec, "unallocated", never, false, "a class of a later architecture: its feature is not enabled")

/* clang-format off: a table */
/* X(class, name, function, DONE of a CLASS claim steps, reason). Arm ARM D24.2.40, "EC, bits [31:26]". */
#define ROWS(X)                                                                                                        \
    X(0x00, "unknown reason", undef, true, "only with HCR_EL2.TGE=1, which guests do not have")                        \
    X(0x01, "WFI, WFE, WFIT, WFET", avc_trap_wfx, true, "HCR_EL2.TWI, TWE: the vCPU gives up its CPU")                 \
    UNALLOCATED(X, 0x02)                                                                                               \
    X(0x03, "MCR, MRC (coproc 0b1111)", cp15, true, "AArch32 EL0: timers and PMU trap as in AArch64")                  \
    X(0x04, "MCRR, MRRC (coproc 0b1111)", cp15, true, "the 64-bit ones of the same")                                   \
    X(0x05, "MCR, MRC (coproc 0b1110)", undef, true, "debug registers: MDCR_EL2.TDA; the guest has no debug at EL0")   \
    X(0x06, "LDC, STC (coproc 0b1110)", undef, true, "debug comms channel: hidden")                                    \
    X(0x07, "SVE, Advanced SIMD, FP", avc_trap_fp, true, "CPTR_EL2: the registers are moved on first use")             \
    X(0x08, "VMRS", undef, true, "HCR_EL2.TID0, TID3 from AArch32 EL1, which guests do not have")                      \
    X(0x09, "PAuth instruction or key register", avc_trap_pauth, true, "HCR_EL2.API, APK: hidden, or for claims")      \
    X(0x0a, "LD64B, ST64B*", undef, true, "FEAT_LS64 is hidden")                                                       \
    UNALLOCATED(X, 0x0b)                                                                                               \
    X(0x0c, "MRRC (coproc 0b1110)", undef, true, "as class 0x05")                                                      \
    X(0x0d, "Branch Target", reflect, false, "the guest's own: comes with HCR_EL2.TGE=1 only")                         \
    X(0x0e, "Illegal Execution state", reflect, false, "the guest's own: comes with HCR_EL2.TGE=1 only")               \
    UNALLOCATED(X, 0x0f)                                                                                               \
    UNALLOCATED(X, 0x10)                                                                                               \
    X(0x11, "SVC, AArch32", avc_trap_svc, true, "HFGITR_EL2.SVC_EL0: claims on system calls")                          \
    X(0x12, "HVC, AArch32", never, false, "needs AArch32 EL1, which HCR_EL2.RW rules out")                             \
    X(0x13, "SMC, AArch32", never, true, "needs AArch32 EL1, which HCR_EL2.RW rules out")                              \
    X(0x14, "MSRR, MRRS, SYSP", undef, true, "FEAT_SYSREG128 and FEAT_SYSINSTR128 are hidden")                         \
    X(0x15, "SVC, AArch64", avc_trap_svc, true, "HFGITR_EL2.SVC_EL0: claims on system calls")                          \
    X(0x16, "HVC, AArch64", avc_trap_call, false, "calls to the hypervisor (SMCCC)")                                   \
    X(0x17, "SMC, AArch64", avc_trap_call, true, "HCR_EL2.TSC: a guest's call never reaches firmware")                 \
    X(0x18, "MSR, MRS, system instruction", avc_trap_sysreg, true, "trapped registers")                                \
    X(0x19, "SVE", undef, true, "hidden (CPTR_EL2.TZ, ZEN)")                                                           \
    X(0x1a, "ERET, ERETAA, ERETAB", avc_trap_eret, false, "HFGITR_EL2.ERET, for claims")                               \
    X(0x1b, "TSTART", undef, true, "FEAT_TME is hidden")                                                               \
    X(0x1c, "PAuth failure", reflect, false, "the guest's own (FEAT_FPAC): comes with HCR_EL2.TGE=1 only")             \
    X(0x1d, "SME", undef, true, "hidden (CPTR_EL2.TSM, SMEN)")                                                         \
    X(0x1e, "Granule Protection Check", never, false, "taken to EL3")                                                  \
    X(0x1f, "implementation defined, EL3", never, false, "taken to EL3")                                               \
    X(0x20, "Instruction Abort, lower level", avc_trap_iabt, false, "stage 2")                                         \
    X(0x21, "Instruction Abort, same level", never, false, "EL2's own: the other half of the vectors")                 \
    X(0x22, "PC alignment", reflect, false, "the guest's own: comes with HCR_EL2.TGE=1 only")                          \
    UNALLOCATED(X, 0x23)                                                                                               \
    X(0x24, "Data Abort, lower level", avc_trap_dabt, true, "stage 2: MMIO and memory")                                \
    X(0x25, "Data Abort, same level", never, false, "EL2's own: the other half of the vectors")                        \
    X(0x26, "SP alignment", reflect, false, "the guest's own: comes with HCR_EL2.TGE=1 only")                          \
    X(0x27, "Memory Operation", reflect, false, "the guest's own: HCRX_EL2.MCE2 is 0")                                 \
    X(0x28, "floating-point, AArch32", reflect, true, "the guest's own: comes with HCR_EL2.TGE=1 only")                \
    UNALLOCATED(X, 0x29)                                                                                               \
    UNALLOCATED(X, 0x2a)                                                                                               \
    UNALLOCATED(X, 0x2b)                                                                                               \
    X(0x2c, "floating-point, AArch64", reflect, true, "the guest's own: comes with HCR_EL2.TGE=1 only")                \
    X(0x2d, "GCS", undef, false, "FEAT_GCS is hidden")                                                                 \
    UNALLOCATED(X, 0x2e)                                                                                               \
    X(0x2f, "SError", never, false, "has a vector of its own")                                                         \
    X(0x30, "Breakpoint, lower level", reflect, false, "MDCR_EL2.TDE, for claims only; else the guest's own")          \
    X(0x31, "Breakpoint, same level", never, false, "EL2's own: the other half of the vectors")                        \
    X(0x32, "Software Step, lower level", reflect, false, "MDCR_EL2.TDE, for claims only; else the guest's own")       \
    X(0x33, "Software Step, same level", never, false, "EL2's own: the other half of the vectors")                     \
    X(0x34, "Watchpoint, lower level", reflect, true, "MDCR_EL2.TDE, for claims only; else the guest's own")           \
    X(0x35, "Watchpoint, same level", never, false, "EL2's own: the other half of the vectors")                        \
    UNALLOCATED(X, 0x36)                                                                                               \
    UNALLOCATED(X, 0x37)                                                                                               \
    X(0x38, "BKPT, AArch32", reflect, true, "MDCR_EL2.TDE, for claims only; else the guest's own")                     \
    UNALLOCATED(X, 0x39)                                                                                               \
    X(0x3a, "Vector Catch, AArch32", reflect, false, "MDCR_EL2.TDE, for claims only; else the guest's own")            \
    UNALLOCATED(X, 0x3b)                                                                                               \
    X(0x3c, "BRK, AArch64", reflect, true, "MDCR_EL2.TDE, for claims only; else the guest's own")                      \
    X(0x3d, "PMU and profiling", never, false, "FEAT_EBEP is hidden")                                                  \
    UNALLOCATED(X, 0x3e)                                                                                               \
    UNALLOCATED(X, 0x3f)
/* clang-format on */

const struct avc_trap_row avc_trap_rows[64] = {
#define X(ec, name, fn, step, reason) [ec] = { name, fn, step, reason },
    ROWS(X)
#undef X
};

#define ASYNCHRONOUS(irq, fiq, serror) [AVC_TRAP_IRQ] = irq, [AVC_TRAP_FIQ] = fiq, [AVC_TRAP_SERROR] = serror,

avc_trap_fn *const avc_trap_table[AVC_NR_TRAPS] = {
#define X(ec, name, fn, step, reason) [ec] = fn,
    ROWS(X) ASYNCHRONOUS(avc_trap_irq, avc_trap_fiq, avc_trap_serror)
#undef X
};

/* For VMs with CLASS claims: each class asks them first. claim.c says which go this way. */
avc_small static uint64_t claimed(struct avc_vcpu *vcpu, uint64_t esr)
{
    const struct avc_trap_row *row = &avc_trap_rows[ESR_EC(esr)];
    struct avc_exit *e;
    enum avc_answer answer;

    if (avc_unlikely(vcpu->work & AVC_WORK_STEP) && avc_eret_stepped(vcpu, esr))
        return HW_BACK;
    if (!avc_condition_passed(esr, avc_hw_read_SPSR_EL2()))
        return row->fn(vcpu, esr); /* a NOP: nothing has happened */
    e = avc_exit_begin(vcpu, AVC_CLASS, ESR_EC(esr), esr);
    e->answer = AVC_PASS; /* the guest's own exception */
    e->imm = (uint16_t)esr;
    e->va = avc_hw_read_FAR_EL2();
    e->step = row->step;
    answer = avc_claim_offer(vcpu, e);
    if (answer != AVC_PASS)
        return avc_exit_settle(vcpu, e, answer);
    return row->fn(vcpu, esr);
}

avc_trap_fn *const avc_trap_table_claimed[AVC_NR_TRAPS] = {
#define X(ec, name, fn, step, reason) [ec] = claimed,
    ROWS(X) ASYNCHRONOUS(avc_trap_irq, avc_trap_fiq, avc_trap_serror)
#undef X
};

/* The table of vCPUs with an observer: it looks on while one of the two above does the work. */
avc_trap_fn *const avc_trap_table_observed[AVC_NR_TRAPS] = {
#define X(ec, name, fn, step, reason) [ec] = avc_observe_sync,
    ROWS(X) ASYNCHRONOUS(avc_observe_irq, avc_observe_fiq, avc_observe_serror)
#undef X
};

/* ---- the small answers ---- */

avc_small uint64_t avc_trap_reflect(struct avc_vcpu *vcpu, uint64_t esr)
{
    struct avc_regs r = { avc_hw_read_ELR_EL2(), avc_hw_read_SPSR_EL2() };

    avc_inject_own(vcpu, &r, esr, avc_hw_read_FAR_EL2());
    avc_hw_write_ELR_EL2(r.pc);
    avc_hw_write_SPSR_EL2(r.pstate);
    return HW_BACK;
}

avc_small uint64_t avc_trap_undef(struct avc_vcpu *vcpu, uint64_t esr)
{
    struct avc_exit *e = avc_exit_begin(vcpu, AVC_CLASS, ESR_EC(esr), esr);

    e->step = true;
    return avc_exit_settle(vcpu, e, avc_condition_passed(esr, avc_hw_read_SPSR_EL2()) ? AVC_FAULT : AVC_DONE);
}

/*
 * Where the guest has pointer authentication, a CLASS claim has made it trap and then passed. Nobody but the CPU can
 * authenticate: it is allowed from here on, until the vCPU is loaded again. Not there: the encodings are UNDEFINED.
 */
avc_small uint64_t avc_trap_pauth(struct avc_vcpu *vcpu, uint64_t esr)
{
    uint64_t hcr = vcpu->hcr | HCR_APK | HCR_API;

    if (!avc_has(&vcpu->vm->features, AVC_FEAT_PAUTH) || hcr == vcpu->hcr)
        return avc_trap_undef(vcpu, esr);
    vcpu->hcr = hcr;
    avc_hw_write_HCR_EL2(avc_hw_read_HCR_EL2() | HCR_APK | HCR_API); /* live: VSE may have fallen */
    return HW_BACK;
}

/* ---- asynchronous ---- */

avc_small static uint64_t irq_exit(struct avc_vcpu *vcpu, avc_irq_t irq, bool handled)
{
    struct avc_exit *e = avc_exit_begin(vcpu, AVC_IRQ, irq, 0);

    e->answer = AVC_DONE;
    e->handled = handled;
    return avc_exit_to_vmm(vcpu, AVC_IRQ);
}

uint64_t avc_vcpu_irq_host(struct avc_vcpu *vcpu, avc_irq_t irq)
{
    return avc_pcpu_handle(vcpu->pcpu, irq) == AVC_EXIT ? irq_exit(vcpu, irq, true) : HW_BACK;
}

avc_small uint64_t avc_irq_taken(struct avc_vcpu *vcpu, avc_irq_t irq)
{
    return irq == AVC_IRQ_SPURIOUS || vcpu->vm->irq(vcpu, irq) ? HW_BACK : avc_vcpu_irq_host(vcpu, irq);
}

/* Exactly one party acknowledges: without irq_fetch the host's own vector, after run has returned. */
uint64_t avc_trap_irq(struct avc_vcpu *vcpu, uint64_t esr)
{
    const struct avc_hal *hal = vcpu->pcpu->hal;
    avc_irq_t irq;

    (void)esr;
    avc_count(&vcpu->nr_traps[AVC_TRAP_IRQ]);
    /* what is the guest's own goes away without being acknowledged: its PPI is masked */
    if (avc_unlikely(!hal->irq_fetch))
        return vcpu->vm->irq(vcpu, AVC_IRQ_SPURIOUS) ? HW_BACK : irq_exit(vcpu, AVC_IRQ_SPURIOUS, false);
    irq = hal->irq_fetch(hal->ctx);
    /*
     * What was acknowledged may be a kick that came after this exception was taken, for another interrupt. The vector looks
     * at `requests` next, and must not have done so before the acknowledge: system register accesses and loads are in
     * no order without this (IHI 0069, 12.1.6; Arm ARM D24.1.2).
     */
    avc_hw_isb();
    return AVC_LAST(vcpu->vm->irq_taken, vcpu, irq);
}

/* Physical: the host decides whether the machine is sound. The guest's answer, if nobody knows better, is its own SError. */
avc_small uint64_t avc_trap_serror(struct avc_vcpu *vcpu, uint64_t esr)
{
    avc_exit_begin(vcpu, AVC_SERROR, 0, esr);
    return avc_exit_to_vmm(vcpu, AVC_SERROR);
}
