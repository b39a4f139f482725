/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The registers of the GIC's frames, each accessed in the ways that software uses. In one part of the rows the
 * interrupts that the access names are idle. In the other part one of them is pending or active in a list register of
 * this vCPU.
 */
#include "bench.h"
#include "code.h"
#include "state.h"

#define DIST     GUEST_DIST
#define OWN      GUEST_RD
#define OTHER    (GUEST_RD + 0x20000) /* of a vCPU that is off */
#define SGI_BASE 0x10000

/* Interrupts that stay idle: the SPIs of bank 2, and the private ones from 8 on. */
#define BANK            2
#define INTID           (32 * BANK)
#define PRIVATE         8
#define BY_BANK(base)   (DIST + (base) + 4 * BANK)
#define BY_BYTE(base)   (DIST + (base) + INTID)
#define BY_ROUTE(base)  (DIST + (base) + 8 * INTID)
#define RD(frame, base) (frame + SGI_BASE + (base))

#define ALL(table) (sizeof(table) / sizeof(table)[0])

/* Returns "state: form, register". */
static const char *name_of(const char *state, const char *form, const char *way)
{
    static char name[96];
    const char *const parts[] = { state, *state ? ": " : "", form, ", x", way };
    char *to = name;

    for (unsigned n = 0; n < ALL(parts); n++)
        for (const char *from = parts[n]; *from; from++)
            *to++ = *from;
    *to = '\0';
    return name;
}

/* ---- the value of a write, by round ---- */

static uint64_t bit_of(unsigned n)
{
    return 1ul << n % 32;
}

static uint64_t private_bit_of(unsigned n)
{
    return 1ul << (PRIVATE + n % 8);
}

static uint64_t priority_of(unsigned n)
{
    return 0x80 + n % 8 * 8;
}

static uint64_t priorities_of(unsigned n)
{
    return 0x01010101 * priority_of(n);
}

static uint64_t vcpu_of(unsigned n)
{
    return n % 2;
}

static uint64_t edges_of(unsigned n)
{
    return n % 2 ? 0xaaaaaaaa : 0;
}

/* ---- idle interrupts ---- */

typedef uint64_t value_fn(unsigned n);

#define READ_AND_ZERO(title, where)                                                                                    \
    { title ", read", LDR_W, where, 0, NULL },                                                                         \
    {                                                                                                                  \
        title ", write of 0", STR_W, where, 0, NULL                                                                    \
    }
#define SGI_FRAME(title, frame)                                                                                        \
    { title "IGROUPR0, read", LDR_W, RD(frame, 0x80), 0, NULL },                                                       \
        { title "IGROUPR0, write", STR_W, RD(frame, 0x80), 0xffffffff, NULL },                                         \
        { title "ISENABLER0, read", LDR_W, RD(frame, 0x100), 0, NULL },                                                \
        { title "ISENABLER0, write", STR_W, RD(frame, 0x100), 0, private_bit_of },                                     \
        { title "ICENABLER0, read", LDR_W, RD(frame, 0x180), 0, NULL },                                                \
        { title "ICENABLER0, write", STR_W, RD(frame, 0x180), 0, private_bit_of },                                     \
        READ_AND_ZERO(title "ISPENDR0", RD(frame, 0x200)), READ_AND_ZERO(title "ICPENDR0", RD(frame, 0x280)),          \
        READ_AND_ZERO(title "ISACTIVER0", RD(frame, 0x300)), READ_AND_ZERO(title "ICACTIVER0", RD(frame, 0x380)),      \
        { title "IPRIORITYR, byte, read", LDRB, RD(frame, 0x400 + PRIVATE), 0, NULL },                                 \
        { title "IPRIORITYR, byte, write", STRB, RD(frame, 0x400 + PRIVATE), 0, priority_of },                         \
        { title "IPRIORITYR, read", LDR_W, RD(frame, 0x400 + PRIVATE), 0, NULL },                                      \
        { title "IPRIORITYR, write", STR_W, RD(frame, 0x400 + PRIVATE), 0, priorities_of },                            \
        { title "ICFGR1, read", LDR_W, RD(frame, 0xc04), 0, NULL },                                                    \
    {                                                                                                                  \
        title "ICFGR1, write", STR_W, RD(frame, 0xc04), 0, NULL                                                        \
    }
#define RD_FRAME(title, frame)                                                                                         \
    { title "CTLR, read", LDR_W, frame, 0, NULL }, { title "CTLR, write", STR_W, frame, 0, NULL },                     \
        { title "IIDR, read", LDR_W, frame + 4, 0, NULL }, { title "TYPER, read", LDR_X, frame + 8, 0, NULL },         \
        { title "TYPER, low half, read", LDR_W, frame + 8, 0, NULL },                                                  \
        { title "TYPER, high half, read", LDR_W, frame + 12, 0, NULL },                                                \
        { title "WAKER, read", LDR_W, frame + 0x14, 0, NULL }, { title "WAKER, write", STR_W, frame + 0x14, 0, NULL }, \
    {                                                                                                                  \
        title "PIDR2, read", LDR_W, frame + 0xffe8, 0, NULL                                                            \
    }

