/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * VMIDs, and what a CPU's TLB must forget when a vCPU comes.
 *
 * There are 255 or 65535 of them and any number of VMs. They are given out until none is left; then a new generation
 * begins: VMIDs in use by loaded vCPUs stay, all others are free again, and each CPU flushes its TLB, by itself, before
 * its next load. A VM carries a token, generation << 16 | VMID, so that one glance says whether its VMID is still its
 * own. VMID 0 is never given out: it is what VTTBR_EL2 holds when there is no guest. The machine's lock guards all of
 * this.
 *
 * The local-TLB rule. A guest may use an ASID for one thing on one vCPU and for another on the next (private tables, or
 * a kernel that numbers address spaces per CPU), and flush with local TLBIs. On hardware vCPUs have a TLB each; here
 * two of a VM that take turns on a CPU share one, under one VMID. So a vCPU that comes where another of its VM ran last
 * flushes the VM's stage 1 entries first. HCR_EL2.FB does not make this needless: it broadcasts a guest's local TLBI,
 * but the entries at issue are valid ones of a neighbour. What FB (with BSU, which widens the DSB behind it) does make
 * needless is more work when a vCPU moves: its own local TLBIs and IC IALLU, done elsewhere, have been done here too.
 * VTTBR_EL2.CnP stays 0: CPUs with a TLB in common would break the rule. Who ran last is remembered per CPU and VMID,
 * in a small table; when the place was lent to another VM's VMID, flushing once too often is the safe answer.
 */
#include "core/mem/vmid.h"

#include "core/log.h"
#include "core/mem/tlb.h"
#include "core/mem/vtcr.h"

static uint64_t count_of(const struct avc_machine *m)
{
    return avc_has(&m->features, AVC_FEAT_VMID16) ? 65536 : 256;
}

static bool taken(const struct avc_machine *m, uint64_t vmid)
{
    return m->vmid_map[vmid / 64] >> vmid % 64 & 1;
}

static void take(struct avc_machine *m, uint64_t vmid)
{
    m->vmid_map[vmid / 64] |= AVC_BIT(vmid % 64);
}

static void new_generation(struct avc_machine *m)
{
    m->vmid_generation += AVC_BIT(16);
    for (size_t i = 0; i < AVC_ARRAY_SIZE(m->vmid_map); i++)
        m->vmid_map[i] = 0;
    for (struct avc_pcpu *p = m->pcpus; p; p = p->next) {
        if (p->vmid_active)
            take(m, AVC_VMID_OF(p->vmid_active));
        p->tlb_stale = true;
    }
    m->vmid_next = 1;
}

/* A token of an older generation keeps its VMID as long as some CPU has a vCPU with it. */
static bool renew(struct avc_machine *m, uint64_t old, uint64_t renewed)
{
    bool found = false;

    for (struct avc_pcpu *p = m->pcpus; p; p = p->next)
        if (p->vmid_active == old) {
            p->vmid_active = renewed;
            found = true;
        }
    return found;
}

/* A VMID for these tables, with the lock; 0 if there are more CPUs with guests than VMIDs, which no machine has. */
static uint64_t assign(struct avc_machine *m, struct avc_stage2 *s2)
{
    uint64_t token = s2->vmid, count = count_of(m);

    if (!m->vmid_generation)
        new_generation(m);
    if (token >> 16 == m->vmid_generation >> 16)
        return token;
    if (token && renew(m, token, m->vmid_generation | AVC_VMID_OF(token)))
        return s2->vmid = m->vmid_generation | AVC_VMID_OF(token);
    for (int generations = 0; generations < 2; generations++) {
        while (m->vmid_next < count && taken(m, m->vmid_next))
            m->vmid_next++;
        if (m->vmid_next < count) {
            take(m, m->vmid_next);
            return s2->vmid = m->vmid_generation | m->vmid_next++;
        }
        new_generation(m);
    }
    return 0;
}

uint64_t avc_vmid_load(struct avc_pcpu *pcpu, struct avc_vcpu *vcpu)
{
    struct avc_stage2 *s2 = vcpu->vm->stage2;
    struct avc_machine *m = s2->machine;
    struct avc_ran *ran;
    uint64_t token;
    bool stale;

    avc_lock(&m->lock);
    token = assign(m, s2);
    pcpu->vmid_active = token;
    stale = pcpu->tlb_stale;
    pcpu->tlb_stale = false;
    avc_unlock(&m->lock);
    if (!token)
        avc_panic(pcpu->hal, "more CPUs than VMIDs");

    ran = &pcpu->ran[AVC_VMID_OF(token) % AVC_NR_RAN];
    if (stale) {
        avc_tlb_flush_cpu(&pcpu->features);
    } else if (ran->vmid != token || ran->vcpu != vcpu) {
        avc_tlb_flush_local(&(struct avc_tlb_regime){ avc_stage2_vtcr(s2), avc_stage2_vttbr(s2, token) });
        if (avc_tlb_icache(&pcpu->features) == AVC_ICACHE_AIVIVT) {
            avc_hw_ic_iallu();
            avc_hw_dsb_nsh();
            avc_hw_isb();
        }
    }
    ran->vmid = token;
    ran->vcpu = vcpu;
    vcpu->last = pcpu;
    return avc_stage2_vttbr(s2, token);
}

void avc_vmid_put(struct avc_pcpu *pcpu, struct avc_vcpu *vcpu)
{
    struct avc_machine *m = pcpu->machine;

    (void)vcpu;
    avc_lock(&m->lock);
    pcpu->vmid_active = 0;
    avc_unlock(&m->lock);
}

/*
 * For TLB maintenance, called after the DSB that ends the store to the tables. Either a CPU that takes a VMID for the
 * VM has it from the lock before us, then we see and invalidate it; or after us, then its walks come after our store.
 */
uint64_t avc_vmid_token(struct avc_stage2 *s2)
{
    uint64_t token;

    avc_lock(&s2->machine->lock);
    token = s2->vmid;
    avc_unlock(&s2->machine->lock);
    return token;
}

bool avc_vmid_in_use(struct avc_stage2 *s2)
{
    struct avc_machine *m = s2->machine;
    uint64_t daif = avc_hw_irq_save();
    bool in_use = false;

    avc_lock(&m->lock);
    for (struct avc_pcpu *p = m->pcpus; p; p = p->next)
        in_use |= s2->vmid && p->vmid_active == s2->vmid; /* renew() keeps these equal */
    avc_unlock(&m->lock);
    avc_hw_irq_restore(daif);
    return in_use;
}
