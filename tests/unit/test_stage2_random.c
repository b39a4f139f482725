/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Random changes to stage 2 tables, against a reference. Before each change succeeds, it fails at each of its page
 * calls in turn.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "pages.h"
#include "core/mem/s2.h"
#include "tlb.h"
#include "core/mem/vtcr.h"

#define GIB (UINT64_C(1) << 30)
#define MIB (UINT64_C(1) << 20)

static struct avc_machine machine;
static struct avc_stage2 s2;

/* The reference: each page of 16 MiB on both sides of 1 GiB. */

#define PAGES 4096
#define BASE  (GIB - 8 * MIB)

static uint64_t ref[PAGES]; /* PA | attrs << 1 | 1 */

static uint64_t ref_of(avc_pa_t pa, uint32_t attrs)
{
    return pa | (uint64_t)attrs << 1 | 1;
}

static void compare(void)
{
    for (uint64_t i = 0; i < PAGES; i++) {
        uint64_t ipa = BASE + i * 4096;
        struct fake_leaf leaf;
        uint32_t attrs;
        avc_pa_t pa;
        bool mapped = avc_stage2_lookup(&s2, ipa, &pa, &attrs, NULL) == AVC_OK;

        assert_int_equal(mapped ? ref_of(pa, attrs) : 0, ref[i]);
        if (i % 16 == 0)
            assert_int_equal(fake_stage2_walk(avc_stage2_vtcr(&s2), s2.root_pa, ipa, &leaf), mapped);
    }
}

static enum avc_status next_ref(void *ctx, const struct avc_stage2_leaf *leaf)
{
    uint64_t *i = ctx;

    while (*i < PAGES && !ref[*i])
        ++*i;
    assert_int_equal(leaf->ipa, BASE + *i * 4096);
    for (uint64_t off = 0; off < leaf->size; off += 4096, ++*i)
        assert_int_equal(ref_of(leaf->pa + off, leaf->attrs), ref[*i]);
    return AVC_OK;
}

struct step {
    unsigned what;
    uint64_t first, count;
    avc_pa_t pa;
    uint32_t attrs;
};

static enum avc_status do_step(const struct step *s)
{
    uint64_t ipa = BASE + s->first * 4096, size = s->count * 4096;

    return s->what == 0   ? avc_stage2_map(&s2, ipa, s->pa, size, s->attrs)
           : s->what == 1 ? avc_stage2_unmap(&s2, ipa, size)
                          : avc_stage2_protect(&s2, ipa, size, s->attrs);
}

static enum avc_status ref_step(const struct step *s)
{
    bool any = false, all = true;

    for (uint64_t i = s->first; i < s->first + s->count; i++) {
        if (s->what == 0 && ref[i] && ref[i] != ref_of(s->pa + (i - s->first) * 4096, s->attrs))
            return AVC_EEXIST;
        any |= ref[i] != 0;
        all &= ref[i] != 0;
    }
    if ((s->what == 1 && !any) || (s->what == 2 && !all))
        return AVC_ENOENT;
    for (uint64_t i = s->first; i < s->first + s->count; i++)
        ref[i] = s->what == 0   ? ref_of(s->pa + (i - s->first) * 4096, s->attrs)
                 : s->what == 1 ? 0
                                : ref_of(ref[i] & ~UINT64_C(4095), s->attrs);
    return AVC_OK;
}

static struct step random_step(void)
{
    static const uint32_t attrs[] = { AVC_RWX, AVC_RW, AVC_R, AVC_RW | AVC_DEVICE, AVC_RWX | AVC_NC, 0 };
    struct step s = { .what = (unsigned)(fake_random() % 3), .attrs = attrs[fake_random() % 6] };
    bool big = fake_random() % 2;
    uint64_t unit = big ? 512 : 1;

    s.first = fake_random() % (PAGES / unit) * unit;
    s.count = (1 + fake_random() % (big ? 3 : 40)) * unit;
    if (s.count > PAGES - s.first)
        s.count = PAGES - s.first;
    s.pa = fake_random() % 3 ? BASE + s.first * 4096 + 4 * GIB : fake_random() % 65536 * 4096;
    return s;
}

/*
 * Makes random changes and compares with the reference. Each change is first made with page call k failing, for every
 * k.
 */
static void against_reference(void **state)
{
    unsigned failed = 0;

    (void)state;
    fake_reset();
    fake_pages_reset();
    fake_tlb_reset(1);
    machine = (struct avc_machine){ .magic = AVC_MAGIC_MACHINE };
    machine.features.pa_bits = 44;
    machine.features.ctr = 0x8444c004;
    assert_int_equal(avc_stage2_init(&s2, &machine, &fake_mem, 40), AVC_OK);
    memset(ref, 0, sizeof ref);
    for (unsigned n = 0; n < 4000; n++) {
        struct step s = random_step();
        unsigned out = fake_pages_out, k = 0;
        enum avc_status status;

        do {
            fake_pages_fail = ++k;
            status = do_step(&s);
            if (status == AVC_ENOMEM) {
                failed++;
                assert_int_equal(fake_pages_out, out);
                if (n % 16 == 0)
                    compare();
            }
        } while (status == AVC_ENOMEM);
        fake_pages_fail = 0;
        assert_int_equal(status, ref_step(&s));
        assert_int_equal(fake_pages_out, s2.tables + s2.root_pages);
        if (n % 16 == 0) {
            uint64_t i = 0;

            compare();
            assert_int_equal(avc_stage2_walk(&s2, 0, UINT64_C(1) << 40, next_ref, &i), AVC_OK);
            while (i < PAGES)
                assert_int_equal(ref[i++], 0);
        }
    }
    assert_true(failed > 500);
    assert_null(fake_tlb_error);
    assert_int_equal(avc_stage2_destroy(&s2), AVC_OK);
    assert_int_equal(fake_pages_out, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(against_reference),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
