/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* See nothing.h. */
#include "nothing.h"

#include <avc/sysreg.h>

#include "guest.h"
#include "walk.h"

#define ESR_S1PTW    (UINT64_C(1) << 7)  /* the access is a read of the guest's own tables */
#define SCTLR_EE     (UINT64_C(1) << 25) /* the tables are big-endian */
#define PSTATE_EL    UINT64_C(0xc)
#define VECTOR_BYTES 0x800u

static bool is_walk(const struct avc_exit *e)
{
    return e->kind == AVC_STAGE2 && e->esr & ESR_S1PTW;
}

static uint64_t reg(struct avc_vcpu *vcpu, uint32_t id)
{
    uint64_t value = 0;

    vmm_assert(avc_vcpu_get(vcpu, id, &value) == AVC_OK);
    return value;
}

/* ---- what the log says ---- */

#define TEXT 160

static void describe(char text[TEXT], const struct avc_exit *e)
{
    const char *what = e->fetch ? "a fetch" : e->write ? "a store" : "a load";

    if (is_walk(e))
        vmm_snprintf(text, TEXT, "%s at 0x%llx whose walk finds no table at 0x%llx", what, (unsigned long long)e->va,
                     (unsigned long long)e->key);
    else
        vmm_snprintf(text, TEXT, "%s of nothing at 0x%llx", what, (unsigned long long)e->key);
}

/* Guests probe for devices, some for ever. Each page is logged once, and no more pages than fit. */
#define SEEN 32

static void note(const struct avc_exit *e, unsigned vcpu)
{
    static struct vmm_lock lock;
    static uint64_t seen[SEEN];
    static unsigned nr;
    uint64_t page = e->key / VMM_PAGE_SIZE;
    bool is_new = true;
    char text[TEXT];

    vmm_lock(&lock);
    for (unsigned i = 0; i < nr; i++)
        is_new &= seen[i] != page;
    is_new &= nr < SEEN;
    if (is_new)
        seen[nr++] = page;
    vmm_unlock(&lock);
    if (!is_new)
        return;
    describe(text, e);
    vmm_log(VMM_WARN, "guest: vCPU %u: %s (pc 0x%llx): external abort", vcpu, text, (unsigned long long)e->pc);
}

/* ---- what the guest gets ---- */

static bool read_table(void *ctx, uint64_t ipa, uint64_t *value)
{
    return vmm_ram_read(ctx, value, ipa, sizeof(*value));
}

/* The level in the syndrome of an abort on a walk is that of the guest's own tables. */
static void set_level(struct avc_vcpu *vcpu, struct avc_exit *e)
{
    struct vmm_walk walk = {
        .tcr = reg(vcpu, AVC_REG_TCR_EL1),
        .ttbr = { reg(vcpu, AVC_REG_TTBR0_EL1), reg(vcpu, AVC_REG_TTBR1_EL1) },
        .big_endian = reg(vcpu, AVC_REG_SCTLR_EL1) & SCTLR_EE,
        .read = read_table,
        .ctx = &vmm_guest.ram,
    };
    int level = vmm_walk_level(&walk, e->va, e->key);

    if (level >= 0)
        e->value = (uint64_t)level;
}

/* The abort is taken at EL1, at a vector of VBAR_EL1. If it is that fetch which fails, the next one fails as well. */
static bool is_own_vector(struct avc_vcpu *vcpu, const struct avc_exit *e)
{
    return e->fetch && reg(vcpu, AVC_REG_PSTATE) & PSTATE_EL &&
           e->pc - reg(vcpu, AVC_REG_VBAR_EL1) / VECTOR_BYTES * VECTOR_BYTES < VECTOR_BYTES;
}

void vmm_nothing_there(struct vmm_vcpu *vv, struct avc_exit *e)
{
    struct avc_vcpu *vcpu = &vv->vcpu;
    char text[TEXT];

    if (is_walk(e))
        set_level(vcpu, e);
    note(e, vcpu->index);
    if (!is_own_vector(vcpu, e))
        return;
    describe(text, e);
    vmm_guest_crash(vv, e, text);
}
