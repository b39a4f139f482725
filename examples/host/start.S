/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Entry by the arm64 boot protocol (Documentation/arch/arm64/booting.rst of Linux): at EL2, MMU and data cache off, the
 * image clean to the point of coherency. The link defines host_e2h as an absolute symbol. 1 asks for a kernel with
 * HCR_EL2.{E2H,TGE} = {1,1}, if the CPU has FEAT_VHE.
 */
    .section .head, "ax"
    .globl _start
_start:
    b entry
    .long 0
    .quad 0                     /* text_offset */
    .quad _image_size
    .quad 0xa                   /* little endian, 4 KiB pages, anywhere */
    .quad 0, 0, 0
    .ascii "ARM\x64"
    .long 0

    .text
entry:
    mrs x1, mpidr_el1
    and x1, x1, #7
    mov x19, x1
    mov x20, #0
    b common
    .globl host_secondary       /* PSCI CPU_ON enters here: x0 is the function */
host_secondary:
    mrs x1, mpidr_el1
    and x19, x1, #7
    mov x20, x0
common:
    msr daifset, #15
    msr spsel, #1
    adrp x0, host_stacks
    add x0, x0, :lo12:host_stacks
    add x1, x19, #1
    add x0, x0, x1, lsl #14     /* 16 KiB each */
    mov sp, x0
    adrp x0, host_vectors
    add x0, x0, :lo12:host_vectors
    msr vbar_el2, x0

    mov x0, #(1 << 31)          /* HCR_EL2.RW */
    orr x0, x0, #(1 << 4)       /* IMO: otherwise EL2 takes no IRQ if TGE is 0 (Arm ARM D1.3.6) */
    adrp x1, host_table
    add x1, x1, :lo12:host_table
    movz x2, #0x3519            /* TCR_EL2: 39 bits, write-back, inner shareable, 4 KiB; E2H = 0 */
    movk x2, #0x8082, lsl #16   /* RES1, PS: 40 bits */
    mov x3, #0x33ff             /* CPTR_EL2: nothing traps */
    ldr x4, =host_e2h
    cbz x4, 1f
    mrs x4, s3_0_c0_c7_1        /* ID_AA64MMFR1_EL1.VH */
    tst x4, #(0xf << 8)
    b.eq 1f
    mov x4, #(1 << 34)          /* E2H; TGE is bit 27 */
    orr x0, x0, x4
    orr x0, x0, #(1 << 27)
    movz x2, #0x3519            /* TCR_EL2 as TCR_EL1: EPD1, IPS: 40 bits */
    movk x2, #0x0080, lsl #16
    movk x2, #0x0002, lsl #32
    mov x3, #(3 << 20)          /* CPTR_EL2.FPEN */
1:  msr hcr_el2, x0
    isb
    msr cptr_el2, x3
    msr tcr_el2, x2
    msr ttbr0_el2, x1
    mov x3, #0x04ff             /* MAIR: 0 write-back, 1 Device-nGnRE */
    msr mair_el2, x3
    mrs x3, id_aa64pfr0_el1     /* GIC system registers, if there are any */
    tst x3, #(0xf << 24)
    b.eq 2f
    mov x3, #0xf
    msr s3_4_c12_c9_5, x3       /* ICC_SRE_EL2: SRE, DFB, DIB, Enable */
2:  tlbi alle2
    dsb nsh
    isb
    ldr x3, =0x30c51835 & ~0x80000 /* SCTLR_EL2: RES1, M, C, I, SA; little endian; not WXN: one map for all */
    msr sctlr_el2, x3
    isb
    cbnz x20, 3f
    adrp x0, __bss_start        /* with caches on, so that other CPUs see the zeros */
    add x0, x0, :lo12:__bss_start
    adrp x1, __bss_end
    add x1, x1, :lo12:__bss_end
4:  cmp x0, x1
    b.hs 5f
    stp xzr, xzr, [x0], #16
    b 4b
5:  mov x29, xzr
    bl host_main
    bl host_off
3:  mov x0, x19
    mov x29, xzr
    blr x20
6:  wfi
    b 6b

/* ---- vectors: a report before the end, and a hook for interrupts ---- */
    .balign 0x800
host_vectors:
    .rept 4
    .balign 0x80
    mov x0, #0
    b fatal
    .endr
    .balign 0x80
    mov x0, #4
    b fatal
    .balign 0x80
    b interrupt
    .balign 0x80
    b interrupt
    .balign 0x80
    mov x0, #7
    b fatal
    .rept 8
    .balign 0x80
    mov x0, #8
    b fatal
    .endr
    .balign 0x80
fatal:
    mrs x1, esr_el2
    mrs x2, elr_el2
    mrs x3, far_el2
    bl host_fatal
interrupt:
    stp x29, x30, [sp, #-192]!
    stp x0, x1, [sp, #16]
    stp x2, x3, [sp, #32]
    stp x4, x5, [sp, #48]
    stp x6, x7, [sp, #64]
    stp x8, x9, [sp, #80]
    stp x10, x11, [sp, #96]
    stp x12, x13, [sp, #112]
    stp x14, x15, [sp, #128]
    stp x16, x17, [sp, #144]
    mrs x0, elr_el2
    mrs x1, spsr_el2
    stp x0, x1, [sp, #160]
    str x18, [sp, #176]
    bl host_interrupt
    ldr x18, [sp, #176]
    ldp x0, x1, [sp, #160]
    msr elr_el2, x0
    msr spsr_el2, x1
    ldp x16, x17, [sp, #144]
    ldp x14, x15, [sp, #128]
    ldp x12, x13, [sp, #112]
    ldp x10, x11, [sp, #96]
    ldp x8, x9, [sp, #80]
    ldp x6, x7, [sp, #64]
    ldp x4, x5, [sp, #48]
    ldp x2, x3, [sp, #32]
    ldp x0, x1, [sp, #16]
    ldp x29, x30, [sp], #192
    eret

/* ---- the identity map: blocks of 1 GiB, the first Device-nGnRE and never executed ---- */
    .section .rodata
    .balign 4096
host_table:
    .quad 0x0060000000000405    /* block, AttrIndx 1, AF, XN (and PXN) */
    .set gib, 1
    .rept 511
    .quad 0x701 + (gib << 30)   /* block, AttrIndx 0, inner shareable, AF */
    .set gib, gib + 1
    .endr

    .section .noinit, "aw", %nobits
    .balign 16
host_stacks:
    .skip 8 << 14
