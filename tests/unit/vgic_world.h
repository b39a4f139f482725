/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * What tests of the vGIC need: CPUs, a VM with four vCPUs, a GIC, and accesses as a guest makes them. Also the other
 * side of the list registers: what the CPU's virtual interface does when the guest acknowledges and ends interrupts
 * (IHI 0069, chapter 8, and the pseudocode of ICV_*), the maintenance interrupt, and the timers' physical PPIs.
 */
#ifndef VGIC_WORLD_H
#define VGIC_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <avc/stage2.h>
#include <avc/priv/ctx.h>
#include <avc/sysreg.h>

#include "fake.h"
#include "guest.h"
#include "models.h"
#include "arch/gic.h"
#include "core/claim/claim.h"
#include "core/claim/index.h"
#include "core/core.h"
#include "emul/vgic/frame.h"
#include "core/object/request.h"
#include "hw/hw.h"

#define GICD   UINT64_C(0x08000000)
#define GICR   UINT64_C(0x080a0000)
#define RD(n)  (GICR + (n)*UINT64_C(0x20000))
#define SGI(n) (RD(n) + 0x10000)

#define NR_VCPUS 4
#define NR_CPUS  4
#define NR_SPIS  64

static struct avc_machine machine;
static struct avc_pcpu pcpu[NR_CPUS];
static struct avc_hal hal[NR_CPUS];
static struct avc_stage2 stage2;
static struct avc_vm vm;
static struct avc_vcpu vcpu[NR_VCPUS];
static struct avc_vcpu *vcpus[NR_VCPUS];
static struct avc_claim claims[AVC_CLAIM_SLOTS(8)];
static struct avc_vgic vgic;
static struct avc_vgic_spis spis[31];
static struct avc_vgic_cpu gcpu[NR_VCPUS];

/* Affinities: two neighbours, another cluster, and one that needs the range selector. */
static const uint64_t mpidrs[NR_VCPUS] = { 0x000, 0x001, 0x100, 0x112 };

/* What the HAL was asked to do, by CPU. */
static unsigned wakes[NR_VCPUS];
static struct {
    bool masked[32], active[32];
    unsigned ends, drops;
} phys[NR_CPUS];

static uint8_t vw_pages[64][4096] __attribute__((aligned(65536)));
static unsigned vw_next;

static void *vw_get(void *ctx, size_t bytes, avc_pa_t *pa)
{
    unsigned n = (unsigned)(bytes / 4096), at = (vw_next + n - 1) / n * n;

    (void)ctx;
    assert_true(at + n <= 64);
    vw_next = at + n;
    *pa = UINT64_C(0x100000000) + at * UINT64_C(4096);
    return vw_pages[at];
}

static void vw_put(void *ctx, void *va, size_t bytes)
{
    (void)ctx, (void)va, (void)bytes;
}

static void *vw_at(void *ctx, avc_pa_t pa)
{
    (void)ctx;
    return vw_pages[(pa - UINT64_C(0x100000000)) / 4096];
}

static unsigned cpu_now(void)
{
    return (unsigned)(fake_cpu - fake_cpus);
}

/* The library must not hold its lock while it calls back. */
static void unlocked(void)
{
    assert_int_equal(vgic.lock.held, 0);
}

static void hal_panic(void *ctx, const char *why)
{
    (void)ctx;
    fail_msg("%s", why);
}

static void hal_wake(void *ctx, struct avc_vcpu *v)
{
    (void)ctx;
    unlocked();
    wakes[v->index]++;
}

static avc_irq_t fetched = AVC_IRQ_SPURIOUS; /* the next interrupt to fetch */

static avc_irq_t hal_fetch(void *ctx)
{
    avc_irq_t irq = fetched;

    (void)ctx;
    fetched = AVC_IRQ_SPURIOUS;
    return irq;
}

static void hal_end(void *ctx, avc_irq_t irq, bool deactivate)
{
    (void)ctx;
    unlocked();
    phys[cpu_now()].drops++;
    if (deactivate) {
        phys[cpu_now()].ends++;
        phys[cpu_now()].active[irq] = false;
    }
}

static void hal_mask(void *ctx, uint32_t intid, bool masked)
{
    (void)ctx;
    unlocked();
    assert_true(fake_cpu->masked); /* the CPU must have interrupts masked */
    assert_int_not_equal(phys[cpu_now()].masked[intid], masked);
    phys[cpu_now()].masked[intid] = masked;
}

