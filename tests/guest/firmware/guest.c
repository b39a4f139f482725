/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * A guest that calls firmware by HVC and by SMC, with every kind of argument. It compares the answers with those that
 * the host gets by an SMC of its own, and with what the host's audit has seen.
 *
 * It runs three times in a VM in which all fast calls are claimed for firmware. The first two runs end with a
 * SYSTEM_RESET, which must not reach firmware. Then it runs in a VM without the claim.
 */
#include "calls.h"
#include "guest.h"

#define SMC64    0x40000000ul
#define SVE_HINT 0x10000ul
#define JUNK     0xdeadbeef00000000ul
#define FAILS    (~0ul) /* NOT_SUPPORTED */

#define SMCCC_VERSION   0x80000000ul
#define SMCCC_FEATURES  0x80000001ul
#define WORKAROUND_1    0x80008000ul
#define WORKAROUND_2    0x80007ffful
#define WORKAROUND_3    0x80003ffful
#define PSCI_VERSION    0x84000000ul
#define CPU_SUSPEND     0x84000001ul
#define CPU_OFF         0x84000002ul
#define CPU_ON          0x84000003ul
#define SYSTEM_OFF      0x84000008ul
#define SYSTEM_RESET    0x84000009ul
#define PSCI_FEATURES   0x8400000aul
#define SYSTEM_SUSPEND  0x8400000eul
#define SYSTEM_RESET2   0x84000012ul
#define SDEI_VERSION    0xc4000020ul
#define TRNG_VERSION    0x84000050ul
#define TRNG_FEATURES   0x84000051ul
#define TRNG_UUID       0x84000052ul
#define TRNG_RND        0x84000053ul
#define STD_CALL_UID    0x8400ff01ul
#define SIP_UNKNOWN     0xc200f00dul
#define TRNG_NO_ENTROPY (-3ul)

#define EC_HVC 0x16
#define EC_SMC 0x17

#define ALL_REGS 30 /* x0..x29 */

/*
 * Makes a call with x0..x29 from x[], and stores x0..x29 there afterwards. x30 holds x. The labels are the addresses
 * after the instructions.
 */
void call_hvc(uint64_t *x), call_smc(uint64_t *x);
extern char after_hvc[], after_smc[];
__asm__(".pushsection .text\n"
        ".irp way, hvc, smc\n"
        "call_\\way:\n"
        "    stp x29, x30, [sp, #-96]!\n"
        "    stp x27, x28, [sp, #16]\n"
        "    stp x25, x26, [sp, #32]\n"
        "    stp x23, x24, [sp, #48]\n"
        "    stp x21, x22, [sp, #64]\n"
        "    stp x19, x20, [sp, #80]\n"
        "    mov x30, x0\n"
        "    ldp x28, x29, [x30, #224]\n"
        "    ldp x26, x27, [x30, #208]\n"
        "    ldp x24, x25, [x30, #192]\n"
        "    ldp x22, x23, [x30, #176]\n"
        "    ldp x20, x21, [x30, #160]\n"
        "    ldp x18, x19, [x30, #144]\n"
        "    ldp x16, x17, [x30, #128]\n"
        "    ldp x14, x15, [x30, #112]\n"
        "    ldp x12, x13, [x30, #96]\n"
        "    ldp x10, x11, [x30, #80]\n"
        "    ldp x8, x9, [x30, #64]\n"
        "    ldp x6, x7, [x30, #48]\n"
        "    ldp x4, x5, [x30, #32]\n"
        "    ldp x2, x3, [x30, #16]\n"
        "    ldp x0, x1, [x30]\n"
        "    \\way #0\n"
        "after_\\way:\n"
        "    stp x0, x1, [x30]\n"
        "    stp x2, x3, [x30, #16]\n"
        "    stp x4, x5, [x30, #32]\n"
        "    stp x6, x7, [x30, #48]\n"
        "    stp x8, x9, [x30, #64]\n"
        "    stp x10, x11, [x30, #80]\n"
        "    stp x12, x13, [x30, #96]\n"
        "    stp x14, x15, [x30, #112]\n"
        "    stp x16, x17, [x30, #128]\n"
        "    stp x18, x19, [x30, #144]\n"
        "    stp x20, x21, [x30, #160]\n"
        "    stp x22, x23, [x30, #176]\n"
        "    stp x24, x25, [x30, #192]\n"
        "    stp x26, x27, [x30, #208]\n"
        "    stp x28, x29, [x30, #224]\n"
        "    ldp x19, x20, [sp, #80]\n"
        "    ldp x21, x22, [sp, #64]\n"
        "    ldp x23, x24, [sp, #48]\n"
        "    ldp x25, x26, [sp, #32]\n"
        "    ldp x27, x28, [sp, #16]\n"
        "    ldp x29, x30, [sp], #96\n"
        "    ret\n"
        ".endr\n"
        ".popsection\n");

