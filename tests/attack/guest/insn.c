/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Random instructions: one to eight words, at EL1 and EL0, A64, A32 and T32, with the MMU on and off, registers full of
 * addresses of devices. Whatever ends them, the next eight follow. Half of the words are of classes that reach the
 * hypervisor, with random operands; the others are random altogether.
 */
#include "attack.h"

uint64_t tables[MAX_CPUS][4][512] __attribute__((aligned(1 << TABLES_SHIFT)));

#define WORDS  8
#define BEFORE 32 /* words of SVC around what is executed: where short branches end */
#define AFTER  64

#define SVC_A64 0xd4000ee1u
#define SVC_A32 0xef000077u
#define SVC_T32 0xdf77df77u

#define BLOCK_MEMORY UINT64_C(0x701)
#define BLOCK_DEVICE UINT64_C(0x405)
#define EL0_TOO      UINT64_C(0x40)
#define PXN          (UINT64_C(1) << 53)
#define UXN          (UINT64_C(1) << 54)

/* EL1 sees devices and memory where they are. EL0 sees the devices there, and slots and scratch at an alias, because
   EL1 can execute nothing that EL0 can write. */
void tables_make(unsigned cpu)
{
    uint64_t(*t)[512] = tables[cpu];

    for (unsigned i = 0; i < 512; i++)
        t[0][i] = t[1][i] = t[2][i] = t[3][i] = 0;
    t[0][0] = (uintptr_t)t[1] | 3;
    t[0][1] = (uintptr_t)t[2] | 3;
    t[0][3] = (uintptr_t)t[3] | 3;
    for (uint64_t at = 0x08000000; at < 0x0b000000; at += 0x200000)
        t[1][at >> 21] = at | BLOCK_DEVICE | EL0_TOO | UXN | PXN;
    for (unsigned i = 0; i < 16; i++) {
        uint64_t at = GUEST_RAM + i * 0x200000ul;

        t[2][i] = at | BLOCK_MEMORY | UXN;
        if (at >= SLOTS)
            t[3][i] = at | BLOCK_MEMORY | EL0_TOO | PXN;
    }
    t[2][(BEYOND - GUEST_RAM) >> 21] = BEYOND | BLOCK_MEMORY | EL0_TOO | PXN | UXN;
}

static void begin(unsigned cpu)
{
    tables_make(cpu);
    WRITE("ttbr0_el1", (uintptr_t)tables[cpu]);
    __asm__ volatile("tlbi vmalle1; dsb nsh; isb" ::: "memory");
}

/* ---- what is executed ---- */

/* Classes of A64 instructions that trap, or that a hypervisor has to get right: the fixed bits, the random ones. */
static const struct {
    uint32_t fixed, random;
} classes[] = {
    { 0xd5300000, 0x000fffff }, /* MRS, op0 = 2 and 3 */
    { 0xd5100000, 0x000fffff }, /* MSR */
    { 0xd5380000, 0x0007ffff }, /* MRS, op1 = 0 */
    { 0xd5180000, 0x0007ffff }, /* MSR, op1 = 0 */
    { 0xd538c000, 0x00000fff }, /* MRS, CRn = 12: the GIC's CPU interface */
    { 0xd518c000, 0x00000fff }, /* MSR, CRn = 12 */
    { 0xd5100000, 0x0007ffff }, /* MSR, op0 = 2: debug */
    { 0xd5080000, 0x0007ffff }, /* SYS: AT, DC, IC, TLBI */
    { 0xd5087000, 0x0000ffff }, /* SYS of CRn = 7 and 8 */
    { 0xd50b7000, 0x00000fff }, /* the same, for EL0 */
    { 0xd5280000, 0x0007ffff }, /* SYSL */
    { 0xd5000000, 0x0007ffff }, /* MSR immediate, hints, barriers */
    { 0xd503201f, 0x00000fe0 }, /* hints: WFI, WFE, PAuth */
    { 0xd5031000, 0x000000ff }, /* WFET, WFIT */
    { 0xd5033000, 0x00000fff }, /* barriers, SB */
    { 0xd4000000, 0x00ffffff }, /* SVC, HVC, SMC, BRK, HLT, DCPS */
    { 0xd4000002, 0x001fffe0 }, /* HVC */
    { 0xd4000003, 0x001fffe0 }, /* SMC */
    { 0xd6000000, 0x01ffffff }, /* branches to registers, ERET */
    { 0x38000000, 0xc7ffffff }, /* loads and stores of one register */
    { 0x39000000, 0xc6ffffff }, /* with an unsigned offset; SIMD too */
    { 0x28000000, 0xc7ffffff }, /* pairs */
    { 0x08000000, 0xf7ffffff }, /* exclusive, acquire, release, CAS */
    { 0x38200000, 0xc01fffff }, /* atomics, register offset */
    { 0x0c000000, 0x43ffffff }, /* structures */
    { 0x18000000, 0xc4ffffff }, /* literals */
    { 0x19000000, 0xc0ffffff }, /* LDAPUR; tags */
    { 0x3c000000, 0xc3ffffff }, /* SIMD&FP */
    { 0x1e000000, 0xe0ffffff }, /* FP */
    { 0x0e000000, 0xf0ffffff }, /* SIMD */
    { 0xdac10000, 0x00ffffff }, /* PAuth */
    { 0x04000000, 0xf8ffffff }, /* SVE */
    { 0xc0000000, 0x3dffffff }, /* SME */
};