static unsigned handled;

static enum avc_answer hal_irq(void *ctx, avc_irq_t irq)
{
    (void)ctx, (void)irq;
    handled++;
    return AVC_DONE;
}

static void must(enum avc_status status)
{
    if (status)
        fail_msg("unexpected %s", avc_status_name(status));
}

/* ---- the virtual CPU interface of the executing CPU ---- */

static uint64_t *reg(enum fake_reg r)
{
    return &fake_cpu->reg[r];
}

static uint64_t *lr(unsigned n)
{
    return reg((enum fake_reg)(FAKE_ICH_LR0_EL2 + n));
}

static unsigned nr_lr(void)
{
    return (unsigned)(*reg(FAKE_ICH_VTR_EL2) & 31) + 1;
}

static uint32_t lr_priority(uint64_t v)
{
    return v >> 48 & 0xff;
}

/* What QEMU up to version 10 does, and what no one does: causes that come from nowhere. */
static bool misr_like_qemu;
static uint64_t misr_stuck;

/* Returns ICH_MISR_EL2. */
static uint64_t misr(void)
{
    uint64_t hcr = *reg(FAKE_ICH_HCR_EL2), vmcr = *reg(FAKE_ICH_VMCR_EL2), m = 0;
    bool pending = false;

    for (unsigned n = 0; n < nr_lr(); n++) {
        uint64_t v = *lr(n);

        if (!(v & ICH_LR_STATE) && !(v & ICH_LR_HW) && (v & ICH_LR_EOI))
            m |= 1;
        pending |= (v & ICH_LR_STATE) == ICH_LR_PENDING;
    }
    if (hcr & ICH_HCR_LRENPIE && ICH_HCR_EOICOUNT(hcr))
        m |= 4;
    if (hcr & ICH_HCR_NPIE && !pending)
        m |= 8;
    m |= hcr & ICH_HCR_VGRP0EIE && vmcr & ICH_VMCR_VENG0 ? 0x10 : 0;
    m |= hcr & ICH_HCR_VGRP0DIE && !(vmcr & (misr_like_qemu ? ICH_VMCR_VENG1 : ICH_VMCR_VENG0)) ? 0x20 : 0;
    m |= hcr & ICH_HCR_VGRP1EIE && vmcr & ICH_VMCR_VENG1 ? 0x40 : 0;
    m |= hcr & ICH_HCR_VGRP1DIE && !(vmcr & ICH_VMCR_VENG1) ? 0x80 : 0;
    return hcr & ICH_HCR_EN ? m | misr_stuck : 0;
}

/* Returns ISR_EL1: the library looks at it where a long operation may stop. It does not hold its lock then, so a test
   may let others act. NULL: the host has no interrupt. */
static uint64_t (*on_pause)(void);

static void vw_on_read(enum fake_reg r, uint64_t *value)
{
    if (r == FAKE_ISR_EL1) {
        assert_int_equal(vgic.lock.held, 0);
        *value = on_pause ? on_pause() : 0;
    }
    if (r == FAKE_ICH_MISR_EL2)
        *value = misr();
    if (r == FAKE_ICH_EISR_EL2) {
        *value = 0;
        for (unsigned n = 0; n < nr_lr(); n++)
            if ((*lr(n) & (ICH_LR_STATE | ICH_LR_HW | ICH_LR_EOI)) == ICH_LR_EOI)
                *value |= 1u << n;
    }
    if (r == FAKE_ICH_ELRSR_EL2) {
        *value = 0;
        for (unsigned n = 0; n < nr_lr(); n++)
            if (!(*lr(n) & ICH_LR_STATE) && ((*lr(n) & ICH_LR_HW) || !(*lr(n) & ICH_LR_EOI)))
                *value |= 1u << n;
    }
}

/* The library lets others have its lock, and cannot stop there. It executes an ISB then, which the fake CPU tells. */
static void (*on_breath)(void);

static void vw_on_op(enum fake_op op, uint64_t value)
{
    (void)value;
    if (op == FAKE_OP_isb && on_breath && !vgic.lock.held)
        on_breath();
}

