/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * See pvtime.h. The number is written in one store (DEN0057, 3.2.2: it is single-copy atomic), by the CPU where the
 * vCPU runs next. Guests read it as cacheable memory (3.2.1), so nothing is cleaned.
 */
#include "pvtime.h"

#include "dev/mmio.h"

#define SUCCESS       UINT64_C(0)
#define NOT_SUPPORTED UINT64_MAX
#define NS            UINT64_C(1000000000)

static bool has(uint32_t function)
{
    return function == VMM_PVTIME_FEATURES || function == VMM_PVTIME_ST;
}

/* Of SMCCC_ARCH_FEATURES one question is answered here. The library knows the others. */
enum avc_answer vmm_pvtime_call(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    const struct vmm_pvtime *pv = ctx;
    uint32_t asked = (uint32_t)avc_vcpu_gpr(vcpu, 1);

    if (e->imm) /* no call of SMCCC's */
        return AVC_PASS;
    switch ((uint32_t)e->key) {
    case VMM_PVTIME_FEATURES:
        return avc_done(e, has(asked) ? SUCCESS : NOT_SUPPORTED);
    case VMM_PVTIME_ST:
        return avc_done(e, vcpu->index < pv->nr ? pv->base + vcpu->index * sizeof(*pv->record) : NOT_SUPPORTED);
    default:
        return asked == VMM_PVTIME_FEATURES ? avc_done(e, SUCCESS) : AVC_PASS;
    }
}

/* Without an overflow for 18 years of ticks at 1 GHz. */
static uint64_t ns_of(const struct vmm_pvtime *pv, uint64_t ticks)
{
    return ticks / pv->hz * NS + ticks % pv->hz * NS / pv->hz;
}

static void show(struct vmm_pvtime *pv, unsigned vcpu)
{
    __atomic_store_n(&pv->record[vcpu].stolen, ns_of(pv, pv->ticks[vcpu]), __ATOMIC_RELAXED);
}

void vmm_pvtime_init(struct vmm_pvtime *pv, uint64_t base, void *page, unsigned nr, uint64_t hz)
{
    *pv = (struct vmm_pvtime){ .base = base, .hz = hz, .record = page, .nr = nr };
}

void vmm_pvtime_add(struct vmm_pvtime *pv, unsigned vcpu, uint64_t ticks)
{
    pv->ticks[vcpu] += ticks;
    show(pv, vcpu);
}

void vmm_pvtime_reset(struct vmm_pvtime *pv)
{
    for (unsigned i = 0; i < pv->nr; i++) {
        pv->ticks[i] = 0;
        show(pv, i);
    }
}

static const struct avc_state_field fields[] = {
    AVC_STATE_ROW(0, AVC_STATE_FIXED, struct vmm_pvtime_values, base, 1),
    AVC_STATE_ROW(1, AVC_STATE_NEEDED, struct vmm_pvtime_values, ns, VMM_MAX_VCPUS),
};

const struct avc_state_model vmm_pvtime_state = { .id = VMM_STATE_PVTIME,
                                                  .nr = sizeof(fields) / sizeof(fields[0]),
                                                  .field = fields };

void vmm_pvtime_get(const struct vmm_pvtime *pv, struct vmm_pvtime_values *values)
{
    *values = (struct vmm_pvtime_values){ .base = pv->base };
    for (unsigned i = 0; i < pv->nr; i++)
        values->ns[i] = ns_of(pv, pv->ticks[i]);
}

/* Rounded up, so that the guest's number never falls. A number that no ticks can be is refused. */
bool vmm_pvtime_set(struct vmm_pvtime *pv, const struct vmm_pvtime_values *values)
{
    if (values->base != pv->base)
        return false;
    for (unsigned i = 0; i < pv->nr; i++)
        if (values->ns[i] / NS >= UINT64_MAX / pv->hz)
            return false;
    for (unsigned i = 0; i < pv->nr; i++) {
        pv->ticks[i] = values->ns[i] / NS * pv->hz + (values->ns[i] % NS * pv->hz + NS - 1) / NS;
        show(pv, i);
    }
    return true;
}
