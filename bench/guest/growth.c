/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The guest of bench/growth.c: operations whose cost must not depend on what else there is. */
#include "bench.h"
#include "code.h"

#define AFFINITY_INFO 0xc4000004

/* svc.S */
uint64_t bench_svc(uint64_t number, uint64_t rounds);

/* vectors.S needs it. This guest takes no interrupts. */
void bench_irq(void)
{
}

#define SVC_ROUNDS 1000

static void call(const char *family, const char *member, uint64_t id, uint64_t arg)
{
    const struct op op = op_call(HVC, id, arg);

    measure(family, member, &op);
}

static void load(const char *family, const char *member, uint64_t address)
{
    const struct op op = op_access(LDR_W, 0, address, 0);

    measure(family, member, &op);
}

static void read(const char *family, const char *member, uint32_t sysreg)
{
    const struct op op = { .insn = { MRS(sysreg, 0) } };

    measure(family, member, &op);
}

int guest_main(unsigned cpu)
{
    guest_printf("frequency\t%lu\n", READ("cntfrq_el0"));
    code_init();
    call("flat", "PSCI_VERSION", 0x84000000, 0);
    call("flat", "call, the first claim", GROWTH_CALLS, 0);
    read("flat", "ID_AA64PFR0_EL1", SYSREG(0, 0, 4, 0));
    read("flat", "system register, the first claim", SYSREG(0, 11, 0, 0));
    load("flat", "GICD_TYPER", GUEST_DIST + 4);
    load("flat", "device, the first claim", GROWTH_DEVICES + 0x18);
    call("search", "unknown id", 0x86000040, 0);
    call("search", "call, the last claim", guest_hvc(GROWTH_LAST_CALL, 0, 0, 0, NULL), 0);
    call("search", "AFFINITY_INFO of the last vCPU", AFFINITY_INFO, guest_hvc(GROWTH_LAST_VCPU, 0, 0, 0, NULL));
    read("search", "system register, the last claim", SYSREG(7, 15, 15, 7));
    if (guest_hvc(GROWTH_SVC, 0, 0, 0, NULL)) { /* the CPU can trap system calls */
        uint64_t last = guest_hvc(GROWTH_LAST_SVC, 0, 0, 0, NULL);

        print_row("search", "system call, the first claim", bench_svc(0, SVC_ROUNDS), SVC_ROUNDS);
        print_row("search", "system call, the last claim", bench_svc(last, SVC_ROUNDS), SVC_ROUNDS);
    }
    load("search", "device, half a page", GROWTH_LAST_DEVICE + 0x18);
    return 0;
}
