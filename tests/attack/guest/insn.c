/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Random instructions: one to eight words, at EL1 and EL0, A64, A32 and T32, with the MMU on and off, registers full of
 * addresses of devices. Whatever ends them, the next eight follow. Half of the words are of classes that reach the
 * hypervisor, with random operands; the others are random altogether.
 */
#include "attack.h"

uint64_t tables[MAX_CPUS][8][512] __attribute__((aligned(1 << TABLES_SHIFT)));

#define WORDS  8
#define BEFORE 32 /* words of SVC around what is executed: where short branches end */
#define AFTER  64

#define SVC_A64 0xd4000ee1u
#define SVC_A32 0xef000077u
#define SVC_T32 0xdf77df77u

#define BLOCK_MEMORY UINT64_C(0xf01) /* nG: slots have an ASID of their own */
#define BLOCK_DEVICE UINT64_C(0xc05)
#define BLOCK_BYTES  0x200000ul
#define EL0_TOO      UINT64_C(0x40)
#define READ_ONLY    UINT64_C(0x80)
#define PXN          (UINT64_C(1) << 53)
#define UXN          (UINT64_C(1) << 54)

/*
 * EL1 sees devices and memory where they are. EL0 sees the devices there, and slots and scratch at an alias, because
 * EL1 can execute nothing that EL0 can write. A slot has a map without the monitor's own memory, in which the image is
 * read-only: a loop of stores goes through all that it may write, and then it would be the attack that changes them.
 */
