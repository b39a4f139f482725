/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Stage 2 tables: what calls refuse, what they build, and that a call which fails changes nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "pages.h"
#include "core/mem/s2.h"
#include "tlb.h"
#include "core/mem/vtcr.h"

#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

static struct avc_machine machine;
static struct avc_stage2 s2;

static void fresh(unsigned pa_bits, unsigned ipa_bits)
{
    fake_reset();
    fake_pages_reset();
    fake_tlb_reset(1);
    machine = (struct avc_machine){ .magic = AVC_MAGIC_MACHINE };
    machine.features.pa_bits = (uint8_t)pa_bits;
    machine.features.ctr = 0x8444c004;
    memset(&s2, 0, sizeof s2);
    if (ipa_bits)
        assert_int_equal(avc_stage2_init(&s2, &machine, &fake_mem, ipa_bits), AVC_OK);
}

static bool walk(uint64_t ipa, struct fake_leaf *leaf)
{
    return fake_stage2_walk(avc_stage2_vtcr(&s2), s2.root_pa, ipa, leaf);
}

static void refuses_bad_setups(void **state)
{
    struct avc_mem mem = fake_mem;
    struct avc_stage2 other = { 0 };
    size_t bytes;
    unsigned level;

    (void)state;
    fresh(44, 40);
    assert_int_equal(avc_stage2_init(&s2, &machine, &fake_mem, 40), AVC_EEXIST);
    assert_int_equal(avc_stage2_init(NULL, &machine, &fake_mem, 40), AVC_EINVAL);
    assert_int_equal(avc_stage2_init(&other, NULL, &fake_mem, 40), AVC_EINVAL);
    assert_int_equal(avc_stage2_init(&other, &machine, NULL, 40), AVC_EINVAL);
    assert_int_equal(avc_stage2_init(&other, &machine, &fake_mem, 31), AVC_ERANGE);
    assert_int_equal(avc_stage2_init(&other, &machine, &fake_mem, 45), AVC_ERANGE);
    mem.at = NULL;
    assert_int_equal(avc_stage2_init(&other, &machine, &mem, 40), AVC_EINVAL);
    fake_pages_fail = 1;
    assert_int_equal(avc_stage2_init(&other, &machine, &fake_mem, 40), AVC_ENOMEM);
    assert_int_equal(avc_stage2_adopt(&other, &machine, &fake_mem, 0x80001000, 40), AVC_EALIGN);
    assert_int_equal(avc_stage2_adopt(&other, &machine, &fake_mem, UINT64_C(1) << 44, 40), AVC_ERANGE);
    assert_int_equal(avc_stage2_destroy(&other), AVC_ENOENT);
    assert_int_equal(avc_stage2_destroy(NULL), AVC_EINVAL);
    machine.features.pa_bits = 0;
    assert_int_equal(avc_stage2_init(&other, &machine, &fake_mem, 40), AVC_ESTATE);
    machine.magic = 0;
    assert_int_equal(avc_stage2_init(&other, &machine, &fake_mem, 40), AVC_ENOENT);
    assert_int_equal(avc_stage2_root_layout(31, &level, &bytes), AVC_ERANGE);
    assert_int_equal(avc_stage2_root_layout(40, NULL, &bytes), AVC_EINVAL);
    assert_int_equal(fake_pages_out, 2);
}