static bool smc; /* the conduit */
static uint64_t about;
static struct audited seen;

static void ask_audit(void)
{
    guest_hvc(CALL_AUDIT, (uintptr_t)&seen, 0, 0, NULL);
}

static uint64_t pattern(uint64_t n)
{
    return 0x1111111111111111ul * (n % 16) ^ n << 32;
}

static void fill(uint64_t x[ALL_REGS], uint64_t fid, uint64_t a, uint64_t b)
{
    for (unsigned n = 3; n < ALL_REGS; n++)
        x[n] = pattern(n);
    x[0] = fid;
    x[1] = a;
    x[2] = b;
}

/* Makes a call with a value in every register. */
static void call(uint64_t x[ALL_REGS], uint64_t fid, uint64_t a, uint64_t b)
{
    fill(x, fid, a, b);
    (smc ? call_smc : call_hvc)(x);
}

static uint64_t result(uint64_t fid, uint64_t a)
{
    uint64_t x[ALL_REGS];

    call(x, fid, a, 0);
    return x[0];
}

static void direct(uint64_t x[NR_REGS])
{
    guest_hvc(CALL_DIRECT, (uintptr_t)x, 0, 0, NULL);
}

static bool same(const uint64_t *a, const uint64_t *b, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (a[i] != b[i]) {
            guest_printf("# x%u: %lx and %lx\n", i, a[i], b[i]);
            return false;
        }
    return true;
}

/*
 * Makes a call that must reach firmware. x0..x17 must arrive there unchanged, and come back as firmware left them. The
 * host must get the same answer from firmware, and the audit must have seen one call and one answer. `chance`: x1..x3
 * may differ from call to call. Returns x0.
 */
static uint64_t forwarded(const char *what, uint64_t fid, uint64_t a, bool chance)
{
    uint64_t sent[ALL_REGS], x[ALL_REGS], own[NR_REGS];
    bool ok;

    call(x, fid, a, 5);
    fill(sent, (uint32_t)fid & ~SVE_HINT, a, 5);
    for (unsigned n = 0; n < NR_REGS; n++)
        own[n] = sent[n];
    ask_audit();
    direct(own);
    ok = seen.calls == 1 && seen.answers == 1 && seen.refused == 0;
    ok = ok && seen.ec == (smc ? EC_SMC : EC_HVC);
    ok = ok && seen.pc == (smc ? (uintptr_t)after_smc - 4 : (uintptr_t)after_hvc);
    ok = ok && same(seen.call, sent, NR_REGS) && same(seen.answer, x, NR_REGS);
    ok = ok && same(&x[NR_REGS], &sent[NR_REGS], ALL_REGS - NR_REGS);
    ok = ok && x[0] == own[0] && same(&x[4], &own[4], NR_REGS - 4);
    ok = ok && (chance || same(x, own, 4));
    guest_ok(ok, "%s %s %lx: firmware's answer is %lx (%lu calls)", smc ? "SMC" : "HVC", what, fid, x[0], seen.calls);
    return x[0];
}

/* Makes a call that must not reach firmware. */
static void kept(const char *what, uint64_t fid, uint64_t a, uint64_t wanted)
{
    uint64_t x[ALL_REGS];

    call(x, fid, a, (uintptr_t)after_hvc);
    ask_audit();
    guest_ok(x[0] == wanted && seen.calls == 0 && seen.answers == 0, "%s %s %lx stays here: %lx (%lu calls)",
             smc ? "SMC" : "HVC", what, fid, x[0], seen.calls);
}

