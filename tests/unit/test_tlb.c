/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* TLB maintenance: its sequences, from every kind of host. test_tlb_random.c checks that no CPU hits a stale entry. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "pages.h"
#include "core/mem/s2.h"
#include "tlb.h"
#include "core/mem/vtcr.h"

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)
#define E2H (UINT64_C(1) << 34)
#define TGE (UINT64_C(1) << 27)

static struct avc_machine machine;
static struct avc_stage2 s2;

/* The registers, and the descriptor, at each TLBI or DSB. */
static struct seen {
    enum fake_op op;
    uint64_t value, entry, hcr, vttbr, vtcr, tcr, sctlr;
} seen[64];
static unsigned nr_seen;
static const uint64_t *watched; /* a descriptor */
static void (*model)(enum fake_op op, uint64_t value);

static void on_op(enum fake_op op, uint64_t value)
{
    bool vhe = fake_cpu->reg[FAKE_HCR_EL2] & E2H;

    model(op, value);
    if (op == FAKE_OP_isb || op == FAKE_OP_irq_disable || op == FAKE_OP_irq_restore || nr_seen == 64)
        return;
    seen[nr_seen++] = (struct seen){ op,
                                     value,
                                     watched ? *watched : 0,
                                     fake_cpu->reg[FAKE_HCR_EL2],
                                     fake_cpu->reg[FAKE_VTTBR_EL2],
                                     fake_cpu->reg[FAKE_VTCR_EL2],
                                     fake_cpu->reg[vhe ? FAKE_TCR_EL12 : FAKE_TCR_EL1],
                                     fake_cpu->reg[vhe ? FAKE_SCTLR_EL12 : FAKE_SCTLR_EL1] };
}

static void fresh(void)
{
    fake_reset();
    fake_pages_reset();
    fake_tlb_reset(1);
    model = fake_on_op;
    fake_on_op = on_op;
    nr_seen = 0;
    watched = NULL;
    machine = (struct avc_machine){ .magic = AVC_MAGIC_MACHINE };
    machine.features.pa_bits = 44;
    machine.features.ctr = 0x8444c004;
    memset(&s2, 0, sizeof s2);
    assert_int_equal(avc_stage2_init(&s2, &machine, &fake_mem, 34), AVC_OK); /* the root is level 2: 2 MiB an entry */
    s2.vmid = 1 << 16 | 5;
}

static void expect(const enum fake_op *ops, unsigned n)
{
    assert_int_equal(nr_seen, n);
    for (unsigned i = 0; i < n; i++)
        assert_int_equal(seen[i].op, ops[i]);
    assert_null(fake_tlb_error);
    nr_seen = 0;
}

static void unmap_order(void **state)
{
    static const enum fake_op ops[] = { FAKE_OP_dsb_ishst,      FAKE_OP_tlbi_ipas2le1is, FAKE_OP_dsb_ish,
                                        FAKE_OP_tlbi_vmalle1is, FAKE_OP_dsb_ish,         FAKE_OP_dsb_ishst };

    (void)state;
    fresh();
    assert_int_equal(avc_stage2_map(&s2, 6 * MIB, 6 * MIB, 2 * MIB, AVC_RWX), AVC_OK);
    assert_int_equal(fake_log_find(0, FAKE_OP, FAKE_OP_tlbi_vmalle1is), -1); /* nothing became invalid */
    watched = &s2.root[3];
    nr_seen = 0;
    assert_int_equal(avc_stage2_unmap(&s2, 6 * MIB, 2 * MIB), AVC_OK);
    for (unsigned i = 0; i < nr_seen; i++)
        assert_int_equal(seen[i].entry, 0);
    assert_int_equal(seen[1].value, 6 * MIB >> 12);
    expect(ops, 6);
}