/* clang-format off: a table */
static const struct form {
    const char *name;
    enum access access;
    uint64_t at, value;
    value_fn *vary;
} forms[] = {
    { "GICD_CTLR, read", LDR_W, DIST, 0, NULL },
    { "GICD_CTLR, write", STR_W, DIST, 0x37, NULL },
    { "GICD_TYPER, read", LDR_W, DIST + 4, 0, NULL },
    { "GICD_IIDR, read", LDR_W, DIST + 8, 0, NULL },
    { "GICD_PIDR2, read", LDR_W, DIST + 0xffe8, 0, NULL },
    { "GICD_IGROUPR, read", LDR_W, BY_BANK(0x80), 0, NULL },
    { "GICD_IGROUPR, write", STR_W, BY_BANK(0x80), 0, bit_of },
    { "GICD_ISENABLER, read", LDR_W, BY_BANK(0x100), 0, NULL },
    { "GICD_ISENABLER, write", STR_W, BY_BANK(0x100), 0, bit_of },
    { "GICD_ICENABLER, read", LDR_W, BY_BANK(0x180), 0, NULL },
    { "GICD_ICENABLER, write", STR_W, BY_BANK(0x180), 0, bit_of },
    READ_AND_ZERO("GICD_ISPENDR", BY_BANK(0x200)),
    READ_AND_ZERO("GICD_ICPENDR", BY_BANK(0x280)),
    { "GICD_ICPENDR, write", STR_W, BY_BANK(0x280), 0, bit_of },
    READ_AND_ZERO("GICD_ISACTIVER", BY_BANK(0x300)),
    READ_AND_ZERO("GICD_ICACTIVER", BY_BANK(0x380)),
    { "GICD_ICACTIVER, write", STR_W, BY_BANK(0x380), 0, bit_of },
    { "GICD_IPRIORITYR, byte, read", LDRB, BY_BYTE(0x400), 0, NULL },
    { "GICD_IPRIORITYR, byte, write", STRB, BY_BYTE(0x400), 0, priority_of },
    { "GICD_IPRIORITYR, read", LDR_W, BY_BYTE(0x400), 0, NULL },
    { "GICD_IPRIORITYR, write", STR_W, BY_BYTE(0x400), 0, priorities_of },
    { "GICD_ICFGR, read", LDR_W, DIST + 0xc00 + 8 * BANK, 0, NULL },
    { "GICD_ICFGR, write", STR_W, DIST + 0xc00 + 8 * BANK, 0, edges_of },
    { "GICD_IROUTER, read", LDR_X, BY_ROUTE(0x6000), 0, NULL },
    { "GICD_IROUTER, write", STR_X, BY_ROUTE(0x6000), 0, vcpu_of },
    { "GICD_IROUTER, low half, read", LDR_W, BY_ROUTE(0x6000), 0, NULL },
    { "GICD_IROUTER, low half, write", STR_W, BY_ROUTE(0x6000), 0, vcpu_of },
    { "GICD_IROUTER, high half, read", LDR_W, BY_ROUTE(0x6000) + 4, 0, NULL },
    { "GICD_IROUTER, high half, write", STR_W, BY_ROUTE(0x6000) + 4, 0, NULL },
    RD_FRAME("GICR_", OWN),
    SGI_FRAME("GICR_", OWN),
    RD_FRAME("another's GICR_", OTHER),
    SGI_FRAME("another's GICR_", OTHER),
};
/* clang-format on */

/* The registers and byte orders of an access. */
static const struct way {
    const char *name;
    unsigned rt;
    enum mode mode;
} ways[] = {
    { "0", 0, AT_EL1 },
    { "9", 9, AT_EL1 },
    { "24", 24, AT_EL1 },
    { "zr", ZR, AT_EL1 },
    { "0, big-endian", 0, BIG_ENDIAN },
    { "24, big-endian", 24, BIG_ENDIAN },
};

static void measure_form(const char *family, const char *state, const struct form *form, const struct way *way)
{
    struct op op = op_access(form->access, way->rt, form->at, form->value);

    op.vary = form->vary;
    op.mode = way->mode;
    measure(family, name_of(state, form->name, way->name), &op);
}

static void idle(void)
{
    for (unsigned n = 0; n < ALL(forms); n++)
        for (unsigned i = 0; i < ALL(ways); i++)
            measure_form("gic_rw", "", &forms[n], &ways[i]);
}

/* ---- an interrupt in a list register ---- */

