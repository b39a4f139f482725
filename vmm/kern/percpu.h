/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * One CPU of the host. TPIDR_EL2 points at it. boot/start.S and boot/vectors.S know its first members by the offsets
 * below.
 */
#ifndef VMM_KERN_PERCPU_H
#define VMM_KERN_PERCPU_H

#define VMM_MAX_CPUS 8

#define VMM_CPU_STACK       0 /* offsets into struct vmm_cpu */
#define VMM_CPU_CRASH_STACK 8
#define VMM_CPU_FRAME       16
#define VMM_FRAME_SP        (31 * 8) /* offsets into struct vmm_frame */
#define VMM_FRAME_ELR       (32 * 8)
#define VMM_FRAME_ESR       (34 * 8)
#define VMM_FRAME_HPFAR     (36 * 8)
#define VMM_CPU_CRASHES     (VMM_CPU_FRAME + 37 * 8)

#ifndef __ASSEMBLER__
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What a fatal exception found in the registers. */
struct vmm_frame {
    uint64_t x[31], sp;
    uint64_t elr, spsr;
    uint64_t esr, far;
    uint64_t hpfar;
};

struct avc_pcpu;
struct vmm_vcpu;

struct vmm_cpu {
    uint64_t stack_top;
    uint64_t crash_stack_top;
    struct vmm_frame frame;
    uint64_t crashes;
    unsigned index;          /* 0: the boot CPU */
    uint64_t mpidr;          /* affinity fields of MPIDR_EL1 */
    void *gicr;              /* this CPU's redistributor */
    struct avc_pcpu *pcpu;   /* the library's object of this CPU */
    struct vmm_vcpu *loaded; /* the vCPU that the step has loaded, or NULL; only this CPU uses it */
    _Atomic bool up;         /* takes interrupts and runs its scheduler loop */
    _Atomic uint32_t pokes;  /* scheduler SGIs taken */
    _Atomic uint32_t ticks;  /* timer interrupts taken */
};

_Static_assert(offsetof(struct vmm_cpu, stack_top) == VMM_CPU_STACK, "start.S");
_Static_assert(offsetof(struct vmm_cpu, crash_stack_top) == VMM_CPU_CRASH_STACK, "vectors.S");
_Static_assert(offsetof(struct vmm_cpu, frame) == VMM_CPU_FRAME, "vectors.S");
_Static_assert(offsetof(struct vmm_frame, sp) == VMM_FRAME_SP, "vectors.S");
_Static_assert(offsetof(struct vmm_frame, elr) == VMM_FRAME_ELR, "vectors.S");
_Static_assert(offsetof(struct vmm_frame, esr) == VMM_FRAME_ESR, "vectors.S");
_Static_assert(offsetof(struct vmm_frame, hpfar) == VMM_FRAME_HPFAR, "vectors.S");
_Static_assert(offsetof(struct vmm_cpu, crashes) == VMM_CPU_CRASHES, "vectors.S");

extern struct vmm_cpu vmm_cpus[VMM_MAX_CPUS];
extern unsigned vmm_nr_cpus; /* those in use; one that did not start is not `up` */

/** Starts the other CPUs by PSCI and waits until they are up. A CPU that does not come is logged and left out. */
void vmm_smp_start(void);

/** Sets up a CPU's GIC and timer. Its MMU is on and its vectors are in place. */
void vmm_cpu_init(struct vmm_cpu *cpu);

#endif
#endif
