/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Random guests and devices against a reference: a GIC that is an array of interrupts and has no list registers. After
 * each step all CPUs do what was requested of them. Then the hardware of each vCPU must signal what the reference
 * signals. Now and then the pending, active and enable registers are compared, as read by some vCPU.
 *
 * A write that concerns many interrupts, and an SGI to all others, are long operations of the library's. Where one may
 * stop, it sometimes has to. Wherever the library lets others have its lock, other vCPUs and devices sometimes act on
 * the same interrupts. The reference changes each interrupt when the library has.
 */
#include "vgic_world.h"

#define NR_INTIDS (32 + NR_SPIS)
#define PMR       0xf8

static uint64_t seed;

static uint32_t by_seed(uint32_t n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % n;
}

static uint32_t (*rnd)(uint32_t n) = by_seed; /* one of n; the fuzzer's come from its input */

/* ---- the reference ---- */

struct ref {
    bool enabled, latch, line, edge, group1, active;
    uint8_t priority;
    int target; /* -1: none; ANY: the library has chosen one */
};
#define ANY (-2)

static struct ref refs[NR_VCPUS][NR_INTIDS]; /* vCPU 0 has the SPIs */
static uint32_t running[NR_VCPUS];           /* active priorities: bit n is priority 8 * n */
static struct {
    uint32_t intid[32];
    bool group1[32];
    unsigned nr;
} stack[NR_VCPUS];                      /* acknowledged; their priority is not dropped */
static bool mode1;                      /* EOImode */
static bool dist_on[2];                 /* GICD_CTLR.EnableGrp0, EnableGrp1 */
static bool group_on[NR_VCPUS][2];      /* ICC_IGRPEN0_EL1, ICC_IGRPEN1_EL1 */
static bool taken[NR_VCPUS][NR_INTIDS]; /* acknowledged; the guest must deactivate them */
static unsigned takes, spills, timers_taken, powered, stops, meetings, breaths, finishes;
static const struct avc_pcpu *busy; /* is in the middle of something, while others act */
static bool meeting;

/* A write of a whole register: `bits` are those of its interrupts that the library has not changed yet. */
static struct {
    bool is_on;
    unsigned by, v, what;
    uint32_t first, bits, value;
    uint8_t priority[32];
} word;

/* A vCPU's SGI to all others: those from `left` on have got it. */
static struct {
    bool is_on;
    uint32_t intid;
    unsigned left;
} to_all[NR_VCPUS];

static const uint32_t timer_ppi[2] = { 27, 30 };

static struct ref *ref(unsigned v, uint32_t intid)
{
    return intid < 32 ? &refs[v][intid] : &refs[0][intid];
}

/* Returns the vCPU that an SPI goes to. */
static int target_of(const struct ref *r, uint32_t intid)
{
    uint16_t target = spis[intid / 32 - 1].target[intid % 32];

    return r->target != ANY ? r->target : target == AVC_VGIC_NONE ? -1 : target;
}

static bool ref_pending(const struct ref *r)
{
    return r->latch || (r->line && !r->edge);
}

static bool is_on(unsigned v)
{
    return vcpu[v].power == AVC_POWER_ON;
}

/* The timers' levels, by their registers, wherever these are. */
static void update_timers(void)
{
    for (unsigned v = 0; v < NR_VCPUS; v++)
        for (unsigned t = 0; t < 2; t++) {
            const uint64_t *ctx = vcpu[v].pcpu ? fake_cpus[vcpu[v].pcpu - pcpu].ctx : vcpu[v].ctx;
            uint64_t ctl = ctx[t ? AVC_CTX_CNTP_CTL_EL0 : AVC_CTX_CNTV_CTL_EL0];
            uint64_t cval = ctx[t ? AVC_CTX_CNTP_CVAL_EL0 : AVC_CTX_CNTV_CVAL_EL0];
            uint64_t now = *reg(FAKE_CNTPCT_EL0) - (t ? 0 : vm.cntvoff);

            refs[v][timer_ppi[t]].line = (ctl & 3) == 1 && now >= cval;
        }
}

/* Does vCPU v take interrupts of this group that any may take? */
static bool ref_takes(unsigned v, bool group1)
{
    return is_on(v) && group_on[v][group1];
}

