/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* What the host's own calls cost, as their caller sees it: by the physical counter, the loop around the call included. */
#include "bench_host.h"

#define ROUNDS 256

/* Where no guest looks: pages in the one GiB, blocks in the next. */
#define PAGES  UINT64_C(0xc0000000)
#define BLOCKS UINT64_C(0x100000000)
#define BLOCK  UINT64_C(0x200000)

static void print_row(const char *name, uint64_t ticks)
{
    host_printf("row\t%s\t%lu\t%u\n", name, ticks, ROUNDS);
}

static void load_put(struct test_vm *t)
{
    uint64_t load = 0, put = 0, before, between;

    for (unsigned n = 0; n <= ROUNDS; n++) { /* the first load seals the VM */
        before = host_ticks();
        host_must(avc_vcpu_load(&t->vcpu[0], &test_pcpu[0]));
        between = host_ticks();
        host_must(avc_vcpu_put(&t->vcpu[0]));
        if (n) {
            load += between - before;
            put += host_ticks() - between;
        }
    }
    print_row("load", load);
    print_row("put", put);
}

/* After a first one, which gets the tables. */
static void map(struct test_vm *t, const char *mapped, const char *unmapped, uint64_t at, uint64_t size)
{
    uint64_t pa = (uintptr_t)t->ram & ~(BLOCK - 1), before;

    host_must(avc_stage2_map(&t->stage2, at, pa, size, AVC_RW));
    before = host_ticks();
    for (unsigned n = 1; n <= ROUNDS; n++)
        host_must(avc_stage2_map(&t->stage2, at + n * size, pa, size, AVC_RW));
    print_row(mapped, host_ticks() - before);
    before = host_ticks();
    for (unsigned n = 1; n <= ROUNDS; n++)
        host_must(avc_stage2_unmap(&t->stage2, at + n * size, size));
    print_row(unmapped, host_ticks() - before);
}

void host_rows(struct test_vm *t)
{
    map(t, "map_page", "unmap_page", PAGES, AVC_PAGE_SIZE);
    map(t, "map_block", "unmap_block", BLOCKS, BLOCK);
    load_put(t);
}
