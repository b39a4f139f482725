/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The table of the 64 exception classes, each with a defined answer, and the short functions among them. The guest's
 * input never gets more than an exception of the guest's own: a class that the table does not expect is UNDEFINED.
 */
#include "core/exit/trap.h"

#include <avc/observe.h>

#include "core/exit/abort.h"
#include "core/exit/call.h"
#include "core/exit/sysreg_trap.h"
#include "core/claim/claim.h"
#include "core/exit/decoder_ops.h"
#include "core/exit/eret.h"
#include "core/exit/fp.h"
#include "core/exit/wfx.h"
#include "core/object/pcpu.h"
#include "core/policy/svc.h"

#define undefined avc_exit_undefined

/* A class that has only a slow function. */
#define SLOW(X, ec, name, slow, own, step, reason) X(ec, name, avc_trap_slow, 0, slow, own, step, reason)
#define UNALLOCATED(X, ec)                                                                                             \
    SLOW(X, ec, "unallocated", undefined, UNDEFINED, false,                                                            \
         "a class of a later architecture: its feature is not enabled")

/* clang-format off: a table */
/* Arm ARM D24.2.40, "EC, bits [31:26]". Columns: class, name, [function, the bit that says whether the instruction
   names one of x16..x31,] slow function, the guest's own exception, whether DONE of a CLASS claim steps, reason */