static bool ref_any_takes(bool group1)
{
    for (unsigned v = 0; v < NR_VCPUS; v++)
        if (ref_takes(v, group1))
            return true;
    return false;
}

/* Returns the priority of the interrupt that vCPU v's CPU interface must signal, or 0x100 for none. */
static uint32_t ref_signals(unsigned v)
{
    uint32_t best = 0x100, run = running[v] ? (uint32_t)__builtin_ctz(running[v]) << 3 : 0x100;

    for (uint32_t i = 0; i < NR_INTIDS; i++) {
        const struct ref *r = ref(v, i);

        if (!ref_pending(r) || !r->enabled || r->active)
            continue;
        if (i >= 32 && r->target == ANY && dist_on[r->group1]) {
            int to = target_of(r, i);

            /* It may stay with one that has gone off, until another takes it. */
            assert_true(to < 0 ? !ref_any_takes(r->group1)
                               : ref_takes((unsigned)to, r->group1) ||
                                     ((vgic.unsettled | vgic.unsettled_bits) && !ref_any_takes(r->group1)));
        }
        if (!dist_on[r->group1] || !group_on[v][r->group1])
            continue;
        if ((i < 32 || target_of(r, i) == (int)v) && r->priority < best)
            best = r->priority;
    }
    return best < PMR && best < run ? best : 0x100;
}

/* ---- steps ---- */

/* Returns how many are loaded, and not in the middle of an instruction. */
static unsigned nr_others(void)
{
    unsigned nr = 0;

    for (unsigned v = 0; v < NR_VCPUS; v++)
        nr += vcpu[v].pcpu && vcpu[v].pcpu != busy && is_on(v) && !(word.is_on && v == word.by) && !gcpu[v].work.left;
    return nr;
}

/* One that is not in the middle of an instruction. */
static unsigned some_loaded(void)
{
    unsigned v = rnd(NR_VCPUS);

    while (!vcpu[v].pcpu || !is_on(v) || (word.is_on && v == word.by) || vcpu[v].pcpu == busy || gcpu[v].work.left)
        v = (v + 1) % NR_VCPUS;
    on_cpu_of(v);
    return v;
}

/* Returns the register that has the bit of vCPU v's interrupt `intid`, in the block of registers at `offset`. */
static uint64_t bit_register(unsigned v, uint32_t intid, uint32_t offset)
{
    return intid < 32 ? SGI(v) + offset : GICD + offset + intid / 32 * 4;
}

static uint32_t some_intid(void)
{
    return rnd(4) ? 24 + rnd(24) : rnd(NR_INTIDS); /* some often, so that steps meet */
}

static void step_bit(void)
{
    unsigned by = some_loaded(), v = rnd(NR_VCPUS);
    uint32_t intid = some_intid(), bit = 1u << intid % 32;
    struct ref *r = ref(v, intid);

    switch (rnd(word.is_on ? 5 : 7)) {
    case 0:
    case 1:
        r->enabled = true;
        wr(by, bit_register(v, intid, 0x100), bit);
        break;
    case 2:
        r->enabled = false;
        wr(by, bit_register(v, intid, 0x180), bit);
        break;
    case 3:
        r->latch = true;
        wr(by, bit_register(v, intid, 0x200), bit);
        break;
    case 4:
        r->latch = false;
        wr(by, bit_register(v, intid, 0x280), bit);
        break;
    case 5: /* with EOImode 0 the guest's next end of interrupt would find this one */
        if (mode1) {
            r->active = true;
            wr(by, bit_register(v, intid, 0x300), bit);
        }
        break;
    case 6:
        if (mode1) {
            r->active = false;
            for (unsigned n = 0; n < NR_VCPUS; n++)
                if (intid >= 32 || n == v)
                    taken[n][intid] = false;
            wr(by, bit_register(v, intid, 0x380), bit);
        }
        break;
    }
}

/* ---- whole registers ---- */

enum {
    SET_ENABLE,
    CLEAR_ENABLE,
    SET_PENDING,
    CLEAR_PENDING,
    SET_ACTIVE,
    CLEAR_ACTIVE,
    GROUP,
    PRIORITY,
    CONFIG,
    NR_WORDS
};

