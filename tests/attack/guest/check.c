/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* A vCPU checks that all of its own state stays as it is while it traps, is preempted, and others attack. */
#include "attack.h"

struct state {
    uint64_t x[32]; /* 31 unused */
    uint64_t v[64];
    uint64_t fpcr, fpsr, nzcv;
};
void check_run(struct state *state);

#define FPCR_BITS UINT64_C(0x07c00000) /* AHP, DN, FZ, RMode */
#define FPSR_BITS UINT64_C(0x0800009f)

/* Registers that hold whatever is written to them. A register may lack bits, so what is read after the write counts.
   Interrupts write ELR_EL1 and SPSR_EL1. TTBR1_EL1 translates nothing (TCR_EL1.EPD1). No breakpoint is enabled. */
#define PLAIN(X)                                                                                                       \
    X(tpidr_el0)                                                                                                       \
    X(tpidrro_el0)                                                                                                     \
    X(tpidr_el1)                                                                                                       \
    X(contextidr_el1)                                                                                                  \
    X(amair_el1)                                                                                                       \
    X(afsr0_el1)                                                                                                       \
    X(afsr1_el1)                                                                                                       \
    X(par_el1)                                                                                                         \
    X(far_el1)                                                                                                         \
    X(esr_el1)                                                                                                         \
    X(sp_el0)                                                                                                          \
    X(ttbr1_el1)                                                                                                       \
    X(cntkctl_el1)                                                                                                     \
    X(csselr_el1)                                                                                                      \
    X(cntp_cval_el0)                                                                                                   \
    X(dbgbvr0_el1)                                                                                                     \
    X(dbgwvr0_el1)
#define MASKED(X)                                                                                                      \
    X(elr_el1)                                                                                                         \
    X(spsr_el1)
#define KEYS(X)                                                                                                        \
    X(s3_0_c2_c1_0)                                                                                                    \
    X(s3_0_c2_c1_1)                                                                                                    \
    X(s3_0_c2_c2_2)                                                                                                    \
    X(s3_0_c2_c3_1)

#define FILL(name)                                                                                                     \
    WRITE(#name, rnd(cell));                                                                                           \
    value[n++] = READ(#name);
#define COMPARE(name)                                                                                                  \
    if (READ(#name) != value[n])                                                                                       \
        fail(#name, READ(#name), value[n]);                                                                            \
    n++;

static bool has_keys(void)
{
    return READ("id_aa64isar1_el1") & UINT64_C(0xff000ff0); /* GPI, GPA, API, APA */
}

void check_state(unsigned cpu, struct cell *cell, bool irqs)
{
    struct state in, out;
    uint64_t value[32];
    unsigned n = 0;

    for (unsigned i = 0; i < 32; i++)
        in.x[i] = rnd(cell);
    for (unsigned i = 0; i < 64; i++)
        in.v[i] = rnd(cell);
    in.x[26] = SCRATCH + (cpu << 20);
    in.x[27] = GICD + 0x004; /* GICD_TYPER */
    in.x[28] = 1 + below(cell, 64);
    in.fpcr = rnd(cell) & FPCR_BITS;
    in.fpsr = rnd(cell) & FPSR_BITS;
    in.nzcv = rnd(cell) & UINT64_C(0xf0000000);
    out = in;
    PLAIN(FILL)
    if (has_keys()) {
        KEYS(FILL)
    }
    if (irqs)
        guest_irq_unmask();
    else {
        MASKED(FILL)
    }
    check_run(&out);
    if (irqs)
        guest_irq_mask();
    n = 0;
    PLAIN(COMPARE)
    if (has_keys()) {
        KEYS(COMPARE)
    }
    if (!irqs) {
        MASKED(COMPARE)
    }
    in.x[28] = 0;
    for (unsigned i = 0; i < 31; i++)
        if (out.x[i] != in.x[i])
            fail((const char[][4]){ "x0",  "x1",  "x2",  "x3",  "x4",  "x5",  "x6",  "x7",  "x8",  "x9",  "x10",
                                    "x11", "x12", "x13", "x14", "x15", "x16", "x17", "x18", "x19", "x20", "x21",
                                    "x22", "x23", "x24", "x25", "x26", "x27", "x28", "x29", "x30" }[i],
                 out.x[i], in.x[i]);
    for (unsigned i = 0; i < 64; i++)
        if (out.v[i] != in.v[i])
            fail("a SIMD register", out.v[i], in.v[i]);
    if (out.fpcr != in.fpcr || out.fpsr != in.fpsr)
        fail("FPCR or FPSR", out.fpcr << 32 | out.fpsr, in.fpcr << 32 | in.fpsr);
    if (out.nzcv != in.nzcv)
        fail("NZCV", out.nzcv, in.nzcv);
    cell->checks++;
}
