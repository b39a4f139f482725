/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The CPUs: what each sets up for itself, and how the boot CPU starts the others. */
#include <stdatomic.h>

#include "boot/boot.h"
#include "kern/hal.h"
#include "vmm.h"

struct vmm_cpu vmm_cpus[VMM_MAX_CPUS] __attribute__((aligned(64)));
unsigned vmm_nr_cpus = 1;

#define START_TIMEOUT_MS 2000

void vmm_cpu_init(struct vmm_cpu *cpu)
{
    cpu->mpidr = vmm_board.mpidr[cpu->index];
    vmm_icache_probe();
    vmm_gic_cpu_init(cpu);
    vmm_timer_init();
    vmm_pcpu_enable(cpu);
    atomic_store_explicit(&cpu->up, true, memory_order_release);
}

/* Called from boot/start.S: the MMU is on, and the CPU has its own stack and vectors. */
_Noreturn void vmm_secondary_main(struct vmm_cpu *cpu)
{
    vmm_cpu_init(cpu);
    vmm_sched_loop();
}

static void start(unsigned index)
{
    struct vmm_cpu *cpu = &vmm_cpus[index];
    char *slot = vmm_stacks_start + index * VMM_STACK_STRIDE;
    uint64_t limit;
    int64_t answer;

    cpu->index = index;
    cpu->stack_top = (uintptr_t)slot + VMM_STACK_STRIDE;
    cpu->crash_stack_top = (uintptr_t)slot + VMM_CRASH_STACK_TOP;
    /* The CPU reads this with its MMU off. It reads the rest of struct vmm_cpu with caches on, through the same
       translation as the boot CPU. */
    vmm_dcache_clean(&vmm_mmu_regs, sizeof(vmm_mmu_regs));
    answer = vmm_psci_cpu_on(vmm_board.mpidr[index], (uintptr_t)vmm_secondary_entry, (uintptr_t)cpu);
    if (answer) {
        vmm_log(VMM_WARN, "CPU with MPIDR %lx: PSCI CPU_ON says %ld; left out", vmm_board.mpidr[index], answer);
        return;
    }
    limit = vmm_time_now() + vmm_time_from_ms(START_TIMEOUT_MS);
    while (!atomic_load_explicit(&cpu->up, memory_order_acquire)) {
        if (vmm_time_now() > limit) {
            vmm_log(VMM_WARN, "CPU with MPIDR %lx was started but does not come up; left out", vmm_board.mpidr[index]);
            return;
        }
        vmm_cpu_relax();
    }
}

void vmm_smp_start(void)
{
    vmm_nr_cpus = vmm_board.nr_cpus;
    for (unsigned i = 1; i < vmm_nr_cpus; i++)
        start(i);
}
