/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* What boot/'s assembly and C share: register bits, the regime's registers, the linker's symbols. */
#ifndef VMM_BOOT_BOOT_H
#define VMM_BOOT_BOOT_H

#include "arch/hcr.h"
#include "arch/mmu.h"

/* struct vmm_mmu_regs, for assembly */
#define MMU_HCR  0
#define MMU_MAIR 16
#define MMU_TTBR 32

/* The first PL011 of QEMU's virt machine. It is used only for failures before the device tree was read. */
#define VMM_EARLY_UART 0x09000000

/* The part of .stacks that a CPU has: a page that is not mapped, the crash stack, another such page, the stack. */
#define VMM_CRASH_STACK_BASE 0x1000
#define VMM_CRASH_STACK_TOP  0x3000
#define VMM_STACK_BASE       0x4000
#define VMM_STACK_STRIDE     0xc000 /* as in vmm.ld */

#ifndef __ASSEMBLER__
#include <stdbool.h>
#include <stdint.h>

/** What a CPU loads to switch its translation on. */
struct vmm_mmu_regs {
    uint64_t hcr, cptr;
    uint64_t mair, tcr;
    uint64_t ttbr, sctlr;
};
extern struct vmm_mmu_regs vmm_mmu_regs;

/* vmm.ld */
extern char _start[], vmm_text_end[], vmm_rodata_start[], vmm_rodata_end[], vmm_data_start[];
extern char vmm_stacks_start[], vmm_stacks_end[], vmm_image_end[];

extern char vmm_vectors[];
void vmm_secondary_entry(void);
void vmm_mmu_switch(const struct vmm_mmu_regs *regs);

/* mmu.c */
enum vmm_map_kind { VMM_MAP_TEXT, VMM_MAP_RODATA, VMM_MAP_DATA, VMM_MAP_DEVICE };

/** Maps the image and the device tree. It is called with the MMU off. */
void vmm_mmu_early(uint64_t fdt);
/** Adds [base, base + size) to EL2's identity map, in whole pages. What is mapped already stays as it is. */
void vmm_map(uint64_t base, uint64_t size, enum vmm_map_kind kind);
/** Makes the boot CPU, and those started later, go on with E2H,TGE=1,1 (or 0,0). Returns false if this CPU cannot do
    that. */
bool vmm_mmu_set_vhe(bool on);

/* trap.c */
struct vmm_cpu;
void vmm_backtrace(uint64_t pc, uint64_t fp);

/* main.c and kern/smp.c */
_Noreturn void vmm_main(uint64_t fdt);
_Noreturn void vmm_secondary_main(struct vmm_cpu *cpu);
#endif

#endif