static void split_breaks_before_it_makes(void **state)
{
    static const enum fake_op ops[] = { FAKE_OP_dsb_ishst, FAKE_OP_dsb_ishst,      FAKE_OP_tlbi_ipas2le1is,
                                        FAKE_OP_dsb_ish,   FAKE_OP_tlbi_vmalle1is, FAKE_OP_dsb_ish,
                                        FAKE_OP_dsb_ishst, FAKE_OP_dsb_ishst };
    uint64_t block;

    (void)state;
    fresh();
    assert_int_equal(avc_stage2_map(&s2, 6 * MIB, 6 * MIB, 2 * MIB, AVC_RWX), AVC_OK);
    watched = &s2.root[3];
    block = *watched;
    nr_seen = 0;
    assert_int_equal(avc_stage2_protect(&s2, 6 * MIB + 4096, 4096, AVC_R), AVC_OK);
    assert_int_equal(seen[0].entry, block); /* the new table is complete before anything points to it */
    for (unsigned i = 1; i < 6; i++)
        assert_int_equal(seen[i].entry, 0);
    assert_int_equal(seen[6].entry & 3, 3);
    expect(ops, 8);
    /* A change of a page's memory type needs break-before-make, too. */
    watched = &fake_pages_at(s2.root[3] & S2_OA)[1];
    assert_int_equal(avc_stage2_protect(&s2, 6 * MIB + 4096, 4096, AVC_R | AVC_DEVICE), AVC_OK);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(seen[i].entry, 0);
    assert_true(seen[5].entry & 1);
    expect(ops + 1, 7);
    /* A change of permissions alone needs none. The TLBs are told of a change in either direction. */
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(avc_stage2_protect(&s2, 6 * MIB + 4096, 4096, (i ? AVC_R : AVC_RW) | AVC_DEVICE), AVC_OK);
        for (unsigned k = 0; k < nr_seen; k++)
            assert_int_equal(seen[k].entry >> 7 & 1, !i);
        expect((const enum fake_op[]){ FAKE_OP_dsb_ishst, FAKE_OP_tlbi_ipas2le1is, FAKE_OP_dsb_ish,
                                       FAKE_OP_tlbi_vmalle1is, FAKE_OP_dsb_ish, FAKE_OP_dsb_ishst },
               6);
    }
}

/* When a table is freed, TLBs must forget cached pointers to it. So the last-level form of TLBI is not enough. */
static void freed_table(void **state)
{
    (void)state;
    fresh();
    assert_int_equal(avc_stage2_map(&s2, 6 * MIB, 0, 8192, AVC_RWX), AVC_OK);
    nr_seen = 0;
    assert_int_equal(avc_stage2_unmap(&s2, 6 * MIB, 4096), AVC_OK);
    assert_int_equal(seen[1].op, FAKE_OP_tlbi_ipas2le1is);
    nr_seen = 0;
    assert_int_equal(avc_stage2_unmap(&s2, 6 * MIB + 4096, 4096), AVC_OK);
    assert_int_equal(seen[1].op, FAKE_OP_tlbi_ipas2e1is);
    assert_int_equal(s2.tables, 0);
}

static void every_host(void **state)
{
    static const uint64_t hosts[] = { 0, TGE, E2H, E2H | TGE };

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        uint64_t before[FAKE_NR_REGS];
        unsigned tlbis = 0;

        fresh();
        assert_int_equal(avc_stage2_map(&s2, 0, 0, 4096, AVC_RWX), AVC_OK);
        for (unsigned r = 0; r < FAKE_NR_REGS; r++)
            if (r != FAKE_DAIF && r != FAKE_HCR_EL2)
                fake_cpu->reg[r] = r * UINT64_C(0x0101010001) & ~UINT64_C(0x800080); /* a guest's, EPD0/1 clear */
        fake_cpu->reg[FAKE_HCR_EL2] = hosts[i] | 2;
        memcpy(before, fake_cpu->reg, sizeof before);
        nr_seen = 0;
        assert_int_equal(avc_stage2_unmap(&s2, 0, 4096), AVC_OK);
        assert_null(fake_tlb_error);
        assert_memory_equal(fake_cpu->reg, before, sizeof before);
        for (unsigned k = 0; k < nr_seen; k++) {
            if (seen[k].op != FAKE_OP_tlbi_ipas2e1is && seen[k].op != FAKE_OP_tlbi_vmalle1is)
                continue;
            tlbis++;
            assert_int_equal(seen[k].vttbr, UINT64_C(5) << 48 | s2.root_pa);
            assert_int_equal(seen[k].vtcr, avc_stage2_vtcr(&s2));
            assert_int_equal(seen[k].hcr, hosts[i] == (E2H | TGE) ? E2H | 2 : hosts[i] | 2);
            assert_int_equal(seen[k].tcr & 0x800080, 0x800080);
            assert_int_equal(seen[k].sctlr & 1, 1);
        }
        assert_int_equal(tlbis, 2);
    }
}