/* May the guest do this to that interrupt? See step_bit() and step_config(). */
static bool may_change(const struct ref *r, unsigned what)
{
    switch (what) {
    case SET_ACTIVE:
    case CLEAR_ACTIVE:
        return mode1;
    case GROUP:
        return !r->active;
    case PRIORITY:
        return mode1 || !r->active;
    case CONFIG:
        return !r->enabled && !r->active;
    default:
        return true;
    }
}

static void change_ref(struct ref *r, uint32_t n)
{
    switch (word.what) {
    case SET_ENABLE:
    case CLEAR_ENABLE:
        r->enabled = word.what == SET_ENABLE;
        break;
    case SET_PENDING:
    case CLEAR_PENDING:
        r->latch = word.what == SET_PENDING;
        break;
    case SET_ACTIVE:
        r->active = true;
        break;
    case CLEAR_ACTIVE:
        r->active = false;
        for (unsigned v = 0; v < NR_VCPUS; v++)
            if (word.first || v == word.v)
                taken[v][word.first + n] = false;
        break;
    case GROUP:
        r->group1 = word.value >> n & 1;
        break;
    case PRIORITY:
        r->priority = word.priority[n];
        break;
    default:
        r->edge = word.value >> n & 1;
        break;
    }
}

/* What the library has done of it by now. */
static void word_done(void)
{
    uint32_t done;

    if (!word.is_on)
        return;
    done = word.bits & ~gcpu[word.by].work.left;
    for (uint32_t bits = done; bits; bits &= bits - 1) {
        uint32_t n = (uint32_t)__builtin_ctz(bits);

        change_ref(ref(word.v, word.first + n), n);
    }
    word.bits &= ~done;
    word.is_on = gcpu[word.by].work.left != 0;
}

/* What it has done of each vCPU's long operation. */
static void work_done(void)
{
    word_done();
    for (unsigned v = 0; v < NR_VCPUS; v++) {
        if (!to_all[v].is_on)
            continue;
        while (to_all[v].left > gcpu[v].work.left)
            if (--to_all[v].left != v)
                refs[to_all[v].left][to_all[v].intid].latch = true;
        to_all[v].is_on = to_all[v].left != 0;
    }
}

static void step_line(void);
static void step_sgi(void);
static void step_config(void);

/* Others act while the library is between two steps of its work, which the reference has followed. */
static void meet(void)
{
    unsigned now = cpu_now();
    bool masked = fake_cpu->masked;

    if ((word.is_on && word.what == CONFIG) || !nr_others() || rnd(3) == 0)
        step_line();
    else if (rnd(3) == 0)
        step_config();
    else if (rnd(2))
        step_bit();
    else
        step_sgi();
    for (unsigned v = 0; v < NR_VCPUS; v++)
        if (vcpu[v].pcpu && vcpu[v].pcpu != busy && is_on(v) && gcpu[v].work.left && rnd(2)) {
            settle_vcpu(v); /* it goes on with its own */
            work_done();
            finishes++;
        }
    meetings++;
    fake_use_cpu(now);
    fake_cpu->masked = masked;
}

static bool quiet; /* nobody acts: the reference is not there yet, or is looked at */
static bool storm; /* the host always has an interrupt */

/* This CPU has let others have the lock. */
static void others_act(void)
{
    meeting = true;
    busy = &pcpu[cpu_now()];
    meet();
    busy = NULL;
    meeting = false;
}

static uint64_t pause_now(void)
{
    if (!meeting)
        work_done();
    if (!meeting && !quiet && rnd(3) == 0)
        others_act();
    if (storm)
        return ISR_I;
    if (rnd(4))
        return 0;
    stops++;
    return rnd(2) ? ISR_I : ISR_F;
}

static void breath_now(void)
{
    if (meeting || quiet || rnd(8))
        return;
    if (!word.is_on || word.what != PRIORITY) /* that lets others have the lock before it has stored all bytes */
        work_done();
    others_act();
    breaths++;
}

static uint32_t rnd_bits(void)
{
    uint32_t bits = rnd(0x10000) | rnd(0x10000) << 16;

    switch (rnd(4)) {
    case 0:
        return ~0u;
    case 1:
        return bits | rnd(0x10000) | rnd(0x10000) << 16;
    default:
        return bits;
    }
}

