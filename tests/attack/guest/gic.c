/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Random programming of the interrupt controller while interrupts flow: distributor, the redistributors of the hostile
 * vCPUs, and the CPU interface. Those of vCPUs 0 and 1 are left alone, so that what is lost there is the hypervisor's
 * fault.
 */
#include "attack.h"

/* First register of a kind, bytes of the kind. */
static const struct {
    uint16_t first, bytes;
} dist[] = {
    { 0x000, 4 },  { 0x080, 12 }, { 0x100, 12 }, { 0x180, 12 },   { 0x200, 12 },      { 0x280, 12 },
    { 0x300, 12 }, { 0x380, 12 }, { 0x400, 96 }, { 0x800, 96 },   { 0xc00, 24 },      { 0xd00, 12 },
    { 0xe00, 24 }, { 0xf00, 4 },  { 0xf10, 32 }, { 0x6100, 512 }, { 0x0000, 0x7ff8 },
};

static uint64_t dist_register(struct cell *cell)
{
    unsigned i = (unsigned)below(cell, sizeof(dist) / sizeof(dist[0]));

    return GICD + dist[i].first + (rnd(cell) % dist[i].bytes & ~UINT64_C(3));
}

static uint64_t redist_register(struct cell *cell)
{
    static const uint16_t regs[] = { 0x0,   0x4,   0x8,   0x18,  0x70,  0x78,  0x80,  0x100,
                                     0x180, 0x200, 0x280, 0x300, 0x380, 0xc00, 0xc04, 0xd00 };
    uint64_t base = GICR(FIRST_HOSTILE + below(cell, options.cpus - FIRST_HOSTILE));
    uint64_t frame = once_in(cell, 4) ? 0 : 0x10000;

    if (once_in(cell, 4))
        return base + frame + 0x400 + below(cell, 8) * 4; /* IPRIORITYR */
    return base + frame + regs[below(cell, sizeof(regs) / sizeof(regs[0]))];
}

/* An SPI goes to hostile vCPUs. With an even seed it may go to any vCPU, but none is made active by ISACTIVER: more of
   those than there are list registers would take vCPU 0's own interrupts with them, see docs/caveats.md. */
static uint64_t allowed(struct cell *cell, uint64_t at, uint64_t value)
{
    bool any = !(options.seed & 1);

    if (at >= GICD + 0x6000)
        return any && once_in(cell, 4) ? UINT64_C(1) << 31 : FIRST_HOSTILE + value % (options.cpus - FIRST_HOSTILE);
    return any && at >= GICD + 0x300 && at < GICD + 0x380 ? 0 : value;
}

static void access(struct cell *cell, uint64_t at, uint64_t value)
{
    value = allowed(cell, at, value);
    switch (below(cell, 8)) {
    case 0:
        __asm__ volatile("strb %w0, [%1]" ::"r"(value), "r"(at) : "memory");
        break;
    case 1:
        __asm__ volatile("str %0, [%1]" ::"r"(value), "r"(at & ~UINT64_C(7)) : "memory"); /* two registers at once */
        break;
    case 2:
        __asm__ volatile("ldrb w0, [%0]" ::"r"(at) : "x0", "memory");
        break;
    case 3:
        mmio_read(at);
        break;
    default:
        mmio_write(at, (uint32_t)value);
    }
}

static uint64_t bits(struct cell *cell)
{
    switch (below(cell, 4)) {
    case 0:
        return UINT64_C(1) << below(cell, 32);
    case 1:
        return rnd(cell);
    case 2:
        return ~UINT64_C(0);
    default:
        return rnd(cell) & rnd(cell) & rnd(cell);
    }
}