static void vw_on_write(enum fake_reg r, uint64_t value)
{
    if (r == FAKE_ICC_DIR_EL1) {
        assert_true(phys[cpu_now()].active[value]); /* an interrupt is deactivated only once */
        phys[cpu_now()].active[value] = false;
    }
    if (r >= FAKE_ICH_LR0_EL2 && r <= FAKE_ICH_LR15_EL2) {
        assert_true(r - FAKE_ICH_LR0_EL2 < nr_lr()); /* the other list registers are UNDEFINED */
        assert_false((value & ICH_LR_HW) && (value & ICH_LR_STATE) == ICH_LR_STATE);
        for (unsigned n = 0; value & ICH_LR_STATE && n < nr_lr(); n++) /* twice is UNPREDICTABLE */
            assert_false(n != r - FAKE_ICH_LR0_EL2 && *lr(n) & ICH_LR_STATE &&
                         ICH_LR_VINTID(*lr(n)) == ICH_LR_VINTID(value));
    }
}

static uint32_t g_running(void)
{
    uint32_t apr = (uint32_t)(*reg(FAKE_ICH_AP0R0_EL2) | *reg(FAKE_ICH_AP1R0_EL2));

    return apr ? (uint32_t)__builtin_ctz(apr) << 3 : 0xff;
}

/*
 * Returns the list register that is signalled now, or -1: the highest priority whose group is enabled, above the mask,
 * and able to preempt. There are 5 preemption bits, and the binary points are at their minimum, so each of the 32
 * priorities is a preemption group.
 */
static inline int g_signalled(void)
{
    uint64_t vmcr = *reg(FAKE_ICH_VMCR_EL2);
    int best = -1;

    if (!(*reg(FAKE_ICH_HCR_EL2) & ICH_HCR_EN))
        return -1;
    for (unsigned n = 0; n < nr_lr(); n++) {
        uint64_t v = *lr(n);

        if ((v & ICH_LR_STATE) != ICH_LR_PENDING || !(vmcr & (v & ICH_LR_GROUP ? ICH_VMCR_VENG1 : ICH_VMCR_VENG0)))
            continue;
        if (best < 0 || lr_priority(v) < lr_priority(*lr((unsigned)best)))
            best = (int)n;
    }
    if (best >= 0 && (lr_priority(*lr((unsigned)best)) >= ICH_VMCR_VPMR(vmcr) ||
                      (g_running() != 0xff && lr_priority(*lr((unsigned)best)) >= g_running())))
        return -1;
    return best;
}

/* The guest reads ICC_IAR0_EL1 or ICC_IAR1_EL1. */
static inline uint32_t g_ack(bool group1)
{
    int n = g_signalled();
    uint64_t *v;

    if (n < 0 || !(*lr((unsigned)n) & ICH_LR_GROUP) != !group1)
        return 1023;
    v = lr((unsigned)n);
    *v = (*v & ~ICH_LR_PENDING) | ICH_LR_ACTIVE;
    *reg(group1 ? FAKE_ICH_AP1R0_EL2 : FAKE_ICH_AP0R0_EL2) |= 1u << (lr_priority(*v) >> 3);
    return ICH_LR_VINTID(*v);
}

static void g_deactivate(uint32_t intid)
{
    for (unsigned n = 0; n < nr_lr(); n++)
        if ((*lr(n) & ICH_LR_ACTIVE) && ICH_LR_VINTID(*lr(n)) == intid) {
            *lr(n) &= ~ICH_LR_ACTIVE;
            if (*lr(n) & ICH_LR_HW) {
                uint32_t p = *lr(n) >> 32 & 0x3ff;

                assert_true(phys[cpu_now()].active[p]);
                phys[cpu_now()].active[p] = false;
            }
            return;
        }
    *reg(FAKE_ICH_HCR_EL2) += UINT64_C(1) << 27; /* EOIcount */
}

/* The guest writes ICC_EOIR0_EL1 or ICC_EOIR1_EL1. */
static inline void g_eoi(bool group1, uint32_t intid)
{
    uint64_t *apr = reg(group1 ? FAKE_ICH_AP1R0_EL2 : FAKE_ICH_AP0R0_EL2);

    if (*apr)
        *apr &= *apr - 1;
    if (!(*reg(FAKE_ICH_VMCR_EL2) & ICH_VMCR_VEOIM))
        g_deactivate(intid);
}

/* ---- accesses of a vCPU ---- */

/* Calls a claim's function, which runs with interrupts masked. */
static enum avc_answer claim(struct avc_vcpu *v, avc_claim_fn *fn, struct avc_exit *e, void *ctx)
{
    bool masked = fake_cpu->masked;
    enum avc_answer answer;