static bool is_mask(uint32_t word, uint32_t mask, uint32_t value)
{
    return (word & mask) == value;
}

/* Words that would end the attack of this vCPU, and say nothing of the hypervisor, become harmless most of the time:
   an MSR of what translates addresses becomes an MRS, a branch to far away one to a near place. Fetches from outside
   of memory, as a branch to a register makes them with the MMU off, may end the whole VM: `wild` permits them. */
static uint32_t tame(struct cell *cell, uint32_t word, bool mmu_off)
{
    uint32_t sysreg = word & 0x1fffe0;
    bool el1_control = is_mask(word, 0xfff00000, 0xd5100000) &&
                       (sysreg == 0x181000 || (sysreg & ~0x60u) == 0x182000 || sysreg == 0x18c000 ||
                        sysreg == 0x18a200); /* SCTLR, TTBR0, TTBR1, TCR, VBAR, MAIR */

    if (el1_control && !once_in(cell, 256))
        return word | 1u << 21;
    if (is_mask(word, 0x7c000000, 0x14000000) && (mmu_off || !once_in(cell, 8))) /* B, BL: 26 bits of words */
        return (word & 0xfc000000) | (word & 0x1f);
    if (mmu_off && !options.wild && is_mask(word, 0xfe000000, 0xd6000000))
        return 0xd503201f; /* NOP */
    return word;
}

static uint32_t word_a64(struct cell *cell, bool mmu_off)
{
    uint32_t word = (uint32_t)rnd(cell);

    if (!once_in(cell, 3)) {
        unsigned i = (unsigned)below(cell, sizeof(classes) / sizeof(classes[0]));

        word = classes[i].fixed | (word & classes[i].random);
    }
    return tame(cell, word, mmu_off);
}

/* A32: half of them with condition "always", among them coprocessor accesses, SVC and loads. */
static uint32_t word_a32(struct cell *cell)
{
    static const uint32_t fixed[] = { 0xee000010, 0xec400000, 0xe5800000, 0xe5900000, 0xe1a00090,
                                      0xe3200000, 0xf4000000, 0xf5700000, 0xe8800000, 0xe1000070 };
    uint32_t word = (uint32_t)rnd(cell);

    if (once_in(cell, 2))
        word = fixed[below(cell, sizeof(fixed) / sizeof(fixed[0]))] | (word & 0x003fff0f);
    else if (once_in(cell, 2))
        word = (word & 0x0fffffff) | 0xe0000000;
    return word;
}

/* ---- what is in the registers ---- */

static uint64_t device_address(struct cell *cell, unsigned cpu)
{
    uint64_t offset = rnd(cell) & (once_in(cell, 4) ? 0xfff : 0xff8);

    switch (below(cell, 6)) {
    case 0:
        return GICD + (rnd(cell) & 0x7ff8);
    case 1:
        return GICR(cpu) + (offset & 0x7ff);
    case 2:
        return GICR(cpu) + 0x10000 + (offset & 0x7ff);
    case 3:
        return UART + offset;
    case 4:
        return RTC + offset;
    default:
        return once_in(cell, 2) ? HOLE + (rnd(cell) & 0xfffff) : BEYOND + offset;
    }
}

