/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The fake's vectors.S: the same steps in the same order, in C. See guest.h. */
#include "guest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/exit/trap.h"
#include "hw_enter.h"

#define ISR_A AVC_BIT(8)
/* The memory of a register that the vector has not stored holds this, and ELR_EL2 after the guest was left. A library
   that reads it misbehaves visibly. */
#define NOT_STORED UINT64_C(0xbad0bad0bad0bad0)

fake_guest_fn *fake_guest;
const char avc_host_vectors[] = "host_vectors.S", avc_vectors[] = "vectors.S";
const char avc_vectors_loop[] = "loop", avc_vectors_clrbhb[] = "CLRBHB", avc_vectors_firmware[] = "firmware";
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

/* fp.S: EL2 itself traps if CPTR_EL2 says so, in the layout that HCR_EL2.E2H chooses. */
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

void avc_hw_call_host(uintptr_t fn, uintptr_t a, uintptr_t b, uintptr_t c, uintptr_t run_sp)
{
    (void)run_sp;
    require(fake_cpu->reg[FAKE_VBAR_EL2] == (uintptr_t)avc_vectors, "run's frame is used outside of a trap");
    ((void (*)(uintptr_t, uintptr_t, uintptr_t))fn)(a, b, c);
}

/* Registers that stay in the CPU while C runs. Their memory holds nonsense meanwhile. */
struct kept {
    uint64_t x[31];
    uint32_t which;
};

static void keep(struct avc_vcpu *vcpu, struct kept *k, uint32_t which)
{
    k->which = which;
    for (unsigned n = 0; n < 31; n++) {
        if (!(which >> n & 1))
            continue;
        k->x[n] = vcpu->x[n];
        vcpu->x[n] = NOT_STORED;
    }
}

static void give_back(struct avc_vcpu *vcpu, const struct kept *k)
{
    for (unsigned n = 0; n < 31; n++)
        if (k->which >> n & 1)
            vcpu->x[n] = k->x[n];
}

/* What the vectors do with the claim's answer. */
enum avc_result fake_ask(struct avc_vcpu *vcpu)
{
    enum avc_answer answer = vcpu->asked->fn(vcpu, &vcpu->exit, vcpu->asked->ctx);

    if (answer == AVC_DONE)
        return avc_trap_done(vcpu);
    if (answer != AVC_EXIT)
        return avc_trap_answered(vcpu, answer);
    vcpu->exit.answer = AVC_FAULT;
    return AVC_LEAVE;
}

/* x18..x29 are not stored, unless the instruction names one of x16..x31. They are all stored before a claim is
   asked or the slow function is called. */
static enum avc_result sync(struct avc_vcpu *vcpu, uint64_t esr)
{
    const struct avc_trap_row *row = &vcpu->dispatch[AVC_FIELD(esr, 31, 26)];
    enum avc_result result;
    struct kept k;

    keep(vcpu, &k, esr & row->named ? 0 : 0x3ffc0000);
    result = row->fn(vcpu, esr);
    give_back(vcpu, &k);
    if (result == AVC_ASK)
        return fake_ask(vcpu);
    return result == AVC_SLOW ? row->slow(vcpu, esr) : result;
}

static enum avc_result irq(struct avc_vcpu *vcpu)
{
    enum avc_result result;
    struct kept k;

    keep(vcpu, &k, 0x1ff80000);                                 /* x19..x28 */
    result = vcpu->dispatch[AVC_TRAP_IRQ].fn(vcpu, NOT_STORED); /* x1 is the guest's */
    give_back(vcpu, &k);
    return result;
}

static enum avc_result dispatch(struct avc_vcpu *vcpu, const struct fake_trap *trap)
{
    switch (trap->kind) {
    case FAKE_IRQ:
        return irq(vcpu);
    case FAKE_FIQ:
        return vcpu->dispatch[AVC_TRAP_FIQ].fn(vcpu, NOT_STORED);
    case FAKE_SERROR:
        return vcpu->dispatch[AVC_TRAP_SERROR].fn(vcpu, trap->esr);
    default:
        return sync(vcpu, trap->esr);
    }
}

/* Makes the ERET to the guest, and takes its next exception. Returns false if there is none. */
static bool guest_runs(struct avc_vcpu *vcpu, struct fake_trap *trap)
{
    uint64_t *reg = fake_cpu->reg;
    uint64_t mode = reg[FAKE_SPSR_EL2] & 0x1f;

    require(mode == 0 || mode == 4 || mode == 5 || mode == 0x10, "ERET with an illegal SPSR_EL2.M");
    require(reg[FAKE_HCR_EL2] == vcpu->hcr || reg[FAKE_HCR_EL2] == (vcpu->hcr & ~AVC_BIT(8)),
            "HCR_EL2 is not the guest's at ERET");
    require(reg[FAKE_CPTR_EL2] == vcpu->cptr, "CPTR_EL2 is not the guest's at ERET");
    if (!vcpu->fp_live)
        require(!fp_open(), "the guest would see the host's V registers");
    *trap = (struct fake_trap){ .elr = reg[FAKE_ELR_EL2], .spsr = reg[FAKE_SPSR_EL2] };
    if (!fake_guest || !fake_guest(vcpu, trap))
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

unsigned avc_hw_enter(struct avc_vcpu **loaded, uint64_t *daif, uint64_t requests)
{
    struct avc_vcpu *vcpu = *loaded;
    struct fake_trap trap;
    unsigned result;

    if (requests)
        return RESULT_AGAIN;
    require(fake_cpu->masked, "entered with interrupts unmasked");
    require(vcpu->self == vcpu && vcpu->self_at == (uintptr_t)&vcpu->self - FRAME_VCPU,
            "the pair that finds the vCPU is wrong");
    fake_enters++;
    avc_hw_write_VBAR_EL2(vcpu->vbar);
    avc_hw_write_HCR_EL2(vcpu->hcr);
    avc_hw_write_CPTR_EL2(vcpu->cptr);
    avc_hw_write_ELR_EL2(vcpu->pc);
    avc_hw_write_SPSR_EL2(vcpu->pstate);
    do {
        if (!guest_runs(vcpu, &trap)) {
            avc_fetch_or(&vcpu->requests, (uint64_t)AVC_REQUEST_KICK);
            result = RESULT_AGAIN;
            break;
        }
        fake_resumes++;
        result = dispatch(vcpu, &trap);
        require(result == AVC_RESUME || result == AVC_LEAVE, "a trap function answered nonsense");
        if (result == AVC_RESUME && avc_load_relaxed(&vcpu->requests))
            result = RESULT_AGAIN;
    } while (result == AVC_RESUME);

    vcpu->pc = avc_hw_read_ELR_EL2();
    vcpu->pstate = avc_hw_read_SPSR_EL2();
    vcpu->hcr = avc_hw_read_HCR_EL2();
    if (avc_hw_read_ISR_EL1() & ISR_A) {
        vcpu->serror = AVC_BIT(63) | fake_cpu->reg[FAKE_ESR_EL2];
        result |= RESULT_SERROR;
        fake_cpu->reg[FAKE_ISR_EL1] &= ~ISR_A;
    }
    avc_hw_write_VBAR_EL2(vcpu->host_vbar);
    avc_hw_write_HCR_EL2(vcpu->host_hcr);
    avc_hw_write_CPTR_EL2(vcpu->host_cptr);
    avc_hw_isb();
    fake_cpu->reg[FAKE_ELR_EL2] = NOT_STORED; /* the host's, if it has taken an exception since */
    fake_cpu->reg[FAKE_SPSR_EL2] = NOT_STORED;
    return result;
}