#define ROWS(X)                                                                                                        \
    SLOW(X, 0x00, "unknown reason", undefined, UNDEFINED, true, "only with HCR_EL2.TGE=1, which guests do not have")   \
    SLOW(X, 0x01, "WFI, WFE, WFIT, WFET", avc_trap_wfx, STEP, true, "HCR_EL2.TWI, TWE: the vCPU gives up its CPU")     \
    UNALLOCATED(X, 0x02)                                                                                               \
    SLOW(X, 0x03, "MCR, MRC (coproc 0b1111)", avc_trap_cp15, UNDEFINED, true,                                          \
         "AArch32 EL0: timers and PMU trap as in AArch64")                                                             \
    SLOW(X, 0x04, "MCRR, MRRC (coproc 0b1111)", avc_trap_cp15, UNDEFINED, true, "the 64-bit ones of the same")         \
    SLOW(X, 0x05, "MCR, MRC (coproc 0b1110)", avc_trap_cp14, UNDEFINED, true,                                          \
         "debug registers that EL0 may read: MDCR_EL2.TDA, TDRA, TDCC")                                                \
    SLOW(X, 0x06, "LDC, STC (coproc 0b1110)", undefined, UNDEFINED, true, "debug comms channel: hidden")               \
    SLOW(X, 0x07, "SVE, Advanced SIMD, FP", avc_trap_fp, UNDEFINED, true,                                              \
         "CPTR_EL2: the registers are moved on first use")                                                             \
    SLOW(X, 0x08, "VMRS", undefined, UNDEFINED, true, "HCR_EL2.TID0, TID3 from AArch32 EL1, which guests do not have") \
    SLOW(X, 0x09, "PAuth instruction or key register", pauth, UNDEFINED, true,                                         \
         "HCR_EL2.API, APK: hidden, or for claims")                                                                    \
    SLOW(X, 0x0a, "LD64B, ST64B*", undefined, UNDEFINED, true, "FEAT_LS64 is hidden")                                  \
    UNALLOCATED(X, 0x0b)                                                                                               \
    SLOW(X, 0x0c, "MRRC (coproc 0b1110)", avc_trap_cp14, UNDEFINED, true, "as class 0x05")                             \
    SLOW(X, 0x0d, "Branch Target", reflect, EXCEPTION, false, "the guest's own: comes with HCR_EL2.TGE=1 only")        \
    SLOW(X, 0x0e, "Illegal Execution state", reflect, EXCEPTION, false,                                                \
         "the guest's own: comes with HCR_EL2.TGE=1 only")                                                             \
    UNALLOCATED(X, 0x0f)                                                                                               \
    UNALLOCATED(X, 0x10)                                                                                               \
    SLOW(X, 0x11, "SVC, AArch32", avc_trap_svc, SVC, true, "HFGITR_EL2.SVC_EL0: claims on system calls")               \
    SLOW(X, 0x12, "HVC, AArch32", undefined, UNDEFINED, false, "needs AArch32 EL1, which HCR_EL2.RW rules out")        \
    SLOW(X, 0x13, "SMC, AArch32", undefined, UNDEFINED, true, "needs AArch32 EL1, which HCR_EL2.RW rules out")         \
    SLOW(X, 0x14, "MSRR, MRRS, SYSP", undefined, UNDEFINED, true, "FEAT_SYSREG128 and FEAT_SYSINSTR128 are hidden")    \
    SLOW(X, 0x15, "SVC, AArch64", avc_trap_svc, SVC, true, "HFGITR_EL2.SVC_EL0: claims on system calls")               \
    X(0x16, "HVC, AArch64", avc_trap_hvc, 0, avc_trap_call, UNDEFINED, false, "calls to the hypervisor (SMCCC)")       \
    X(0x17, "SMC, AArch64", avc_trap_smc, 0, avc_trap_call, UNDEFINED, true,                                           \
      "HCR_EL2.TSC: a guest's call never reaches firmware")                                                            \
    X(0x18, "MSR, MRS, system instruction", avc_trap_sysreg, ISS_RT_HIGH, avc_trap_sysreg_slow, UNDEFINED, true,       \
      "trapped registers")                                                                                             \
    SLOW(X, 0x19, "SVE", undefined, UNDEFINED, true, "hidden (CPTR_EL2.TZ, ZEN)")                                      \
    SLOW(X, 0x1a, "ERET, ERETAA, ERETAB", eret, ERET, false, "HFGITR_EL2.ERET, for claims")                            \
    SLOW(X, 0x1b, "TSTART", undefined, UNDEFINED, true, "FEAT_TME is hidden")                                          \
    SLOW(X, 0x1c, "PAuth failure", reflect, EXCEPTION, false,                                                          \
         "the guest's own (FEAT_FPAC): comes with HCR_EL2.TGE=1 only")                                                 \
    SLOW(X, 0x1d, "SME", undefined, UNDEFINED, true, "hidden (CPTR_EL2.TSM, SMEN)")                                    \
    SLOW(X, 0x1e, "Granule Protection Check", undefined, UNDEFINED, false, "taken to EL3")                             \
    SLOW(X, 0x1f, "implementation defined, EL3", undefined, UNDEFINED, false, "taken to EL3")                          \
    SLOW(X, 0x20, "Instruction Abort, lower level", avc_trap_abort, ABORT, false, "stage 2")                           \
    SLOW(X, 0x21, "Instruction Abort, same level", undefined, UNDEFINED, false,                                        \
         "EL2's own: the other half of the vectors")                                                                   \
    SLOW(X, 0x22, "PC alignment", reflect, EXCEPTION, false, "the guest's own: comes with HCR_EL2.TGE=1 only")         \
    UNALLOCATED(X, 0x23)                                                                                               \
    X(0x24, "Data Abort, lower level", avc_trap_dabt, ISS_SRT_HIGH, avc_trap_abort, ABORT, true,                       \
      "stage 2: MMIO and memory")                                                                                      \
    SLOW(X, 0x25, "Data Abort, same level", undefined, UNDEFINED, false, "EL2's own: the other half of the vectors")   \
    SLOW(X, 0x26, "SP alignment", reflect, EXCEPTION, false, "the guest's own: comes with HCR_EL2.TGE=1 only")         \
    SLOW(X, 0x27, "Memory Operation", reflect, EXCEPTION, false, "the guest's own: HCRX_EL2.MCE2 is 0")                \
    SLOW(X, 0x28, "floating-point, AArch32", reflect, EXCEPTION, true,                                                 \
         "the guest's own: comes with HCR_EL2.TGE=1 only")                                                             \
    UNALLOCATED(X, 0x29)                                                                                               \
    UNALLOCATED(X, 0x2a)                                                                                               \
    UNALLOCATED(X, 0x2b)                                                                                               \
    SLOW(X, 0x2c, "floating-point, AArch64", reflect, EXCEPTION, true,                                                 \
         "the guest's own: comes with HCR_EL2.TGE=1 only")                                                             \
    SLOW(X, 0x2d, "GCS", undefined, UNDEFINED, false, "FEAT_GCS is hidden")                                            \
    UNALLOCATED(X, 0x2e)                                                                                               \
    SLOW(X, 0x2f, "SError", undefined, UNDEFINED, false, "has a vector of its own")                                    \
    SLOW(X, 0x30, "Breakpoint, lower level", reflect, EXCEPTION, false,                                                \
         "MDCR_EL2.TDE, for claims only; else the guest's own")                                                        \
    SLOW(X, 0x31, "Breakpoint, same level", undefined, UNDEFINED, false, "EL2's own: the other half of the vectors")   \
    SLOW(X, 0x32, "Software Step, lower level", reflect, EXCEPTION, false,                                             \
         "MDCR_EL2.TDE, for claims only; else the guest's own")                                                        \
    SLOW(X, 0x33, "Software Step, same level", undefined, UNDEFINED, false,                                            \
         "EL2's own: the other half of the vectors")                                                                   \
    SLOW(X, 0x34, "Watchpoint, lower level", reflect, EXCEPTION, true,                                                 \
         "MDCR_EL2.TDE, for claims only; else the guest's own")                                                        \
    SLOW(X, 0x35, "Watchpoint, same level", undefined, UNDEFINED, false, "EL2's own: the other half of the vectors")   \
    UNALLOCATED(X, 0x36)                                                                                               \
    UNALLOCATED(X, 0x37)                                                                                               \
    SLOW(X, 0x38, "BKPT, AArch32", reflect, EXCEPTION, true, "MDCR_EL2.TDE, for claims only; else the guest's own")    \
    UNALLOCATED(X, 0x39)                                                                                               \
    SLOW(X, 0x3a, "Vector Catch, AArch32", reflect, EXCEPTION, false,                                                  \
         "MDCR_EL2.TDE, for claims only; else the guest's own")                                                        \
    UNALLOCATED(X, 0x3b)                                                                                               \
    SLOW(X, 0x3c, "BRK, AArch64", reflect, EXCEPTION, true, "MDCR_EL2.TDE, for claims only; else the guest's own")     \
    SLOW(X, 0x3d, "PMU and profiling", undefined, UNDEFINED, false, "FEAT_EBEP is hidden")                             \
    UNALLOCATED(X, 0x3e)                                                                                               \
    UNALLOCATED(X, 0x3f)