static void refuses_bad_ranges(void **state)
{
    struct avc_stage2 none = { 0 };
    avc_pa_t pa;

    (void)state;
    fresh(40, 36);
    assert_int_equal(avc_stage2_map(NULL, 0, 0, 4096, AVC_RWX), AVC_EINVAL);
    assert_int_equal(avc_stage2_map(&none, 0, 0, 4096, AVC_RWX), AVC_ENOENT);
    assert_int_equal(avc_stage2_map(&s2, 0, 0, 0, AVC_RWX), AVC_EINVAL);
    assert_int_equal(avc_stage2_map(&s2, 1, 0, 4096, AVC_RWX), AVC_EALIGN);
    assert_int_equal(avc_stage2_map(&s2, 0, 2048, 4096, AVC_RWX), AVC_EALIGN);
    assert_int_equal(avc_stage2_map(&s2, 0, 0, 4095, AVC_RWX), AVC_EALIGN);
    assert_int_equal(avc_stage2_map(&s2, 0, 0, 4096, AVC_X), AVC_EINVAL);
    assert_int_equal(avc_stage2_map(&s2, 0, 0, 4096, AVC_RWX | AVC_DEVICE), AVC_EINVAL);
    assert_int_equal(avc_stage2_map(&s2, 0, 0, 4096, AVC_RW | AVC_DEVICE | AVC_NC), AVC_EINVAL);
    assert_int_equal(avc_stage2_map(&s2, 0, 0, 4096, 1u << 31), AVC_EINVAL);
    assert_int_equal(avc_stage2_map(&s2, 64 * GIB, 0, 4096, AVC_RWX), AVC_ERANGE);
    assert_int_equal(avc_stage2_map(&s2, 64 * GIB - 4096, 0, 8192, AVC_RWX), AVC_ERANGE);
    assert_int_equal(avc_stage2_map(&s2, 4096, 0, 0 - UINT64_C(4096), AVC_RWX), AVC_ERANGE);
    assert_int_equal(avc_stage2_map(&s2, 4096, 0, 0 - UINT64_C(8192), AVC_RWX), AVC_ERANGE);
    assert_int_equal(avc_stage2_map(&s2, 0, 0 - UINT64_C(4096), 8192, AVC_RWX), AVC_ERANGE);
    assert_int_equal(avc_stage2_map(&s2, 0, (UINT64_C(1) << 40) - 4096, 8192, AVC_RWX), AVC_ERANGE);
    assert_int_equal(avc_stage2_unmap(&s2, 0, 64 * GIB), AVC_ENOENT);
    assert_int_equal(avc_stage2_unmap(&s2, 0, 64 * GIB + 4096), AVC_ERANGE);
    assert_int_equal(avc_stage2_unmap(&s2, 0, 0), AVC_EINVAL);
    assert_int_equal(avc_stage2_protect(&s2, 0, 4096, AVC_R), AVC_ENOENT);
    assert_int_equal(avc_stage2_protect(&s2, 0, 4096, AVC_X), AVC_EINVAL);
    assert_int_equal(avc_stage2_lookup(&s2, 64 * GIB, &pa, NULL, NULL), AVC_ERANGE);
    assert_int_equal(avc_stage2_lookup(&s2, 4096, &pa, NULL, NULL), AVC_ENOENT);
    assert_int_equal(avc_stage2_walk(&s2, 0, 4096, NULL, NULL), AVC_EINVAL);
    assert_int_equal(avc_stage2_flush(NULL), AVC_EINVAL);
    assert_int_equal(avc_stage2_flush(&none), AVC_ENOENT);
    assert_int_equal(s2.tables, 0);
    assert_int_equal(fake_pages_out, 1);
    assert_int_equal(avc_stage2_map(&s2, 64 * GIB - 4096, (UINT64_C(1) << 40) - 4096, 4096, AVC_RWX), AVC_OK);
    assert_int_equal(avc_stage2_destroy(&s2), AVC_OK);
    assert_int_equal(fake_pages_out, 0);
}

/*
 * For every IPA size the root is large and aligned enough, VTCR_EL2 has a value that the architecture allows
 * (AArch64.S2InconsistentSL, S2InvalidSL), and the first and the last page can be mapped and walked to.
 */