void tables_make(unsigned cpu)
{
    uint64_t(*t)[512] = tables[cpu];
    uint64_t *own = t[0], *devices = t[1], *memory = t[2], *alias = t[3];
    uint64_t *slot = t[SLOT_TABLE], *slot_memory = t[SLOT_TABLE + 1];

    for (unsigned n = 0; n < sizeof(tables[0]) / sizeof(tables[0][0]); n++)
        for (unsigned i = 0; i < 512; i++)
            t[n][i] = 0;
    own[0] = slot[0] = (uintptr_t)devices | 3;
    own[1] = (uintptr_t)memory | 3;
    slot[1] = (uintptr_t)slot_memory | 3;
    own[3] = slot[3] = (uintptr_t)alias | 3;
    for (uint64_t at = 0x08000000; at < 0x0b000000; at += BLOCK_BYTES)
        devices[at >> 21] = at | BLOCK_DEVICE | EL0_TOO | UXN | PXN;
    for (uint64_t i = 0; i < 16; i++) {
        uint64_t at = GUEST_RAM + i * BLOCK_BYTES;
        bool open = at >= SLOTS && at < (uintptr_t)OWN;

        memory[i] = at | BLOCK_MEMORY | UXN;
        slot_memory[i] = open ? memory[i] : at < SLOTS ? memory[i] | READ_ONLY : 0;
        alias[i] = open ? at | BLOCK_MEMORY | EL0_TOO | PXN : 0;
    }
    memory[(BEYOND - GUEST_RAM) >> 21] = BEYOND | BLOCK_MEMORY | EL0_TOO | PXN | UXN;
    slot_memory[(BEYOND - GUEST_RAM) >> 21] = memory[(BEYOND - GUEST_RAM) >> 21];
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
   an MSR of what translates addresses becomes an MRS, a branch to far away one to a near place. With the MMU off
   nothing keeps a loop of stores from the monitor's memory, so that branches lead forward. Fetches from outside of
   memory, as a branch to a register makes them with the MMU off, may end the whole VM: `wild` permits them. */
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
    if (mmu_off && (is_mask(word, 0xfe000000, 0x54000000) || is_mask(word, 0x7e000000, 0x34000000)))
        return word & ~0x00fffc00u; /* B.cond, CBZ: 19 bits from bit 5 */
    if (mmu_off && is_mask(word, 0x7e000000, 0x36000000))
        return word & ~0x0007fc00u; /* TBZ: 14 bits */
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

static void fill(enum kind kind, volatile uint32_t *at)
{
    for (int i = -BEFORE; i < AFTER; i++)
        at[i] = kind == EL0_A32 ? SVC_A32 : kind == EL0_T32 ? SVC_T32 : SVC_A64;
}

static void make_visible(volatile uint32_t *at)
{
    for (uintptr_t line = (uintptr_t)(at - BEFORE); line < (uintptr_t)(at + AFTER); line += 64)
        __asm__ volatile("dc cvac, %0; dsb ish; ic ivau, %0" ::"r"(line) : "memory");
    __asm__ volatile("dsb ish; isb" ::: "memory");
}

static void write_words(struct cell *cell, enum kind kind, volatile uint32_t *at)
{
    unsigned words = 1 + (unsigned)below(cell, WORDS);

    fill(kind, at);
    for (unsigned i = 0; i < words; i++)
        at[i] = kind == EL0_A32   ? word_a32(cell)
                : kind == EL0_T32 ? (uint32_t)rnd(cell)
                                  : word_a64(cell, kind == EL1_OFF);
    make_visible(at);
}

static void enter(struct slot *slot, enum kind kind, volatile uint32_t *at, uint64_t flags)
{
    bool el0 = kind >= EL0_A64;

    slot->pc = (uintptr_t)at + (el0 ? ALIAS : 0);
    slot->sctlr = kind == EL1_OFF ? SCTLR_OFF : 0;
    slot->pstate = flags | (kind == EL0_A32 ? 0x10 : kind == EL0_T32 ? 0x30 : el0 ? 0 : 5);
    slot_run(slot);
}

/* A loop that stores through memory goes far while the timer's interrupt is late. It must not reach what the monitor
   relies upon: its own memory above, and the image below. A store goes to each page from the scratch memory on, up and
   down, where no vCPU has anything. */
#define MARCH_OFFSET 0x800
#define MARCH_DOWN   0x40600000ul

static void march(unsigned cpu, struct cell *cell, enum kind kind, uint64_t step)
{
    static const uint32_t a64[] = { 0xb9000083, 0x8b050084, 0xf1000442, 0x54ffffa1 }; /* STR W3; ADD; SUBS; B.NE */
    static const uint32_t a32[] = { 0xe5843000, 0xe0844005, 0xe2522001, 0x1afffffb };
    static const uint32_t t32[] = { 0x442c6023, 0xd1fb3a01 };
    const uint32_t *words = kind == EL0_A32 ? a32 : kind == EL0_T32 ? t32 : a64;
    bool el0 = kind >= EL0_A64;
    volatile uint32_t *at = (volatile uint32_t *)(SLOTS + cpu * 0x10000ul + 0x8000);
    volatile uint64_t *first = (volatile uint64_t *)(SCRATCH + ((uint64_t)cpu << 20) + MARCH_OFFSET);
    struct slot *slot = &cell->slot;

    *first = 0;
    fill(kind, at);
    for (unsigned i = 0; i < (kind == EL0_T32 ? 2 : 4); i++)
        at[i] = kind <= EL1_OFF || kind == EL0_A64 ? tame(cell, words[i], kind == EL1_OFF) : words[i];
    make_visible(at);
    for (unsigned i = 0; i < 31; i++)
        slot->x[i] = 0;
    slot->sp = 0;
    slot->x[4] = (uintptr_t)first + (el0 ? ALIAS : 0);
    slot->x[5] = step;
    slot->x[2] = (step >> 63 ? (uintptr_t)first - MARCH_DOWN : (uintptr_t)(OWN + OWN_WORDS) - (uintptr_t)first) >> 12;
    slot->x[3] = 0x6d617263;
    enter(slot, kind, at, 0);
    if (*first != slot->x[3])
        fail("a store of an attack's own", *first, kind);
}

static void march_all(unsigned cpu, struct cell *cell)
{
    for (enum kind kind = EL1_ON; kind <= (has_aarch32() ? EL0_T32 : EL0_A64); kind++) {
        march(cpu, cell, kind, 4096);
        march(cpu, cell, kind, (uint64_t)-4096);
    }
    for (uint64_t i = MARCH_OFFSET / 8; i < OWN_WORDS; i += 4096 / 8)
        if (OWN[i] != own_word(i))
            fail("the monitor's memory is in an attack's reach", OWN[i], i);
    for (uintptr_t at = MARCH_DOWN; at < SLOTS; at += 4096)
        if (*(volatile uint64_t *)(at + MARCH_OFFSET))
            fail("the image is in an attack's reach", *(volatile uint64_t *)(at + MARCH_OFFSET), at);
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

static void begin(unsigned cpu)
{
    tables_make(cpu);
    WRITE("ttbr0_el1", (uintptr_t)tables[cpu]);
    __asm__ volatile("tlbi vmalle1; dsb nsh; isb" ::: "memory");
    if (cell_of(cpu)->starts == 1)
        march_all(cpu, cell_of(cpu));
}

static void round(unsigned cpu, struct cell *cell)
{
    struct slot *slot = &cell->slot;
    enum kind kind = (enum kind)below(cell, has_aarch32() ? 5 : 3);
    bool el0 = kind >= EL0_A64;
    volatile uint32_t *at = (volatile uint32_t *)(SLOTS + cpu * 0x10000ul + 0x8000);
    uint64_t flags;

    write_words(cell, kind, at);
    for (unsigned i = 0; i < 31; i++)
        slot->x[i] = value(cell, cpu, el0);
    if (once_in(cell, 8))
        slot->x[0] = function_id(cell);
    slot->sp = value(cell, cpu, el0) & ~UINT64_C(15);
    flags = rnd(cell) & UINT64_C(0xf0000000);
    timer_in(50);
    enter(slot, kind, at, flags);
    cell->faults += (slot->esr >> 26) != 0x15;
    settle(cpu, cell);
}

const struct attack attack_insn = { "insn", begin, round, true };
