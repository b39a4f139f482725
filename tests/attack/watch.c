/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * A plugin for QEMU that ends it after so many instructions, over all CPUs: limit=N. So a hypervisor that hangs is
 * found by what was executed, and not by the time of a machine that may be busy. It says how much each CPU has
 * executed, and where its last blocks were.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "qemu_plugin.h"

#define MAX_CPUS 8
#define LAST     16 /* blocks that are remembered */

int qemu_plugin_version = PLUGIN_VERSION;

/* Each CPU writes its own only. */
static struct {
    _Alignas(64) volatile uint64_t executed;
    volatile uint64_t at[LAST], next;
} cpus[MAX_CPUS];
static uint64_t limit;

/* A block of the guest's code, as long as QEMU runs. */
struct block {
    uint64_t at;
    unsigned instructions;
};

static uint64_t total(void)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < MAX_CPUS; i++)
        sum += cpus[i].executed;
    return sum;
}

static void tell(void)
{
    for (unsigned cpu = 0; cpu < MAX_CPUS; cpu++) {
        if (!cpus[cpu].executed)
            continue;
        fprintf(stderr, "attack: CPU %u: %llu instructions, at last at", cpu, (unsigned long long)cpus[cpu].executed);
        for (unsigned n = 1; n <= LAST; n++)
            fprintf(stderr, " %llx", (unsigned long long)cpus[cpu].at[(cpus[cpu].next - n) % LAST]);
        fputc('\n', stderr);
    }
}

/* A CPU looks at the sum whenever it has executed about 2^20 more. */
static void executed(unsigned cpu, void *data)
{
    const struct block *block = data;
    unsigned n = cpu % MAX_CPUS;
    uint64_t before = cpus[n].executed, after = before + block->instructions;

    cpus[n].executed = after;
    cpus[n].at[cpus[n].next++ % LAST] = block->at;
    if (before >> 20 != after >> 20 && total() > limit) {
        fprintf(stderr, "attack: hang: more than %llu instructions\n", (unsigned long long)limit);
        tell();
        _exit(70);
    }
}

static void translated(uint64_t id, void *tb)
{
    struct block *block = malloc(sizeof(*block));

    if (!block)
        abort();
    *block = (struct block){ qemu_plugin_tb_vaddr(tb), (unsigned)qemu_plugin_tb_n_insns(tb) };
    qemu_plugin_register_vcpu_tb_exec_cb(tb, executed, PLUGIN_NO_REGISTERS, block);
}

static void ended(uint64_t id, void *data)
{
    fprintf(stderr, "attack: executed %llu\n", (unsigned long long)total());
}

int qemu_plugin_install(uint64_t id, const struct plugin_info *info, int argc, char **argv)
{
    limit = ~UINT64_C(0);
    for (int i = 0; i < argc; i++)
        if (!strncmp(argv[i], "limit=", 6))
            limit = strtoull(argv[i] + 6, NULL, 10);
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_atexit_cb(id, ended, NULL);
    return 0;
}