static void vm_that_is_loaded_here(void **state)
{
    (void)state;
    fresh();
    fake_cpu->reg[FAKE_VTTBR_EL2] = UINT64_C(5) << 48 | s2.root_pa;
    fake_cpu->reg[FAKE_VTCR_EL2] = avc_stage2_vtcr(&s2);
    fake_tlb_home[0] = 5;
    fake_log_clear();
    assert_int_equal(avc_stage2_flush(&s2), AVC_OK);
    assert_true(fake_log_find(0, FAKE_OP, FAKE_OP_tlbi_vmalls12e1is) > 0);
    for (size_t i = 0; i < fake_log_len; i++)
        assert_int_not_equal(fake_log[i].what, FAKE_WRITE);
    assert_null(fake_tlb_error);
}

static void vm_that_never_ran(void **state)
{
    (void)state;
    fresh();
    s2.vmid = 0;
    assert_int_equal(avc_stage2_map(&s2, 0, 0, 2 * MIB, AVC_RWX), AVC_OK);
    assert_int_equal(avc_stage2_unmap(&s2, 4096, 8192), AVC_OK);
    assert_int_equal(avc_stage2_destroy(&s2), AVC_OK);
    for (unsigned i = 0; i < nr_seen; i++)
        assert_int_equal(seen[i].op, FAKE_OP_dsb_ishst);
}

static void destroyed_vm(void **state)
{
    (void)state;
    fresh();
    assert_int_equal(avc_stage2_map(&s2, 0, 0, 4096, AVC_RWX), AVC_OK);
    nr_seen = 0;
    assert_int_equal(avc_stage2_destroy(&s2), AVC_OK);
    expect((const enum fake_op[]){ FAKE_OP_dsb_ishst, FAKE_OP_tlbi_vmalls12e1is, FAKE_OP_dsb_ish }, 3);
}

static void masked_meanwhile(void **state)
{
    bool masked = false;

    (void)state;
    fresh();
    assert_int_equal(avc_stage2_map(&s2, 0, 0, 4096, AVC_RWX), AVC_OK);
    fake_log_clear();
    assert_int_equal(avc_stage2_unmap(&s2, 0, 4096), AVC_OK);
    for (size_t i = 0; i < fake_log_len; i++) {
        if (fake_log[i].what == FAKE_OP && fake_log[i].which == FAKE_OP_irq_disable)
            masked = true;
        if (fake_log[i].what == FAKE_WRITE)
            assert_true(masked);
        if (fake_log[i].what == FAKE_OP && fake_log[i].which == FAKE_OP_irq_restore)
            masked = false;
    }
    assert_false(fake_cpu->masked);
}

static void instruction_caches(void **state)
{
    (void)state;
    for (uint64_t policy = 0; policy < 4; policy++) {
        fresh();
        machine.features.ctr = 0x84440004 | policy << 14;
        assert_int_equal(avc_stage2_map(&s2, 0, 0, 4096, AVC_RWX), AVC_OK);
        assert_int_equal(avc_stage2_unmap(&s2, 0, 4096), AVC_OK);
        assert_int_equal(avc_stage2_flush(&s2), AVC_OK);
        assert_int_equal(fake_log_find(0, FAKE_OP, FAKE_OP_ic_ialluis) >= 0, policy < 2);
    }
}