static void any_ipa_size(void **state)
{
    (void)state;
    for (unsigned bits = 32; bits <= 48; bits++) {
        unsigned start, levels, sl_bits;
        uint64_t last = (UINT64_C(1) << bits) - 4096, vtcr;
        struct fake_leaf leaf;

        fresh(bits > 44 ? 48 : 44, bits);
        vtcr = avc_stage2_vtcr(&s2);
        assert_int_equal(64 - (vtcr & 63), bits);
        start = 2 - (vtcr >> 6 & 3);
        levels = 3 - start;
        sl_bits = levels * 9 + 12 + 1;
        assert_in_range(bits, sl_bits, sl_bits + 8 + 4);
        assert_true(start || bits >= 44);
        assert_int_equal(vtcr >> 8 & 0xff, 0x35); /* 4 KiB, inner shareable, write-back */
        assert_true(vtcr >> 31 & 1);
        assert_int_equal(s2.root_pa % (s2.root_pages * 4096), 0);
        assert_true(s2.root_pages <= 16);
        assert_int_equal(fake_pages_out, s2.root_pages);

        assert_int_equal(avc_stage2_map(&s2, 0, 8192, 4096, AVC_RWX), AVC_OK);
        assert_int_equal(avc_stage2_map(&s2, last, 4096, 4096, AVC_R), AVC_OK);
        assert_true(walk(0, &leaf));
        assert_int_equal(leaf.pa, 8192);
        assert_true(walk(last, &leaf));
        assert_int_equal(leaf.pa, 4096);
        assert_false(walk(last - 4096, &leaf));
        assert_false(walk(last + 4096, &leaf));
        assert_false(walk(4096, &leaf));
        assert_null(fake_tlb_error);
        assert_int_equal(avc_stage2_unmap(&s2, 0, last + 4096), AVC_OK);
        assert_int_equal(fake_pages_out, s2.root_pages);
        assert_int_equal(avc_stage2_destroy(&s2), AVC_OK);
        assert_int_equal(fake_pages_out, 0);
    }
}

static void default_ipa_size(void **state)
{
    static const uint8_t pa[] = { 32, 36, 40, 42, 44, 48, 52 }, ipa[] = { 32, 36, 40, 40, 40, 40, 40 };

    (void)state;
    for (unsigned i = 0; i < sizeof pa; i++) {
        struct avc_features smaller = { .pa_bits = 36 };

        fresh(pa[i], 0);
        assert_int_equal(avc_stage2_init(&s2, &machine, &fake_mem, 0), AVC_OK);
        assert_int_equal(s2.ipa_bits, ipa[i]);
        assert_int_equal(avc_stage2_vtcr(&s2) >> 16 & 7, i < 6 ? i : 5);
        assert_int_equal(avc_stage2_fits(&s2, &machine.features), true);
        assert_int_equal(avc_stage2_fits(&s2, &smaller), ipa[i] <= 36);
        assert_int_equal(avc_stage2_vtcr(&s2) >> 19 & 1, 0);
        machine.features.has |= UINT64_C(1) << AVC_FEAT_VMID16;
        assert_int_equal(avc_stage2_vtcr(&s2) >> 19 & 1, 1);
    }
}

/* A CPU that is enabled later may have a smaller PA range, if nothing is mapped beyond it. */
static void fits_smaller_cpus(void **state)
{
    struct avc_features smaller = { .pa_bits = 36 };

    (void)state;
    fresh(44, 36);
    assert_true(avc_stage2_fits(&s2, &smaller));
    assert_int_equal(avc_stage2_map(&s2, 0, 63 * GIB, GIB, AVC_RWX), AVC_OK);
    assert_true(avc_stage2_fits(&s2, &smaller));
    smaller.pa_bits = 35;
    assert_false(avc_stage2_fits(&s2, &smaller));
    smaller.pa_bits = 36;
    assert_int_equal(avc_stage2_map(&s2, GIB, 64 * GIB - 4096, 8192, AVC_RWX), AVC_OK);
    assert_false(avc_stage2_fits(&s2, &smaller));
}