static void queries(void)
{
    uint64_t version = forwarded("SMCCC_VERSION", SMCCC_VERSION, 0, false);

    if (about & ABOUT_TFA)
        guest_ok(version == 0x10002, "which is TF-A's");
    forwarded("SMCCC_VERSION, junk above", SMCCC_VERSION | JUNK, JUNK, false);
    forwarded("SMCCC_VERSION, SVE hint", SMCCC_VERSION | SVE_HINT, 0, false);
    forwarded("ARCH_FEATURES of itself", SMCCC_FEATURES, SMCCC_FEATURES, false);
    forwarded("ARCH_FEATURES of WORKAROUND_1", SMCCC_FEATURES, WORKAROUND_1, false);
    forwarded("ARCH_FEATURES of WORKAROUND_2", SMCCC_FEATURES, WORKAROUND_2, false);
    forwarded("ARCH_FEATURES of WORKAROUND_3", SMCCC_FEATURES, WORKAROUND_3, false);
    forwarded("ARCH_FEATURES of nothing", SMCCC_FEATURES, SIP_UNKNOWN, false);
    forwarded("unique id of its standard services", STD_CALL_UID, 0, false);
    guest_ok(forwarded("unknown", SIP_UNKNOWN, 0, false) == FAILS, "which firmware does not know");
}

static void random_numbers(void)
{
    uint64_t version = forwarded("TRNG_VERSION", TRNG_VERSION, 0, false), x[ALL_REGS], y[ALL_REGS], rnd;

    forwarded("TRNG_FEATURES", TRNG_FEATURES, TRNG_RND | SMC64, false);
    forwarded("TRNG_GET_UUID", TRNG_UUID, 0, false);
    forwarded("TRNG_RND, 1 bit too many", TRNG_RND | SMC64, 193, false);
    forwarded("TRNG_RND, 32 bits", TRNG_RND, 32, true);
    rnd = forwarded("TRNG_RND, 192 bits", TRNG_RND | SMC64, 192, true);
    if (about & ABOUT_TFA)
        guest_ok(version == 0x10000 && rnd == (about & ABOUT_RNG ? 0 : TRNG_NO_ENTROPY), "which is TF-A's service");
    if (rnd == 0) {
        call(x, TRNG_RND | SMC64, 192, 0);
        call(y, TRNG_RND | SMC64, 192, 0);
        ask_audit();
        guest_ok(seen.calls == 2 && x[0] == 0 && y[0] == 0 && x[1] && x[2] && x[3] && x[1] != y[1] && x[2] != y[2] &&
                     x[3] != y[3],
                 "192 bits twice, and not the same");
    }
    call(x, TRNG_UUID, 0, REFUSE);
    ask_audit();
    guest_ok(seen.refused == 1 && seen.calls == 0 && seen.answers == 0 && x[0] == FAILS && x[2] == REFUSE &&
                 seen.call[0] == TRNG_UUID,
             "a call that the audit refuses is not made: %lx", x[0]);
}

/* Calls that would power off the machine or this CPU, or that would execute code at EL2. */
static void power(void)
{
    uint64_t r[4];

    kept("PSCI_VERSION", PSCI_VERSION, 0, 0x10001);
    kept("PSCI_FEATURES of SYSTEM_RESET", PSCI_FEATURES, SYSTEM_RESET, 0);
    kept("PSCI_FEATURES of SYSTEM_SUSPEND", PSCI_FEATURES, SYSTEM_SUSPEND, FAILS);
    kept("SYSTEM_SUSPEND", SYSTEM_SUSPEND, (uintptr_t)after_hvc, FAILS);
    kept("SYSTEM_SUSPEND, 64 bits", SYSTEM_SUSPEND | SMC64, (uintptr_t)after_hvc, FAILS);
    kept("CPU_ON of nobody", CPU_ON | SMC64, 7, -2ul);
    for (uint64_t bit = SVE_HINT; bit < 0x1000000; bit <<= 1) {
        static const uint64_t ids[] = { CPU_SUSPEND, CPU_OFF, CPU_ON, SYSTEM_OFF, SYSTEM_RESET, SYSTEM_RESET2 };

        for (unsigned n = 0; n < sizeof ids / sizeof ids[0]; n++)
            kept("disguised", ids[n] | bit, 0, FAILS);
    }
    kept("SDEI_VERSION", SDEI_VERSION, 0, FAILS);
    kept("SDEI_VERSION, 32 bits", SDEI_VERSION & ~SMC64, 0, FAILS);
    for (uint64_t n = 0; n < 0x20; n++)
        kept("SDEI or DRTM", n % 2 ? 0xc4000020 + n : 0xc4000110 + n, 0, FAILS);
    ask_audit();
    guest_hvc(CALL_EXITS, 0, 0, 0, r);
    guest_ok(r[0] == 0, "no exit so far");
    kept("CPU_SUSPEND", CPU_SUSPEND, 0, 0);
    guest_hvc(CALL_EXITS, 0, 0, 0, r);
    guest_ok(r[0] == 1 && r[1] == EXIT_SUSPEND, "CPU_SUSPEND was an exit to the VMM");
    kept("CPU_SUSPEND, 64 bits", CPU_SUSPEND | SMC64, 0, 0);
    guest_hvc(CALL_EXITS, 0, 0, 0, r);
    guest_ok(r[0] == 1 && r[1] == EXIT_SUSPEND, "and once more");
}