/* QEMU 10 aborts on ICC_BPR1_EL1 = 8 with an SGI of group 1 pending, so the binary points get three bits. */
static void cpu_interface(struct cell *cell)
{
    uint64_t v = rnd(cell), intid = below(cell, 8) ? below(cell, 96) : v & 0xffffff;

    switch (below(cell, 16)) {
    case 0:
        WRITE("s3_0_c4_c6_0", once_in(cell, 2) ? 0xff : v & 0xff); /* PMR */
        break;
    case 1:
        WRITE("s3_0_c12_c8_3", v & 7); /* BPR0 */
        break;
    case 2:
        WRITE("s3_0_c12_c12_3", v & 7); /* BPR1 */
        break;
    case 3:
        WRITE("s3_0_c12_c12_4", v & 3); /* CTLR: CBPR, EOImode */
        break;
    case 4:
        WRITE("s3_0_c12_c12_6", v & 1); /* IGRPEN0 */
        break;
    case 5:
        WRITE("s3_0_c12_c12_7", v & 1 || once_in(cell, 2)); /* IGRPEN1 */
        break;
    case 6:
        WRITE("s3_0_c12_c8_1", intid); /* EOIR0 */
        break;
    case 7:
        WRITE("s3_0_c12_c12_1", intid); /* EOIR1 */
        break;
    case 8:
        WRITE("s3_0_c12_c11_1", intid); /* DIR */
        break;
    case 9:
        (void)READ("s3_0_c12_c8_0"); /* IAR0 */
        break;
    case 10:
        WRITE("s3_0_c12_c8_4", once_in(cell, 2) ? 0 : v & 0xffffffff); /* AP0R0 */
        break;
    case 11:
        WRITE("s3_0_c12_c9_0", once_in(cell, 2) ? 0 : v & 0xffffffff); /* AP1R0 */
        break;
    case 12:
        (void)READ("s3_0_c12_c11_3"); /* RPR */
        (void)READ("s3_0_c12_c12_2"); /* HPPIR1 */
        break;
    default:
        (void)READ("s3_0_c12_c12_0"); /* IAR1 */
    }
}

/* To any set of vCPUs, by each register, but never the interrupts that the monitor counts. */
static void send(struct cell *cell)
{
    uint64_t intid = below(cell, 8), v = (rnd(cell) & 0xff) | intid << 24;

    if (once_in(cell, 8))
        v = (rnd(cell) & ~(UINT64_C(15) << 24)) | intid << 24;
    switch (below(cell, 4)) {
    case 0:
        WRITE("s3_0_c12_c11_7", v); /* SGI0R */
        break;
    case 1:
        WRITE("s3_0_c12_c11_6", v); /* ASGI1R */
        break;
    default:
        guest_sgi(v);
    }
}

static void round(unsigned cpu, struct cell *cell)
{
    switch (below(cell, 8)) {
    case 0:
    case 1:
        access(cell, dist_register(cell), bits(cell));
        break;
    case 2:
    case 3:
        access(cell, redist_register(cell), bits(cell));
        break;
    case 4:
        cpu_interface(cell);
        break;
    case 5:
        send(cell);
        break;
    case 6:
        timer_in(below(cell, 20));
        WRITE("cntp_cval_el0", READ("cntpct_el0") + below(cell, 20000));
        WRITE("cntp_ctl_el0", rnd(cell) & 3);
        break;
    default:
        guest_irq_unmask();
        for (unsigned n = (unsigned)below(cell, 64); n; n--)
            __asm__ volatile("nop");
        guest_irq_mask();
    }
    if (once_in(cell, 64)) { /* start again from something that works */
        mmio_write(UART + 0x38, 0);
        guest_gic_init();
        guest_gic_enable(VTIMER);
        guest_gic_enable(33); /* the UART's */
        WRITE("s3_0_c12_c9_0", 0);
        WRITE("s3_0_c12_c8_4", 0);
    }
}

static void begin(unsigned cpu)
{
    for (unsigned intid = 32; intid < 96; intid++)
        mmio_write(GICD + 0x6000 + 8 * intid, FIRST_HOSTILE); /* GICD_IROUTER */
}

const struct attack attack_gic = { "gic", begin, round, false };
