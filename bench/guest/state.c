/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* See state.h. The interrupts of a state have a lower priority than those that are measured. */
#include "state.h"

#include "bench.h"

#define MEASURED   0xa0
#define BACKGROUND 0xd0
#define MASK       0xc0 /* ICC_PMR_EL1: with this mask the interrupts of a state stay pending */

#define ISENABLER 0x100
#define ICENABLER 0x180
#define ICPENDR   0x280
#define ICACTIVER 0x380

static uint32_t brought[8], nr; /* the INTIDs that were brought, in this order */
static enum held brought_as[8];

/*
 * The registers of INTIDs 0 to 31 are in the redistributor. The accesses are assembly, because a compiler may choose
 * write-back for a plain access, and an instruction with write-back has no syndrome.
 */
static uintptr_t at(uint32_t intid, unsigned base, unsigned bits)
{
    return (intid < 32 ? GUEST_RD + 0x10000 : GUEST_DIST) + base + intid * bits / 8;
}

static void set_bit(uint32_t intid, unsigned base)
{
    __asm__ volatile("str %w0, [%1]" ::"r"(1u << intid % 32), "r"(at(intid, base, 1) & ~3ul) : "memory");
}

static void set_priority(uint32_t intid, unsigned priority)
{
    __asm__ volatile("strb %w0, [%1]" ::"r"(priority), "r"(at(intid, 0x400, 8)) : "memory");
}

static void set_edge(uint32_t intid)
{
    uintptr_t icfgr = at(intid, 0xc00, 2) & ~3ul;
    uint32_t value;

    __asm__ volatile("ldr %w0, [%1]" : "=r"(value) : "r"(icfgr) : "memory");
    __asm__ volatile("str %w0, [%1]" ::"r"(value | 2u << intid % 16 * 2), "r"(icfgr) : "memory");
}

void state_bring(uint32_t intid, enum held held)
{
    if (intid < 32)
        guest_sgi((uint64_t)intid << 24 | 1);
    else
        guest_hvc(BENCH_PULSE, intid, 0, 0, NULL);
    if (held == ACTIVE)
        guest_gic_ack();
}

void state_take_away(uint32_t intid, enum held held)
{
    if (held == ACTIVE)
        guest_gic_eoi(intid);
    set_bit(intid, ICPENDR);
    set_bit(intid, ICACTIVER);
    set_bit(intid, ISENABLER);
}

/* ---- making and ending a state ---- */

static void bring(uint32_t intid, enum held held)
{
    state_bring(intid, held);
    brought[nr] = intid;
    brought_as[nr++] = held;
}

static void disabled(void)
{
    set_bit(BENCH_FILL_SPI, ICENABLER);
    bring(BENCH_FILL_SPI, PENDING);
}

static void pending(void)
{
    bring(BENCH_FILL_SPI, PENDING);
}

static void active(void)
{
    bring(BENCH_FILL_SPI, ACTIVE);
}

static void sgi_pending(void)
{
    bring(BENCH_SGI, PENDING);
}

static void pending_and_active(void)
{
    active();
    bring(BENCH_FILL_SPI + 1, PENDING);
}

static void full(void)
{
    for (unsigned n = 0; n < 4; n++)
        bring(BENCH_FILL_SPI + n, PENDING);
}

static void more_than_full(void)
{
    for (unsigned n = 0; n < 7; n++)
        bring(BENCH_FILL_SPI + n, PENDING);
}

const struct state states[NR_STATES] = {
    { "alone", NULL, false },
    { "an SPI pending, disabled", disabled, false },
    { "an SPI pending, by its priority not yet due", pending, false },
    { "an SPI active", active, false },
    { "an SGI pending, not yet due", sgi_pending, false },
    { "an SPI active and another one pending", pending_and_active, false },
    { "4 SPIs pending", full, true },
    { "7 SPIs pending", more_than_full, true },
};

/* Interrupts must be acknowledged while they are brought, so ICC_PMR_EL1 masks them only afterwards. */
void state_enter(unsigned n)
{
    nr = 0;
    if (states[n].enter)
        states[n].enter();
    WRITE("s3_0_c4_c6_0", MASK);
}

void state_leave(unsigned n)
{
    while (nr--)
        state_take_away(brought[nr], brought_as[nr]);
    WRITE("s3_0_c4_c6_0", 0xff);
}

const char *state_name(unsigned n, const char *form)
{
    static char name[96];
    const char *const parts[] = { states[n].name, ", ", form };
    char *to = name;

    for (unsigned i = 0; i < 3; i++)
        for (const char *from = parts[i]; *from; from++)
            *to++ = *from;
    *to = '\0';
    return name;
}

void state_init(void)
{
    for (unsigned n = 0; n < 32; n++)
        set_priority(n, n == BENCH_SGI ? BACKGROUND : MEASURED);
    for (unsigned n = 1; n <= 4; n++)
        guest_gic_enable(n);
    guest_gic_enable(BENCH_SGI);
    for (uint32_t intid = BENCH_EDGE_SPI; intid < BENCH_FILL_SPI + 8; intid++) {
        if (intid < BENCH_LEVEL_SPI || intid >= BENCH_FILL_SPI)
            set_edge(intid);
        set_priority(intid, intid < BENCH_FILL_SPI ? MEASURED : BACKGROUND);
        guest_gic_enable(intid);
    }
}