static void write_word(uint32_t bits)
{
    static const uint32_t offset[] = { 0x100, 0x180, 0x200, 0x280, 0x300, 0x380 };
    unsigned first = (unsigned)__builtin_ctz(bits) / 4 * 4, by = word.by;
    uint64_t value = 0;

    if (word.what < GROUP) {
        wr(by, bit_register(word.v, word.first, offset[word.what]), bits);
    } else if (word.what == GROUP) {
        wr(by, bit_register(word.v, word.first, 0x80), word.value);
    } else if (word.what == PRIORITY) {
        for (unsigned n = first; n < first + 4; n++)
            value |= (uint64_t)word.priority[n] << 8 * (n - first);
        wr(by, (word.first ? GICD : SGI(word.v)) + 0x400 + word.first + first, (uint32_t)value);
    } else {
        for (unsigned n = 0; n < 16; n++)
            value |= (uint64_t)(word.value >> n & 1) << (2 * n + 1);
        wr(by, GICD + 0xc00 + word.first / 16 * 4, (uint32_t)value);
    }
}

static void step_word(void)
{
    uint32_t bits = rnd_bits(), value = 0;
    unsigned first;

    word.by = some_loaded();
    word.v = rnd(NR_VCPUS);
    word.first = 32 * rnd(NR_INTIDS / 32);
    word.what = rnd(NR_WORDS);
    if (word.what == CONFIG && !word.first)
        return;
    word.value = rnd_bits();
    for (unsigned n = 0; n < 32; n++) {
        const struct ref *r = ref(word.v, word.first + n);

        word.priority[n] = (uint8_t)(rnd(32) << 3);
        if (!may_change(r, word.what))
            bits &= ~(1u << n);
        if (word.what == PRIORITY && !(bits >> n & 1))
            word.priority[n] = r->priority;
        value |= (uint32_t)(word.what == CONFIG ? r->edge : r->group1) << n;
    }
    if (word.what == CONFIG)
        bits &= 0xffff;
    word.value = (word.value & bits) | (value & ~bits); /* the others stay as they are */
    if (!bits)
        return;
    first = (unsigned)__builtin_ctz(bits) / 4 * 4;
    if (word.what == PRIORITY)
        bits &= 0xfu << first;
    word.bits = bits;
    word.is_on = true;
    on_cpu_of(word.by);
    write_word(bits);
    work_done();
    while (word.is_on && rnd(2)) /* it has stopped */
        meet();
}

static void step_config(void)
{
    unsigned by = some_loaded(), v = rnd(NR_VCPUS);
    uint32_t intid = some_intid();
    struct ref *r = ref(v, intid);
    uint64_t at;

    switch (rnd(4)) {
    case 0:
        if (word.is_on && word.what == PRIORITY)
            break; /* the reference does not know which of the two comes last */
        if (r->active && !mode1)
            break; /* the end of interrupt finds it by priority */
        r->priority = (uint8_t)(rnd(32) << 3);
        wr8(by, (intid < 32 ? SGI(v) : GICD) + 0x400 + intid, r->priority | rnd(8));
        break;
    case 1:
        if (intid >= 32) {
            unsigned to = rnd(NR_VCPUS + 3);

            r->target = to < NR_VCPUS ? (int)to : to == NR_VCPUS ? -1 : ANY;
            wr64(by, GICD + 0x6000 + 8 * intid,
                 to < NR_VCPUS    ? mpidrs[to]
                 : to == NR_VCPUS ? 0x7700
                                  : GICD_IROUTER_IRM);
        }
        break;
    case 2: /* allowed only while it is disabled and not active (IHI 0069, GICD_ICFGR<n>) */
        if (intid >= 32 && !r->enabled && !r->active) {
            at = GICD + 0xc00 + intid / 16 * 4;
            r->edge = !r->edge;
            wr(by, at, rd(by, at) ^ (2u << intid % 16 * 2));
        }
        break;
    case 3:
        if (word.is_on && word.what == GROUP)
            break; /* each of the two writes what the other has changed as it was before */
        if (r->active)
            break; /* the guest would end it by the wrong group's register */
        r->group1 = !r->group1;
        at = bit_register(v, intid, 0x80);
        wr(by, at, rd(by, at) ^ 1u << intid % 32);
        break;
    }
}

