/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* One CPU: its HAL, its features, its interrupt handler. */
#include "core.h"

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

/* The enabled CPU with this MPIDR_EL1. Without the lock too: a list that is followed while a CPU comes or goes ends. */
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
    p->mpidr = avc_hw_read_MPIDR_EL1();

    m = p->machine;
    daif = avc_hw_irq_save();
    avc_lock(&m->lock);
    if (enabled_here(m, p->mpidr)) {
        status = AVC_EBUSY;
    } else if (m->fixed && !avc_feature_covers(&p->features, &m->features)) {
        status = AVC_ENOTSUP;
    } else {
        if (!m->fixed && !m->enabled)
            m->features = p->features;
        else if (!m->fixed)
            avc_feature_common(&m->features, &p->features);
        m->enabled++;
        p->next = m->pcpus;
        avc_store_release(&m->pcpus, p);
        p->tlb_stale = true; /* after a reset a TLB holds anything, and it missed what others broadcast */
        p->enabled = true;
    }
    avc_unlock(&m->lock);
    avc_hw_irq_restore(daif);
    return status;
}

enum avc_status avc_pcpu_disable(struct avc_pcpu *p)
{
    struct avc_machine *m;
    uint64_t daif;

    if (!p)
        return AVC_EINVAL;
    if (p->magic != AVC_MAGIC_PCPU)
        return AVC_ENOENT;
    if (!p->enabled)
        return AVC_ESTATE;
    if (p->current || p->mpidr != avc_hw_read_MPIDR_EL1())
        return AVC_EBUSY;
    m = p->machine;
    daif = avc_hw_irq_save();
    avc_lock(&m->lock);
    for (struct avc_pcpu **link = &m->pcpus; *link; link = &(*link)->next)
        if (*link == p) {
            avc_store_release(link, p->next);
            break;
        }
    m->enabled--;
    p->enabled = false;
    avc_unlock(&m->lock);
    avc_hw_irq_restore(daif);
    return AVC_OK;
}

bool avc_pcpu_is_enabled(const struct avc_pcpu *p)
{
    return p && p->magic == AVC_MAGIC_PCPU && avc_load_acquire(&p->enabled);
}

const struct avc_hal *avc_machine_hal(const struct avc_machine *m)
{
    const struct avc_pcpu *p = enabled_here(m, avc_hw_read_MPIDR_EL1());

    if (!p)
        p = avc_load_acquire(&m->pcpus); /* once: the last one may be going */
    return p ? p->hal : NULL;
}

/*
 * The handler is one pointer to a constant pair, so that no CPU can ever see the function of one with the context of the
 * other. irq_in_use is a hazard pointer: handle() publishes the pair it is about to call and then looks again whether it
 * still is the handler; whoever replaced it sees either the published pointer, or a handle() that will see the new one.
 * Both sides are sequentially consistent stores followed by loads.
 */
enum avc_status avc_pcpu_set_irq_handler(struct avc_pcpu *p, const struct avc_irq_handler *handler)
{
    if (!p || (handler && !handler->fn))
        return AVC_EINVAL;
    if (p->magic != AVC_MAGIC_PCPU)
        return AVC_ENOENT;
    avc_store_seq(&p->irq_handler, handler ? handler : &p->hal_handler);
    return AVC_OK;
}

bool avc_pcpu_irq_handler_in_use(const struct avc_pcpu *p, const struct avc_irq_handler *handler)
{
    return avc_load_seq(&p->irq_handler) == handler || avc_load_seq(&p->irq_in_use) == handler;
}

enum avc_answer avc_pcpu_handle(struct avc_pcpu *p, avc_irq_t irq)
{
    const struct avc_irq_handler *handler;
    enum avc_answer answer;

    do {
        handler = avc_load_seq(&p->irq_handler);
        avc_store_seq(&p->irq_in_use, handler);
    } while (handler != avc_load_seq(&p->irq_handler));
    answer = handler->fn ? handler->fn(handler->ctx, irq) : AVC_EXIT;
    avc_store_seq(&p->irq_in_use, NULL);
    return answer;
}

enum avc_answer avc_pcpu_irq(struct avc_pcpu *p)
{
    avc_irq_t irq;

    if (!p->hal->irq_fetch)
        return AVC_PASS;
    irq = p->hal->irq_fetch(p->hal->ctx);
    if (irq == AVC_IRQ_SPURIOUS)
        return AVC_DONE;
    /* a timer of a vCPU that is loaded but waits in the VMM */
    if (p->current) {
        const struct avc_irqc_ops *irqc = p->current->vm->irqc;

        if (irqc && irqc->irq && irqc->irq(p->current, irq))
            return AVC_DONE;
    }
    return avc_pcpu_handle(p, irq);
}