/* FP and SIMD registers must survive a call. */
static void vectors(void)
{
    uint64_t lo = 0x0123456789abcdef, hi = 0xfedcba9876543210, got[4];

    __asm__ volatile(".arch armv8-a+fp+simd\n"
                     "fmov d0, %0\n"
                     "fmov v0.d[1], %1\n"
                     "fmov d31, %1\n"
                     "fmov v31.d[1], %0" ::"r"(lo),
                     "r"(hi));
    result(SMCCC_VERSION, 0);
    __asm__ volatile(".arch armv8-a+fp+simd\n"
                     "fmov %0, d0\n"
                     "fmov %1, v0.d[1]\n"
                     "fmov %2, d31\n"
                     "fmov %3, v31.d[1]\n"
                     ".arch armv8-a"
                     : "=r"(got[0]), "=r"(got[1]), "=r"(got[2]), "=r"(got[3]));
    ask_audit();
    guest_ok(seen.calls == 1 && got[0] == lo && got[1] == hi && got[2] == hi && got[3] == lo, "V0 and V31 are kept");
}

/* The CPU needs no ARCH_WORKAROUND_3: ID_AA64PFR0_EL1.CSV2 = 3, or ID_AA64MMFR1_EL1.ECBHB. */
static bool unaffected(void)
{
    return (READ("id_aa64pfr0_el1") >> 56 & 15) >= 3 || READ("id_aa64mmfr1_el1") >> 60;
}

/* Without the claim the library answers itself. For workarounds its answer must be firmware's. Where there is no
   firmware to ask, the library says 1 for one that the CPU does not need. */
static void not_forwarded(void)
{
    static const uint64_t workarounds[] = { WORKAROUND_1, WORKAROUND_2, WORKAROUND_3 };

    kept("SMCCC_VERSION", SMCCC_VERSION, 0, 0x10002);
    kept("unknown", SIP_UNKNOWN, 0, FAILS);
    for (unsigned n = 0; n < 3; n++) {
        uint64_t own[NR_REGS] = { SMCCC_FEATURES, workarounds[n] }, wanted, x[ALL_REGS];

        direct(own);
        wanted = (uint64_t)(int32_t)own[0];
        if (!(about & ABOUT_TFA))
            wanted = n == 2 && unaffected() ? 1 : FAILS;
        else if (n == 1 && wanted == 0)
            wanted = 1; /* the host has switched it on for good */
        kept("ARCH_FEATURES of a workaround", SMCCC_FEATURES, workarounds[n], wanted);
        call(x, workarounds[n], 0, 0);
        guest_ok(x[0] == (wanted == FAILS ? FAILS : 0) && x[1] == 0 && x[17] == pattern(17),
                 "%s ARCH_WORKAROUND_%u: %lx", smc ? "SMC" : "HVC", n + 1, x[0]);
    }
}

int guest_main(unsigned cpu)
{
    static unsigned boots;
    static bool resetting;
    uint64_t r[4];

    about = guest_hvc(CALL_ABOUT, 0, 0, 0, NULL);
    smc = boots++ == 1;
    if (!(about & ABOUT_FORWARDS)) {
        guest_tests = (unsigned)guest_hvc(CALL_TESTS, 0, 0, 0, NULL);
        for (unsigned n = 0; n < 2; n++) {
            smc = n;
            not_forwarded();
        }
        guest_plan();
        return 0;
    }
    if (resetting) {
        resetting = false;
        ask_audit();
        guest_hvc(CALL_EXITS, 0, 0, 0, r);
        guest_ok(r[0] == 1 && r[1] == EXIT_RESET && seen.calls == 0, "SYSTEM_RESET was an exit to the VMM (%lu calls)",
                 seen.calls);
    }
    if (boots <= 2) {
        queries();
        random_numbers();
        power();
        vectors();
        resetting = true;
        result(SYSTEM_RESET, 0);
        guest_ok(false, "SYSTEM_RESET came back");
    }
    guest_hvc(CALL_TESTS, guest_tests, 0, 0, NULL);
    return 0;
}