/* Returns the pages that the TLBIs cover, which must follow each other without gaps. */
static void covered(uint64_t *first, uint64_t *end)
{
    *first = *end = UINT64_MAX;
    for (unsigned i = 0; i < nr_seen; i++) {
        uint64_t page, pages = 1, v = seen[i].value;

        if (seen[i].op == FAKE_OP_tlbi_ipas2e1is || seen[i].op == FAKE_OP_tlbi_ipas2le1is) {
            page = v;
        } else if (seen[i].op == FAKE_OP_tlbi_ripas2e1is || seen[i].op == FAKE_OP_tlbi_ripas2le1is) {
            assert_int_equal(v >> 46, 1);
            page = v & 0x1fffffffff;
            pages = ((v >> 39 & 31) + 1) << (5 * (v >> 44 & 3) + 1);
        } else {
            continue;
        }
        if (*first == UINT64_MAX)
            *first = page;
        else
            assert_int_equal(page, *end);
        *end = page + pages;
    }
}

static void ranges(void **state)
{
    (void)state;
    fresh();
    machine.features.has |= UINT64_C(1) << AVC_FEAT_TLBIRANGE;
    for (unsigned n = 0; n < 300; n++) {
        uint64_t page = fake_random() % 100000, pages = 17 + fake_random() % (n % 10 ? 3000 : 60000), first, end;

        assert_int_equal(avc_stage2_map(&s2, page << 12, 4096, pages << 12, AVC_RWX), AVC_OK);
        nr_seen = 0;
        assert_int_equal(avc_stage2_unmap(&s2, page << 12, pages << 12), AVC_OK);
        assert_true(nr_seen < 12);
        covered(&first, &end);
        assert_int_equal(first, page);
        assert_int_equal(end, page + pages);
        assert_int_equal(s2.tables, 0);
    }
    /* One range operation cannot cover 8 GiB. */
    assert_int_equal(avc_stage2_map(&s2, 0, 0, 8 * GIB, AVC_RWX), AVC_OK);
    nr_seen = 0;
    assert_int_equal(avc_stage2_unmap(&s2, 0, 8 * GIB), AVC_OK);
    assert_int_equal(seen[1].op, FAKE_OP_tlbi_vmalls12e1is);
    assert_int_equal(avc_stage2_map(&s2, 0, 0, 8 * GIB - 2 * MIB, AVC_RWX), AVC_OK);
    nr_seen = 0;
    assert_int_equal(avc_stage2_unmap(&s2, 0, 8 * GIB), AVC_OK);
    assert_int_equal(seen[1].op, FAKE_OP_tlbi_ripas2le1is);
    /* Without range operations, few entries are invalidated one by one. For many, all of the VM's are. */
    machine.features.has = 0;
    assert_int_equal(avc_stage2_map(&s2, 0, 4096, 33 * 4096, AVC_RWX), AVC_OK);
    nr_seen = 0;
    assert_int_equal(avc_stage2_unmap(&s2, 0, 16 * 4096), AVC_OK);
    assert_int_equal(nr_seen, 16 + 5);
    nr_seen = 0;
    assert_int_equal(avc_stage2_unmap(&s2, 16 * 4096, 17 * 4096), AVC_OK);
    assert_int_equal(seen[1].op, FAKE_OP_tlbi_vmalls12e1is);
    assert_int_equal(nr_seen, 4);
    assert_null(fake_tlb_error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unmap_order),
        cmocka_unit_test(split_breaks_before_it_makes),
        cmocka_unit_test(freed_table),
        cmocka_unit_test(every_host),
        cmocka_unit_test(vm_that_is_loaded_here),
        cmocka_unit_test(vm_that_never_ran),
        cmocka_unit_test(destroyed_vm),
        cmocka_unit_test(masked_meanwhile),
        cmocka_unit_test(instruction_caches),
        cmocka_unit_test(ranges),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
