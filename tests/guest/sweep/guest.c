/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * All 32,768 system register encodings with op0 = 2 and 3, at EL1, on two vCPUs of one CPU. One vCPU writes a pattern
 * to each register. The other then reads each and writes its own pattern. Then the first reads again. An encoding may
 * be UNDEFINED or read-only, it may ignore writes, or keep them. If it keeps them, the other vCPU must never see the
 * value, and not one of 64 bits may be lost.
 *
 * The sweep runs with MMU and caches off, so that translation registers can hold anything. (The emulator has no caches
 * that would have to be cleaned first.) All exceptions are masked: interrupts, and breakpoints that the patterns
 * enable.
 */
#include "guest.h"

#define NR 32768

#define KEY(op0, op1, crn, crm, op2) ((op0) << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2))

/*
 * n is the encoding as it stands in the instruction: op0[0], op1, CRn, CRm, op2. That is the key without its top bit.
 */
__asm__("    .text\n"
        "    .balign 8\n"
        "read_code:\n"
        "    .set n, 0\n"
        "    .rept 32768\n"
        "    .long 0xd5300000 + (n << 5)\n" /* mrs x0, ... */
        "    ret\n"
        "    .set n, n + 1\n"
        "    .endr\n"
        "write_code:\n"
        "    .set n, 0\n"
        "    .rept 32768\n"
        "    .long 0xd5100000 + (n << 5)\n" /* msr ..., x0 */
        "    ret\n"
        "    .set n, n + 1\n"
        "    .endr\n");
extern const uint64_t read_code[], write_code[];

/* ---- exceptions to the rules, with reasons ---- */

enum { SKIP_WRITE = 1, CHANGES = 2, LATER = 4 };
static const struct {
    uint16_t first, last;
    uint8_t what;
    const char *name, *reason;
} special[] = {
    /* Not written, because that would end the sweep. */
    { KEY(3, 0, 4, 2, 0), KEY(3, 0, 4, 2, 0), SKIP_WRITE, "SPSel", "PSTATE: the stack would change" },
    { KEY(3, 3, 4, 2, 1), KEY(3, 3, 4, 2, 1), SKIP_WRITE, "DAIF", "PSTATE: exceptions would be unmasked" },
    /* In use while the sweep runs, or written by each UNDEFINED encoding. one_by_one() tests them afterwards. */
    { KEY(3, 0, 1, 0, 0), KEY(3, 0, 1, 0, 0), LATER, "SCTLR_EL1", "" },
    { KEY(3, 0, 1, 0, 2), KEY(3, 0, 1, 0, 2), LATER, "CPACR_EL1", "" },
    { KEY(3, 0, 4, 0, 0), KEY(3, 0, 4, 0, 1), LATER, "SPSR_EL1, ELR_EL1", "" },
    { KEY(3, 0, 5, 2, 0), KEY(3, 0, 5, 2, 0), LATER, "ESR_EL1", "" },
    { KEY(3, 0, 12, 0, 0), KEY(3, 0, 12, 0, 0), LATER, "VBAR_EL1", "" },
    /* Change by themselves. */
    { KEY(3, 3, 14, 0, 1), KEY(3, 3, 14, 0, 6), CHANGES, "CNTPCT, CNTVCT", "count" },
    { KEY(3, 3, 14, 2, 0), KEY(3, 3, 14, 2, 1), CHANGES, "CNTP_TVAL, CTL", "time to go; ISTATUS; CVAL is checked" },
    { KEY(3, 3, 14, 3, 0), KEY(3, 3, 14, 3, 1), CHANGES, "CNTV_TVAL, CTL", "time to go; ISTATUS; CVAL is checked" },
    { KEY(3, 3, 2, 4, 0), KEY(3, 3, 2, 4, 1), CHANGES, "RNDR, RNDRRS", "random numbers" },
    { KEY(3, 3, 4, 2, 0), KEY(3, 3, 4, 2, 0), CHANGES, "NZCV", "PSTATE: C code has other uses for it" },
    { KEY(3, 0, 12, 1, 0), KEY(3, 0, 12, 1, 0), CHANGES, "ISR_EL1", "what is pending now" },
    { KEY(3, 0, 12, 8, 0), KEY(3, 0, 12, 8, 2), CHANGES, "ICC_IAR0, EOIR0, HPPIR0", "what is pending now" },
    { KEY(3, 0, 12, 11, 1), KEY(3, 0, 12, 11, 7), CHANGES, "ICC_DIR, RPR, SGI", "what is active now; actions" },
    { KEY(3, 0, 12, 12, 0), KEY(3, 0, 12, 12, 2), CHANGES, "ICC_IAR1, EOIR1, HPPIR1", "what is pending now" },
    { KEY(3, 0, 12, 8, 4), KEY(3, 0, 12, 9, 7), CHANGES, "ICC_AP0Rn, AP1Rn",
      "active priorities: IAR and EOIR are in the sweep" },
    { KEY(3, 0, 12, 12, 3), KEY(3, 0, 12, 12, 3), CHANGES, "ICC_BPR1",
      "QEMU takes less than the minimum from a guest, and not from ICH_VMCR" },
    { KEY(3, 0, 0, 0, 5), KEY(3, 0, 0, 0, 5), CHANGES, "MPIDR_EL1", "the vCPU's own" },
};