static void largest_blocks(void **state)
{
    struct fake_leaf leaf;
    uint64_t size;

    (void)state;
    fresh(44, 40);
    /* A page up to 2 MiB, 2 MiB up to 1 GiB, 1 GiB, and the same sizes down at the end. */
    assert_int_equal(avc_stage2_map(&s2, GIB - 2 * MIB - 4096, 5 * GIB - 2 * MIB - 4096, GIB + 4 * MIB + 8192, AVC_RWX),
                     AVC_OK);
    assert_int_equal(s2.tables, 4);
    assert_int_equal(avc_stage2_lookup(&s2, GIB - 2 * MIB - 1, NULL, NULL, &size), AVC_OK);
    assert_int_equal(size, 4096);
    assert_int_equal(avc_stage2_lookup(&s2, GIB - 1, NULL, NULL, &size), AVC_OK);
    assert_int_equal(size, 2 * MIB);
    assert_int_equal(avc_stage2_lookup(&s2, 2 * GIB - 1, NULL, NULL, &size), AVC_OK);
    assert_int_equal(size, GIB);
    assert_true(walk(GIB + 12345, &leaf));
    assert_int_equal(leaf.size, GIB);
    assert_int_equal(leaf.pa, 5 * GIB);
    /* The offset is no multiple of 2 MiB, so there are only pages. */
    assert_int_equal(avc_stage2_map(&s2, 8 * GIB, 4096, 2 * MIB, AVC_RWX), AVC_OK);
    assert_int_equal(avc_stage2_lookup(&s2, 8 * GIB, NULL, NULL, &size), AVC_OK);
    assert_int_equal(size, 4096);
    /* The offset is no multiple of 1 GiB, so there are blocks of 2 MiB. */
    assert_int_equal(avc_stage2_map(&s2, 9 * GIB, 2 * MIB, GIB, AVC_RWX), AVC_OK);
    assert_int_equal(avc_stage2_lookup(&s2, 9 * GIB, NULL, NULL, &size), AVC_OK);
    assert_int_equal(size, 2 * MIB);
    assert_int_equal(s2.tables, 7);
    assert_null(fake_tlb_error);
    assert_int_equal(avc_stage2_destroy(&s2), AVC_OK);
    assert_int_equal(fake_pages_out, 0);
    /* The walk starts at level 2, where no entry maps 1 GiB. */
    fresh(44, 34);
    assert_int_equal(avc_stage2_map(&s2, GIB, GIB, GIB, AVC_RWX), AVC_OK);
    assert_int_equal(avc_stage2_lookup(&s2, GIB, NULL, NULL, &size), AVC_OK);
    assert_int_equal(size, 2 * MIB);
}

static void descriptors(void **state)
{
    static const struct {
        uint32_t attrs;
        uint64_t desc; /* as in the Arm ARM's figures */
    } rows[] = {
        { AVC_RWX, 0x7fc },
        { AVC_RW, 0x00400000000007fc },
        { AVC_R | AVC_X, 0x77c },
        { AVC_R, 0x004000000000077c },
        { AVC_W, 0x00400000000007bc },
        { 0, 0x004000000000073c },
        { AVC_RW | AVC_DEVICE, 0x00400000000007c4 },
        { AVC_RWX | AVC_NC, 0x7d4 },
    };
    struct fake_leaf leaf;
    uint32_t attrs;

    (void)state;
    fresh(44, 40);
    for (unsigned i = 0; i < AVC_ARRAY_SIZE(rows); i++) {
        assert_int_equal(avc_stage2_map(&s2, i * 4096, i * 4096, 4096, rows[i].attrs), AVC_OK);
        assert_true(walk(i * 4096, &leaf));
        assert_int_equal(leaf.attrs, rows[i].desc);
        assert_int_equal(avc_stage2_lookup(&s2, i * 4096, NULL, &attrs, NULL), AVC_OK);
        assert_int_equal(attrs, rows[i].attrs);
    }
    assert_int_equal(s2.root[0] & 3, 3);
}

