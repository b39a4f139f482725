/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* What others ask of a vCPU: to look up, to start or to end; and whether it has work. Any CPU may call these. */
#include "core/object/request.h"

#include "core/object/here.h"
#include "core/object/pcpu.h"

/*
 * The kick, and how it can race.
 *
 * The kicker sets a bit of `requests` and then calls wake(). run masks interrupts, stores mode GUEST, executes a DMB,
 * and reads `requests` before it enters. So either run sees the bit, or the kicker's wake() comes after the entry, and
 * its interrupt makes the guest exit. An interrupt that is sent between run's check and ERET stays pending, since IRQs
 * are masked. It is taken as soon as the guest runs.
 *
 * wake() is left out only where it cannot be needed: in a trap of the vCPU itself, whose return to the guest reads
 * `requests`. Anywhere else, even between two runs of a vCPU, the VMM may be about to block it. The VMM sets "blocked"
 * first and then asks avc_vcpu_has_work(), and wake() clears "blocked".
 *
 * The DSB orders the bit before a doorbell that is a system register write (ICC_SGI1R_EL1). No barrier of the memory
 * model orders such a write with the bit (Arm ARM B2.3.12).
 */
void avc_vcpu_request(struct avc_vcpu *vcpu, uint64_t requests)
{
    const struct avc_vcpu *current;
    const struct avc_pcpu *p;

    avc_fetch_or(&vcpu->requests, requests & AVC_REQUEST_ALL);
    if (avc_vcpu_in_run(vcpu) && avc_vcpu_here(vcpu))
        return;
    p = avc_pcpu_here(vcpu->vm->machine);
    if (!p || !p->hal->wake)
        return;
    avc_hw_dsb_ishst();
    /* In a trap the host's x18 is in run's frame. A CPU that is not enabled has another's pcpu: it is in no trap. */
    current = p->current;
    if (current && avc_vcpu_in_trap(current))
        avc_hw_call_host((uintptr_t)p->hal->wake, (uintptr_t)p->hal->ctx, (uintptr_t)vcpu, 0, current->host_sp);
    else
        p->hal->wake(p->hal->ctx, vcpu);
}

void avc_vcpu_irq_mask(struct avc_vcpu *vcpu, uint32_t intid, bool masked)
{
    const struct avc_hal *hal = vcpu->pcpu->hal;

    if (avc_vcpu_in_trap(vcpu))
        avc_hw_call_host((uintptr_t)hal->irq_mask, (uintptr_t)hal->ctx, intid, masked, vcpu->host_sp);
    else
        hal->irq_mask(hal->ctx, intid, masked);
}

void avc_vcpu_kick(struct avc_vcpu *vcpu)
{
    avc_vcpu_request(vcpu, AVC_REQUEST_KICK);
}

bool avc_vcpu_has_work(struct avc_vcpu *vcpu)
{
    uint32_t power = avc_load_seq(&vcpu->power);

    if (avc_load_relaxed(&vcpu->serror)) /* run will report it */
        return true;
    if (power != AVC_POWER_ON)
        return power == AVC_POWER_PENDING || (avc_load_seq(&vcpu->requests) & AVC_REQUEST_KICK);
    if (avc_load_seq(&vcpu->requests) & AVC_REQUEST_KICK)
        return true;
    return vcpu->vm->irqc ? vcpu->vm->irqc->pending(vcpu) : vcpu->irq_line || vcpu->fiq_line;
}

uint64_t avc_vcpu_deadline(struct avc_vcpu *vcpu)
{
    if (avc_load_seq(&vcpu->power) != AVC_POWER_ON)
        return ~UINT64_C(0);
    return vcpu->vm->irqc ? vcpu->vm->irqc->deadline(vcpu) : ~UINT64_C(0);
}

enum avc_status avc_vcpu_set_irq(struct avc_vcpu *vcpu, uint32_t intid, bool level)
{
    if (!vcpu)
        return AVC_EINVAL;
    if (vcpu->magic != AVC_MAGIC_VCPU)
        return AVC_ENOENT;
    if (vcpu->vm->irqc)
        return vcpu->vm->irqc->set_irq(vcpu->vm, vcpu, intid, level);
    if (intid > 1)
        return AVC_ERANGE;
    avc_store_seq(intid == 0 ? &vcpu->irq_line : &vcpu->fiq_line, level);
    avc_vcpu_request(vcpu, AVC_REQUEST_IRQC);
    return AVC_OK;
}

bool avc_vcpu_is_loaded(const struct avc_vcpu *vcpu)
{
    return avc_load_acquire(&vcpu->pcpu) != NULL;
}

/* ---- power ---- */

bool avc_vcpu_power_on(struct avc_vcpu *vcpu, uint64_t pc, uint64_t x0)
{
    if (!avc_cas(&vcpu->power, AVC_POWER_OFF, AVC_POWER_CLAIMED))
        return false;
    vcpu->start_pc = pc;
    vcpu->start_x0 = x0;
    avc_store_relaxed(&vcpu->fresh, false);
    avc_store_seq(&vcpu->power, AVC_POWER_PENDING);
    avc_vcpu_request(vcpu, AVC_REQUEST_POWER);
    return true;
}

void avc_vcpu_power_off(struct avc_vcpu *vcpu)
{
    avc_fetch_or(&vcpu->requests, AVC_REQUEST_POWER);
    avc_store_seq(&vcpu->power, AVC_POWER_OFF);
    if (vcpu->vm->irqc && vcpu->vm->irqc->power_off)
        vcpu->vm->irqc->power_off(vcpu);
}
