/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The guest's EL1 and EL0 registers and EL2's controls over it, at load and put.
 *
 * Load brings the guest's registers from the vCPU's ctx[] into the CPU, put brings them back. What the host had there
 * is meanwhile in the CPU's host_ctx[], and its EL2 controls are in host_saved[]: the host gets all of it back at put,
 * bit for bit. A host that has no use for these registers says so (AVC_HOST_NO_EL1), and load and put leave it out.
 *
 * All of this happens under the host's HCR_EL2, which vectors.S swaps at each entry and return. That is right
 * for every register here. With {E2H,TGE} = {1,1} at the host, nothing translates in the EL1&0 regime, and TGE does not
 * change the names by which the registers of that regime are reached.
 *
 * Such a host must know one thing. Until HCR_EL2 is the guest's, the CPU may take CNTVOFF_EL2 as zero (DDI 0487,
 * D12.2.3). So the guest's virtual timer can fire early, between load and the first run. Its level goes away at the
 * entry, and the code that takes the interrupt looks at the condition again.
 *
 * The callers mask interrupts.
 */
#include "arch/mmu.h"
#include "arch/timer.h"
#include "core/policy/errata.h"
#include "hw/controls.h"
#include "hw_guest.h"

/* HCR_E2H or 0: a bool would be masked in every function that it is given to. */
static inline uint64_t is_e2h(const struct avc_vcpu *vcpu)
{
    return vcpu->hcr & HCR_E2H; /* host and guest have the same: only a reset of the CPU changes it */
}

/* ---- groups of registers ---- */

/* OF_group(what, name): what is to be done with each register of the CPU. */
#define OF_XLAT(what, name)  what(name, XLAT)
#define OF_EL1(what, name)   what(name, EL1)
#define OF_TIMER(what, name) what(name, TIMER)
#define OF_PLAIN(what, name) what(name, PLAIN)
#define OF_RAS(what, name)   what(name, RAS)
#define OF_SCXT1(what, name) what(name, SCXT1)
#define OF_SCXT0(what, name) what(name, SCXT0)
#define OF_SP0(what, name)   what(name, SP0)
#define OF_TPIDR(what, name) what(name, TPIDR)
#define OF_PAUTH(what, name) what(name, PAUTH)
#define OF_DEBUG(what, name)
#define OF_SHADOW(what, name)
#define REG(name, op0, op1, crn, crm, op2, cond, policy, value)

/*
 * Copy the registers of one group between the CPU and memory. `which` and `e2h` are constants, so that only the wanted
 * accesses remain, in the order of avc/sysreg.def. All loads come before all writes to registers, and all stores after
 * all reads: the compiler makes pairs of them (docs/compilers.md).
 */