static void mapping_twice(void **state)
{
    (void)state;
    fresh(44, 40);
    assert_int_equal(avc_stage2_map(&s2, 4 * MIB, 8 * MIB, 4 * MIB, AVC_RW), AVC_OK);
    assert_int_equal(avc_stage2_map(&s2, 4 * MIB, 8 * MIB, 4 * MIB, AVC_RW), AVC_OK);
    assert_int_equal(avc_stage2_map(&s2, 4 * MIB + 4096, 8 * MIB + 4096, 4096, AVC_RW), AVC_OK);
    assert_int_equal(avc_stage2_map(&s2, 2 * MIB, 6 * MIB, 4 * MIB, AVC_RW), AVC_OK);
    assert_int_equal(avc_stage2_map(&s2, 4 * MIB + 4096, 8 * MIB, 4096, AVC_RW), AVC_EEXIST);
    assert_int_equal(avc_stage2_map(&s2, 4 * MIB, 8 * MIB, 4096, AVC_R), AVC_EEXIST);
    assert_int_equal(avc_stage2_map(&s2, 4 * MIB, 8 * MIB, 4096, AVC_RW | AVC_NC), AVC_EEXIST);
    /* The last page is mapped already, so none of the pages before it may be mapped. */
    assert_int_equal(avc_stage2_map(&s2, 0, 0, 2 * MIB + 4096, AVC_RW), AVC_EEXIST);
    assert_int_equal(avc_stage2_lookup(&s2, 0, NULL, NULL, NULL), AVC_ENOENT);
    assert_int_equal(s2.tables, 1);
    assert_int_equal(fake_pages_out, 3);
}

static enum avc_status count_leaf(void *ctx, const struct avc_stage2_leaf *leaf)
{
    uint64_t *n = ctx;

    n[0]++;
    n[1] += leaf->size;
    n[2] = leaf->ipa;
    return n[0] == n[3] ? AVC_EBUSY : AVC_OK;
}

static void splitting(void **state)
{
    uint64_t n[4] = { 0 };
    uint32_t attrs;
    avc_pa_t pa;

    (void)state;
    fresh(44, 40);
    assert_int_equal(avc_stage2_map(&s2, 0, 16 * GIB, 2 * GIB, AVC_RWX), AVC_OK);
    assert_int_equal(s2.tables, 0);
    assert_int_equal(avc_stage2_protect(&s2, 0, 2 * GIB, AVC_RWX), AVC_OK);
    assert_int_equal(avc_stage2_protect(&s2, 4096, 8192, AVC_RWX), AVC_OK);
    assert_int_equal(s2.tables, 0); /* nothing changes, so no table is split */
    /* A hole across both blocks of 1 GiB: 2 * 511 blocks of 2 MiB and 2 * 511 pages are left. */
    assert_int_equal(avc_stage2_unmap(&s2, GIB - 4096, 8192), AVC_OK);
    assert_int_equal(s2.tables, 4);
    assert_int_equal(avc_stage2_walk(&s2, 0, UINT64_C(1) << 40, count_leaf, n), AVC_OK);
    assert_int_equal(n[0], 4 * 511);
    assert_int_equal(n[1], 2 * GIB - 8192);
    assert_int_equal(avc_stage2_lookup(&s2, GIB - 4096, NULL, NULL, NULL), AVC_ENOENT);
    assert_int_equal(avc_stage2_lookup(&s2, GIB + 4095, NULL, NULL, NULL), AVC_ENOENT);
    assert_int_equal(avc_stage2_lookup(&s2, GIB - 4097, &pa, NULL, NULL), AVC_OK);
    assert_int_equal(pa, 17 * GIB - 4097);
    assert_int_equal(avc_stage2_lookup(&s2, GIB + 4096, &pa, NULL, NULL), AVC_OK);
    assert_int_equal(pa, 17 * GIB + 4096);
    /* Both ends of the range are in the same block of 2 MiB. protect splits it, too. */
    assert_int_equal(avc_stage2_protect(&s2, 4 * MIB + 4096, 12288, AVC_R), AVC_OK);
    assert_int_equal(s2.tables, 5);
    assert_int_equal(avc_stage2_lookup(&s2, 4 * MIB + 4096, NULL, &attrs, NULL), AVC_OK);
    assert_int_equal(attrs, AVC_R);
    assert_int_equal(avc_stage2_lookup(&s2, 4 * MIB + 16384, NULL, &attrs, NULL), AVC_OK);
    assert_int_equal(attrs, AVC_RWX);
    assert_int_equal(avc_stage2_protect(&s2, GIB - 8192, 8192, AVC_R), AVC_ENOENT); /* a hole: nothing changes */
    assert_int_equal(avc_stage2_lookup(&s2, GIB - 8192, NULL, &attrs, NULL), AVC_OK);
    assert_int_equal(attrs, AVC_RWX);
    /* A walk stops when the callback says so. */
    memset(n, 0, sizeof n);
    n[3] = 3;
    assert_int_equal(avc_stage2_walk(&s2, 4 * MIB + 4096, MIB, count_leaf, n), AVC_EBUSY);
    assert_int_equal(n[2], 4 * MIB + 12288);
    assert_int_equal(avc_stage2_unmap(&s2, 0, 2 * GIB), AVC_OK);
    assert_int_equal(s2.tables, 0);
    assert_int_equal(fake_pages_out, s2.root_pages);
    assert_null(fake_tlb_error);
}