/* Arguments for HVC and SMC, but those that end or reset the VM. */
static uint64_t function_id(struct cell *cell)
{
    static const uint32_t ids[] = { 0x84000000, 0xc4000001, 0x84000002, 0xc4000003, 0xc4000004, 0x84000006,
                                    0x8400000a, 0x80000000, 0x80000001, 0x80008000, 0x80007fff, 0x80003fff,
                                    0x84000050, 0xc4000053, 0x86000000, 0xffff };

    return ids[below(cell, sizeof(ids) / sizeof(ids[0]))];
}

static uint64_t value(struct cell *cell, unsigned cpu, bool el0)
{
    uint64_t scratch = SCRATCH + ((uint64_t)cpu << 20) + 0x40000;

    switch (below(cell, 8)) {
    case 0:
    case 1:
    case 2:
        return device_address(cell, cpu);
    case 3:
    case 4:
        return scratch + (rnd(cell) & 0x3fff0) + (el0 ? ALIAS : 0);
    case 5:
        return rnd(cell) & 0xff;
    case 6:
        return -(rnd(cell) & 0xff);
    default:
        return rnd(cell) | UINT64_C(0x0100000000000000);
    }
}

/* ---- a slot ---- */

enum kind { EL1_ON, EL1_OFF, EL0_A64, EL0_A32, EL0_T32 };

static bool has_aarch32(void)
{
    return (READ("id_aa64pfr0_el1") & 15) == 2;
}

static void write_words(struct cell *cell, enum kind kind, volatile uint32_t *at)
{
    uint32_t filler = kind == EL0_A32 ? SVC_A32 : kind == EL0_T32 ? SVC_T32 : SVC_A64;
    unsigned words = 1 + (unsigned)below(cell, WORDS);

    for (int i = -BEFORE; i < AFTER; i++)
        at[i] = filler;
    for (unsigned i = 0; i < words; i++)
        at[i] = kind == EL0_A32   ? word_a32(cell)
                : kind == EL0_T32 ? (uint32_t)rnd(cell)
                                  : word_a64(cell, kind == EL1_OFF);
    for (uintptr_t line = (uintptr_t)(at - BEFORE); line < (uintptr_t)(at + AFTER); line += 64)
        __asm__ volatile("dc cvac, %0; dsb ish; ic ivau, %0" ::"r"(line) : "memory");
    __asm__ volatile("dsb ish; isb" ::: "memory");
}

/* Interrupts have been taken in a slot, but not acknowledged: that is done here. The vCPU's own redistributor is made
   good at times, or a line that stays up would end each slot before its first instruction. */
static void settle(unsigned cpu, struct cell *cell)
{
    WRITE("cntv_ctl_el0", 0);
    for (unsigned i = 0; i < 8; i++) {
        uint32_t intid = guest_gic_ack();

        if (intid >= 1020)
            break;
        cell->others++;
        guest_gic_eoi(intid);
    }
    if (cell->round % 16)
        return;
    mmio_write(GICR(cpu) + 0x10180, ~0u); /* ICENABLER0 */
    mmio_write(GICR(cpu) + 0x10280, ~0u); /* ICPENDR0 */
    mmio_write(GICR(cpu) + 0x10380, ~0u); /* ICACTIVER0 */
    mmio_write(UART + 0x38, 0);
    WRITE("cntp_ctl_el0", 0);
    guest_gic_init();
    guest_gic_enable(VTIMER);
}

static void round(unsigned cpu, struct cell *cell)
{
    struct slot *slot = &cell->slot;
    enum kind kind = (enum kind)below(cell, has_aarch32() ? 5 : 3);
    bool el0 = kind >= EL0_A64;
    volatile uint32_t *at = (volatile uint32_t *)(SLOTS + cpu * 0x10000ul + 0x8000);

    write_words(cell, kind, at);
    for (unsigned i = 0; i < 31; i++)
        slot->x[i] = value(cell, cpu, el0);
    if (once_in(cell, 8))
        slot->x[0] = function_id(cell);
    slot->sp = value(cell, cpu, el0) & ~UINT64_C(15);
    slot->pc = (uintptr_t)at + (el0 ? ALIAS : 0);
    slot->sctlr = kind == EL1_OFF ? SCTLR_OFF : 0;
    slot->pstate = (rnd(cell) & UINT64_C(0xf0000000)) | (kind == EL0_A32 ? 0x10 : kind == EL0_T32 ? 0x30 : el0 ? 0 : 5);
    timer_in(50);
    slot_run(slot);
    cell->faults += (slot->esr >> 26) != 0x15;
    settle(cpu, cell);
}

const struct attack attack_insn = { "insn", begin, round, true };