/* NOLINTNEXTLINE(readability-function-size): a statement for each row of a table */
static inline __attribute__((always_inline)) void save(uint64_t *to, bool e2h, enum avc_group which)
{
#define READ(name, group) const uint64_t name##_ = which == AVC_GROUP_##group ? avc_hw_guest_read_##name(e2h) : 0;
#define STORE(name, group)                                                                                             \
    if (which == AVC_GROUP_##group)                                                                                    \
        to[AVC_CTX_##name] = name##_;
#define CTX(name, op0, op1, crn, crm, op2, group, cond, reset, mask, policy) OF_##group(READ, name)
#include <avc/sysreg.def>
#undef CTX
#define CTX(name, op0, op1, crn, crm, op2, group, cond, reset, mask, policy) OF_##group(STORE, name)
#include <avc/sysreg.def>
#undef CTX
}

/* NOLINTNEXTLINE(readability-function-size): a statement for each row of a table */
static inline __attribute__((always_inline)) void restore(const uint64_t *from, bool e2h, enum avc_group which)
{
#define LOAD(name, group) const uint64_t name##_ = which == AVC_GROUP_##group ? from[AVC_CTX_##name] : 0;
#define WRITE(name, group)                                                                                             \
    if (which == AVC_GROUP_##group)                                                                                    \
        avc_hw_guest_write_##name(e2h, name##_);
#define CTX(name, op0, op1, crn, crm, op2, group, cond, reset, mask, policy) OF_##group(LOAD, name)
#include <avc/sysreg.def>
#undef CTX
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
#define CTX(name, op0, op1, crn, crm, op2, group, cond, reset, mask, policy) OF_##group(WRITE, name)
#include <avc/sysreg.def>
#undef CTX
}

#define GROUP(name) (1u << AVC_GROUP_##name)

/* The groups that the host uses itself: run moves them. */
#define THREADS (GROUP(SP0) | GROUP(TPIDR) | GROUP(PAUTH))
_Static_assert((AVC_HOST_SP_EL0 | AVC_HOST_TPIDR | AVC_HOST_PAUTH) << AVC_GROUP_SP0 == THREADS &&
                   AVC_HOST_SP_EL0 << AVC_GROUP_SP0 == GROUP(SP0) && AVC_HOST_TPIDR << AVC_GROUP_SP0 == GROUP(TPIDR),
               "avc_hal.uses has them in the same order");
static inline uint32_t used(const struct avc_vcpu *vcpu)
{
    return vcpu->pcpu->hal->uses << AVC_GROUP_SP0 & THREADS;
}

/* All groups that the VM has. */
static uint32_t groups_of(const struct avc_vcpu *vcpu)
{
    const struct avc_features *f = &vcpu->vm->features;
    uint32_t groups = GROUP(XLAT) | GROUP(EL1) | GROUP(TIMER) | GROUP(PLAIN) | GROUP(SP0) | GROUP(TPIDR);

    if (avc_has(f, AVC_FEAT_RAS))
        groups |= GROUP(RAS);
    if (avc_has(f, AVC_FEAT_CSV2_2))
        groups |= GROUP(SCXT1) | GROUP(SCXT0);
    if (avc_has(f, AVC_FEAT_PAUTH))
        groups |= GROUP(PAUTH);
    return groups;
}

/* Copy some groups, but for XLAT, TIMER and DEBUG, which have an order of their own. */
static void save_groups(const struct avc_vcpu *vcpu, uint64_t e2h, uint64_t *to, uint32_t groups)
{
    bool par = vcpu->pcpu->features.errata & AVC_ERRATUM_PAR; /* no read of PAR_EL1 close to a load from a device */

    if (groups & GROUP(EL1)) {
        if (e2h)
            save(to, true, AVC_GROUP_EL1);
        else
            save(to, false, AVC_GROUP_EL1);
        if (par)
            avc_hw_dmb_sy();
        save(to, false, AVC_GROUP_PLAIN);
        if (par)
            avc_hw_dmb_sy();
    }
    if (groups & GROUP(RAS))
        save(to, false, AVC_GROUP_RAS);
    if (groups & GROUP(SCXT1)) {
        if (e2h)
            save(to, true, AVC_GROUP_SCXT1);
        else
            save(to, false, AVC_GROUP_SCXT1);
        save(to, false, AVC_GROUP_SCXT0);
    }
    if (groups & GROUP(SP0))
        save(to, false, AVC_GROUP_SP0);
    if (groups & GROUP(TPIDR))
        save(to, false, AVC_GROUP_TPIDR);
    if (groups & GROUP(PAUTH))
        save(to, false, AVC_GROUP_PAUTH);
}

static void restore_groups(uint64_t e2h, const uint64_t *from, uint32_t groups)
{
    if (groups & GROUP(EL1)) {
        if (e2h)
            restore(from, true, AVC_GROUP_EL1);
        else
            restore(from, false, AVC_GROUP_EL1);
        restore(from, false, AVC_GROUP_PLAIN);
    }
    if (groups & GROUP(RAS))
        restore(from, false, AVC_GROUP_RAS);
    if (groups & GROUP(SCXT1)) {
        if (e2h)
            restore(from, true, AVC_GROUP_SCXT1);
        else
            restore(from, false, AVC_GROUP_SCXT1);
        restore(from, false, AVC_GROUP_SCXT0);
    }
    if (groups & GROUP(SP0))
        restore(from, false, AVC_GROUP_SP0);
    if (groups & GROUP(TPIDR))
        restore(from, false, AVC_GROUP_TPIDR);
    if (groups & GROUP(PAUTH))
        restore(from, false, AVC_GROUP_PAUTH);
}

static __attribute__((noinline)) void swap_used(struct avc_vcpu *vcpu, uint64_t *to, const uint64_t *from)
{
    uint32_t groups = vcpu->groups & used(vcpu);

    save_groups(vcpu, is_e2h(vcpu), to, groups);
    restore_groups(is_e2h(vcpu), from, groups);
    vcpu->live ^= groups;
}

void avc_hw_host_swap_in(struct avc_vcpu *vcpu)
{
    swap_used(vcpu, vcpu->pcpu->host_ctx, vcpu->ctx);
}

void avc_hw_host_swap_out(struct avc_vcpu *vcpu)
{
    swap_used(vcpu, vcpu->ctx, vcpu->pcpu->host_ctx);
}

/* At put the CPU does not hold the guest's values of the groups that the host uses. A put in the middle of run is
   different (a vCPU that switches itself on): then these groups go as well, and the next load must bring them back. The
   end of run gives the host its own. */
#define LIVE_IN_RUN (1u << 31)

/*
 * Table walks. While EL2 executes, the EL1&0 regime is out of context, and the CPU makes no walks for it. Some CPUs
 * make them all the same, for a speculated AT instruction (AVC_ERRATUM_AT). If such a walk saw one party's TTBRs with
 * the other's VTTBR_EL2 or TCR_EL1, the result would stay in the TLB. So on these CPUs stage 1 is on (SCTLR_EL1.M: no
 * flat mapping) and walks are off (TCR_EL1.EPD0, EPD1: none starts) from the first register of the regime that changes
 * to the last. An ISB synchronises each side of this. It stays so after put if the host has no use for EL1.
 *
 * Between runs, with the host's HCR_EL2.VM = 0, a walk would go through the guest's stage 1 without stage 2, and its
 * result would be cached under the guest's VMID. On these CPUs HCR_EL2.VM stays set from load to put. EL2 itself does
 * not notice.
 */
static bool walks_at_el2(const struct avc_vcpu *vcpu)
{
    return vcpu->pcpu->features.errata & AVC_ERRATUM_AT;
}

/* Saves the group XLAT, and keeps such a CPU from walks. */
static void walks_off(const struct avc_vcpu *vcpu, uint64_t e2h, uint64_t *to)
{
    uint64_t sctlr = avc_hw_guest_read_SCTLR_EL1(e2h), tcr = avc_hw_guest_read_TCR_EL1(e2h);

    to[AVC_CTX_SCTLR_EL1] = sctlr;
    to[AVC_CTX_TCR_EL1] = tcr;
    if (avc_likely(!walks_at_el2(vcpu)))
        return;
    avc_hw_guest_write_TCR_EL1(e2h, tcr | TCR_EPD0 | TCR_EPD1);
    avc_hw_isb(); /* no walk starts any more, so M may be set */
    avc_hw_guest_write_SCTLR_EL1(e2h, sctlr | SCTLR_M);
    avc_hw_isb();
}

/* Restores the group XLAT, the last one of the regime. */
static __attribute__((noinline)) void walks_on(const struct avc_vcpu *vcpu, uint64_t e2h, const uint64_t *from)
{
    bool order = walks_at_el2(vcpu);

    if (order)
        avc_hw_isb(); /* all of the regime is in place */
    avc_hw_guest_write_SCTLR_EL1(e2h, from[AVC_CTX_SCTLR_EL1]);
    if (order)
        avc_hw_isb(); /* M is what the owner of the tables wants */
    avc_hw_guest_write_TCR_EL1(e2h, from[AVC_CTX_TCR_EL1]);
}

/* ---- timers ---- */

/*
 * Saves the timers of whoever has them to `to`, and gives them to the owner of `from`. NULL: it is a host that does not
 * want them, so they stay off.
 *
 * The timers are switched off before anything else. An enabled timer with one party's compare value and the other's
 * offset is an interrupt that nobody asked for. Then the offset is written, then the compare values, and the controls
 * when both are in place. The ISBs make the timers see the earlier writes before the later ones (DDI 0487, D24.1.2,
 * "indirect reads").
 */
static void swap_timers(uint64_t e2h, uint64_t *to, const uint64_t *from, uint64_t cntvoff)
{
    if (to) {
        to[AVC_CTX_CNTV_CTL_EL0] = avc_hw_guest_read_CNTV_CTL_EL0(e2h) & CNT_CTL_WRITABLE;
        to[AVC_CTX_CNTP_CTL_EL0] = avc_hw_guest_read_CNTP_CTL_EL0(e2h) & CNT_CTL_WRITABLE;
        to[AVC_CTX_CNTV_CVAL_EL0] = avc_hw_guest_read_CNTV_CVAL_EL0(e2h);
        to[AVC_CTX_CNTP_CVAL_EL0] = avc_hw_guest_read_CNTP_CVAL_EL0(e2h);
    }
    avc_hw_guest_write_CNTV_CTL_EL0(e2h, 0);
    avc_hw_guest_write_CNTP_CTL_EL0(e2h, 0);
    avc_hw_isb();
    avc_hw_write_CNTVOFF_EL2(cntvoff);
    if (!from)
        return;
    avc_hw_guest_write_CNTV_CVAL_EL0(e2h, from[AVC_CTX_CNTV_CVAL_EL0]);
    avc_hw_guest_write_CNTP_CVAL_EL0(e2h, from[AVC_CTX_CNTP_CVAL_EL0]);
    avc_hw_isb();
    avc_hw_guest_write_CNTV_CTL_EL0(e2h, from[AVC_CTX_CNTV_CTL_EL0]);
    avc_hw_guest_write_CNTP_CTL_EL0(e2h, from[AVC_CTX_CNTP_CTL_EL0]);
}

/* ---- debug ---- */

/* Swap as many with the vCPU's memory as the VM has. `from` is that of DBGBVR0_EL1, which makes the offsets short. */
#define AT(name) from[AVC_CTX_##name - AVC_CTX_DBGBVR0_EL1]
#define SWAP(value, control)                                                                                           \
    do {                                                                                                               \
        uint64_t v = AT(value), c = AT(control), old_v, old_c;                                                         \
        if (!nr--)                                                                                                     \
            return;                                                                                                    \
        old_v = avc_hw_guest_read_##value(false);                                                                      \
        old_c = avc_hw_guest_read_##control(false);                                                                    \
        AT(value) = old_v;                                                                                             \
        AT(control) = old_c;                                                                                           \
        avc_hw_guest_write_##value(false, v);                                                                          \
        avc_hw_guest_write_##control(false, c);                                                                        \
    } while (0)
#define EACH(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)

/* NOLINTNEXTLINE(readability-function-size): a statement for each register */
static __attribute__((noinline)) void swap_breakpoints(uint64_t *from, unsigned nr)
{
#define X(n) SWAP(DBGBVR##n##_EL1, DBGBCR##n##_EL1);
    EACH(X)
#undef X
}

/* NOLINTNEXTLINE(readability-function-size): a statement for each register */
static __attribute__((noinline)) void swap_watchpoints(uint64_t *from, unsigned nr)
{
#define X(n) SWAP(DBGWVR##n##_EL1, DBGWCR##n##_EL1);
    EACH(X)
#undef X
}

static void swap_debug(struct avc_vcpu *vcpu)
{
    uint64_t *from = &vcpu->ctx[AVC_CTX_DBGBVR0_EL1];

    swap_breakpoints(from, vcpu->vm->features.breakpoints);
    swap_watchpoints(from, vcpu->vm->features.watchpoints);
    vcpu->live ^= GROUP(DEBUG);
}

/*
 * MDSCR_EL1 is written last, because it switches breakpoints on. The physical OS lock may still be as reset left it. It
 * would keep every breakpoint from matching, so it is opened: the guest has a lock of its own. While a vCPU is loaded,
 * MDSCR_EL1 is never the host's: with MDCR_EL2.TDE=0 the host's breakpoints would be the guest's debug exceptions.
 */
void avc_hw_debug_load(struct avc_vcpu *vcpu)
{
    uint64_t *host = vcpu->pcpu->host_saved;

    host[S_OSLSR] = avc_hw_read_OSLSR_EL1();
    swap_debug(vcpu);
    if (host[S_OSLSR] & OSLSR_OSLK)
        avc_hw_write_OSLAR_EL1(0);
    vcpu->debug_live = true;
    avc_hw_isb();
    avc_hw_write_MDSCR_EL1(avc_debug_mdscr(vcpu));
}

void avc_hw_debug_save(struct avc_vcpu *vcpu)
{
    uint64_t *host = vcpu->pcpu->host_saved;

    avc_hw_write_MDSCR_EL1(vcpu->ctx[AVC_CTX_MDSCR_EL1] & MDSCR_TDCC);
    avc_hw_isb();
    swap_debug(vcpu);
    if (host[S_OSLSR] & OSLSR_OSLK)
        avc_hw_write_OSLAR_EL1(OSLAR_OSLK);
    vcpu->debug_live = false;
}

/* ---- load and put ---- */

void avc_hw_load(struct avc_vcpu *vcpu)
{
    uint64_t *host = vcpu->pcpu->host_ctx;
    uint64_t e2h = avc_hw_read_HCR_EL2() & HCR_E2H;
    bool keeps = avc_host_keeps_el1(vcpu);
    uint32_t groups;

    if (avc_unlikely(!vcpu->groups))
        vcpu->groups = groups_of(vcpu);
    groups = vcpu->groups;
    if (!(vcpu->live & LIVE_IN_RUN))
        groups &= ~used(vcpu);
    vcpu->live = groups;
    if (keeps || walks_at_el2(vcpu))
        walks_off(vcpu, e2h, host);
    avc_hw_controls_load(vcpu);
    if (keeps)
        save_groups(vcpu, e2h, host, groups);
    restore_groups(e2h, vcpu->ctx, groups);
    if (walks_at_el2(vcpu)) {
        vcpu->host_hcr |= HCR_VM;
        avc_hw_write_HCR_EL2(vcpu->host_hcr);
    }
    walks_on(vcpu, e2h, vcpu->ctx);
    swap_timers(e2h, keeps ? host : NULL, vcpu->ctx, vcpu->vm->cntvoff);
    avc_hw_write_MDSCR_EL1(vcpu->ctx[AVC_CTX_MDSCR_EL1] & MDSCR_TDCC);
    if (avc_debug_wanted(vcpu))
        avc_hw_debug_load(vcpu);
}

void avc_hw_put(struct avc_vcpu *vcpu)
{
    const uint64_t *saved = vcpu->pcpu->host_saved, *host = vcpu->pcpu->host_ctx;
    uint64_t e2h = is_e2h(vcpu);
    bool keeps = avc_host_keeps_el1(vcpu);
    uint32_t groups;

    if (vcpu->debug_live)
        avc_hw_debug_save(vcpu);
    groups = vcpu->live;
    avc_hw_write_MDSCR_EL1(saved[S_MDSCR]);
    swap_timers(e2h, vcpu->ctx, keeps ? host : NULL, saved[S_CNTVOFF]);
    walks_off(vcpu, e2h, vcpu->ctx);
    if (walks_at_el2(vcpu))
        avc_hw_write_HCR_EL2(saved[S_HCR]);
    save_groups(vcpu, e2h, vcpu->ctx, groups);
    if (keeps)
        restore_groups(e2h, host, groups);
    avc_hw_controls_put(vcpu);
    if (keeps)
        walks_on(vcpu, e2h, host);
    vcpu->live = groups & used(vcpu) ? LIVE_IN_RUN : 0;
    avc_hw_isb(); /* the host's controls hold from here on */
}
