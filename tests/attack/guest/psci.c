/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Calls to firmware from all hostile vCPUs at once: random functions and arguments, by HVC and SMC, and CPU_ON, CPU_OFF
 * and CPU_SUSPEND against each other. A vCPU that is off is switched on by whoever comes first, the monitor included.
 */
#include "attack.h"

extern char _start[];

#define SUCCESS         0
#define NOT_SUPPORTED   (-1)
#define ALREADY_ON      (-4)
#define ON_PENDING      (-5)
#define INVALID_ADDRESS (-9)

static uint64_t id_of(struct cell *cell)
{
    uint64_t id;

    switch (below(cell, 8)) {
    case 0:
        return rnd(cell);
    case 1:
        id = 0x80000000 | below(cell, 0x20) | (rnd(cell) & 1) << 30; /* SMCCC */
        break;
    case 2:
        id = 0x80008000 | below(cell, 8) | (rnd(cell) & 1) << 30 | (once_in(cell, 2) ? 0x7ff0 : 0);
        break;
    case 3:
        id = 0x84000050 | below(cell, 8) | (rnd(cell) & 1) << 30; /* TRNG */
        break;
    case 4:
        id = 0x80000000 | (rnd(cell) & 0x7f00ffff);
        break;
    default:
        id = 0x84000000 | below(cell, 0x20) | (rnd(cell) & 1) << 30; /* PSCI */
    }
    return once_in(cell, 16) ? id | (rnd(cell) << 32) : id;
}

/* SYSTEM_OFF, SYSTEM_RESET, SYSTEM_SUSPEND, MEM_PROTECT's neighbour SYSTEM_RESET2: they end the run. CPU_OFF and
   CPU_SUSPEND have cases of their own. */
static bool ends(uint64_t id)
{
    uint32_t f = (uint32_t)id & 0xbfffffff;

    return f == 0x84000008 || f == 0x84000009 || f == 0x84000012 || f == 0x84000002 || f == 0x84000001;
}

/* SMCCC 1.1: X4 to X17 come back as they were, whatever was called. */
static int64_t call(struct cell *cell, uint64_t id, uint64_t a1, uint64_t a2, uint64_t a3)
{
    uint64_t pattern = rnd(cell), r[14];
    register uint64_t x0 __asm__("x0") = id;
    register uint64_t x1 __asm__("x1") = a1;
    register uint64_t x2 __asm__("x2") = a2;
    register uint64_t x3 __asm__("x3") = a3;
    register uint64_t x4 __asm__("x4") = pattern;
    register uint64_t x7 __asm__("x7") = pattern + 7;
    register uint64_t x12 __asm__("x12") = pattern + 12;
    register uint64_t x17 __asm__("x17") = pattern + 17;

    if (pattern & 1)
        __asm__ volatile("hvc #0"
                         : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3), "+r"(x4), "+r"(x7), "+r"(x12), "+r"(x17)::"memory");
    else
        __asm__ volatile("smc #0"
                         : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3), "+r"(x4), "+r"(x7), "+r"(x12), "+r"(x17)::"memory");
    r[0] = x4 - pattern, r[1] = x7 - pattern, r[2] = x12 - pattern, r[3] = x17 - pattern;
    if (r[0] != 0 || r[1] != 7 || r[2] != 12 || r[3] != 17)
        fail("a call has changed X4 to X17", id, r[0] | r[1] << 8 | r[2] << 16 | r[3] << 24);
    return (int64_t)x0;
}

static uint64_t entry_of(struct cell *cell)
{
    switch (below(cell, 8)) {
    case 0:
        return rnd(cell);
    case 1:
        return HOLE;
    case 2:
        return (uintptr_t)_start | 1;
    case 3:
        return BEYOND;
    default:
        return (uintptr_t)_start;
    }
}

static void cpu_on(struct cell *cell)
{
    uint64_t target = below(cell, options.cpus), entry = entry_of(cell);
    int64_t got;

    if (once_in(cell, 8))
        target = rnd(cell);
    got = call(cell, 0xc4000003, target, entry, rnd(cell));
    if (target < 2 && entry == (uintptr_t)_start && got != ALREADY_ON)
        fail("CPU_ON of a CPU that is on", (uint64_t)got, (uint64_t)ALREADY_ON);
    if (got == SUCCESS && (entry != (uintptr_t)_start || target >= options.cpus))
        fail("CPU_ON with impossible arguments", target, entry);
}

static void round(unsigned cpu, struct cell *cell)
{
    uint64_t id;

    switch (below(cell, 16)) {
    case 0:
        if (once_in(cell, 4))
            guest_hvc(0x84000002, 0, 0, 0, NULL); /* CPU_OFF: goes on at _start */
        break;
    case 1:
    case 2:
    case 3:
        cpu_on(cell);
        break;
    case 4: /* CPU_SUSPEND: standby; power-down, which goes on at _start; what is invalid */
        timer_in(1 + below(cell, 50));
        id = once_in(cell, 2) ? 0 : once_in(cell, 2) ? 0x00010000 : rnd(cell);
        call(cell, 0xc4000001, id, (uintptr_t)_start, 0);
        guest_irq_unmask();
        guest_irq_mask();
        break;
    case 5: {
        int64_t got = call(cell, 0xc4000004, below(cell, options.cpus), 0, 0); /* AFFINITY_INFO */

        if (got < 0 || got > 2)
            fail("AFFINITY_INFO", (uint64_t)got, 0);
        break;
    }
    case 6:
        if (call(cell, 0x84000000, rnd(cell), rnd(cell), rnd(cell)) != 0x10001)
            fail("PSCI_VERSION", 0, 0x10001);
        break;
    default:
        id = id_of(cell);
        if (!ends(id) && (id & 0xbfffffff) != 0x84000003)
            call(cell, id, once_in(cell, 2) ? below(cell, 16) | 0x84000000 : rnd(cell), rnd(cell), rnd(cell));
    }
}

const struct attack attack_psci = { "psci", NULL, round, false };
