/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * A host that fills its own registers with patterns and compares them: after each run those that avc_vcpu_run()
 * borrows, after put all others. The guest writes its own patterns to the same registers, and checks that they are
 * kept.
 */
#include "testvm.h"

extern const char avc_vectors[], avc_vectors_clrbhb[]; /* src/hw/hw.h */
struct avc_exit *poisoned_run(struct avc_vcpu *vcpu, uint64_t *lost);

#define MRS(reg)                                                                                                       \
    ({                                                                                                                 \
        uint64_t v_;                                                                                                   \
        __asm__ volatile("mrs %0, " reg : "=r"(v_)::"memory");                                                         \
        v_;                                                                                                            \
    })
#define MSR(reg, value) __asm__ volatile("msr " reg ", %0; isb" ::"r"((uint64_t)(value)) : "memory")

/* Registers that must be unchanged after each run. X(text, assembler's name) */
/* clang-format off */
#define RUN_REGS(X) \
    X("VBAR_EL2", "vbar_el2") X("HCR_EL2", "hcr_el2") X("CPTR_EL2", "cptr_el2") X("DAIF", "daif") \
    X("SP_EL0", "sp_el0") X("TPIDR_EL0", "tpidr_el0") X("TPIDRRO_EL0", "tpidrro_el0") X("TPIDR_EL1", "tpidr_el1") \
    X("TPIDR_EL2", "tpidr_el2") X("SCTLR_EL2", "sctlr_el2") X("TCR_EL2", "tcr_el2") X("TTBR0_EL2", "ttbr0_el2") \
    X("MAIR_EL2", "mair_el2")
/* clang-format on */

/* Registers that must be unchanged after put. X(text, assembler's name) */
/* clang-format off */
#define PUT_REGS(X) \
    X("VTTBR_EL2", "vttbr_el2") X("VTCR_EL2", "vtcr_el2") X("MDCR_EL2", "mdcr_el2") X("HSTR_EL2", "hstr_el2") \
    X("CNTVOFF_EL2", "cntvoff_el2") X("CNTHCTL_EL2", "cnthctl_el2") X("VPIDR_EL2", "vpidr_el2") \
    X("VMPIDR_EL2", "vmpidr_el2") X("PAR_EL1", "par_el1") X("MDSCR_EL1", "mdscr_el1") X("SP_EL1", "sp_el1") \
    X("CSSELR_EL1", "csselr_el1") X("ICH_HCR_EL2", "s3_4_c12_c11_0") X("DBGBVR0_EL1", "s2_0_c0_c0_4") \
    X("DBGWVR0_EL1", "s2_0_c0_c0_6")
/* clang-format on */

/* The same, for registers with a second name. X(text, name with E2H=0, name with E2H=1) */
/* clang-format off */
#define EL1_REGS(X) \
    X("SCTLR_EL1", "sctlr_el1", "s3_5_c1_c0_0") X("CPACR_EL1", "cpacr_el1", "s3_5_c1_c0_2") \
    X("TTBR0_EL1", "ttbr0_el1", "s3_5_c2_c0_0") X("TTBR1_EL1", "ttbr1_el1", "s3_5_c2_c0_1") \
    X("TCR_EL1", "tcr_el1", "s3_5_c2_c0_2") X("ESR_EL1", "esr_el1", "s3_5_c5_c2_0") \
    X("FAR_EL1", "far_el1", "s3_5_c6_c0_0") X("MAIR_EL1", "mair_el1", "s3_5_c10_c2_0") \
    X("VBAR_EL1", "vbar_el1", "s3_5_c12_c0_0") X("CONTEXTIDR_EL1", "contextidr_el1", "s3_5_c13_c0_1") \
    X("CNTKCTL_EL1", "cntkctl_el1", "s3_5_c14_c1_0") X("ELR_EL1", "elr_el1", "s3_5_c4_c0_1") \
    X("SPSR_EL1", "spsr_el1", "s3_5_c4_c0_0") X("CNTV_CVAL_EL0", "cntv_cval_el0", "s3_5_c14_c3_2") \
    X("CNTP_CVAL_EL0", "cntp_cval_el0", "s3_5_c14_c2_2")
/* clang-format on */

#define MAX 64

struct snapshot {
    const char *name[MAX];
    uint64_t value[MAX];
    unsigned n;
};

static void put(struct snapshot *s, const char *name, uint64_t value)
{
    s->name[s->n] = name;
    s->value[s->n++] = value;
}

static void take_run(struct snapshot *s)
{
    s->n = 0;
#define X(name, reg) put(s, name, MRS(reg));
    RUN_REGS(X)
#undef X
}

static void take_put(struct snapshot *s)
{
    take_run(s);
#define X(name, reg) put(s, name, MRS(reg));
    PUT_REGS(X)
#undef X
#define X(name, plain, el12) put(s, name, host_is_vhe() ? MRS(el12) : MRS(plain));
    EL1_REGS(X)
#undef X
}

static unsigned compare(const struct snapshot *a, const struct snapshot *b, const char *when)
{
    unsigned lost = 0;

    for (unsigned n = 0; n < a->n; n++) {
        if (a->value[n] == b->value[n])
            continue;
        lost++;
        host_printf("# %s: %s was %lx and is %lx\n", when, a->name[n], a->value[n], b->value[n]);
    }
    return lost;
}