static void step_line(void)
{
    unsigned v = rnd(NR_VCPUS);
    uint32_t intid = some_intid();
    struct ref *r = ref(v, intid);
    bool level = rnd(2);

    if (intid < 16 || intid == timer_ppi[0] || intid == timer_ppi[1])
        return;
    if (busy)
        fake_use_cpu((unsigned)(busy - pcpu + 1 + rnd(NR_CPUS - 1)) % NR_CPUS);
    else if (word.is_on) /* its CPU is in the middle of it */
        fake_use_cpu((unsigned)(vcpu[word.by].pcpu - pcpu + 1 + rnd(NR_CPUS - 1)) % NR_CPUS);
    else if (rnd(2))
        fake_use_cpu(rnd(NR_CPUS)); /* a device may interrupt any CPU */
    if (level && !r->line && r->edge)
        r->latch = true;
    r->line = level;
    must(intid < 32 ? avc_vcpu_set_irq(&vcpu[v], intid, level) : avc_vm_set_irq(&vm, intid, level));
}

static void step_sgi(void)
{
    unsigned by = some_loaded(), v = rnd(NR_VCPUS);
    uint32_t intid = rnd(16);
    uint64_t m = mpidrs[v];

    if (rnd(4) == 0) {
        to_all[by].is_on = true;
        to_all[by].intid = intid;
        to_all[by].left = NR_VCPUS;
        sysreg_write(by, SGI1R, UINT64_C(1) << 40 | intid << 24);
        work_done();
        return;
    }
    refs[v][intid].latch = true;
    sysreg_write(by, SGI1R, 1u << (m & 15) | (m >> 8 & 0xff) << 16 | intid << 24 | (m >> 4 & 15) << 44);
}

/* The guest sets one of its timers, and time goes on. If the line falls while its interrupt is pending in a list
   register, the guest waits: the library finds out then, not before (avc/vgic.h). */
static void step_timer(void)
{
    unsigned v = some_loaded(), t = rnd(2);
    uint64_t *ctx = fake_cpu->ctx, now = *reg(FAKE_CNTPCT_EL0) + rnd(40);

    for (unsigned c = 0; c < NR_CPUS; c++)
        fake_cpus[c].reg[FAKE_CNTPCT_EL0] = now;
    ctx[t ? AVC_CTX_CNTP_CTL_EL0 : AVC_CTX_CNTV_CTL_EL0] = rnd(4);
    ctx[t ? AVC_CTX_CNTP_CVAL_EL0 : AVC_CTX_CNTV_CVAL_EL0] = now - (t ? 0 : vm.cntvoff) + rnd(100) - 50;
    (void)vm.irqc->pending(&vcpu[v]);
}

static void step_groups(void)
{
    unsigned v = some_loaded(), g = rnd(2);

    if (rnd(2)) {
        dist_on[g] = rnd(4);
        wr(v, GICD, dist_on[0] | dist_on[1] << 1);
        return;
    }
    group_on[v][g] = rnd(4);
    *reg(FAKE_ICH_VMCR_EL2) &= ~(g ? ICH_VMCR_VENG1 : ICH_VMCR_VENG0);
    *reg(FAKE_ICH_VMCR_EL2) |= group_on[v][g] ? (g ? ICH_VMCR_VENG1 : ICH_VMCR_VENG0) : 0;
}

static void ref_deactivate(unsigned v, uint32_t intid);

/* One goes off, or comes on again. What it was handling stays active until another deactivates it. */
static void step_power(void)
{
    unsigned v = rnd(NR_VCPUS), by, on = 0;

    for (unsigned n = 0; n < NR_VCPUS; n++)
        on += vcpu[n].pcpu && is_on(n);
    if (!vcpu[v].pcpu)
        return;
    if (!is_on(v)) {
        vpower_on(v);
        *reg(FAKE_ICH_VMCR_EL2) |= (uint64_t)PMR << 24 | (mode1 ? ICH_VMCR_VEOIM : 0);
        vcpu[v].requests |= AVC_REQUEST_IRQC;
        powered++;
        return;
    }
    if (on < 2)
        return;
    vpower_off(v);
    group_on[v][0] = group_on[v][1] = false;
    running[v] = 0;
    by = some_loaded();
    while (stack[v].nr) {
        uint32_t intid = stack[v].intid[--stack[v].nr];

        ref_deactivate(v, intid);
        wr(by, bit_register(v, intid, 0x380), 1u << intid % 32);
    }
}

