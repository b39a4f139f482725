/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * A plugin for QEMU that ends it after so many instructions, over all CPUs: limit=N. So a hypervisor that hangs is
 * found by what was executed, and not by the time of a machine that may be busy.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "qemu_plugin.h"

#define MAX_CPUS 8

int qemu_plugin_version = PLUGIN_VERSION;

/* Each CPU writes its own only. */
static struct {
    _Alignas(64) volatile uint64_t executed;
} cpus[MAX_CPUS];
static uint64_t limit;

static uint64_t total(void)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < MAX_CPUS; i++)
        sum += cpus[i].executed;
    return sum;
}

/* A CPU looks at the sum whenever it has executed about 2^20 more. */
static void executed(unsigned cpu, void *data)
{
    uint64_t before = cpus[cpu % MAX_CPUS].executed, after = before + (uintptr_t)data;

    cpus[cpu % MAX_CPUS].executed = after;
    if (before >> 20 != after >> 20 && total() > limit) {
        fprintf(stderr, "attack: hang: more than %llu instructions\n", (unsigned long long)limit);
        _exit(70);
    }
}

static void translated(uint64_t id, void *block)
{
    qemu_plugin_register_vcpu_tb_exec_cb(block, executed, PLUGIN_NO_REGISTERS,
                                         (void *)(uintptr_t)qemu_plugin_tb_n_insns(block));
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
