/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The guest's EL1 and EL0 registers and EL2's controls over it, at load and put.
 *
 * Guest and host are swapped: while a group of registers is in the CPU, the vCPU's ctx[] holds what the host had there
 * (avc_vcpu.live says which groups are). So the host gets all of its EL1 state back at put, bit for bit, and there is
 * no second copy of it. The CPU's host_saved[] keeps EL2's own controls.
 *
 * All of this happens under the host's HCR_EL2, which vectors and enter.S swap at each entry and return. That is right
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

static inline bool is_e2h(const struct avc_vcpu *vcpu)
{
    return vcpu->hcr & HCR_E2H; /* host and guest have the same: only a reset of the CPU changes it */
}

/* ---- swap ---- */

/* The arguments are constants, so that only the wanted registers and accessors remain, in the order of
   avc/sysreg.def. For DEBUG, `first` and `nr` choose breakpoints or watchpoints: `nr` of those whose conditions
   start at `first`. */
/* NOLINTNEXTLINE(readability-function-size): a statement for each row of a table */
static inline __attribute__((always_inline)) void swap(struct avc_vcpu *vcpu, bool e2h, enum avc_group which,
                                                       unsigned first, unsigned nr)
{
#define SWAP(name, group, cond)                                                                                        \
    if (which == AVC_GROUP_##group && (which != AVC_GROUP_DEBUG || AVC_COND_##cond - first < 16)) {                    \
        uint64_t mine;                                                                                                 \
        if (which == AVC_GROUP_DEBUG && AVC_COND_##cond - first >= nr)                                                 \
            return;                                                                                                    \
        mine = vcpu->ctx[AVC_CTX_##name];                                                                              \
        vcpu->ctx[AVC_CTX_##name] = avc_hw_guest_read_##name(e2h);                                                     \
        avc_hw_guest_write_##name(e2h, mine);                                                                          \
    }
#define SWAP_XLAT(name, cond)
#define SWAP_TIMER(name, cond)
#define SWAP_SHADOW(name, cond)
#define SWAP_EL1(name, cond)                                                 SWAP(name, EL1, cond)
#define SWAP_PLAIN(name, cond)                                               SWAP(name, PLAIN, cond)
#define SWAP_RAS(name, cond)                                                 SWAP(name, RAS, cond)
#define SWAP_SCXT1(name, cond)                                               SWAP(name, SCXT1, cond)
#define SWAP_SCXT0(name, cond)                                               SWAP(name, SCXT0, cond)
#define SWAP_SP0(name, cond)                                                 SWAP(name, SP0, cond)
#define SWAP_TPIDR(name, cond)                                               SWAP(name, TPIDR, cond)
#define SWAP_PAUTH(name, cond)                                               SWAP(name, PAUTH, cond)
#define SWAP_DEBUG(name, cond)                                               SWAP(name, DEBUG, cond)
#define CTX(name, op0, op1, crn, crm, op2, group, cond, reset, mask, policy) SWAP_##group(name, cond)
#define REG(name, op0, op1, crn, crm, op2, cond, policy, value)
#include <avc/sysreg.def>
#undef CTX
#undef REG
}

static inline __attribute__((always_inline)) void swap_group(struct avc_vcpu *vcpu, bool e2h, enum avc_group which)
{
    swap(vcpu, e2h, which, 0, 0);
    vcpu->live ^= 1u << which;
}

/* Swaps those of SP0, TPIDR and PAUTH that the host uses itself (`used`), or those that it does not use. */
static void swap_threads(struct avc_vcpu *vcpu, bool used)
{
    uint32_t uses = vcpu->pcpu->hal->uses;

    if (!(uses & AVC_HOST_SP_EL0) != used)
        swap_group(vcpu, false, AVC_GROUP_SP0);
    if (!(uses & AVC_HOST_TPIDR) != used)
        swap_group(vcpu, false, AVC_GROUP_TPIDR);
    if (!(uses & AVC_HOST_PAUTH) != used && avc_has(&vcpu->vm->features, AVC_FEAT_PAUTH))
        swap_group(vcpu, false, AVC_GROUP_PAUTH);
}

void avc_hw_host_swap_in(struct avc_vcpu *vcpu)
{
    swap_threads(vcpu, true);
}

void avc_hw_host_swap_out(struct avc_vcpu *vcpu)
{
    swap_threads(vcpu, true);
}

/* At put the CPU does not hold the guest's values of the groups that the host uses. A put in the middle of run is
   different (a vCPU that switches itself on): then these groups go as well, and the next load must bring them back. */
#define LIVE_THREADS (1u << AVC_GROUP_SP0 | 1u << AVC_GROUP_TPIDR | 1u << AVC_GROUP_PAUTH)
#define LIVE_IN_RUN  (1u << 31)

static void swap_scxtnum(struct avc_vcpu *vcpu)
{
    if (is_e2h(vcpu))
        swap_group(vcpu, true, AVC_GROUP_SCXT1);
    else
        swap_group(vcpu, false, AVC_GROUP_SCXT1);
    swap_group(vcpu, false, AVC_GROUP_SCXT0);
}

/* With PAR_EL1, which this CPU may not read close to a load from a device. */
static void swap_par(struct avc_vcpu *vcpu)
{
    avc_hw_dmb_sy();
    swap_group(vcpu, false, AVC_GROUP_PLAIN);
    avc_hw_dmb_sy();
}

static void swap_rest(struct avc_vcpu *vcpu)
{
    if (avc_has(&vcpu->vm->features, AVC_FEAT_CSV2_2))
        swap_scxtnum(vcpu);
    if (is_e2h(vcpu))
        swap_group(vcpu, true, AVC_GROUP_EL1);
    else
        swap_group(vcpu, false, AVC_GROUP_EL1);
    if (vcpu->pcpu->features.errata & AVC_ERRATUM_PAR)
        swap_par(vcpu);
    else
        swap_group(vcpu, false, AVC_GROUP_PLAIN);
    if (avc_has(&vcpu->vm->features, AVC_FEAT_RAS))
        swap_group(vcpu, false, AVC_GROUP_RAS);
    swap_threads(vcpu, false);
}

/*
 * Table walks. A CPU may walk the EL1&0 regime's tables for a speculated AT instruction even while it executes at EL2
 * (AVC_ERRATUM_AT). If it saw one party's TTBRs with the
 * other's VTTBR_EL2 or TCR_EL1, the result would stay in the TLB. So stage 1 is on (SCTLR_EL1.M: no flat mapping) and
 * walks are off (TCR_EL1.EPD0, EPD1: none starts) from the first register of the regime that changes to the last. An
 * ISB synchronises each side of this.
 */
static void walks_off(struct avc_vcpu *vcpu, bool e2h)
{
    vcpu->ctx[AVC_CTX_TCR_EL1] = avc_hw_guest_read_TCR_EL1(e2h);
    vcpu->ctx[AVC_CTX_SCTLR_EL1] = avc_hw_guest_read_SCTLR_EL1(e2h);
    avc_hw_guest_write_TCR_EL1(e2h, vcpu->ctx[AVC_CTX_TCR_EL1] | TCR_EPD0 | TCR_EPD1);
    avc_hw_isb(); /* no walk starts any more, so M may be set */
    avc_hw_guest_write_SCTLR_EL1(e2h, vcpu->ctx[AVC_CTX_SCTLR_EL1] | SCTLR_M);
    avc_hw_isb();
}

static void walks_on(bool e2h, uint64_t sctlr, uint64_t tcr)
{
    avc_hw_isb(); /* all of the regime is in place */
    avc_hw_guest_write_SCTLR_EL1(e2h, sctlr);
    avc_hw_isb(); /* M is what the owner of the tables wants */
    avc_hw_guest_write_TCR_EL1(e2h, tcr);
}

/* The same CPUs between runs. With the host's HCR_EL2.VM=0 a walk would go through the guest's stage 1 without stage
   2, and its result would be cached under the guest's VMID. On these CPUs HCR_EL2.VM stays set from load to put. EL2
   itself does not notice. */
static bool walks_at_el2(const struct avc_vcpu *vcpu)
{
    return vcpu->pcpu->features.errata & AVC_ERRATUM_AT;
}

/* ---- timers ---- */

/*
 * The timers are switched off before anything else. An enabled timer with one party's compare value and the other's
 * offset is an interrupt that nobody asked for. Then the offset is written, then the compare values, and the controls
 * when both are in place. The ISBs make the timers see the earlier writes before the later ones (DDI 0487, D24.1.2,
 * "indirect reads").
 */
static void swap_timers(struct avc_vcpu *vcpu, bool e2h, uint64_t cntvoff)
{
    uint64_t vctl = vcpu->ctx[AVC_CTX_CNTV_CTL_EL0], pctl = vcpu->ctx[AVC_CTX_CNTP_CTL_EL0];
    uint64_t vcval = vcpu->ctx[AVC_CTX_CNTV_CVAL_EL0], pcval = vcpu->ctx[AVC_CTX_CNTP_CVAL_EL0];

    vcpu->ctx[AVC_CTX_CNTV_CTL_EL0] = avc_hw_guest_read_CNTV_CTL_EL0(e2h) & CNT_CTL_WRITABLE;
    vcpu->ctx[AVC_CTX_CNTP_CTL_EL0] = avc_hw_guest_read_CNTP_CTL_EL0(e2h) & CNT_CTL_WRITABLE;
    avc_hw_guest_write_CNTV_CTL_EL0(e2h, 0);
    avc_hw_guest_write_CNTP_CTL_EL0(e2h, 0);
    avc_hw_isb();
    vcpu->ctx[AVC_CTX_CNTV_CVAL_EL0] = avc_hw_guest_read_CNTV_CVAL_EL0(e2h);
    vcpu->ctx[AVC_CTX_CNTP_CVAL_EL0] = avc_hw_guest_read_CNTP_CVAL_EL0(e2h);
    avc_hw_write_CNTVOFF_EL2(cntvoff);
    avc_hw_guest_write_CNTV_CVAL_EL0(e2h, vcval);
    avc_hw_guest_write_CNTP_CVAL_EL0(e2h, pcval);
    avc_hw_isb();
    avc_hw_guest_write_CNTV_CTL_EL0(e2h, vctl);
    avc_hw_guest_write_CNTP_CTL_EL0(e2h, pctl);
    vcpu->live ^= 1u << AVC_GROUP_TIMER;
}

/* ---- debug ---- */

/* Swaps as many as the VM has. */
static __attribute__((noinline)) void swap_debug(struct avc_vcpu *vcpu)
{
    swap(vcpu, false, AVC_GROUP_DEBUG, AVC_COND_BRP(0), vcpu->vm->features.breakpoints);
    swap(vcpu, false, AVC_GROUP_DEBUG, AVC_COND_WRP(0), vcpu->vm->features.watchpoints);
    vcpu->live ^= 1u << AVC_GROUP_DEBUG;
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
    uint64_t sctlr = vcpu->ctx[AVC_CTX_SCTLR_EL1], tcr = vcpu->ctx[AVC_CTX_TCR_EL1];
    bool e2h = avc_hw_read_HCR_EL2() & HCR_E2H;

    walks_off(vcpu, e2h);
    avc_hw_controls_load(vcpu);
    swap_rest(vcpu);
    if (vcpu->live & LIVE_IN_RUN) {
        vcpu->live &= ~LIVE_IN_RUN;
        swap_threads(vcpu, true);
    }
    if (walks_at_el2(vcpu)) {
        vcpu->host_hcr |= HCR_VM;
        avc_hw_write_HCR_EL2(vcpu->host_hcr);
    }
    walks_on(e2h, sctlr, tcr);
    vcpu->live |= 1u << AVC_GROUP_XLAT;
    swap_timers(vcpu, e2h, vcpu->vm->cntvoff);
    avc_hw_write_MDSCR_EL1(avc_debug_mdscr(vcpu) & MDSCR_TDCC);
    if (avc_debug_wanted(vcpu))
        avc_hw_debug_load(vcpu);
}

void avc_hw_put(struct avc_vcpu *vcpu)
{
    uint64_t sctlr = vcpu->ctx[AVC_CTX_SCTLR_EL1], tcr = vcpu->ctx[AVC_CTX_TCR_EL1];
    const uint64_t *host = vcpu->pcpu->host_saved;
    bool e2h = is_e2h(vcpu);

    if (vcpu->debug_live)
        avc_hw_debug_save(vcpu);
    avc_hw_write_MDSCR_EL1(host[S_MDSCR]);
    swap_timers(vcpu, e2h, host[S_CNTVOFF]);
    walks_off(vcpu, e2h);
    if (walks_at_el2(vcpu))
        avc_hw_write_HCR_EL2(host[S_HCR]);
    swap_rest(vcpu);
    if (vcpu->live & LIVE_THREADS) {
        swap_threads(vcpu, true);
        vcpu->live |= LIVE_IN_RUN;
    }
    avc_hw_controls_put(vcpu);
    walks_on(e2h, sctlr, tcr);
    vcpu->live &= ~(1u << AVC_GROUP_XLAT);
    avc_hw_isb(); /* the host's controls hold from here on */
}
