/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * PSCI, SMCCC and TRNG from two vCPUs in turn, by HVC and SMC with any function id and any registers, against a model
 * that is written from the specifications (DEN0022, DEN0028, DEN0098), not from avc/psci.def: who is on, and what a
 * call may answer. After each call: where the guest goes on, and which registers have changed.
 */
#include "../unit/world.h"

#include <avc/psci.h>

#include "arch/esr.h"
#include "arch/pstate.h"
#include "core/policy/sysreg.h"
#include "input.h"

#define WIDE 0x40000000u

static void wrong(const char *what, uint64_t fid, uint64_t got)
{
    fprintf(stderr, "calls: %s: function %#llx, %#llx\n", what, (unsigned long long)fid, (unsigned long long)got);
    abort();
}

/* ---- the model ---- */

static enum { ON, OFF, PENDING } power[2];
static struct {
    uint64_t pc, x0;
} start[2];

static unsigned self;

/* The vCPU that an affinity names, or 2. The upper half of a 32-bit argument means nothing. */
static unsigned named(uint32_t fid, uint64_t target)
{
    target = fid & WIDE ? target : (uint32_t)target;
    return target < 2 ? (unsigned)target : 2;
}

static bool can_start_at(uint32_t fid, uint64_t entry)
{
    entry = fid & WIDE ? entry : (uint32_t)entry;
    return entry % 4 == 0 && ((entry >= RAM && entry < RAM + RAM_SIZE) || (entry >= ROM && entry < ROM + 0x1000));
}

/* What may come back, as a set of results. */
struct answers {
    int64_t may[4];
    unsigned nr;
    bool any, any_of_x1_to_x3; /* any but NOT_SUPPORTED; results beyond x0 */
};

static void may(struct answers *a, int64_t value)
{
    a->may[a->nr++] = value;
}

static bool has_rndr(void)
{
    return avc_has(&world.machine.features, AVC_FEAT_RNDR);
}

/* Of PSCI 1.1: what this one offers (docs/caveats.md says what it does not). */
static bool psci_offers(uint32_t fid)
{
    static const uint8_t both[] = { 0x1, 0x3, 0x4, 0x12 }, narrow[] = { 0x0, 0x2, 0x6, 0x8, 0x9, 0xa };
    uint32_t n = fid & 0x1f;

    if ((fid & ~WIDE) < 0x84000000 || (fid & ~WIDE) > 0x8400001f)
        return false;
    for (unsigned k = 0; k < sizeof both; k++)
        if (both[k] == n)
            return true;
    for (unsigned k = 0; k < sizeof narrow; k++)
        if (narrow[k] == n)
            return !(fid & WIDE);
    return false;
}

static void cpu_on(struct answers *a, uint32_t fid, const uint64_t x[4])
{
    unsigned n = named(fid, x[1]);

    if (n == 2)
        may(a, AVC_PSCI_INVALID_PARAMETERS);
    else if (power[n] == ON)
        may(a, AVC_PSCI_ALREADY_ON);
    else if (power[n] == PENDING)
        may(a, AVC_PSCI_ON_PENDING);
    if (!can_start_at(fid, x[2])) /* of two errors either may be told */
        may(a, AVC_PSCI_INVALID_ADDRESS);
    if (!a->nr) {
        may(a, AVC_PSCI_SUCCESS);
        power[n] = PENDING;
        start[n].pc = fid & WIDE ? x[2] : (uint32_t)x[2];
        start[n].x0 = fid & WIDE ? x[3] : (uint32_t)x[3];
    }
}

static void affinity_info(struct answers *a, uint32_t fid, const uint64_t x[4])
{
    unsigned n = named(fid, x[1]);

    if ((uint32_t)x[2] || n == 2)
        may(a, AVC_PSCI_INVALID_PARAMETERS);
    else
        may(a, power[n] == ON ? 0 : power[n] == OFF ? 1 : 2);
}

