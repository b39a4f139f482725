/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The cost of the host's own calls as their caller sees it: by the physical counter, the loop around the call included.
 */
#include "bench_host.h"

#include "mark.h"

#define ROUNDS 256

/* Ranges that no guest uses: the first GiB is for pages, the next for blocks. */
#define PAGES  UINT64_C(0xc0000000)
#define BLOCKS UINT64_C(0x100000000)
#define BLOCK  UINT64_C(0x200000)

static void print_row(const char *name, uint64_t ticks)
{
    MARK(ROW);
    host_printf("row\t%s\t%lu\t%u\n", name, ticks, ROUNDS);
}

static void load_put(struct test_vm *t)
{
    uint64_t ticks = 0, before;

    host_must(avc_vcpu_load(&t->vcpu[0], &test_pcpu[0])); /* seals the VM */
    host_must(avc_vcpu_put(&t->vcpu[0]));
    for (unsigned n = 0; n < ROUNDS; n++) {
        MARK(COUNT);
        before = host_ticks();
        host_must(avc_vcpu_load(&t->vcpu[0], &test_pcpu[0]));
        ticks += host_ticks() - before;
        MARK(PAUSE);
        host_must(avc_vcpu_put(&t->vcpu[0]));
    }
    print_row("load", ticks);
    ticks = 0;
    for (unsigned n = 0; n < ROUNDS; n++) {
        host_must(avc_vcpu_load(&t->vcpu[0], &test_pcpu[0]));
        MARK(COUNT);
        before = host_ticks();
        host_must(avc_vcpu_put(&t->vcpu[0]));
        ticks += host_ticks() - before;
        MARK(PAUSE);
    }
    print_row("put", ticks);
}

/* The same for a host that wants EL1's registers back. */
static void put_load_el1(struct test_vm *t)
{
    uint64_t ticks = 0;

    test_uses(0);
    host_must(avc_vcpu_load(&t->vcpu[0], &test_pcpu[0]));
    for (unsigned n = 0; n < ROUNDS; n++)
        ticks += host_put_load(&t->vcpu[0]);
    host_must(avc_vcpu_put(&t->vcpu[0]));
    test_uses(AVC_HOST_NO_EL1);
    print_row("put_load_el1", ticks);
}

/* Maps and unmaps once before it measures, so that the tables are there. */
static void map(struct test_vm *t, const char *mapped, const char *unmapped, uint64_t at, uint64_t size)
{
    uint64_t pa = (uintptr_t)t->ram & ~(BLOCK - 1), before;

    host_must(avc_stage2_map(&t->stage2, at, pa, size, AVC_RW));
    MARK(COUNT);
    before = host_ticks();
    for (unsigned n = 1; n <= ROUNDS; n++)
        host_must(avc_stage2_map(&t->stage2, at + n * size, pa, size, AVC_RW));
    before = host_ticks() - before;
    MARK(PAUSE);
    print_row(mapped, before);
    MARK(COUNT);
    before = host_ticks();
    for (unsigned n = 1; n <= ROUNDS; n++)
        host_must(avc_stage2_unmap(&t->stage2, at + n * size, size));
    before = host_ticks() - before;
    MARK(PAUSE);
    print_row(unmapped, before);
}

uint64_t host_put_load(struct avc_vcpu *vcpu)
{
    uint64_t before;

    MARK(COUNT);
    before = host_ticks();
    host_must(avc_vcpu_put(vcpu));
    host_must(avc_vcpu_load(vcpu, &test_pcpu[0]));
    before = host_ticks() - before;
    MARK(PAUSE);
    return before;
}

void host_rows(struct test_vm *t)
{
    map(t, "map_page", "unmap_page", PAGES, AVC_PAGE_SIZE);
    map(t, "map_block", "unmap_block", BLOCKS, BLOCK);
    load_put(t);
    put_load_el1(t);
}