/* The guest acknowledges an interrupt. */
static void step_take(void)
{
    unsigned v = some_loaded();
    int n = g_signalled();
    bool group1 = n >= 0 && *lr((unsigned)n) & ICH_LR_GROUP;
    uint32_t intid, expected = ref_signals(v);
    struct ref *r;

    if (n < 0)
        return;
    takes++;
    timers_taken += ICH_LR_VINTID(*lr((unsigned)n)) == timer_ppi[0] || ICH_LR_VINTID(*lr((unsigned)n)) == timer_ppi[1];
    spills += gcpu[v].spilled;
    intid = g_ack(group1);
    r = ref(v, intid);
    assert_true(ref_pending(r) && r->enabled && !r->active && r->group1 == group1);
    assert_int_equal(r->priority, expected);
    r->latch = false;
    r->active = true;
    taken[v][intid] = true;
    running[v] |= 1u << (r->priority >> 3);
    stack[v].intid[stack[v].nr] = intid;
    stack[v].group1[stack[v].nr++] = group1;
}

static void ref_deactivate(unsigned v, uint32_t intid)
{
    ref(v, intid)->active = false;
    for (unsigned n = 0; n < NR_VCPUS; n++)
        if (intid >= 32 || n == v)
            taken[n][intid] = false;
}

/* The guest ends an interrupt. */
static void step_end(void)
{
    unsigned v = some_loaded(), k;
    uint32_t intid;

    if (mode1 && rnd(2)) { /* in any order; an SPI also on a vCPU that has not acknowledged it */
        unsigned from = rnd(NR_VCPUS);

        intid = some_intid();
        if (taken[intid < 32 ? v : from][intid]) {
            ref_deactivate(v, intid);
            g_dir(v, intid);
        }
        return;
    }
    if (!stack[v].nr)
        return;
    k = --stack[v].nr;
    intid = stack[v].intid[k];
    running[v] &= running[v] - 1;
    if (!mode1)
        ref_deactivate(v, intid);
    g_eoi(stack[v].group1[k], intid);
}

static void step_move(void)
{
    unsigned v = rnd(NR_VCPUS), loaded = 0;

    for (unsigned n = 0; n < NR_VCPUS; n++)
        loaded += n != v && vcpu[n].pcpu && is_on(n);
    if (vcpu[v].pcpu) {
        if (loaded)
            vput(v);
        return;
    }
    for (unsigned c = 0; c < NR_CPUS; c++)
        if (!pcpu[c].current) {
            vload(v, c);
            return;
        }
}

/* ---- comparison ---- */

/* A timer's interrupt that only priorities keep from being signalled may wake its vCPU for nothing. */
static bool timer_may_wake(unsigned v)
{
    for (unsigned t = 0; t < 2; t++) {
        const struct ref *r = &refs[v][timer_ppi[t]];

        if (r->line && r->enabled && !r->active && dist_on[r->group1])
            return true;
    }
    return false;
}

static void compare_signals(unsigned step)
{
    for (unsigned v = 0; v < NR_VCPUS; v++) {
        uint32_t expected;
        int n;

        if (!is_on(v))
            continue;
        expected = ref_signals(v);
        if (vcpu[v].pcpu) {
            on_cpu_of(v);
            n = g_signalled();
            if (expected != (n < 0 ? 0x100 : lr_priority(*lr((unsigned)n))))
                fail_msg("step %u: vCPU %u signals %#x, expected %#x", step, v,
                         n < 0 ? 0x100 : lr_priority(*lr((unsigned)n)), expected);
            if (n >= 0) {
                const struct ref *r = ref(v, ICH_LR_VINTID(*lr((unsigned)n)));

                assert_true(ref_pending(r) && r->enabled && !r->active);
            }
        }
        if (step % 8 == 0 && vm.irqc->pending(&vcpu[v]) != (expected != 0x100) &&
            !(expected == 0x100 && timer_may_wake(v)))
            fail_msg("step %u: vCPU %u pending() is wrong", step, v);
    }
}

