/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Accesses to every offset of the distributor's and the redistributors' frames, in each width and direction. A table
 * has the register descriptions of the specification (IHI 0069, chapter 12) for a GICv3 with 64 SPIs, one security
 * state, affinity routing always on, and no LPIs. It says which registers exist, which widths reach them, what they
 * read as, and which bits can be written. Everywhere else a read must return zero, and a write must change nothing.
 */
#include "vgic_world.h"

#define B 1u
#define W 4u
#define D 8u

enum behaviour {
    FIXED,  /* reads `value`, ignores writes */
    STICKS, /* reads `value` after reset; keeps what is written to the bits of `mask` */
    SETS,   /* writing 1 sets a bit; the register at `pair` shows the same bits, and clears them */
    CLEARS,
    SLEEPS /* GICR_WAKER */
};

struct row {
    const char *name;
    uint32_t first, last; /* offsets in bytes */
    unsigned size;        /* of one register */
    unsigned widths;      /* access widths that reach it */
    enum behaviour is;
    uint64_t value, mask;
    uint32_t pair;
};

static const struct row dist[] = {
    { "GICD_CTLR", 0x0, 0x3, 4, W, STICKS, 0x50, 0x3, 0 },
    { "GICD_TYPER", 0x4, 0x7, 4, W, FIXED, 0x05480002, 0, 0 },
    { "GICD_IIDR", 0x8, 0xb, 4, W, FIXED, 0x61000000, 0, 0 },
    { "GICD_IGROUPR1..2", 0x84, 0x8b, 4, W, STICKS, 0, 0xffffffff, 0 },
    { "GICD_ISENABLER1..2", 0x104, 0x10b, 4, W, SETS, 0, 0xffffffff, 0x080 },
    { "GICD_ICENABLER1..2", 0x184, 0x18b, 4, W, CLEARS, 0, 0xffffffff, 0x080 },
    { "GICD_ISPENDR1..2", 0x204, 0x20b, 4, W, SETS, 0, 0xffffffff, 0x080 },
    { "GICD_ICPENDR1..2", 0x284, 0x28b, 4, W, CLEARS, 0, 0xffffffff, 0x080 },
    { "GICD_ISACTIVER1..2", 0x304, 0x30b, 4, W, SETS, 0, 0xffffffff, 0x080 },
    { "GICD_ICACTIVER1..2", 0x384, 0x38b, 4, W, CLEARS, 0, 0xffffffff, 0x080 },
    { "GICD_IPRIORITYR8..23", 0x420, 0x45f, 4, B | W, STICKS, 0, 0xf8f8f8f8, 0 },
    { "GICD_ICFGR2..5", 0xc08, 0xc17, 4, W, STICKS, 0, 0xaaaaaaaa, 0 },
    { "GICD_IROUTER32..95", 0x6100, 0x62ff, 8, W | D, STICKS, 0, 0xff80ffffff, 0 },
    { "GICD_PIDR2", 0xffe8, 0xffeb, 4, W, FIXED, 0x30, 0, 0 },
    { "GICD_CIDR0", 0xfff0, 0xfff3, 4, W, FIXED, 0x0d, 0, 0 },
    { "GICD_CIDR1", 0xfff4, 0xfff7, 4, W, FIXED, 0xf0, 0, 0 },
    { "GICD_CIDR2", 0xfff8, 0xfffb, 4, W, FIXED, 0x05, 0, 0 },
    { "GICD_CIDR3", 0xfffc, 0xffff, 4, W, FIXED, 0xb1, 0, 0 },
};