/* clang-format on */

static avc_trap_fn reflect, pauth, eret, irq, fiq, serror;

static const struct avc_trap_class classes[64] = {
#define X(ec, name, fn, named, slow, own, step, reason) [ec] = { name, step, AVC_OWN_##own, reason },
    ROWS(X)
#undef X
};

const struct avc_trap_row avc_trap_rows[AVC_NR_TRAPS] = {
#define X(ec, name, fn, named, slow, own, step, reason) [ec] = { fn, named, slow, &classes[ec] },
    ROWS(X)
#undef X
        [AVC_TRAP_IRQ] = { irq, 0, irq, NULL },
    [AVC_TRAP_FIQ] = { fiq, 0, fiq, NULL },
    [AVC_TRAP_SERROR] = { serror, 0, serror, NULL },
};

enum avc_result avc_trap_slow(struct avc_vcpu *vcpu, uint64_t esr)
{
    avc_count(&vcpu->nr_traps[ESR_EC(esr)]);
    return AVC_SLOW;
}

const char *avc_trap_name(unsigned trap)
{
    static const char *const asynchronous[] = { "IRQ", "FIQ", "SError" };

    if (trap < AVC_TRAP_IRQ)
        return avc_trap_rows[trap].about->name;
    return trap < AVC_NR_TRAPS ? asynchronous[trap - AVC_TRAP_IRQ] : "no trap";
}

/* ---- a claim that was asked ---- */