static void compare_bank(unsigned step, unsigned by, unsigned v, uint32_t first)
{
    uint32_t want[3] = { 0 }, got[3];

    for (unsigned n = 0; n < 32; n++) {
        const struct ref *r = ref(v, first + n);

        want[0] |= (uint32_t)ref_pending(r) << n;
        want[1] |= (uint32_t)r->active << n;
        want[2] |= (uint32_t)r->enabled << n;
    }
    for (unsigned k = 0; k < 3; k++) {
        static const uint32_t offset[3] = { 0x200, 0x300, 0x180 };

        got[k] = rd(by, bit_register(v, first, offset[k]));
        if (got[k] != want[k])
            fail_msg("step %u: vCPU %u reads vCPU %u INTID %u.. at %#x: %#x, expected %#x", step, by, v, first,
                     offset[k], got[k], want[k]);
    }
}

static void compare_registers(unsigned step)
{
    unsigned by = some_loaded();

    for (unsigned v = 0; v < NR_VCPUS; v++)
        compare_bank(step, by, v, 0);
    for (uint32_t first = 32; first < NR_INTIDS; first += 32)
        compare_bank(step, by, 0, first);
    settle_all();
}

static void run(unsigned list_regs, bool eoi_mode, uint64_t start, unsigned steps)
{
    seed = start;
    mode1 = eoi_mode;
    storm = rnd(4) == 0;
    memset(refs, 0, sizeof refs);
    memset(running, 0, sizeof running);
    memset(stack, 0, sizeof stack);
    memset(taken, 0, sizeof taken);
    word.is_on = false;
    memset(to_all, 0, sizeof to_all);
    dist_on[0] = dist_on[1] = true;
    memset(group_on, 1, sizeof group_on);
    vw_boot(list_regs, true, 2);
    for (unsigned v = 0; v < NR_VCPUS; v++) {
        if (vcpu[v].pcpu) {
            on_cpu_of(v);
            *reg(FAKE_ICH_VMCR_EL2) |= mode1 ? ICH_VMCR_VEOIM : 0;
            vcpu[v].requests |= AVC_REQUEST_IRQC;
        }
        gcpu[v].vmcr |= mode1 ? ICH_VMCR_VEOIM : 0;
        for (uint32_t i = 0; i < NR_INTIDS; i++) {
            refs[v][i] = (struct ref){ .group1 = true, .priority = 0xa0, .edge = i < 16 };
            refs[v][i].enabled = i < 16;
        }
    }
    settle_all();
    on_pause = pause_now;
    on_breath = breath_now;

    for (unsigned step = 0; step < steps; step++) {
        uint32_t what = rnd(120);

        update_timers();
        if (what >= 108)
            step_word();
        else if (what >= 106)
            quiet = true, step_power(), quiet = false;
        else if (what >= 103)
            step_groups();
        else if (what >= 100)
            step_timer();
        else if (what < 30)
            step_bit();
        else if (what < 42)
            step_config();
        else if (what < 55)
            step_line();
        else if (what < 65)
            step_sgi();
        else if (what < 80)
            step_take();
        else if (what < 96)
            step_end();
        else
            step_move();
        settle_all();
        work_done();
        assert_false(word.is_on);
        update_timers();
        quiet = true;
        compare_signals(step);
        settle_all(); /* pending() may have stopped in the middle, too */
        if (step % 16 == 0)
            compare_registers(step);
        quiet = false;
    }
}

static void random_guests(void **state)
{
    static const unsigned list_regs[] = { 4, 16, 1, 2, 3 };

    (void)state;
    for (unsigned n = 0; n < AVC_ARRAY_SIZE(list_regs); n++)
        for (unsigned mode = 0; mode < 2; mode++)
            for (unsigned s = 1; s <= 20; s++)
                run(list_regs[n], mode, 1000 * n + 100 * mode + s, 3000);
    assert_true(takes > 2000); /* otherwise the steps did not meet */
    assert_true(spills > 200);
    assert_true(timers_taken > 200 && powered > 200);
    assert_true(stops > 200 && meetings > 200 && breaths > 200 && finishes > 200);
    print_message("# %u interrupts taken, %u of them with more than list registers hold\n", takes, spills);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_guests),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