/* before: the register to which the same bit is written before each round, which undoes the last write. */
#define FORMS_OF_ONE(title, bank, bit, byte)                                                                           \
    { title "IGROUPR, write", STR_W, bank(0x80), 0xffffffff, 0 },                                                      \
        { title "ISENABLER, read", LDR_W, bank(0x100), 0, 0 },                                                         \
        { title "ISENABLER, write, disabled before", STR_W, bank(0x100), bit, bank(0x180) },                           \
        { title "ICENABLER, write, enabled before", STR_W, bank(0x180), bit, bank(0x100) },                            \
        { title "ISPENDR, read", LDR_W, bank(0x200), 0, 0 },                                                           \
        { title "ISPENDR, write, not pending before", STR_W, bank(0x200), bit, bank(0x280) },                          \
        { title "ICPENDR, read", LDR_W, bank(0x280), 0, 0 },                                                           \
        { title "ICPENDR, write, pending before", STR_W, bank(0x280), bit, bank(0x200) },                              \
        { title "ISACTIVER, read", LDR_W, bank(0x300), 0, 0 },                                                         \
        { title "ISACTIVER, write, not active before", STR_W, bank(0x300), bit, bank(0x380) },                         \
        { title "ICACTIVER, write, active before", STR_W, bank(0x380), bit, bank(0x300) },                             \
        { title "IPRIORITYR, byte, read", LDRB, byte, 0, 0 },                                                          \
    {                                                                                                                  \
        title "IPRIORITYR, byte, write", STRB, byte, PRIORITY, 0                                                       \
    }
#define SPI_BANK(base) (DIST + (base) + 4)
#define OWN_BANK(base) RD(OWN, base)
#define SPI_BIT        (1ul << BENCH_EDGE_SPI % 32)
#define PRIORITY       0xa0

static const struct one {
    const char *name;
    enum access access;
    uint64_t at, value, before;
} of_spi[] = {
    FORMS_OF_ONE("GICD_", SPI_BANK, SPI_BIT, DIST + 0x400 + BENCH_EDGE_SPI),
    { "GICD_ICFGR, read", LDR_W, DIST + 0xc00 + BENCH_EDGE_SPI / 16 * 4, 0, 0 },
    { "GICD_IROUTER, read", LDR_X, DIST + 0x6000 + 8ul * BENCH_EDGE_SPI, 0, 0 },
    { "GICD_IROUTER, write", STR_X, DIST + 0x6000 + 8ul * BENCH_EDGE_SPI, 0, 0 },
}, of_sgi[] = {
    FORMS_OF_ONE("GICR_", OWN_BANK, 1ul << BENCH_SGI, RD(OWN, 0x400) + BENCH_SGI),
};

static void measure_one(const struct one *one, uint32_t intid, enum held held, const struct way *way)
{
    struct op op = op_access(one->access, way->rt, one->at, one->value);
    const struct op before = op_access(STR_W, 0, one->before, one->value);

    if (one->before)
        op.before = &before;
    state_bring(intid, held);
    measure("gic_rw_lr", name_of(held == ACTIVE ? "active" : "pending", one->name, way->name), &op);
    state_take_away(intid, held);
}

static void in_list_register(void)
{
    for (enum held held = PENDING; held <= ACTIVE; held++)
        for (unsigned i = 0; i < 3; i += 2) {
            for (unsigned n = 0; n < ALL(of_spi); n++)
                measure_one(&of_spi[n], BENCH_EDGE_SPI, held, &ways[i]);
            for (unsigned n = 0; n < ALL(of_sgi); n++)
                measure_one(&of_sgi[n], BENCH_SGI, held, &ways[i]);
        }
}

/* ---- GICD_ISENABLER with one bit, the write that guests make most ---- */

static void isenabler(void)
{
    for (unsigned i = 0; i < 3; i++) {
        struct op op = op_access(STR_W, ways[i].rt, BY_BANK(0x100), 0), before = op_access(STR_W, 0, BY_BANK(0x180), 0);

        op.vary = before.vary = bit_of;
        op.before = &before;
        measure("isenabler", reg_name('w', ways[i].rt), &op);
    }
}

/* ---- all list registers full ---- */

static void full(void)
{
    static const struct one of_pending[] = {
        FORMS_OF_ONE("GICD_", SPI_BANK, 1ul << BENCH_FILL_SPI % 32, DIST + 0x400 + BENCH_FILL_SPI),
    };

    for (unsigned state = 0; state < NR_STATES; state++)
        for (unsigned n = 0; states[state].full && n < ALL(of_pending); n++) {
            const struct one *one = &of_pending[n];
            struct op op = op_access(one->access, 0, one->at, one->value);
            const struct op before = op_access(STR_W, 0, one->before, one->value);

            if (one->before)
                op.before = &before;
            state_enter(state);
            measure("gic_rw_full", name_of(states[state].name, one->name, "0"), &op);
            state_leave(state);
        }
}

void bench_gic(void)
{
    idle();
    isenabler();
    in_list_register();
    full();
}
