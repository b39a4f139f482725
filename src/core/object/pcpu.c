/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* One CPU: its HAL, its features, its interrupt handler. */
#include "core/object/pcpu.h"

#include "arch/idreg.h"
#include "core/core.h"
#include "core/mem/vmid.h"
#include "core/policy/feature.h"
#include "core/policy/setway.h"

enum avc_status avc_pcpu_init(struct avc_pcpu *p, struct avc_machine *m, const struct avc_hal *hal)
{
    if (!p || !m || !hal)
        return AVC_EINVAL;
    if ((uintptr_t)p % _Alignof(struct avc_pcpu))
        return AVC_EALIGN;
    if (p->magic == AVC_MAGIC_PCPU)
        return AVC_EEXIST;
    if (m->magic != AVC_MAGIC_MACHINE)
        return AVC_ENOENT;
    if (!hal->panic || (hal->irq_fetch && (!hal->irq_end || !hal->irq_handler)))
        return AVC_EHAL;
    *p = (struct avc_pcpu){
        .magic = AVC_MAGIC_PCPU,
        .machine = m,
        .hal = hal,
        .hal_handler = { hal->irq_handler, hal->ctx },
    };
    p->irq_handler = &p->hal_handler;
    return AVC_OK;
}

/* Returns the enabled CPU with this MPIDR_EL1. It needs no lock: a list that is followed while a CPU comes or goes
   has an end. */
static const struct avc_pcpu *enabled_here(const struct avc_machine *m, uint64_t mpidr)
{
    const struct avc_pcpu *p = avc_load_acquire(&m->pcpus);

    while (p && p->mpidr != mpidr)
        p = avc_load_acquire(&p->next);
    return p;
}

enum avc_status avc_pcpu_enable(struct avc_pcpu *p)
{
    struct avc_machine *m;
    enum avc_status status = AVC_OK;
    uint64_t daif;

    if (!p)
        return AVC_EINVAL;
    if (p->magic != AVC_MAGIC_PCPU)
        return AVC_ENOENT;
    if (p->enabled)
        return AVC_EBUSY;
    status = avc_hw_supported();
    if (status)
        return status;
    avc_hw_probe(&p->features);
    if (avc_id_field(p->features.id, ID_AA64PFR0_EL3) && !(p->hal->uses & AVC_HOST_SCXTNUM))
        p->features.has &= ~AVC_BIT(AVC_FEAT_CSV2_2); /* SCR_EL3.EnSCXT may be 0, and EL2 cannot see it */
    p->mpidr = avc_hw_read_MPIDR_EL1();
    p->guest_vbar = (uintptr_t)avc_vectors; /* avc_pcpu_harden() takes others */

    m = p->machine;
    daif = avc_hw_irq_save();
    avc_setway_probe(p);
    avc_hw_irq_restore(daif);
    avc_lock(&m->setup);
    if (enabled_here(m, p->mpidr)) {
        status = AVC_EBUSY;
    } else if ((m->fixed || m->enabled) && !avc_feature_common(&m->features, &p->features, m->fixed)) {
        status = AVC_ENOTSUP;
    } else {
        if (!m->fixed && !m->enabled)
            m->features = p->features;
        p->tlb_stale = true; /* after a reset a TLB may hold anything, and this one has missed what others broadcast */
        p->enabled = true;
        daif = avc_hw_irq_save();
        avc_lock(&m->lock);
        m->enabled++;
        p->next = m->pcpus;
        avc_store_release(&m->pcpus, p);
        avc_unlock(&m->lock);
        avc_hw_irq_restore(daif);
    }
    avc_unlock(&m->setup);
    return status;
}

/* ---- disable, and who is enabled ---- */

/* host_vectors.c explains this order. The function is here because disable calls it, and disable must not link the
   vectors. */
void avc_vectors_out(struct avc_pcpu *p)
{
    avc_hw_write_HCR_EL2((avc_hw_read_HCR_EL2() & ~HCR_IMO) | p->found_imo);
    avc_hw_write_VBAR_EL2(p->found_vbar);
    avc_hw_isb();
    avc_hw_write_TPIDR_EL2(p->found_tpidr);
    p->vectors = false;
}

enum avc_status avc_pcpu_check_idle(const struct avc_pcpu *p)
{
    if (!p)
        return AVC_EINVAL;
    if (p->magic != AVC_MAGIC_PCPU)
        return AVC_ENOENT;
    if (!p->enabled)
        return AVC_ESTATE;
    return p->current || p->mpidr != avc_hw_read_MPIDR_EL1() ? AVC_EBUSY : AVC_OK;
}