    fake_cpu->masked = true;
    answer = fn(v, e, ctx);
    fake_cpu->masked = masked;
    unlocked();
    return answer;
}

/*
 * Calls the fast path of an instruction that names x0. Returns whether it has handled the access. If not, it must have
 * changed nothing.
 */
static bool fast(struct avc_vcpu *v, uint64_t esr, avc_mmio_fn *mmio, avc_sysreg_fn *sysreg,
                 const struct avc_mmio_entry *entry, uint64_t *value)
{
    uint64_t x0 = v->x[0], *regs = fake_cpu->reg, pc = regs[FAKE_ELR_EL2];
    bool masked = fake_cpu->masked;
    enum avc_result result;

    fake_cpu->masked = true;
    v->x[0] = *value;
    result = mmio ? mmio(v, esr, entry) : sysreg(v, esr, NULL);
    if (result == AVC_SLOW || regs[FAKE_ELR_EL2] == pc) {
        assert_int_equal(v->x[0], *value);
    } else {
        assert_int_equal(result, AVC_RESUME);
        assert_int_equal(regs[FAKE_ELR_EL2], pc + 4);
        *value = v->x[0];
        result = AVC_LEAVE; /* handled */
    }
    v->x[0] = x0;
    regs[FAKE_ELR_EL2] = pc;
    fake_cpu->masked = masked;
    unlocked();
    return result == AVC_LEAVE;
}

/*
 * Makes an access: every second one as a trap, the others as an event. An access to be repeated must have changed
 * nothing.
 */
static enum avc_answer mmio(unsigned v, uint64_t ipa, unsigned size, bool write, uint64_t *value)
{
    struct avc_exit e = { .kind = AVC_MMIO, .key = ipa, .size = (uint8_t)size, .write = write, .value = *value };
    const struct avc_mmio_entry entry = { .hpfar = ipa >> 12 << 4 };
    const uint64_t esr =
        ISS_ISV | (uint64_t)__builtin_ctz(size) << 22 | (write ? ISS_WNR : 0) | (size == 8 ? ISS_SF : 0);
    static unsigned turn;
    enum avc_answer answer;

    fake_cpu->reg[FAKE_FAR_EL2] = ipa & 0xfff;
    if (turn++ % 2 && fast(&vcpu[v], ESR_MAKE(AVC_EC_DABT_LOWER, true, esr),
                           ipa < GICR ? avc_vgic_dist_fast.mmio : avc_vgic_redist_fast.mmio, NULL, &entry, value))
        return AVC_DONE;
    answer = claim(&vcpu[v], ipa < GICR ? avc_vgic_dist_access : avc_vgic_redist_access, &e, &vgic);
    if (!write)
        *value = e.value;
    return answer;
}

static inline void wr(unsigned v, uint64_t ipa, uint32_t value)
{
    uint64_t x = value;

    assert_int_equal(mmio(v, ipa, 4, true, &x), AVC_DONE);
}

static inline void wr8(unsigned v, uint64_t ipa, uint32_t value)
{
    uint64_t x = value;

    assert_int_equal(mmio(v, ipa, 1, true, &x), AVC_DONE);
}

static inline void wr64(unsigned v, uint64_t ipa, uint64_t value)
{
    assert_int_equal(mmio(v, ipa, 8, true, &value), AVC_DONE);
}

/* Calls the claim on the register. */
static inline enum avc_answer sysreg(unsigned v, struct avc_exit *e)
{
    const struct avc_claim *c = avc_claim_find(&vm, AVC_SYSREG, e->key);

    assert_non_null(c);
    return claim(&vcpu[v], c->fn, e, c->ctx);
}

static inline enum avc_answer sysreg_write(unsigned v, uint32_t key, uint64_t value)
{
    struct avc_exit e = { .kind = AVC_SYSREG, .key = key, .write = true, .value = value };
    const struct avc_claim *c = avc_claim_find(&vm, AVC_SYSREG, key);
    static unsigned turn;

    assert_non_null(c);
    if (turn++ % 2 && c->kind & AVC_CLAIM_FAST && fast(&vcpu[v], 0, NULL, avc_claim_fast(c).sysreg, NULL, &value))
        return AVC_DONE;
    return sysreg(v, &e);
}