static bool has_pauth(void)
{
    return MRS("id_aa64isar1_el1") & 0xff0;
}

/* clang-format off */
#define KEYS(X) \
    X("s3_0_c2_c1_0") X("s3_0_c2_c1_1") X("s3_0_c2_c1_2") X("s3_0_c2_c1_3") X("s3_0_c2_c2_0") X("s3_0_c2_c2_1") \
    X("s3_0_c2_c2_2") X("s3_0_c2_c2_3") X("s3_0_c2_c3_0") X("s3_0_c2_c3_1")
/* clang-format on */

static void poison_keys(void)
{
    uint64_t value = UINT64_C(0x4b4b000000000000);

#define X(reg) MSR(reg, ++value);
    KEYS(X)
#undef X
}

static unsigned keys_lost(void)
{
    uint64_t value = UINT64_C(0x4b4b000000000000);
    unsigned lost = 0;

#define X(reg) lost += MRS(reg) != ++value;
    KEYS(X)
#undef X
    return lost;
}

/*
 * Writes patterns to registers that may hold any value. The others keep what the machine left in them, which is valid.
 */
static void poison(void)
{
    MSR("sp_el0", 0x51105110);
    MSR("tpidr_el0", 0xe0e0);
    MSR("tpidrro_el0", 0xe0e00);
    MSR("tpidr_el1", 0xe1e1);
    MSR("tpidr_el2", 0xe2e2);
    MSR("par_el1", 0x80e);
    MSR("sp_el1", 0x5111);
    MSR("csselr_el1", 2);
    MSR("s2_0_c0_c0_4", 0xb0b0b0); /* DBGBVR0_EL1 */
    MSR("s2_0_c0_c0_6", 0xb1b1b0); /* DBGWVR0_EL1 */
    MSR("cntvoff_el2", 0x123456789);
    MSR("vttbr_el2", UINT64_C(0x0077000000001000));
    if (host_is_vhe()) {
        MSR("s3_5_c2_c0_0", 0x1000);        /* TTBR0_EL12 */
        MSR("s3_5_c12_c0_0", 0xabc800);     /* VBAR_EL12 */
        MSR("s3_5_c13_c0_1", 0xc0c0c0c0);   /* CONTEXTIDR_EL12 */
        MSR("s3_5_c14_c3_2", 0x1234567890); /* CNTV_CVAL_EL02 */
    } else {
        MSR("ttbr0_el1", 0x1000);
        MSR("vbar_el1", 0xabc800);
        MSR("contextidr_el1", 0xc0c0c0c0);
        MSR("cntv_cval_el0", 0x1234567890);
    }
    if (has_pauth())
        poison_keys();
}

static struct test_vm t;

int host_main(void)
{
    static const struct test_config config = { .vcpus = 1 };
    static struct snapshot before, after;
    uint64_t lost = 0, regs_lost = 0;
    unsigned runs = 0, run_lost = 0, put_lost = 0, rounds = 0;

    test_cpu_init(AVC_HOST_SP_EL0 | AVC_HOST_TPIDR | AVC_HOST_PAUTH);
    if (test_pcpu[0].guest_vbar == (uintptr_t)avc_vectors) /* this CPU needs no others: they must be right here, too */
        test_pcpu[0].guest_vbar = (uintptr_t)avc_vectors_clrbhb;
    test_vm_init(&t, &config);
    poison();
    while (!t.off) {
        struct avc_vcpu *vcpu = &t.vcpu[0];

        take_put(&before);
        host_must(avc_vcpu_load(vcpu, &test_pcpu[0]));
        for (unsigned n = 0; n < 7 && !t.off; n++) {
            struct snapshot *s = &after;
            static struct snapshot in;
            struct avc_exit *e;

            take_run(&in);
            e = poisoned_run(vcpu, &lost);
            take_run(s);
            regs_lost |= lost;
            run_lost += compare(&in, s, "after run");
            if (has_pauth())
                run_lost += keys_lost();
            runs++;
            if (e->kind == AVC_CALL && e->key == CALL_PUTC)
                host_putc((char)avc_vcpu_gpr(vcpu, 1));
            if (e->kind == AVC_CALL)
                avc_done(e, avc_vcpu_gpr(vcpu, 1) + avc_vcpu_gpr(vcpu, 2));
            t.off = e->kind == AVC_SYSTEM_OFF;
        }
        host_must(avc_vcpu_put(vcpu));
        take_put(&after);
        put_lost += compare(&before, &after, "after put");
        rounds++;
    }
    host_printf("%sok 101 - x18..x29, d8..d15 and FPCR of the host after each of %u runs (lost: %lx)\n",
                regs_lost ? "not " : "", runs, regs_lost);
    host_printf("%sok 102 - what run borrows is back after each\n", run_lost ? "not " : "");
    host_printf("%sok 103 - all is back after each of %u puts\n", put_lost ? "not " : "", rounds);
    host_printf("%sok 104 - there were enough of both\n", runs > 100 && rounds > 20 ? "" : "not ");
    host_puts("1..104\n");
    return 0;
}