static void trng(struct answers *a, uint32_t fid, const uint64_t x[4])
{
    uint64_t bits = fid & WIDE ? x[1] : (uint32_t)x[1];

    if (!has_rndr()) {
        may(a, AVC_SMCCC_NOT_SUPPORTED);
    } else if ((fid & 0xff) == 0x53) {
        a->any_of_x1_to_x3 = true;
        if (bits == 0 || bits > (fid & WIDE ? 192 : 96)) {
            may(a, AVC_TRNG_INVALID_PARAMETERS);
        } else {
            may(a, 0);
            may(a, AVC_TRNG_NO_ENTROPY);
        }
    } else if (fid == 0x84000050) {
        may(a, 0x10000);
    } else if (fid == 0x84000051) {
        uint32_t asked = (uint32_t)x[1];

        may(a, (asked >= 0x84000050 && asked <= 0x84000053) || asked == 0xc4000053 ? 0 : -1);
    } else if (fid == 0x84000052) {
        a->any = a->any_of_x1_to_x3 = true;
    } else {
        may(a, AVC_SMCCC_NOT_SUPPORTED);
    }
}

/* Calls that come back. False: this one begins an exit. */
static bool model(struct answers *a, uint32_t fid, const uint64_t x[4])
{
    uint32_t asked = (uint32_t)x[1];

    if (!psci_offers(fid)) {
        if (fid == 0x80000000)
            may(a, 0x10002);
        else if (fid == 0x80000001 || (fid >= 0x80007fff && fid <= 0x80008000) || fid == 0x80003fff)
            return may(a, -1), may(a, 0), may(a, 1), may(a, -2), true; /* by CPU and firmware: test_smccc.c */
        else if ((fid & ~WIDE) >= 0x84000050 && (fid & ~WIDE) <= 0x8400005f)
            trng(a, fid, x);
        else
            may(a, AVC_SMCCC_NOT_SUPPORTED);
        return true;
    }
    switch (fid & 0x1f) {
    case 0x0:
        may(a, 0x10001);
        return true;
    case 0x3:
        cpu_on(a, fid, x);
        return true;
    case 0x4:
        affinity_info(a, fid, x);
        return true;
    case 0x6: /* there is no Trusted OS that would have to be moved */
        may(a, 2);
        return true;
    case 0xa:
        may(a, psci_offers(asked) || asked == 0x80000000 ? 0 : -1);
        return true;
    default: /* these may leave, or be refused */
        may(a, AVC_PSCI_INVALID_PARAMETERS);
        if ((fid & 0x1f) == 0x1) {
            may(a, AVC_PSCI_INVALID_ADDRESS);
            may(a, AVC_PSCI_SUCCESS);
        }
        return false;
    }
}

/* ---- the guest ---- */

static struct fake_trap one;
static uint64_t at_pc, at_pstate;
static bool begins, calls; /* it has just been switched on; it has a call to make, or only looks around */
static uint64_t began_x[31];

static bool guest(struct avc_vcpu *v, struct fake_trap *trap)
{
    if (begins) {
        begins = false;
        if (trap->elr != start[self].pc || v->x[0] != start[self].x0 || trap->spsr != EL1H)
            wrong("a vCPU began elsewhere", trap->elr, v->x[0]);
    }
    if (!calls) {
        at_pc = trap->elr;
        at_pstate = trap->spsr;
        return false;
    }
    calls = false;
    memcpy(v->x, began_x, sizeof began_x);
    *trap = one;
    return true;
}

static uint32_t any_id(void)
{
    static const uint32_t bases[] = { 0x84000000, 0xc4000000, 0x80000000, 0x80007fff,
                                      0x84000050, 0xc4000050, 0x80003fff, 0xc6000000 };
    uint8_t what = byte();

    return what & 0x80 ? (uint32_t)take_bytes(4) : bases[what & 7] + (what >> 3 & 15) + (byte() & 16);
}