#define SGI1R  AVC_SYSREG_KEY(3, 0, 12, 11, 5)
#define ASGI1R AVC_SYSREG_KEY(3, 0, 12, 11, 6)
#define SGI0R  AVC_SYSREG_KEY(3, 0, 12, 11, 7)
#define DIR    AVC_SYSREG_KEY(3, 0, 12, 11, 1)

/* The guest writes ICC_DIR_EL1, which may be trapped. */
static inline void g_dir(unsigned v, uint32_t intid)
{
    if (*reg(FAKE_ICH_HCR_EL2) & (ICH_HCR_TDIR | ICH_HCR_TC))
        assert_int_equal(sysreg_write(v, DIR, intid), AVC_DONE);
    else if (*reg(FAKE_ICH_VMCR_EL2) & ICH_VMCR_VEOIM)
        g_deactivate(intid);
}

/* ---- on and off CPUs ---- */

static void on_cpu_of(unsigned v)
{
    assert_non_null(vcpu[v].pcpu);
    fake_use_cpu((unsigned)(vcpu[v].pcpu - pcpu));
}

static inline bool line_of(unsigned t)
{
    uint64_t ctl = fake_cpu->ctx[t ? AVC_CTX_CNTP_CTL_EL0 : AVC_CTX_CNTV_CTL_EL0];
    uint64_t cval = fake_cpu->ctx[t ? AVC_CTX_CNTP_CVAL_EL0 : AVC_CTX_CNTV_CVAL_EL0];
    uint64_t now = *reg(FAKE_CNTPCT_EL0) - (t ? 0 : vm.cntvoff);

    return (ctl & 3) == 1 && now >= cval;
}

/*
 * An interrupt of the controller's was fetched, after a trap from the guest or by the host's vector. The host's handler
 * must not see it.
 */
static inline void take_irq(unsigned v, avc_irq_t irq)
{
    unsigned before = handled;

    if (vcpu[v].mode == AVC_MODE_GUEST)
        assert_int_equal(vm.irqc->irq_taken(&vcpu[v], irq), 0);
    else
        assert_true(vm.irqc->irq(&vcpu[v], irq));
    assert_int_equal(handled, before);
}

/* Does all that would interrupt or delay this CPU's guest, until it would run undisturbed. */
static void settle_vcpu(unsigned v)
{
    const uint32_t ppi[2] = { 27, 30 };

    for (unsigned round = 0;; round++) {
        bool quiet = true;

        assert_true(round < 50); /* more would be an interrupt storm */
        on_cpu_of(v);
        fake_cpu->masked = true;
        if (vcpu[v].requests & AVC_REQUEST_IRQC) {
            vcpu[v].requests &= ~(uint64_t)(AVC_REQUEST_IRQC | AVC_REQUEST_KICK); /* run returns, and comes again */
            vm.irqc->enter(&vcpu[v]);
            quiet = false;
        }
        if (misr()) {
            take_irq(v, 25);
            quiet = false;
        }
        for (unsigned t = 0; t < 2; t++)
            if (line_of(t) && !phys[cpu_now()].masked[ppi[t]] && !phys[cpu_now()].active[ppi[t]]) {
                phys[cpu_now()].active[ppi[t]] = true;
                take_irq(v, ppi[t]);
                quiet = false;
            }
        fake_cpu->masked = false;
        unlocked();
        if (quiet)
            return;
    }
}

static inline void settle_all(void)
{
    unsigned now = cpu_now();
    bool more = true;

    for (unsigned round = 0; round < 2 || more; round++) {
        more = false;
        assert_true(round < 20);
        for (unsigned v = 0; v < NR_VCPUS; v++)
            if (vcpu[v].pcpu && vcpu[v].power == AVC_POWER_ON) /* run does nothing for one that is off */
                settle_vcpu(v);
            else if (vcpu[v].requests & AVC_REQUEST_IRQC && vcpu[v].power == AVC_POWER_ON)
                (void)vm.irqc->pending(&vcpu[v]); /* wake() was called, and the host asks */
        for (unsigned v = 0; v < NR_VCPUS; v++)
            more |= vcpu[v].pcpu && vcpu[v].power == AVC_POWER_ON && vcpu[v].requests & AVC_REQUEST_IRQC;
    }
    fake_use_cpu(now);
}