/*
 * The calls that need most tables: a page on both sides of an empty 512 GiB boundary, and splits of 1 GiB down to pages
 * at both ends.
 */
static void every_page_call_fails(void **state)
{
    (void)state;
    fresh(48, 48);
    for (unsigned k = 1; k <= 6; k++) {
        fake_pages_fail = k;
        assert_int_equal(avc_stage2_map(&s2, 512 * GIB - 4096, 0, 8192, AVC_RWX), AVC_ENOMEM);
        assert_int_equal(fake_pages_out, 1);
        assert_int_equal(s2.root[0] | s2.root[1], 0);
    }
    fake_pages_fail = 7;
    assert_int_equal(avc_stage2_map(&s2, 512 * GIB - 4096, 0, 8192, AVC_RWX), AVC_OK);
    assert_int_equal(s2.tables, 6);
    fake_pages_fail = 0;
    assert_int_equal(avc_stage2_unmap(&s2, 0, 1024 * GIB), AVC_OK);
    assert_int_equal(avc_stage2_map(&s2, 0, 0, GIB, AVC_RWX), AVC_OK);
    for (unsigned k = 1; k <= 3; k++) {
        uint64_t size;

        fake_pages_fail = k;
        assert_int_equal(avc_stage2_unmap(&s2, 4096, GIB - 8192), AVC_ENOMEM);
        assert_int_equal(avc_stage2_lookup(&s2, 4096, NULL, NULL, &size), AVC_OK);
        assert_int_equal(size, GIB);
        assert_int_equal(fake_pages_out, 2);
    }
    fake_pages_fail = 4;
    assert_int_equal(avc_stage2_unmap(&s2, 4096, GIB - 8192), AVC_OK);
    assert_int_equal(s2.tables, 4);
}

/* Changes look at tables of any number of entries: without masking interrupts, and without the lock that a trap of the
   guest's takes. The mask is there only where the TLB is, so for a time that has a bound. */
static unsigned looks, masked_looks, masked_ops, most_masked_ops;

static void *at_unmasked(void *ctx, avc_pa_t pa)
{
    looks++;
    masked_looks += fake_cpu->masked || s2.lock.held;
    return fake_mem.at(ctx, pa);
}

static void (*model)(enum fake_op op, uint64_t value);

static void count_op(enum fake_op op, uint64_t value)
{
    model(op, value);
    masked_ops = fake_cpu->masked && op != FAKE_OP_irq_disable ? masked_ops + 1 : 0;
    if (masked_ops > most_masked_ops)
        most_masked_ops = masked_ops;
}