/* The two frames of vCPU 3's redistributor: affinity 0.0.1.18, the last one. */
static const struct row redist[] = {
    { "GICR_CTLR", 0x0, 0x3, 4, W, FIXED, 0, 0, 0 },
    { "GICR_IIDR", 0x4, 0x7, 4, W, FIXED, 0x61000000, 0, 0 },
    { "GICR_TYPER", 0x8, 0xf, 8, W | D, FIXED, UINT64_C(0x0000011200000310), 0, 0 },
    { "GICR_WAKER", 0x14, 0x17, 4, W, SLEEPS, 6, 6, 0 },
    { "GICR_PIDR2", 0xffe8, 0xffeb, 4, W, FIXED, 0x30, 0, 0 },
    { "GICR_CIDR0", 0xfff0, 0xfff3, 4, W, FIXED, 0x0d, 0, 0 },
    { "GICR_CIDR1", 0xfff4, 0xfff7, 4, W, FIXED, 0xf0, 0, 0 },
    { "GICR_CIDR2", 0xfff8, 0xfffb, 4, W, FIXED, 0x05, 0, 0 },
    { "GICR_CIDR3", 0xfffc, 0xffff, 4, W, FIXED, 0xb1, 0, 0 },
    { "GICR_IGROUPR0", 0x10080, 0x10083, 4, W, STICKS, 0, 0xffffffff, 0 },
    { "GICR_ISENABLER0", 0x10100, 0x10103, 4, W, SETS, 0, 0xffffffff, 0x080 },
    { "GICR_ICENABLER0", 0x10180, 0x10183, 4, W, CLEARS, 0, 0xffffffff, 0x080 },
    { "GICR_ISPENDR0", 0x10200, 0x10203, 4, W, SETS, 0, 0xffffffff, 0x080 },
    { "GICR_ICPENDR0", 0x10280, 0x10283, 4, W, CLEARS, 0, 0xffffffff, 0x080 },
    { "GICR_ISACTIVER0", 0x10300, 0x10303, 4, W, SETS, 0, 0xffffffff, 0x080 },
    { "GICR_ICACTIVER0", 0x10380, 0x10383, 4, W, CLEARS, 0, 0xffffffff, 0x080 },
    { "GICR_IPRIORITYR0..7", 0x10400, 0x1041f, 4, B | W, STICKS, 0, 0xf8f8f8f8, 0 },
    { "GICR_ICFGR0", 0x10c00, 0x10c03, 4, W, FIXED, 0xaaaaaaaa, 0, 0 },
    { "GICR_ICFGR1", 0x10c04, 0x10c07, 4, W, FIXED, 0, 0, 0 },
};

static struct {
    const struct row *rows;
    size_t nr;
    uint64_t base;
    uint32_t size;
} frame;

/* Returns the register that this access reaches, or NULL. */
static const struct row *reached(uint32_t offset, unsigned width)
{
    if (offset % width)
        return NULL;
    for (size_t n = 0; n < frame.nr; n++)
        if (offset >= frame.rows[n].first && offset <= frame.rows[n].last)
            return frame.rows[n].widths & width ? &frame.rows[n] : NULL;
    return NULL;
}

/* Returns the bytes of a register's value that an access of this width sees at this offset. */
static uint64_t part(const struct row *row, uint64_t value, uint32_t offset, unsigned width)
{
    return value >> 8 * ((offset - row->first) % row->size) & (~UINT64_C(0) >> (64 - 8 * width));
}

static uint64_t get(uint32_t offset, unsigned width)
{
    return rd_size(0, frame.base + offset, width);
}

static void put(uint32_t offset, unsigned width, uint64_t value)
{
    value &= ~UINT64_C(0) >> (64 - 8 * width);
    assert_int_equal(mmio(0, frame.base + offset, width, true, &value), AVC_DONE);
}

/* A hash of the controller's whole state, except the lock and the copies of list registers. */
static uint64_t sum(void)
{
    uint64_t h = 14695981039346656037u;
    struct avc_vgic copy = vgic;
    const uint8_t *const parts[] = { (const uint8_t *)&copy, (const uint8_t *)spis, (const uint8_t *)gcpu };
    const size_t sizes[] = { sizeof copy, 2 * sizeof spis[0], sizeof gcpu };

    memset(&copy.lock, 0, sizeof copy.lock);
    for (unsigned p = 0; p < 3; p++)
        for (size_t i = 0; i + 8 <= sizes[p]; i += 8) {
            uint64_t word;

            memcpy(&word, parts[p] + i, 8);
            h = (h ^ word) * 1099511628211u;
            h ^= h >> 29;
        }
    return h;
}

