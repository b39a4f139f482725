/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * VMIDs, and what a CPU's TLB must forget when a vCPU is loaded.
 *
 * There are 255 or 65535 VMIDs and any number of VMs. They are given out until none is left. Then a new generation
 * begins: VMIDs of loaded vCPUs stay, and all others are free again. Each CPU flushes its own TLB before its next load.
 * A VM carries a token, generation << 16 | VMID, which says at once whether its VMID is still its own. VMID 0 is never
 * given out: VTTBR_EL2 holds it when there is no guest. The machine's lock guards all of this.
 *
 * A generation gives each VMID out once, in ascending order, so it needs no map of them. What it must leave out are the
 * VMIDs that were loaded when it began. Each CPU remembers its own (vmid_kept). So the lock is held for a time that
 * grows with the number of CPUs alone.
 *
 * The local-TLB rule. A guest may use an ASID for different things on two vCPUs (private tables, or a kernel that
 * numbers address spaces per CPU), and flush with local TLBIs. On hardware each vCPU has a TLB. Here two vCPUs of a VM
 * that run on one CPU in turn share one TLB, under one VMID. So a vCPU that is loaded where another of its VM ran last
 * flushes the VM's stage 1 entries first.
 *
 * HCR_EL2.FB does not make this needless. It broadcasts a guest's local TLBI, but the entries in question are valid
 * ones of another vCPU. FB, with BSU, which widens the DSB after it, only saves further work when a vCPU moves: its own
 * local TLBIs and IC IALLU on the other CPU have been done here too. VTTBR_EL2.CnP stays 0, because CPUs with a common
 * TLB would break the rule.
 *
 * The instruction cache follows the same rule, whatever its kind. A vCPU whose stage 1 is off may fetch from the point
 * of coherency, and the lines may stay in the cache (DDI 0487, D8.2, "Behavior of instruction fetches"). A sibling that
 * patches code cleans it to the point of unification and no farther, so it would execute what that vCPU has fetched.
 * CTR_EL0.DIC = 1 does not excuse from it: DIC speaks of stores and of fetches at the point of unification. Here the
 * store came first, and the fetch was made beyond that point.
 *
 * A small table remembers which vCPU ran last, per CPU and VMID. If another VM's VMID has
 * used the place meanwhile, the CPU flushes once too often, which is safe.
 */
#include "core/mem/vmid.h"

#include "core/log.h"
#include "core/mem/tlb.h"
#include "core/mem/vtcr.h"

static uint64_t count_of(const struct avc_machine *m)
{
    return avc_has(&m->features, AVC_FEAT_VMID16) ? 65536 : 256;
}

static bool is_kept(const struct avc_machine *m, uint64_t vmid)
{
    const struct avc_pcpu *p = m->pcpus;

    while (p && p->vmid_kept != vmid)
        p = p->next;
    return p;
}

avc_small static void new_generation(struct avc_machine *m)
{
    m->vmid_generation += AVC_BIT(16);
    for (struct avc_pcpu *p = m->pcpus; p; p = p->next) {
        p->vmid_kept = AVC_VMID_OF(p->vmid_active);
        p->tlb_stale = true;
    }
    m->vmid_next = 1;
}

/* A token of an older generation keeps its VMID as long as a CPU has a vCPU with it loaded. */
avc_small static bool renew(struct avc_machine *m, uint64_t old, uint64_t renewed)
{
    bool found = false;

    for (struct avc_pcpu *p = m->pcpus; p; p = p->next)
        if (p->vmid_active == old) {
            p->vmid_active = renewed;
            found = true;
        }
    return found;
}

/* Returns a VMID for these tables. The caller has the lock. 0: there are more CPUs with guests than VMIDs, which no
   machine has. */
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
        while (m->vmid_next < count && is_kept(m, m->vmid_next))
            m->vmid_next++;
        if (m->vmid_next < count)
            return s2->vmid = m->vmid_generation | m->vmid_next++;
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
        avc_tlb_flush_cpu();
    } else if (ran->vmid != token || ran->vcpu != vcpu) {
        avc_tlb_flush_local(&(struct avc_tlb_regime){ vcpu->vm->traps.vtcr, avc_stage2_vttbr(s2, token) });
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

/* The VMID that the CPU has kept may be in use on another one, to which the VM has moved. So a new generation
   begins. */
avc_small void avc_vmid_leave(struct avc_pcpu *pcpu)
{
    if (pcpu->vmid_kept)
        new_generation(pcpu->machine);
    pcpu->vmid_kept = 0;
}

/*
 * For TLB maintenance, after the DSB that ends the store to the tables. A CPU that takes a VMID for the VM gets it
 * under the lock. If it did so before this call, this sees the VMID and invalidates it. If it does so later, its walks
 * come after the store.
 */
avc_small uint64_t avc_vmid_token(struct avc_stage2 *s2)
{
    uint64_t token;

    avc_lock(&s2->machine->lock);
    token = s2->vmid;
    avc_unlock(&s2->machine->lock);
    return token;
}

avc_small bool avc_vmid_in_use(struct avc_stage2 *s2)
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