enum avc_status avc_pcpu_disable(struct avc_pcpu *p)
{
    enum avc_status status = avc_pcpu_check_idle(p);
    struct avc_machine *m;
    uint64_t daif;

    if (status)
        return status;
    m = p->machine;
    daif = avc_hw_irq_save();
    avc_lock(&m->lock);
    for (struct avc_pcpu **link = &m->pcpus; *link; link = &(*link)->next)
        if (*link == p) {
            avc_store_release(link, p->next);
            break;
        }
    avc_vmid_leave(p);
    m->enabled--;
    p->enabled = false;
    if (p->vectors)
        avc_vectors_out(p);
    avc_unlock(&m->lock);
    avc_hw_irq_restore(daif);
    return AVC_OK;
}

bool avc_pcpu_is_enabled(const struct avc_pcpu *p)
{
    return p && p->magic == AVC_MAGIC_PCPU && avc_load_acquire(&p->enabled);
}

const struct avc_pcpu *avc_pcpu_here(const struct avc_machine *m)
{
    const struct avc_pcpu *p = enabled_here(m, avc_hw_read_MPIDR_EL1());

    return p ? p : avc_load_acquire(&m->pcpus); /* read once: the last one may be going */
}

/* ---- interrupts ---- */

/*
 * The handler is one pointer to a constant pair, so that no CPU can see the function of one pair with the context of
 * another. irq_in_use is a hazard pointer. handle() publishes the pair that it is about to call, and then looks again
 * whether it still is the handler. A CPU that replaces the handler sees the published pointer, or handle() sees the new
 * pair. On both sides a store, a full barrier, and a load of the other's word make sure of it.
 *
 * "Not in use" is final for a pair that is not made the handler again. A handle() that has published the pair and finds
 * it replaced publishes another one before it calls anything. A handle() that has not published it yet will find it
 * replaced. A pair that is replaced from inside its own function stays published until that function returns. Pairs
 * that came and went meanwhile were never published, or only for a moment by a handle() that did not read them.
 *
 * A handler that the host's or the library's vector at EL2 calls may unmask interrupts. Then handle() is called in the
 * middle of itself. One word cannot name two pairs: while they differ it says `several`, and every pair is in use. The
 * nested call puts the old value back when it returns.
 */
static const struct avc_irq_handler several;

enum avc_status avc_pcpu_set_irq_handler(struct avc_pcpu *p, const struct avc_irq_handler *handler)
{
    if (!p || (handler && !handler->fn))
        return AVC_EINVAL;
    if (p->magic != AVC_MAGIC_PCPU)
        return AVC_ENOENT;
    avc_store_release(&p->irq_handler, handler ? handler : &p->hal_handler);
    avc_fence();
    return AVC_OK;
}

bool avc_pcpu_irq_handler_in_use(const struct avc_pcpu *p, const struct avc_irq_handler *handler)
{
    const struct avc_irq_handler *running;

    if (!p || p->magic != AVC_MAGIC_PCPU)
        return false;
    if (!handler)
        handler = &p->hal_handler;
    if (avc_load_acquire(&p->irq_handler) == handler)
        return true;
    running = avc_load_acquire(&p->irq_in_use);
    return running == handler || running == &several;
}

/* No handler gets the special INTIDs of a GIC, 1020 to 1023: they acknowledge nothing (IHI 0069, 2.2.1). A HAL may
   return what it has read as it is, and its handler must not end one of these. */
static bool is_spurious(avc_irq_t irq)
{
    return irq == AVC_IRQ_SPURIOUS || (irq >= 1020 && irq <= 1023);
}

enum avc_answer avc_pcpu_handle(struct avc_pcpu *p, avc_irq_t irq)
{
    const struct avc_irq_handler *outer = avc_load_relaxed(&p->irq_in_use), *handler;
    enum avc_answer answer;

    if (is_spurious(irq))
        return AVC_DONE;
    do {
        handler = avc_load_acquire(&p->irq_handler);
        avc_store_release(&p->irq_in_use, outer && outer != handler ? &several : handler);
        avc_fence();
    } while (handler != avc_load_acquire(&p->irq_handler));
    answer = handler->fn(handler->ctx, irq);
    avc_store_release(&p->irq_in_use, outer);
    return answer;
}