static unsigned special_of(unsigned n)
{
    unsigned what = 0;

    for (unsigned i = 0; i < sizeof special / sizeof special[0]; i++)
        if ((n | 0x8000) >= special[i].first && (n | 0x8000) <= special[i].last)
            what |= special[i].what;
    return what;
}

/* ---- one access ---- */

static volatile bool undefined;

/*
 * The class of an UNDEFINED access is 0, or 0x18 in the ID registers' space with FEAT_IDST. The guest's own CPACR_EL1
 * may trap first what is hidden anyway: 0x19 (SVE), 0x1d (SME).
 */
static bool is_undefined(unsigned ec)
{
    return ec == 0 || ec == 0x18 || ec == 0x19 || ec == 0x1d;
}

static void on_sync(struct guest_regs *regs, uint64_t esr, uint64_t far)
{
    if (!is_undefined((unsigned)(esr >> 26))) {
        guest_printf("# esr %lx at %lx\n", esr, regs->elr);
        guest_off(1);
    }
    undefined = true;
    regs->elr += 4;
}

static bool read(unsigned n, uint64_t *value)
{
    undefined = false;
    *value = ((uint64_t(*)(void))(uintptr_t)&read_code[n])();
    return !undefined;
}

static bool write(unsigned n, uint64_t value)
{
    undefined = false;
    ((void (*)(uint64_t))(uintptr_t)&write_code[n])(value);
    __asm__ volatile("isb" ::: "memory");
    return !undefined;
}

/* ---- taking turns ---- */

static volatile unsigned turn; /* the vCPU whose turn it is */

static void pass_to(unsigned cpu, unsigned me)
{
    __asm__ volatile("dsb sy" ::: "memory");
    turn = cpu;
    while (turn != me)
        guest_hvc(CALL_ADD, 0, 0, 0, NULL); /* the VMM gives the other vCPU a turn */
}

/* ---- the sweep ---- */

enum { UNDEF, READ_ONLY, WRITE_ONLY, IGNORED, KEPT, NR_KINDS };
static const char *const kinds[NR_KINDS] = { "UNDEFINED", "read-only", "write-only", "writes ignored", "kept" };

static struct {
    uint64_t before[NR], after[NR]; /* what was read before and after the write */
    uint8_t kind[NR];
} seen[2] __attribute__((section(".noinit")));
static unsigned counts[NR_KINDS];
static unsigned failures;
static uint8_t what_of[NR] __attribute__((section(".noinit")));

static void complain(unsigned n, const char *what, uint64_t got, uint64_t wanted)
{
    if (failures++ < 40)
        guest_printf("# S%d_%d_C%d_C%d_%d: %s: %lx, not %lx\n", 2 + (n >> 14), n >> 11 & 7, n >> 7 & 15, n >> 3 & 15,
                     n & 7, what, got, wanted);
}

/* Writes a pattern to each register. If that changes nothing, writes the complement, too. */
static void write_all(unsigned me)
{
    uint64_t pattern = me ? ~UINT64_C(0x5a3c96a5c35a69a5) : UINT64_C(0x5a3c96a5c35a69a5);

    for (unsigned n = 0; n < NR; n++) {
        uint64_t before = 0, one = 0, other = 0;
        bool r = read(n, &before), w;

        seen[me].before[n] = before;
        seen[me].kind[n] = r ? IGNORED : UNDEF;
        if (what_of[n] & (SKIP_WRITE | LATER))
            continue;
        w = write(n, pattern);
        if (!r || !w) {
            seen[me].kind[n] = r ? READ_ONLY : w ? WRITE_ONLY : UNDEF;
            continue;
        }
        if (!read(n, &one) || !write(n, ~pattern) || !read(n, &other) || !write(n, pattern))
            complain(n, "readable and writable", 0, 1);
        if (one != other)
            seen[me].kind[n] = KEPT;
    }
    /*
     * Reads each again, because a write to one register may change another: CSSELR changes CCSIDR, ICC_CTLR.CBPR
     * changes ICC_BPR1.
     */
    for (unsigned n = 0; n < NR; n++)
        if (seen[me].kind[n] != UNDEF && seen[me].kind[n] != WRITE_ONLY && !read(n, &seen[me].after[n]))
            complain(n, "still readable", 0, 1);
}