#define EXPECT(offset, width, what)                                                                                    \
    do {                                                                                                               \
        if (!(what))                                                                                                   \
            fail_msg("offset %#x, %u bytes: %s", offset, width, #what);                                                \
    } while (0)

static void check_row(const struct row *row, uint32_t offset, unsigned width)
{
    uint64_t reset = part(row, row->value, offset, width), mask = part(row, row->mask, offset, width);
    uint64_t before = sum();

    EXPECT(offset, width, get(offset, width) == reset);
    switch (row->is) {
    case FIXED:
        put(offset, width, ~UINT64_C(0));
        EXPECT(offset, width, get(offset, width) == reset && sum() == before);
        return;
    case SLEEPS:
        put(offset, width, 0);
        EXPECT(offset, width, get(offset, width) == 0);
        put(offset, width, ~UINT64_C(0));
        EXPECT(offset, width, get(offset, width) == reset);
        return;
    case STICKS:
        put(offset, width, ~UINT64_C(0));
        EXPECT(offset, width, get(offset, width) == (reset | mask));
        put(offset, width, UINT64_C(0xa5a5a5a5a5a5a5a5));
        EXPECT(offset, width, get(offset, width) == (reset | (mask & UINT64_C(0xa5a5a5a5a5a5a5a5))));
        put(offset, width, 0);
        EXPECT(offset, width, get(offset, width) == reset);
        return;
    case SETS:
        put(offset, width, 0x80000001);
        put(offset, width, 0x00010000);
        EXPECT(offset, width, get(offset, width) == 0x80010001 && get(offset + row->pair, width) == 0x80010001);
        put(offset + row->pair, width, 0x80010001);
        EXPECT(offset, width, get(offset, width) == 0);
        return;
    case CLEARS:
        put(offset - row->pair, width, 0xffffffff);
        put(offset, width, 0);
        put(offset, width, 0x00f00000);
        EXPECT(offset, width, get(offset, width) == 0xff0fffff);
        put(offset, width, 0xffffffff);
        EXPECT(offset, width, get(offset, width) == 0 && get(offset - row->pair, width) == 0);
        return;
    }
}

static void sweep(void)
{
    static const unsigned widths[] = { 1, 2, 4, 8 };
    uint64_t before = sum();
    unsigned hits = 0, last;

    for (uint32_t offset = 0; offset < frame.size; offset++)
        for (unsigned w = 0; w < 4; w++) {
            const struct row *row = reached(offset, widths[w]);

            if (row) {
                hits++;
                check_row(row, offset, widths[w]);
                before = sum();
                continue;
            }
            EXPECT(offset, widths[w], get(offset, widths[w]) == 0);
            put(offset, widths[w], ~UINT64_C(0));
            EXPECT(offset, widths[w], sum() == before);
        }
    last = 0;
    for (size_t n = 0; n < frame.nr; n++)
        for (unsigned w = 0; w < 4; w++)
            last += frame.rows[n].widths & widths[w] ? (frame.rows[n].last - frame.rows[n].first + 1) / widths[w] : 0;
    assert_int_equal(hits, last);
}

static void distributor(void **state)
{
    (void)state;
    vw_make(4, true);
    vw_attach(NR_SPIS);
    vload(0, 0);
    frame.rows = dist, frame.nr = AVC_ARRAY_SIZE(dist), frame.base = GICD, frame.size = 0x10000;
    sweep();
}

static void redistributor(void **state)
{
    (void)state;
    vw_make(4, true);
    vw_attach(NR_SPIS);
    vload(0, 0);
    frame.rows = redist, frame.nr = AVC_ARRAY_SIZE(redist), frame.base = RD(3), frame.size = 0x20000;
    sweep();
}

/* A vCPU accesses its own redistributor. It makes no difference whether its interrupts are in list registers. */
static void own_redistributor(void **state)
{
    static struct row rows[AVC_ARRAY_SIZE(redist)];

    (void)state;
    vw_make(4, true);
    vw_attach(NR_SPIS);
    vload(3, 0);
    vload(0, 1);
    memcpy(rows, redist, sizeof rows);
    rows[2].value = 0; /* GICR_TYPER: affinity 0, the first redistributor and not the last */
    frame.rows = rows, frame.nr = AVC_ARRAY_SIZE(rows), frame.base = RD(0), frame.size = 0x20000;
    sweep();
}

/*
 * The library's table must have the specification's registers and no others: each row is in one of the two tables
 * above.
 */
static void table(void **state)
{
    static const struct {
        const char *name;
        uint32_t frame, first, last;
        unsigned widths;
    } rows[] = {
#define GIC_REG(frame, name, offset, bytes, bits, widths, access) GIC_REG_##frame(name, offset, bytes, widths)
#define GIC_REG_DIST(name, offset, bytes, widths)                 { #name, 0, offset, (offset) + (bytes)-1, widths },
#define GIC_REG_RD(name, offset, bytes, widths)                   { #name, 1, offset, (offset) + (bytes)-1, widths },
#define GIC_REG_SGI(name, offset, bytes, widths)                  { #name, 2, offset, (offset) + (bytes)-1, widths },
#include "emul/vgic/gicreg.def"
    };
    unsigned found = 0;

    (void)state;
    for (size_t n = 0; n < AVC_ARRAY_SIZE(rows); n++) {
        const struct row *spec = rows[n].frame ? redist : dist;
        size_t nr = rows[n].frame ? AVC_ARRAY_SIZE(redist) : AVC_ARRAY_SIZE(dist);
        uint32_t base = rows[n].frame == 2 ? 0x10000 : 0;
        bool any = false;

        for (size_t i = 0; i < nr; i++)
            if (spec[i].first >= base + rows[n].first && spec[i].last <= base + rows[n].last) {
                if (spec[i].widths != rows[n].widths || strncmp(spec[i].name, rows[n].name, 6) != 0)
                    fail_msg("%s is not what %s is", rows[n].name, spec[i].name);
                any = true;
                found++;
            }
        if (!any)
            fail_msg("%s is no register of the specification's", rows[n].name);
    }
    assert_int_equal(found, AVC_ARRAY_SIZE(dist) + AVC_ARRAY_SIZE(redist));
}

/* INTIDs 1020 to 1023 are no interrupts, so their bits do not exist. */
static void largest(void **state)
{
    (void)state;
    vw_make(4, true);
    vw_attach(AVC_VGIC_MAX_SPIS);
    vload(0, 0);
    assert_int_equal(rd(0, GICD + 4) & 31, 31);
    for (unsigned block = 0x80; block < 0x400; block += 0x80)
        if (block % 0x100 || block == 0x200)
            wr(0, GICD + block + 31 * 4, ~0u);
    wr(0, GICD + 0x100 + 31 * 4, ~0u);
    wr(0, GICD + 0x300 + 31 * 4, ~0u);
    assert_int_equal(rd(0, GICD + 0x80 + 31 * 4), 0x0fffffff);
    assert_int_equal(rd(0, GICD + 0x100 + 31 * 4), 0x0fffffff);
    assert_int_equal(rd(0, GICD + 0x300 + 31 * 4), 0x0fffffff);
    wr(0, GICD + 0x400 + 1020, ~0u);
    assert_int_equal(rd(0, GICD + 0x400 + 1020), 0);
    wr(0, GICD + 0x400 + 1016, ~0u);
    assert_int_equal(rd(0, GICD + 0x400 + 1016), 0xf8f8f8f8);
    wr(0, GICD + 0xc00 + 63 * 4, ~0u);
    assert_int_equal(rd(0, GICD + 0xc00 + 63 * 4), 0x00aaaaaa);
    wr64(0, GICD + 0x6000 + 8 * 1020, ~UINT64_C(0));
    assert_int_equal(rd_size(0, GICD + 0x6000 + 8 * 1020, 8), 0);
    wr64(0, GICD + 0x6000 + 8 * 1019, ~UINT64_C(0));
    assert_int_equal(rd_size(0, GICD + 0x6000 + 8 * 1019, 8), UINT64_C(0xff80ffffff));
    assert_int_equal(avc_vm_set_irq(&vm, 1019, true), AVC_OK);
    assert_int_equal(avc_vm_set_irq(&vm, 1020, true), AVC_ERANGE);
}

/* The frames of vCPUs that were not made belong to no redistributor. */
static void missing_redistributor(void **state)
{
    uint64_t x = 0;

    (void)state;
    vw_make(4, true);
    must(avc_vgic_attach(&vgic, &vm, &(struct avc_vgic_config){ GICD, GICR, 0, NR_VCPUS, NULL, gcpu }));
    for (unsigned n = 0; n < 2; n++) {
        must(avc_vcpu_init(&vcpu[n], &vm, &(struct avc_vcpu_config){ .mpidr = mpidrs[n] }));
        must(avc_vcpu_start(&vcpu[n], 0, 0));
    }
    vload(0, 0);
    assert_int_equal(rd(0, RD(1) + 8), 0x110);
    assert_int_equal(mmio(0, RD(2) + 8, 4, false, &x), AVC_PASS);
    assert_int_equal(mmio(0, RD(3) + 0x10100, 4, true, &x), AVC_PASS);
    assert_int_equal(rd(0, GICD + 4) & 31, 0); /* no SPIs */
    wr(0, GICD + 0x104, ~0u);
    assert_int_equal(rd(0, GICD + 0x104), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distributor), cmocka_unit_test(redistributor),         cmocka_unit_test(own_redistributor),
        cmocka_unit_test(largest),     cmocka_unit_test(missing_redistributor), cmocka_unit_test(table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
