/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The fake's enter.S and vectors.S: the same steps in the same order, in C. See guest.h. */
#include "guest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/core.h"
#include "hw_enter.h"

#define EC_HVC64  0x16
#define EC_SMC64  0x17
#define EC_SYSREG 0x18
#define EC_DABT   0x24
#define ISR_A     AVC_BIT(8)
/* What a register holds in memory that the vector has not stored. A library that reads it misbehaves visibly. */
#define NOT_STORED UINT64_C(0xbad0bad0bad0bad0)

fake_guest_fn *fake_guest;
const char avc_host_vectors[] = "host_vectors.S", avc_vectors[] = "vectors.S";
unsigned fake_enters, fake_resumes;
struct avc_fp fake_fp[FAKE_MAX_CPUS];

void fake_guest_reset(void)
{
    fake_guest = NULL;
    fake_enters = fake_resumes = 0;
    memset(fake_fp, 0, sizeof fake_fp);
}

static void require(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "fake guest: %s\n", what);
        abort();
    }
}

/* fp.S: EL2 itself traps where CPTR_EL2 says so, in the layout that HCR_EL2.E2H chooses. */
static bool fp_open(void)
{
    uint64_t cptr = fake_cpu->reg[FAKE_CPTR_EL2];

    return fake_cpu->reg[FAKE_HCR_EL2] & AVC_BIT(34) ? cptr >> 20 & 1 : !(cptr & AVC_BIT(10));
}

static void require_fp(void)
{
    require(fp_open(), "V registers used while CPTR_EL2 traps them");
}

void avc_hw_fp_save(struct avc_fp *fp)
{
    require_fp();
    *fp = fake_fp[fake_cpu - fake_cpus];
}

void avc_hw_fp_load(const struct avc_fp *fp)
{
    require_fp();
    fake_fp[fake_cpu - fake_cpus] = *fp;
}

/* Registers that stay in the CPU while C runs: their memory holds nonsense meanwhile. */
struct kept {
    uint64_t x[31];
    uint32_t which;
};

static void keep(struct avc_vcpu *v, struct kept *k, uint32_t which)
{
    k->which = which;
    for (unsigned n = 0; n < 31; n++) {
        if (!(which >> n & 1))
            continue;
        k->x[n] = v->x[n];
        v->x[n] = NOT_STORED;
    }
}

static void give_back(struct avc_vcpu *v, const struct kept *k)
{
    for (unsigned n = 0; n < 31; n++)
        if (k->which >> n & 1)
            v->x[n] = k->x[n];
}

/* What they are named for, instead of addresses in a vector. */
static const char full_way[1], light_way[1];
const void *const avc_ways_full[64] = { [0 ... 63] = full_way };
const void *const avc_ways_light[64] = {
    [0 ... EC_HVC64 - 1] = full_way,
    [EC_HVC64] = light_way,
    [EC_SMC64] = light_way,
    [EC_SYSREG] = light_way,
    [EC_SYSREG + 1 ... EC_DABT - 1] = full_way,
    [EC_DABT] = light_way,
    [EC_DABT + 1 ... 63] = full_way,
};

static uint64_t full(struct avc_vcpu *v, unsigned row, uint64_t esr)
{
    avc_trap_fn *const *table = v->trap_table;

    return table[row](v, esr);
}

bool fake_is_claim(uint64_t code)
{
    return code > 0xfff;
}

uint64_t fake_ask(struct avc_vcpu *v, unsigned ec, uint64_t code)
{
    const struct avc_claim *claim = (const struct avc_claim *)(uintptr_t)code;
    enum avc_answer answer = claim->fn(v, &v->exit, claim->ctx);

    code = ec == EC_DABT     ? avc_mmio_answered(v, answer)
           : ec == EC_SYSREG ? avc_sysreg_answered(v, answer)
                             : avc_call_answered(v, answer);
    return code & HW_EXIT ? HW_EXIT : code ? HW_AGAIN : HW_BACK;
}

static uint64_t light(struct avc_vcpu *v, unsigned ec, uint64_t esr)
{
    struct kept k;
    uint64_t code;

    keep(v, &k, 0x3ffcff00); /* all but x0..x7, x16, x17, x30 */
    code = ec == EC_HVC64    ? avc_fast_hvc(v, esr)
           : ec == EC_SMC64  ? avc_fast_smc(v, esr)
           : ec == EC_SYSREG ? avc_fast_sysreg(v, esr)
                             : avc_fast_dabt(v, esr);
    give_back(v, &k);
    if (fake_is_claim(code))
        return fake_ask(v, ec, code);
    if (code == HW_SLOW)
        return full(v, ec, esr);
    require(code == HW_EXIT || code < HW_EXIT, "a function of the light way answered nonsense");
    return code == HW_EXIT ? HW_EXIT : code ? HW_AGAIN : HW_BACK;
}

/* Rt of MSR and MRS, SRT of loads and stores: one of x0..x7. */
static bool names_low(unsigned ec, uint64_t esr)
{
    return ec == EC_SYSREG ? !(esr & 0x18 << 5) : ec == EC_DABT ? !(esr & 0x18 << 16) : true;
}