/* What the other vCPU wrote must not be visible here. */
static void see_nothing_of(unsigned other)
{
    for (unsigned n = 0; n < NR; n++) {
        uint64_t value;

        if (what_of[n] || seen[other].kind[n] != KEPT)
            continue;
        if (!read(n, &value))
            complain(n, "readable here", 0, 1);
        else if (value == seen[other].after[n] && value != seen[other].before[n])
            complain(n, "the other vCPU's value", value, seen[other].before[n]);
    }
}

/* What this vCPU wrote must still be there. */
static void find_again(unsigned me)
{
    for (unsigned n = 0; n < NR; n++) {
        uint64_t value;

        if (what_of[n] || seen[me].kind[n] == UNDEF || seen[me].kind[n] == WRITE_ONLY)
            continue;
        if (!read(n, &value))
            complain(n, "still readable", 0, 1);
        else if (value != seen[me].after[n])
            complain(n, "after the switch", value, seen[me].after[n]);
    }
}

/* ---- registers that the sweep itself uses ---- */

static const struct {
    const char *name;
    unsigned n;
    uint64_t flip;
} later[] = {
    /* Bits without effect while the MMU is off and nothing runs at EL0. */
    { "SCTLR_EL1", KEY(3, 0, 1, 0, 0) & 0x7fff, 0x0300000004058200 | UINT64_C(3) << 54 | UINT64_C(3) << 35 },
    { "CPACR_EL1", KEY(3, 0, 1, 0, 2) & 0x7fff, 3 << 20 },
    { "SPSR_EL1", KEY(3, 0, 4, 0, 0) & 0x7fff, 0xf02003c5 },
    { "ELR_EL1", KEY(3, 0, 4, 0, 1) & 0x7fff, 0x5a3c96a5c35a69a5 },
    { "ESR_EL1", KEY(3, 0, 5, 2, 0) & 0x7fff, 0x5a5a5a5a },
    { "VBAR_EL1", KEY(3, 0, 12, 0, 0) & 0x7fff, 0x003c96a5c35a6800 },
};

/* Between the first read and the last, EL1 takes no exception. (Hypercalls go to EL2.) */
static void one_by_one(unsigned me)
{
    for (unsigned i = 0; i < sizeof later / sizeof later[0]; i++) {
        unsigned n = later[i].n;
        uint64_t old, mine, again;

        read(n, &old);
        write(n, me ? old ^ (later[i].flip & 0x5555555555555555) : old ^ later[i].flip);
        read(n, &mine);
        pass_to(!me, me);
        read(n, &again);
        write(n, old);
        if (mine == old)
            complain(n, later[i].name, mine, ~old);
        if (again != mine)
            complain(n, later[i].name, again, mine);
    }
}

static void mmu_off(void)
{
    WRITE("sctlr_el1", READ("sctlr_el1") & ~UINT64_C(0x1005));
    __asm__ volatile("ic iallu; tlbi vmalle1; dsb sy; isb" ::: "memory");
}

static void second(void)
{
    while (turn != 1)
        guest_hvc(CALL_ADD, 0, 0, 0, NULL);
    see_nothing_of(0);
    write_all(1);
    pass_to(0, 1);
    find_again(1);
    pass_to(0, 1);
    one_by_one(1);
    for (;;)
        pass_to(0, 1);
}

static void result(const char *what)
{
    guest_ok(failures == 0, "%s", what);
    failures = 0;
}

int guest_main(unsigned cpu)
{
    guest_on_sync = on_sync;
    __asm__ volatile("msr daifset, #15" ::: "memory");
    mmu_off();
    if (cpu)
        second();

    for (unsigned n = 0; n < NR; n++)
        what_of[n] = (uint8_t)special_of(n);
    guest_ok(guest_cpu_on(1) == 0, "a second vCPU");
    write_all(0);
    result("32,768 encodings read and written: each UNDEFINED or emulated");
    for (unsigned n = 0; n < NR; n++)
        counts[seen[0].kind[n]]++;
    for (unsigned k = 0; k < NR_KINDS; k++)
        guest_printf("# %d %s\n", counts[k], kinds[k]);
    pass_to(1, 0);
    result("the second vCPU sees nothing of it");
    find_again(0);
    result("the first finds all of its own again");
    pass_to(1, 0);
    result("and so does the second");
    for (unsigned n = 0; n < NR; n++)
        if (seen[0].kind[n] != seen[1].kind[n] && !what_of[n])
            complain(n, "kind on the second vCPU", seen[1].kind[n], seen[0].kind[n]);
    result("both have the same registers");
    turn = 0;
    one_by_one(0);
    result("SCTLR, CPACR, SPSR, ELR, ESR and VBAR, one by one");
    guest_plan();
    return 0;
}