enum avc_result avc_trap_done(struct avc_vcpu *vcpu)
{
    return avc_complete_done(vcpu, &vcpu->exit);
}

enum avc_result avc_trap_answered(struct avc_vcpu *vcpu, enum avc_answer answer)
{
    enum avc_kind kind = avc_claim_kind(vcpu->asked);
    struct avc_exit *e = &vcpu->exit;

    answer = avc_claim_after(vcpu, e, kind, AVC_FAULT, answer);
    if (kind == AVC_MMIO)
        return avc_mmio_end(vcpu, e, answer);
    if (kind == AVC_SYSREG)
        return avc_sysreg_end(vcpu, e, answer);
    return avc_exit_end(vcpu, e, answer == AVC_PASS ? AVC_FAULT : answer);
}

/* ---- CLASS claims ---- */

/* Can a step over an ERETAA meet this class? It can meet the trap itself, a fetch that fails before it, and its own
   exception. */
static bool may_end_step(unsigned class)
{
    return class == AVC_EC_ERET || class == AVC_EC_IABT_LOWER || class == AVC_EC_STEP_LOWER;
}

/* Makes the dispatch table of a VM with CLASS claims, or with a decoder, or on CPUs whose data aborts are not to be
   believed at once. A class that nobody has claimed keeps its row, and its cost. */
avc_small void avc_trap_seal(struct avc_vm *vm)
{
    bool steps, stage1 = vm->features.errata & AVC_ERRATUM_STAGE1;

    vm->dispatch = avc_trap_rows;
    if (!vm->index[AVC_CLASS].nr && !vm->decoder && !stage1)
        return;
    steps = avc_claim_find(vm, AVC_CLASS, AVC_EC_ERET);
    for (unsigned n = 0; n < AVC_NR_TRAPS; n++) {
        vm->class_rows[n] = avc_trap_rows[n];
        if (n == AVC_EC_DABT_LOWER && vm->decoder) {
            vm->class_rows[n].fn = vm->decoder->ops->dabt;
            vm->class_rows[n].slow = vm->decoder->ops->abort;
        }
        if (n == AVC_EC_DABT_LOWER && stage1)
            vm->class_rows[n].fn = avc_trap_slow;
        if (avc_claim_find(vm, AVC_CLASS, n) || (steps && may_end_step(n))) {
            vm->class_rows[n].fn = avc_trap_slow;
            vm->class_rows[n].slow = avc_trap_claimed;
        }
    }
    vm->dispatch = vm->class_rows;
}

/* What handles a trap that a CLASS claim has passed. */
static enum avc_result unclaimed(struct avc_vcpu *vcpu, uint64_t esr)
{
    if (ESR_EC(esr) == AVC_EC_DABT_LOWER && vcpu->vm->decoder)
        return vcpu->vm->decoder->ops->abort(vcpu, esr);
    return avc_trap_rows[ESR_EC(esr)].slow(vcpu, esr);
}

enum avc_result avc_trap_claimed(struct avc_vcpu *vcpu, uint64_t esr)
{
    const struct avc_trap_row *row = &avc_trap_rows[ESR_EC(esr)];
    struct avc_exit *e;
    enum avc_answer answer;

    if (avc_unlikely(vcpu->work & AVC_WORK_STEP) && avc_eret_stepped(vcpu, esr))
        return AVC_RESUME;
    if (!avc_condition_passed(esr, avc_hw_read_SPSR_EL2()))
        return row->slow(vcpu, esr); /* the instruction is a NOP */
    e = avc_exit_begin(vcpu, AVC_CLASS, ESR_EC(esr), esr);
    e->answer = AVC_PASS; /* the guest's own exception */
    e->own = (uint8_t)row->about->own;
    e->imm = (uint16_t)esr;
    e->va = avc_hw_read_FAR_EL2();
    e->step = row->about->step;
    answer = avc_claim_offer(vcpu, e);
    return answer == AVC_PASS ? unclaimed(vcpu, esr) : avc_exit_end(vcpu, e, answer);
}

/* ---- short functions ---- */

