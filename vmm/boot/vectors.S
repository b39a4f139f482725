/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * EL2's exception vectors while no guest runs (the library brings its own for that). An IRQ is taken on the current
 * stack, in the idle loop or a window. Anything else is a bug of the hypervisor: it is reported in full and ends the
 * machine.
 */
#include "boot/boot.h"
#include "kern/percpu.h"

/* A fatal exception stores all registers in struct vmm_cpu and goes on with the crash stack, because SP itself may
   be broken. It needs one register before it has a place to store one. It destroys TPIDRRO_EL0 for that. */
	.macro	fatal number
	.balign	0x80
	msr	tpidrro_el0, x0
	mrs	x0, tpidr_el2
	str	x1, [x0, #(VMM_CPU_FRAME + 8)]
	mov	x1, #\number
	b	fatal_common
	.endm

	.section .text.vectors, "ax"
	.balign	0x800
	.global	vmm_vectors
vmm_vectors:
	fatal	0			/* current EL with SP_EL0 */
	fatal	1
	fatal	2
	fatal	3
	fatal	4			/* current EL with SP_EL2: synchronous */
	.balign	0x80
	sub	sp, sp, #192		/* IRQ */
	stp	x0, x1, [sp, #16]
	stp	x2, x3, [sp, #32]
	stp	x4, x5, [sp, #48]
	stp	x6, x7, [sp, #64]
	stp	x8, x9, [sp, #80]
	stp	x10, x11, [sp, #96]
	stp	x12, x13, [sp, #112]
	b	irq_rest
	fatal	6			/* FIQ */
	fatal	7			/* SError */
	fatal	8			/* lower EL, AArch64: no guest may be running under these vectors */
	fatal	9
	fatal	10
	fatal	11
	fatal	12			/* lower EL, AArch32 */
	fatal	13
	fatal	14
	fatal	15

irq_rest:
	stp	x14, x15, [sp, #128]
	stp	x16, x17, [sp, #144]
	mrs	x0, elr_el2
	mrs	x1, spsr_el2
	stp	x18, x0, [sp, #160]
	str	x1, [sp, #176]
	stp	x29, x30, [sp]		/* a frame record, for backtraces through an interrupt */
	mov	x29, sp
	bl	vmm_irq_dispatch
	ldr	x1, [sp, #176]
	ldp	x18, x0, [sp, #160]
	msr	elr_el2, x0
	msr	spsr_el2, x1
	ldp	x16, x17, [sp, #144]
	ldp	x14, x15, [sp, #128]
	ldp	x12, x13, [sp, #112]
	ldp	x10, x11, [sp, #96]
	ldp	x8, x9, [sp, #80]
	ldp	x6, x7, [sp, #64]
	ldp	x4, x5, [sp, #48]
	ldp	x2, x3, [sp, #32]
	ldp	x0, x1, [sp, #16]
	ldp	x29, x30, [sp]
	add	sp, sp, #192
	eret
	dsb	nsh			/* no speculation past the ERET */
	isb

fatal_common:				/* x0: struct vmm_cpu; x1: vector */
	stp	x2, x3, [x0, #(VMM_CPU_FRAME + 2 * 8)]
	stp	x4, x5, [x0, #(VMM_CPU_FRAME + 4 * 8)]
	stp	x6, x7, [x0, #(VMM_CPU_FRAME + 6 * 8)]
	stp	x8, x9, [x0, #(VMM_CPU_FRAME + 8 * 8)]
	stp	x10, x11, [x0, #(VMM_CPU_FRAME + 10 * 8)]
	stp	x12, x13, [x0, #(VMM_CPU_FRAME + 12 * 8)]
	stp	x14, x15, [x0, #(VMM_CPU_FRAME + 14 * 8)]
	stp	x16, x17, [x0, #(VMM_CPU_FRAME + 16 * 8)]
	stp	x18, x19, [x0, #(VMM_CPU_FRAME + 18 * 8)]
	stp	x20, x21, [x0, #(VMM_CPU_FRAME + 20 * 8)]
	stp	x22, x23, [x0, #(VMM_CPU_FRAME + 22 * 8)]
	stp	x24, x25, [x0, #(VMM_CPU_FRAME + 24 * 8)]
	stp	x26, x27, [x0, #(VMM_CPU_FRAME + 26 * 8)]
	stp	x28, x29, [x0, #(VMM_CPU_FRAME + 28 * 8)]
	mov	x2, sp
	stp	x30, x2, [x0, #(VMM_CPU_FRAME + 30 * 8)]
	mrs	x2, tpidrro_el0
	str	x2, [x0, #VMM_CPU_FRAME]
	mrs	x2, elr_el2
	mrs	x3, spsr_el2
	stp	x2, x3, [x0, #(VMM_CPU_FRAME + VMM_FRAME_ELR)]
	mrs	x2, esr_el2
	mrs	x3, far_el2
	stp	x2, x3, [x0, #(VMM_CPU_FRAME + VMM_FRAME_ESR)]
	mrs	x2, hpfar_el2
	str	x2, [x0, #(VMM_CPU_FRAME + VMM_FRAME_HPFAR)]
	ldr	x2, [x0, #VMM_CPU_CRASHES]
	add	x2, x2, #1
	str	x2, [x0, #VMM_CPU_CRASHES]
	msr	spsel, #1		/* vectors 0-3 came with SP_EL0 */
	ldr	x3, [x0, #VMM_CPU_CRASH_STACK]
	mov	sp, x3
	mov	x29, xzr
	mov	x30, xzr
	cmp	x2, #2			/* the report itself has failed twice: power off in silence */
	b.hi	1f
	bl	vmm_trap_fatal
1:	bl	vmm_psci_system_off

	.section .note.GNU-stack, "", %progbits