/* Reads. Where the library asks for a repetition, the other CPUs do their part first. */
static inline uint64_t rd_size(unsigned v, uint64_t ipa, unsigned size)
{
    uint64_t x;

    for (unsigned tries = 0;; tries++) {
        enum avc_answer answer;

        x = 0;
        answer = mmio(v, ipa, size, false, &x);
        if (answer == AVC_DONE)
            return x;
        assert_int_equal(answer, AVC_RETRY);
        assert_true(tries < 4);
        settle_all();
        on_cpu_of(v);
    }
}

static inline uint32_t rd(unsigned v, uint64_t ipa)
{
    return (uint32_t)rd_size(v, ipa, 4);
}

static inline void vload(unsigned v, unsigned c)
{
    fake_use_cpu(c);
    must(avc_vcpu_load(&vcpu[v], &pcpu[c]));
    vcpu[v].mode = AVC_MODE_GUEST;
}

/* The virtual interface of this CPU is as a vCPU leaves it: no list register has an effect. */
static void interface_is_empty(void)
{
    for (unsigned n = 0; n < nr_lr(); n++)
        assert_false(*lr(n) & (ICH_LR_STATE | (*lr(n) & ICH_LR_HW ? 0 : ICH_LR_EOI)));
    assert_int_equal(*reg(FAKE_ICH_HCR_EL2), 0);
}

static inline void vput(unsigned v)
{
    on_cpu_of(v);
    vcpu[v].mode = AVC_MODE_HOST; /* run has returned */
    must(avc_vcpu_put(&vcpu[v]));
    if (vcpu[v].power == AVC_POWER_ON) /* one that is off has not touched it */
        interface_is_empty();
    assert_int_equal(*reg(FAKE_ICH_HCR_EL2), 0);
    for (unsigned p = 16; p < 32; p++) { /* nothing of the guest's may stay in the physical controller */
        assert_false(phys[cpu_now()].active[p]);
        assert_false(phys[cpu_now()].masked[p]);
    }
}

/* A call of PSCI by the vCPU itself, in its trap. */
static inline void vpower_off(unsigned v)
{
    on_cpu_of(v);
    fake_cpu->masked = true;
    avc_vcpu_power_off(&vcpu[v]);
    fake_cpu->masked = false;
    unlocked();
    interface_is_empty();
}

/* A call of PSCI by another vCPU, and what run makes of it, where the vCPU is loaded. */
static inline void vpower_on(unsigned v)
{
    assert_true(avc_vcpu_power_on(&vcpu[v], 0, 0));
    on_cpu_of(v);
    vcpu[v].mode = AVC_MODE_HOST;
    fake_guest_reset(); /* it is not entered */
    assert_int_equal(avc_vcpu_run(&vcpu[v])->kind, AVC_KICKED);
    assert_int_equal(vcpu[v].power, AVC_POWER_ON);
    vcpu[v].mode = AVC_MODE_GUEST;
    *reg(FAKE_ELR_EL2) = 0; /* the guest that was not entered is at EL1h */
    *reg(FAKE_SPSR_EL2) = 5;
}

/* Makes a machine with this many list registers, and the VM with its vCPUs. None is loaded. */
static inline void vw_make(unsigned list_regs, bool split)
{
    static struct fake_model model;
    struct avc_mem mem = { NULL, vw_get, vw_put, vw_at };

    fake_reset();
    memset(&machine, 0, sizeof machine);
    memset(pcpu, 0, sizeof pcpu);
    memset(&stage2, 0, sizeof stage2);
    memset(&vm, 0, sizeof vm);
    memset(vcpu, 0, sizeof vcpu);
    memset(&vgic, 0, sizeof vgic);
    memset(spis, 0, sizeof spis);
    memset(gcpu, 0, sizeof gcpu);
    memset(wakes, 0, sizeof wakes);
    memset(phys, 0, sizeof phys);
    memset(vw_pages, 0, sizeof vw_pages);
    vw_next = 0;
    misr_like_qemu = false;
    misr_stuck = 0;
    on_pause = NULL;
    on_breath = NULL;
    model = fake_a72;
    model.vtr = (model.vtr & ~UINT64_C(31)) | (list_regs - 1);
    must(avc_machine_init(&machine));
    for (unsigned c = 0; c < NR_CPUS; c++) {
        hal[c] = (struct avc_hal){ .panic = hal_panic,
                                   .wake = hal_wake,
                                   .irq_fetch = hal_fetch,
                                   .irq_end = hal_end,
                                   .irq_mask = hal_mask,
                                   .irq_handler = hal_irq,
                                   .eoi_split = split };
        fake_become(c, &model);
        fake_cpus[c].reg[FAKE_ICH_VTR_EL2] = model.vtr;
        fake_cpus[c].reg[FAKE_ICC_SRE_EL2] = 0xf;
        for (unsigned n = 0; n < list_regs; n++) /* after reset they may hold anything */
            fake_cpus[c].reg[FAKE_ICH_LR0_EL2 + n] = ICH_LR_PENDING | (0x100 + n);
        fake_use_cpu(c);
        must(avc_pcpu_init(&pcpu[c], &machine, &hal[c]));
        must(avc_pcpu_enable(&pcpu[c]));
        fake_cpus[c].reg[FAKE_ICH_VTR_EL2] = model.vtr;
    }
    fake_use_cpu(0);
    fake_on_read = vw_on_read;
    fake_on_write = vw_on_write;
    fake_on_op = vw_on_op;
    must(avc_stage2_init(&stage2, &machine, &mem, 36));
    must(avc_vm_init(&vm, &machine,
                     &(struct avc_vm_config){ .stage2 = &stage2,
                                              .vcpus = vcpus,
                                              .max_vcpus = NR_VCPUS,
                                              .claims = claims,
                                              .max_claims = AVC_ARRAY_SIZE(claims) }));
}

