/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The first instructions: the arm64 Image header, the code that takes the boot CPU and the other CPUs from the loader
 * (EL2, MMU off) to C with the MMU on, and the switch between E2H=0 and E2H=1.
 *
 * Two rules shape it. First, with the MMU off every data access is to Device memory (DDI 0487, D8.2.12 "stage 1
 * translation disabled"). It must be aligned, and it bypasses the data cache. So the cache has no valid copy of what
 * was written then, and an old line at that address must not be hit later. The image is cleaned and invalidated before
 * the first store. What was stored is invalidated again before the cache is switched on. Second, a CPU that switches
 * translation on or off does so with values that are already in registers, at an address that maps to itself.
 */
#include "boot/boot.h"
#include "kern/percpu.h"

	.section .head.text, "ax"

/* Linux, Documentation/arch/arm64/booting: text_offset 0 and flag bit 3 (anywhere in memory, 2 MiB aligned). QEMU
   puts such an image 2 MiB above the start of RAM, because its own first instructions are at the start. The image
   is linked for that address. */
	.global _start
_start:
	b	boot_cpu
	.long	0
	.quad	0			/* text_offset */
	.quad	vmm_image_size
	.quad	(1 << 3) | (1 << 1)	/* placement anywhere, 4 KiB pages, little-endian */
	.quad	0, 0, 0
	.ascii	"ARM\x64"
	.long	0

/* EL2's controls while no guest runs. EL2 takes the interrupts. With E2H and TGE both 1 it would do so anyway. */
#define HOST_HCR	(HCR_RW | HCR_AMO | HCR_IMO | HCR_FMO)

	.macro	mov64 reg, value
	movz	\reg, #((\value) & 0xffff)
	movk	\reg, #(((\value) >> 16) & 0xffff), lsl #16
	movk	\reg, #(((\value) >> 32) & 0xffff), lsl #32
	movk	\reg, #(((\value) >> 48) & 0xffff), lsl #48
	.endm

	.macro	addr reg, symbol
	adrp	\reg, \symbol
	add	\reg, \reg, :lo12:\symbol
	.endm

/* Does op for every cache line of [x0, x1). Clobbers x0, x2, x3. CTR_EL0.DminLine is the log2 of a line's words. */
	.macro	dcache op
	mrs	x2, ctr_el0
	ubfx	x2, x2, #16, #4
	mov	x3, #4
	lsl	x3, x3, x2
	sub	x2, x3, #1
	bic	x0, x0, x2
1:	dc	\op, x0
	add	x0, x0, x3
	cmp	x0, x1
	b.lo	1b
	dsb	sy
	.endm

boot_cpu:
	msr	daifset, #15
	mrs	x1, CurrentEL
	cmp	x1, #(2 << 2)
	b.ne	not_at_el2
	mov	x20, x0			/* the device tree */
	adr	x1, _start
	ldr	x2, =_start		/* the linked address */
	cmp	x1, x2
	b.ne	not_where_linked

	addr	x19, vmm_cpus
	msr	tpidr_el2, x19
	bl	init_el2

	addr	x0, _start		/* no line, stale or dirty, over what is written next */
	addr	x1, vmm_image_end
	dcache	civac

	addr	x0, vmm_bss_start
	addr	x1, vmm_bss_end
1:	stp	xzr, xzr, [x0], #16
	cmp	x0, x1
	b.lo	1b

	addr	x1, vmm_stacks_start	/* the first CPU's stacks */
	mov	x2, #VMM_STACK_STRIDE
	add	x2, x1, x2
	str	x2, [x19, #VMM_CPU_STACK]
	mov	x3, #VMM_CRASH_STACK_TOP
	add	x3, x1, x3
	str	x3, [x19, #VMM_CPU_CRASH_STACK]
	mov	sp, x2
	mov	x29, xzr
	mov	x30, xzr

	mov	x0, x20
	bl	vmm_mmu_early		/* fills vmm_mmu_regs */

	addr	x0, vmm_written_start
	addr	x1, vmm_image_end
	dcache	ivac

	addr	x0, vmm_mmu_regs
	bl	mmu_on
	msr	daifclr, #4		/* from here an SError is fatal */
	mov	x0, x20
	bl	vmm_main
	bl	vmm_psci_system_off	/* not reached: vmm_main is _Noreturn */

/* Another CPU. PSCI CPU_ON enters with x0 = its struct vmm_cpu, MMU off, its own caches invalid (DEN0022, 6.4). It
   reads only vmm_mmu_regs before its MMU is on. The boot CPU has cleaned that to the point of coherency. */
	.global	vmm_secondary_entry
vmm_secondary_entry:
	msr	daifset, #15
	mov	x19, x0
	mrs	x1, CurrentEL
	cmp	x1, #(2 << 2)
	b.ne	2f			/* the boot CPU reports that this one did not come */
	bl	init_el2
	msr	tpidr_el2, x19
	addr	x0, vmm_mmu_regs
	bl	mmu_on
	ldr	x0, [x19, #VMM_CPU_STACK]
	mov	sp, x0
	mov	x29, xzr
	mov	x30, xzr
	msr	daifclr, #4
	mov	x0, x19
	bl	vmm_secondary_main
2:	wfi
	b	2b

/* Sets up EL2 before translation is on, with E2H=0 if the CPU can do that. Clobbers x1-x3. */
init_el2:
	mov64	x1, SCTLR_EL2_RES1	/* MMU and caches off; reset values are UNKNOWN for most of the rest */
	msr	sctlr_el2, x1
	isb
	mov64	x1, HOST_HCR
	msr	hcr_el2, x1
	isb
	mrs	x2, hcr_el2		/* E2H reads as 1 where FEAT_E2H0 is not implemented; then TGE goes with it */
	tbz	x2, #34, 1f
	orr	x1, x1, #HCR_E2H
	orr	x1, x1, #HCR_TGE
	msr	hcr_el2, x1
	isb
1:	addr	x2, vmm_vectors
	msr	vbar_el2, x2
	mov	x2, #1
	msr	spsel, x2
	isb
	ret

/* Switches translation on. x0: struct vmm_mmu_regs. Clobbers x1-x7. */
mmu_on:
	ldp	x1, x2, [x0, #MMU_HCR]
	ldp	x3, x4, [x0, #MMU_MAIR]
	ldp	x5, x6, [x0, #MMU_TTBR]
mmu_on_regs:
	tlbi	alle2			/* of the regime of the old HCR */
	dsb	nsh
	msr	hcr_el2, x1
	isb
	msr	cptr_el2, x2		/* its layout depends on E2H: after the ISB */
	msr	mair_el2, x3
	msr	tcr_el2, x4
	msr	ttbr0_el2, x5
	isb
	tlbi	alle2			/* and of the new one (D8.16 "TLBI ALLE2": EL2 or EL2&0 by E2H) */
	ic	iallu
	dsb	nsh
	isb
	msr	sctlr_el2, x6
	isb
	ret

/* void vmm_mmu_switch(const struct vmm_mmu_regs *): switches this CPU to another regime, E2H included, with no
   memory access between off and on. IRQs are masked. */
	.global	vmm_mmu_switch
vmm_mmu_switch:
	ldp	x1, x2, [x0, #MMU_HCR]
	ldp	x3, x4, [x0, #MMU_MAIR]
	ldp	x5, x6, [x0, #MMU_TTBR]
	dsb	sy			/* tables written before are seen by the walk */
	mrs	x7, sctlr_el2
	bic	x7, x7, #SCTLR_M
	msr	sctlr_el2, x7
	isb
	b	mmu_on_regs

/* ---- the machine cannot be used: say so at QEMU's first UART of the virt machine, and stop ---- */

say:	mov64	x1, VMM_EARLY_UART
1:	ldrb	w2, [x0], #1
	cbz	w2, 2f
	str	w2, [x1]
	b	1b
2:	ret

not_where_linked:
	adr	x0, text_where
	bl	say
	mov64	x0, 0x84000008		/* PSCI SYSTEM_OFF */
	smc	#0
	b	3f

not_at_el2:				/* x1: CurrentEL */
	mov	x19, x1
	adr	x0, text_el
	bl	say
	cmp	x19, #(1 << 2)
	b.ne	3f			/* at EL3 there is no firmware that powers off */
	mov64	x0, 0x84000008
	hvc	#0
3:	wfi
	b	3b

text_el:
	.asciz	"vmm: exit 1: not entered at EL2; QEMU: -M virt,virtualization=on, and no secure=on without firmware\n"
text_where:
	.asciz	"vmm: exit 1: not loaded at the address it is linked for, 0x40200000\n"
	.balign	8
	.ltorg

	.section .note.GNU-stack, "", %progbits