static enum avc_result reflect(struct avc_vcpu *vcpu, uint64_t esr)
{
    return avc_complete_own(vcpu, esr, AVC_OWN_EXCEPTION);
}

/*
 * If the guest has pointer authentication, a CLASS claim has made it trap and then passed. Only the CPU can
 * authenticate. So it is allowed from here on, until the vCPU is loaded again. If the guest has it not, the encodings
 * are UNDEFINED.
 */
static enum avc_result pauth(struct avc_vcpu *vcpu, uint64_t esr)
{
    uint64_t hcr = vcpu->hcr | HCR_APK | HCR_API;

    if (!avc_has(&vcpu->vm->features, AVC_FEAT_PAUTH) || hcr == vcpu->hcr)
        return avc_exit_undefined(vcpu, esr);
    vcpu->hcr = hcr;
    avc_hw_write_HCR_EL2(avc_hw_read_HCR_EL2() | HCR_APK | HCR_API); /* read live: the CPU may have cleared VSE */
    return AVC_RESUME;
}

static enum avc_result eret(struct avc_vcpu *vcpu, uint64_t esr)
{
    return avc_complete_own(vcpu, esr, AVC_OWN_ERET);
}

/* ---- asynchronous ---- */

static enum avc_result irq_exit(struct avc_vcpu *vcpu, avc_irq_t irq, bool handled)
{
    struct avc_exit *e = avc_exit_begin(vcpu, AVC_IRQ, irq, 0);

    e->answer = AVC_DONE;
    e->handled = handled;
    return AVC_LEAVE;
}

enum avc_result avc_vcpu_irq_host(struct avc_vcpu *vcpu, avc_irq_t irq)
{
    return avc_pcpu_handle(vcpu->pcpu, irq) == AVC_EXIT ? irq_exit(vcpu, irq, true) : AVC_RESUME;
}

enum avc_result avc_irq_taken(struct avc_vcpu *vcpu, avc_irq_t irq)
{
    return irq == AVC_IRQ_SPURIOUS || vcpu->vm->irq(vcpu, irq) ? AVC_RESUME : avc_vcpu_irq_host(vcpu, irq);
}

/* Exactly one party acknowledges an interrupt. Without irq_fetch the host's own vector does, after run has returned. */
static enum avc_result irq(struct avc_vcpu *vcpu, uint64_t esr)
{
    const struct avc_hal *hal = vcpu->pcpu->hal;
    avc_irq_t fetched;

    (void)esr;
    avc_count(&vcpu->nr_traps[AVC_TRAP_IRQ]);
    /* An interrupt of the guest's own goes away without being acknowledged: its PPI is masked. */
    if (avc_unlikely(!hal->irq_fetch))
        return vcpu->vm->irq(vcpu, AVC_IRQ_SPURIOUS) ? AVC_RESUME : irq_exit(vcpu, AVC_IRQ_SPURIOUS, false);
    fetched = hal->irq_fetch(hal->ctx);
    /*
     * The acknowledged interrupt may be a kick that came after this exception was taken for another interrupt. The
     * vector reads `requests` next. It must not have read them before the acknowledge. Without an ISB, system register
     * accesses and loads have no order (IHI 0069, 12.1.6; Arm ARM D24.1.2).
     */
    avc_hw_isb();
    return AVC_LAST(vcpu->vm->irq_taken, vcpu, fetched);
}

/* Group 0 and secure interrupts, if firmware leaves them to EL2. They are the host's, and still pending. */
static enum avc_result fiq(struct avc_vcpu *vcpu, uint64_t esr)
{
    (void)esr;
    avc_count(&vcpu->nr_traps[AVC_TRAP_FIQ]);
    return irq_exit(vcpu, AVC_IRQ_SPURIOUS, false);
}

/* The SError is physical: the host decides whether the machine is sound. The preset answer gives the guest a virtual
   SError. */
static enum avc_result serror(struct avc_vcpu *vcpu, uint64_t esr)
{
    avc_count(&vcpu->nr_traps[AVC_TRAP_SERROR]);
    avc_exit_begin(vcpu, AVC_SERROR, 0, esr);
    return AVC_LEAVE;
}