static void masks_for_the_tlb_alone(void **state)
{
    (void)state;
    fresh(48, 40);
    s2.vmid = 1;
    s2.mem.at = at_unmasked;
    looks = masked_looks = most_masked_ops = 0;
    model = fake_on_op;
    fake_on_op = count_op;
    assert_int_equal(avc_stage2_map(&s2, 0, 4096, 64 * MIB, AVC_RWX), AVC_OK);
    assert_int_equal(avc_stage2_map(&s2, GIB, GIB, GIB, AVC_RWX), AVC_OK);
    assert_int_equal(avc_stage2_protect(&s2, 0, 64 * MIB, AVC_R), AVC_OK);
    assert_int_equal(avc_stage2_protect(&s2, GIB + 4096, 4 * MIB, AVC_DEVICE | AVC_R), AVC_OK);
    assert_int_equal(avc_stage2_unmap(&s2, 4096, 63 * MIB), AVC_OK);
    fake_on_op = model;
    assert_true(looks > 100);
    assert_int_equal(masked_looks, 0);
    assert_in_range(most_masked_ops, 4, 40);
    assert_false(fake_cpu->masked);
    assert_null(fake_tlb_error);
    s2.mem.at = fake_mem.at;
    assert_int_equal(avc_stage2_destroy(&s2), AVC_OK);
}

static void adopting(void **state)
{
    struct avc_stage2 mine = { 0 };
    struct fake_leaf leaf;
    uint64_t size, n[4] = { 0 };
    avc_pa_t pa;

    (void)state;
    fresh(44, 41);
    assert_int_equal(avc_stage2_map(&s2, GIB, 2 * GIB, GIB, AVC_RWX), AVC_OK);
    assert_int_equal(avc_stage2_adopt(&mine, &machine, &fake_mem, s2.root_pa, 41), AVC_OK);
    assert_int_equal(avc_stage2_vtcr(&mine), avc_stage2_vtcr(&s2));
    assert_int_equal(avc_stage2_lookup(&mine, GIB + 5, &pa, NULL, &size), AVC_OK);
    assert_int_equal(pa, 2 * GIB + 5);
    assert_int_equal(avc_stage2_walk(&mine, 0, 4 * GIB, count_leaf, n), AVC_OK);
    assert_int_equal(n[0], 1);
    assert_int_equal(avc_stage2_map(&mine, 0, 0, 4096, AVC_RWX), AVC_ENOTSUP);
    assert_int_equal(avc_stage2_unmap(&mine, GIB, GIB), AVC_ENOTSUP);
    assert_int_equal(avc_stage2_protect(&mine, GIB, GIB, AVC_R), AVC_ENOTSUP);
    assert_int_equal(avc_stage2_flush(&mine), AVC_OK);
    assert_int_equal(avc_stage2_destroy(&mine), AVC_OK);
    assert_true(walk(GIB, &leaf)); /* the caller owns adopted tables, so they are not freed */
    assert_int_equal(avc_stage2_adopt(&mine, &machine, NULL, s2.root_pa, 41), AVC_OK);
    assert_int_equal(avc_stage2_lookup(&mine, GIB, &pa, NULL, NULL), AVC_ENOTSUP);
    assert_int_equal(avc_stage2_walk(&mine, 0, 4 * GIB, count_leaf, n), AVC_ENOTSUP);
    assert_int_equal(avc_stage2_flush(&mine), AVC_OK);
    mine.vm = (struct avc_vm *)(void *)&mine;
    assert_int_equal(avc_stage2_destroy(&mine), AVC_EBUSY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_bad_setups), cmocka_unit_test(refuses_bad_ranges),
        cmocka_unit_test(any_ipa_size),       cmocka_unit_test(default_ipa_size),
        cmocka_unit_test(fits_smaller_cpus),  cmocka_unit_test(largest_blocks),
        cmocka_unit_test(descriptors),        cmocka_unit_test(mapping_twice),
        cmocka_unit_test(splitting),          cmocka_unit_test(every_page_call_fails),
        cmocka_unit_test(adopting),           cmocka_unit_test(masks_for_the_tlb_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