static inline void vw_attach(uint32_t nr_spis)
{
    must(avc_vgic_attach(&vgic, &vm,
                         &(struct avc_vgic_config){ .dist_base = GICD,
                                                    .redist_base = GICR,
                                                    .nr_spis = nr_spis,
                                                    .max_vcpus = NR_VCPUS,
                                                    .spis = spis,
                                                    .cpus = gcpu }));
    for (unsigned n = 0; n < NR_VCPUS; n++) {
        must(avc_vcpu_init(&vcpu[n], &vm, &(struct avc_vcpu_config){ .mpidr = mpidrs[n] }));
        must(avc_vcpu_start(&vcpu[n], 0, 0));
        vcpu[n].power = AVC_POWER_ON;
        vcpu[n].requests = 0;
        wakes[n] = 0;
    }
}

/*
 * Sets the GIC up as an operating system does: groups enabled, all interrupts in group 1 with priority 0xa0, SGIs
 * enabled, no priority masked.
 */
static inline void vw_boot(unsigned list_regs, bool split, unsigned loaded)
{
    vw_make(list_regs, split);
    vw_attach(NR_SPIS);
    for (unsigned v = 0; v < loaded; v++)
        vload(v, v);
    fake_use_cpu(0);
    wr(0, GICD + 0x0, 3);
    for (unsigned n = 1; n <= NR_SPIS / 32; n++) {
        wr(0, GICD + 0x80 + 4 * n, ~0u);
        for (unsigned i = 0; i < 32; i += 4)
            wr(0, GICD + 0x400 + 32 * n + i, 0xa0a0a0a0);
    }
    for (unsigned v = 0; v < NR_VCPUS; v++) {
        wr(0, RD(v) + 0x14, 0);
        wr(0, SGI(v) + 0x80, ~0u);
        wr(0, SGI(v) + 0x100, 0xffff);
        for (unsigned i = 0; i < 32; i += 4)
            wr(0, SGI(v) + 0x400 + i, 0xa0a0a0a0);
        if (vcpu[v].pcpu) {
            on_cpu_of(v);
            *reg(FAKE_ICH_VMCR_EL2) |= ICH_VMCR_VENG0 | ICH_VMCR_VENG1 | UINT64_C(0xf8) << 24;
            fake_use_cpu(0);
        } else {
            gcpu[v].vmcr |= ICH_VMCR_VENG0 | ICH_VMCR_VENG1 | UINT64_C(0xf8) << 24;
        }
    }
    settle_all();
    fake_use_cpu(0);
    memset(wakes, 0, sizeof wakes);
}

/* The vCPU of this CPU acknowledges and ends group 1 interrupts until none is left. Returns how many. */
static inline unsigned drain(unsigned v, uint32_t *seen, unsigned max)
{
    unsigned n = 0;

    on_cpu_of(v);
    for (;;) {
        uint32_t intid;

        settle_vcpu(v);
        intid = g_ack(true);
        if (intid == 1023)
            return n;
        assert_true(n < max);
        seen[n++] = intid;
        settle_vcpu(v);
        g_eoi(true, intid);
    }
}

#endif