static uint64_t any_argument(void)
{
    static const uint64_t some[] = { 0, 1, 2, START, ROM, PASS, NOWHERE, RAM + RAM_SIZE };
    uint8_t what = byte();

    if (what & 0x80)
        return take_bytes(8);
    return some[what & 7] + (what >> 3 & 3) + (what & 0x40 ? UINT64_C(0xdead) << 48 : 0);
}

static void check_registers(const struct avc_vcpu *v, uint32_t fid, const struct answers *a)
{
    bool found = a->any && v->x[0] != ~UINT64_C(0);

    for (unsigned n = 0; n < a->nr; n++)
        found |= (int64_t)v->x[0] == a->may[n];
    if (!found)
        wrong("the result", fid, v->x[0]);
    for (unsigned n = 1; n < 31; n++)
        if (v->x[n] != began_x[n] && !(n <= 3 && a->any_of_x1_to_x3))
            wrong("a register has changed", fid, n);
}

/* False: the machine is off, or is to be reset. */
static bool one_call(struct avc_vcpu *v)
{
    uint8_t how = byte();
    bool smc = how & 1, returns;
    uint32_t fid = any_id();
    struct answers a = { .nr = 0 };
    struct avc_exit *e;
    uint64_t x[4];

    for (unsigned n = 4; n < 31; n++)
        began_x[n] = 0x1111 * n + how;
    for (unsigned n = 1; n < 4; n++)
        began_x[n] = any_argument();
    began_x[0] = fid | (how & 2 ? UINT64_C(0xbeef) << 32 : 0); /* W0 is the function */
    memcpy(x, began_x, sizeof x);
    /* the immediate says nothing */
    one = (struct fake_trap){ .esr = ESR_MAKE(smc ? 0x17 : 0x16, true, how & 0xf0 ? 0 : how >> 2 & 3),
                              .elr = START + 0x100,
                              .spsr = EL1H };
    begins = power[self] == PENDING;
    power[self] = ON;
    returns = model(&a, fid, x);
    calls = true;
    fake_guest = guest;
    e = world_run(v);
    if (returns && e->kind != AVC_KICKED)
        wrong("an exit", fid, e->kind);
    if (e->kind == AVC_KICKED) {
        if (at_pc != START + 0x100 + (smc ? 4 : 0) || at_pstate != EL1H)
            wrong("the PC", fid, at_pc);
        check_registers(v, fid, &a);
        return true;
    }
    switch (fid & 0x1f) {
    case 0x1:
        if (e->kind != AVC_CPU_SUSPEND)
            wrong("CPU_SUSPEND", fid, e->kind);
        break;
    case 0x2:
        if (e->kind != AVC_CPU_OFF)
            wrong("CPU_OFF", fid, e->kind);
        power[self] = OFF;
        break;
    case 0x8:
        if (e->kind != AVC_SYSTEM_OFF)
            wrong("SYSTEM_OFF", fid, e->kind);
        return false;
    default:
        if (e->kind != AVC_SYSTEM_RESET)
            wrong("SYSTEM_RESET", fid, e->kind);
        return false;
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input_is(data, size);
    world_model = fake_models[one_of(FAKE_NR_MODELS)];
    world_make();
    must(avc_psci_attach(&world.vm));
    (void)world_load();
    power[0] = ON;
    power[1] = OFF;
    self = 0;
    calls = false;
    for (unsigned n = 0; n < 60 && input_left; n++) {
        struct avc_vcpu *v = &world.vcpu[self];

        if (byte() & 1) { /* the other one's turn */
            must(avc_vcpu_put(v));
            self ^= 1;
            v = &world.vcpu[self];
            must(avc_vcpu_load(v, &world.pcpu));
        }
        if (power[self] == OFF) {
            if (world_run(v)->kind != AVC_CPU_OFF)
                wrong("a vCPU that is off has run", 0, v->exit.kind);
            if (power[self ^ 1] == OFF)
                break;
            continue;
        }
        if (!one_call(v))
            break;
    }
    return 0;
}
