/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The reference hypervisor as its guest side sees it. It has everything that guest/ and dev/ use of the kernel below
 * them (boot/, board/, kern/), and the few functions that the kernel expects from them.
 *
 * The kernel's rule about interrupts: EL2 always runs with IRQs masked, except in the idle loop and in
 * vmm_irq_window(). So a spinlock is never held while an interrupt handler runs, and no function here has an "irqsave"
 * form.
 */
#ifndef VMM_H
#define VMM_H

#include <avc/avc.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "board/board.h" /* vmm_board: memory, modules, addresses; UARTs, GIC, timer, PSCI */
#include "boot/cpu.h"    /* barriers, cache maintenance, counter */
#include "kern/lock.h"   /* vmm_lock, vmm_unlock */
#include "kern/log.h"    /* vmm_log, vmm_panic, vmm_exit, vmm_snprintf */
#include "kern/pages.h"  /* vmm_pages_alloc, vmm_pages_free */
#include "kern/percpu.h" /* vmm_cpu_self */
#include "kern/sched.h"  /* vmm_task_..., vmm_sched_... */

/** Options of the hypervisor's own command line, /chosen/bootargs. */
struct vmm_options {
    unsigned cpus;      /* cpus=N: vCPUs of the guest; default 1 */
    uint64_t memory;    /* memory=MIB: of the guest, in bytes; default 512 MiB */
    uint64_t kernel_at; /* kernel-at=ADDRESS: the kernel's file is taken as it is, and goes there; default 0: not so */
    bool flash_vars;    /* flash-vars: the guest's second flash bank is the board's */
    bool host_vhe;      /* host-vhe=on|off: EL2 with E2H,TGE=1,1; default off */
    bool debug;         /* debug: also log VMM_DEBUG lines */
    const char *strace; /* strace[=NAME,NAME...]: the guest's system calls in the log; "": all; NULL: none */
    bool prefault;      /* prefault: all of the guest's memory mapped before its first instruction */
    bool stat;          /* stat: a table of exits when the guest has ended; see guest/stat.h */
    const char *selftest; /* selftest[=WHAT]: no guest; see kern/selftest.c */
};
extern struct vmm_options vmm_options;

/** One vCPU and how it is scheduled. Lives in memory of the guest side. */
struct vmm_vcpu {
    struct avc_vcpu vcpu;
    struct vmm_task task; /* vmm_task_init() before the first vmm_sched_wake() */
    uint64_t until;       /* CNTPCT_EL0 at which its wait ends by itself: the exit's value */
    uint64_t ready;       /* CNTPCT_EL0 from which on it could have run, as far as its last step knew; ~0: unknown */
    void *user;           /* for the guest side */
};

static inline struct vmm_vcpu *vmm_vcpu_of_task(struct vmm_task *task)
{
    return (struct vmm_vcpu *)((char *)task - offsetof(struct vmm_vcpu, task));
}

static inline struct vmm_vcpu *vmm_vcpu_of(struct avc_vcpu *vcpu)
{
    return (struct vmm_vcpu *)((char *)vcpu - offsetof(struct vmm_vcpu, vcpu));
}

/* ---- the kernel's, kern/hal.c ---- */

/** The machine and HAL of this hypervisor. Both are initialised, and enabled on every CPU, before vmm_guest_init().
    The HAL's wake() is vmm_sched_wake() of the task beside the vCPU, so every avc_vcpu must be in a struct vmm_vcpu. */
extern struct avc_machine vmm_machine;

/** Registers the guest side's handler of a shared physical interrupt. `fn` runs in interrupt context, on the boot
    CPU, before the interrupt is ended. `intid` is enabled. */
void vmm_irq_register(uint32_t intid, void (*fn)(void *ctx), void *ctx);

/** Takes the physical interrupts that are pending now. The caller holds no lock, and no vCPU is inside run. */
void vmm_irq_window(void);

/* ---- the guest side's, guest/ ---- */

/** Makes the VM, loads its images and wakes its first vCPU. It is called once, on the boot CPU, when all CPUs are up
    and enabled. Other CPUs already run their scheduler loops. It calls vmm_exit() if something cannot be done. */
void vmm_guest_init(void);

/** Runs a vCPU on this CPU: load, then run and answer exits until the vCPU has nothing to do or VMM_DUE_YIELD is
    set, then put. It is called with IRQs masked and returns so. It looks at vmm_sched_due() before each run. For
    VMM_STEP_BLOCK it has stored in *deadline the CNTPCT_EL0 at which the vCPU is to be woken, ~0 for never. */
enum vmm_step vmm_vcpu_step(struct vmm_cpu *cpu, struct vmm_vcpu *vv, uint64_t *deadline);

#endif