static uint64_t sync(struct avc_vcpu *v, uint64_t esr)
{
    unsigned ec = (unsigned)AVC_FIELD(esr, 31, 26);

    if (((const void *const *)v->ways)[ec] == light_way && names_low(ec, esr))
        return light(v, ec, esr);
    v->nr_traps[ec]++;
    return full(v, ec, esr);
}

static uint64_t serror(struct avc_vcpu *v, uint64_t esr)
{
    v->nr_traps[AVC_TRAP_SERROR]++;
    return full(v, AVC_TRAP_SERROR, esr);
}

static uint64_t irq(struct avc_vcpu *v)
{
    avc_trap_fn *const *table = v->trap_table;
    struct kept k;
    uint64_t code;

    keep(v, &k, 0x1ff80000);                   /* x19..x28 */
    code = table[AVC_TRAP_IRQ](v, NOT_STORED); /* x1 is the guest's */
    give_back(v, &k);
    return code;
}

static uint64_t dispatch(struct avc_vcpu *v, const struct fake_trap *trap)
{
    switch (trap->kind) {
    case FAKE_IRQ:
        return irq(v);
    case FAKE_FIQ:
        v->nr_traps[AVC_TRAP_FIQ]++;
        return full(v, AVC_TRAP_FIQ, NOT_STORED);
    case FAKE_SERROR:
        return serror(v, trap->esr);
    default:
        return sync(v, trap->esr);
    }
}

/* ERET to the guest, and its next exception. False: none. */
static bool guest_runs(struct avc_vcpu *v, struct fake_trap *trap)
{
    uint64_t *reg = fake_cpu->reg;
    uint64_t mode = reg[FAKE_SPSR_EL2] & 0x1f;

    require(mode == 0 || mode == 4 || mode == 5 || mode == 0x10, "ERET with an illegal SPSR_EL2.M");
    require(reg[FAKE_HCR_EL2] == v->hcr || reg[FAKE_HCR_EL2] == (v->hcr & ~AVC_BIT(8)),
            "HCR_EL2 is not the guest's at ERET");
    require(reg[FAKE_CPTR_EL2] == v->cptr, "CPTR_EL2 is not the guest's at ERET");
    if (!v->fp_live)
        require(!fp_open(), "the guest would see the host's V registers");
    *trap = (struct fake_trap){ .elr = reg[FAKE_ELR_EL2], .spsr = reg[FAKE_SPSR_EL2] };
    if (!fake_guest || !fake_guest(v, trap))
        return false;
    reg[FAKE_ELR_EL2] = trap->elr;
    reg[FAKE_SPSR_EL2] = trap->spsr;
    if (trap->kind == FAKE_SYNC || trap->kind == FAKE_SERROR)
        reg[FAKE_ESR_EL2] = trap->esr;
    if (trap->kind == FAKE_SYNC) {
        reg[FAKE_FAR_EL2] = trap->far;
        reg[FAKE_HPFAR_EL2] = trap->hpfar;
    }
    return true;
}

uint64_t avc_hw_enter(struct avc_vcpu **vcpu, uint64_t *daif, uint64_t requests)
{
    struct avc_vcpu *v = *vcpu;
    struct fake_trap trap;
    uint64_t code;

    if (requests)
        return requests;
    require(fake_cpu->masked, "entered with interrupts unmasked");
    require(v->self == v && v->self_at == (uintptr_t)&v->self - FRAME_VCPU, "the pair that finds the vCPU is wrong");
    fake_enters++;
    avc_hw_write_VBAR_EL2(v->vbar);
    avc_hw_write_HCR_EL2(v->hcr);
    avc_hw_write_CPTR_EL2(v->cptr);
    avc_hw_write_ELR_EL2(v->pc);
    avc_hw_write_SPSR_EL2(v->pstate);
    do {
        if (!guest_runs(v, &trap)) {
            avc_fetch_or(&v->requests, (uint64_t)AVC_REQUEST_KICK);
            code = HW_AGAIN;
            break;
        }
        fake_resumes++;
        code = dispatch(v, &trap);
        require(code == HW_BACK || code == HW_EXIT || code == HW_AGAIN, "a trap function answered nonsense");
        if (code == HW_BACK && avc_load_relaxed(&v->requests))
            code = HW_AGAIN;
    } while (code == HW_BACK);

    v->pc = avc_hw_read_ELR_EL2();
    v->pstate = avc_hw_read_SPSR_EL2();
    v->hcr = avc_hw_read_HCR_EL2();
    if (avc_hw_read_ISR_EL1() & ISR_A) {
        v->serror = AVC_BIT(63) | fake_cpu->reg[FAKE_ESR_EL2];
        code = code << HW_SERROR_SHIFT | HW_SERROR;
        fake_cpu->reg[FAKE_ISR_EL1] &= ~ISR_A;
    }
    avc_hw_write_VBAR_EL2(v->host_vbar);
    avc_hw_write_HCR_EL2(v->host_hcr);
    avc_hw_write_CPTR_EL2(v->host_cptr);
    avc_hw_isb();
    return code;
}
