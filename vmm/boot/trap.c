/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Reports a fatal exception of EL2, so that its cause can be found: registers, what the syndrome means, and the calls.
 */
#include "arch/esr.h"
#include "boot/boot.h"
#include "boot/cpu.h"
#include "kern/log.h"
#include "kern/percpu.h"

_Noreturn void vmm_trap_fatal(struct vmm_cpu *cpu, uint64_t vector);

static const char *const vector_names[4] = { "synchronous exception", "IRQ", "FIQ", "SError" };
static const char *const origin_names[4] = { "EL2 with SP_EL0", "EL2", "a lower EL (AArch64)", "a lower EL (AArch32)" };

/* ESR_EL2.EC (DDI 0487, D19.2.40): the classes that an exception from EL2 itself can have. */
static const char *const class_names[64] = {
    [0x00] = "unknown reason (UNDEFINED instruction?)",
    [0x01] = "WFI or WFE",
    [0x07] = "FP or SIMD access trapped",
    [0x09] = "pointer authentication trapped",
    [0x0d] = "branch target",
    [0x0e] = "illegal execution state",
    [0x15] = "SVC",
    [0x16] = "HVC",
    [0x17] = "SMC",
    [0x18] = "system register access",
    [0x19] = "SVE access trapped",
    [0x1c] = "pointer authentication failure",
    [0x1d] = "SME access trapped",
    [0x20] = "instruction abort from a lower EL",
    [0x21] = "instruction abort",
    [0x22] = "PC alignment",
    [0x24] = "data abort from a lower EL",
    [0x25] = "data abort",
    [0x26] = "SP alignment",
    [0x2c] = "floating-point exception",
    [0x2f] = "SError",
    [0x31] = "breakpoint",
    [0x33] = "single step",
    [0x35] = "watchpoint",
    [0x3c] = "BRK",
};

/* ISS.DFSC and IFSC, bits 5:2: the kinds that have a level in bits 1:0. */
static const char *const fault_names[16] = {
    [0] = "address size fault", [1] = "translation fault", [2] = "access flag fault",
    [3] = "permission fault",   [4] = "external abort",    [5] = "external abort on a table walk",
};

static const char *fault_name(uint64_t esr)
{
    unsigned fsc = ISS_FSC(esr);

    if (fsc == FSC_ALIGNMENT)
        return "alignment fault";
    if (fsc == FSC_TLB_CONFLICT)
        return "TLB conflict";
    return fault_names[fsc >> 2] ? fault_names[fsc >> 2] : "other fault";
}

/* Can 16 bytes there be read as a frame record? */
static bool in_stack(uint64_t fp)
{
    uint64_t offset = (fp - (uintptr_t)vmm_stacks_start) % VMM_STACK_STRIDE;

    if (fp < (uintptr_t)vmm_stacks_start || fp + 16 > (uintptr_t)vmm_stacks_end || fp & 7)
        return false;
    return (offset >= VMM_CRASH_STACK_BASE && offset < VMM_CRASH_STACK_TOP) || offset >= VMM_STACK_BASE;
}

void vmm_backtrace(uint64_t pc, uint64_t fp)
{
    vmm_log(VMM_ERROR, "  backtrace (addr2line -f -e vmm.elf ADDRESS...):");
    for (unsigned depth = 0; depth < 24; depth++) {
        const uint64_t *record = (const uint64_t *)(uintptr_t)fp;

        vmm_log(VMM_ERROR, "    %016lx%s", pc,
                pc >= (uintptr_t)_start && pc < (uintptr_t)vmm_text_end ? "" : " (not in our code)");
        /* Each record must lie above the one before it, so a broken chain ends. */
        if (!in_stack(fp) || (record[0] && record[0] <= fp) || !record[1])
            break;
        pc = record[1] - 4; /* the call, not where it returns to */
        fp = record[0];
    }
}

_Noreturn void vmm_trap_fatal(struct vmm_cpu *cpu, uint64_t vector)
{
    const struct vmm_frame *f = &cpu->frame;
    unsigned class = ESR_EC(f->esr);
    const char *name = class_names[class] ? class_names[class] : "unexpected class";

    if (cpu->crashes > 1) {
        vmm_exit(VMM_EXIT_FAILURE, "exception in the report of an exception: ESR %lx ELR %lx FAR %lx", f->esr, f->elr,
                 f->far);
    }
    vmm_log(VMM_ERROR, "fatal: %s from %s on CPU %u", vector_names[vector & 3], origin_names[vector >> 2 & 3],
            cpu->index);
    vmm_log(VMM_ERROR, "  ESR  %016lx: class 0x%02x, %s", f->esr, class, name);
    if (class == AVC_EC_DABT_SAME || class == AVC_EC_DABT_LOWER)
        vmm_log(VMM_ERROR, "    %s, %s, level %lu", f->esr & ISS_WNR ? "write" : "read", fault_name(f->esr),
                f->esr & 3);
    if (class == AVC_EC_IABT_SAME || class == AVC_EC_IABT_LOWER)
        vmm_log(VMM_ERROR, "    %s, level %lu", fault_name(f->esr), f->esr & 3);
    vmm_log(VMM_ERROR, "  ELR  %016lx  SPSR  %016lx", f->elr, f->spsr);
    vmm_log(VMM_ERROR, "  FAR  %016lx  HPFAR %016lx", f->far, f->hpfar);
    for (unsigned i = 0; i < 30; i += 3)
        vmm_log(VMM_ERROR, "  x%-2u  %016lx  x%-2u  %016lx  x%-2u  %016lx", i, f->x[i], i + 1, f->x[i + 1], i + 2,
                f->x[i + 2]);
    vmm_log(VMM_ERROR, "  x30  %016lx  sp   %016lx", f->x[30], f->sp);
    vmm_log(VMM_ERROR, "  HCR  %016lx  SCTLR %016lx", vmm_read_HCR_EL2(), vmm_read_SCTLR_EL2());
    vmm_backtrace(f->elr, f->x[29]);
    if (!in_stack(f->sp & ~15ull) && !in_stack(f->sp - 16))
        vmm_log(VMM_ERROR, "  SP is outside of the stacks: overflow?");
    vmm_exit(VMM_EXIT_FAILURE, "%s in the hypervisor at %lx", (vector & 3) ? vector_names[vector & 3] : name, f->elr);
}
