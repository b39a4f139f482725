/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The library's vectors at EL2, for a host that has none. Only such a host links them. */
#include "core/core.h"
#include "core/object/pcpu.h"

/*
 * TPIDR_EL2 is written before VBAR_EL2. When the vectors go, it is the other way round. Each step is seen before the
 * next. So whenever our table stands, its register says which CPU this is. Unless {E2H,TGE} are {1,1}, a physical IRQ
 * is EL2's only with HCR_EL2.IMO (Arm ARM D1.3.6). Nothing else in HCR_EL2 is touched. A vCPU's load finds the bit as
 * part of the host's.
 */
static void vectors_in(struct avc_pcpu *p)
{
    uint64_t hcr = avc_hw_read_HCR_EL2();

    p->found_tpidr = avc_hw_read_TPIDR_EL2();
    p->found_vbar = avc_hw_read_VBAR_EL2();
    p->found_imo = hcr & HCR_IMO;
    avc_hw_write_TPIDR_EL2((uintptr_t)p);
    avc_hw_write_VBAR_EL2((uintptr_t)avc_host_vectors);
    avc_hw_isb();
    avc_hw_write_HCR_EL2(hcr | HCR_IMO);
    avc_hw_isb();
    p->vectors = true;
}

/* A loaded vCPU has already read VBAR_EL2 and HCR_EL2, and would bring those back: none may be loaded. */
enum avc_status avc_pcpu_install_vectors(struct avc_pcpu *p)
{
    enum avc_status status = avc_pcpu_check_idle(p);
    uint64_t daif;

    if (status)
        return status;
    if (p->vectors)
        return AVC_EEXIST;
    if (!p->hal->irq_fetch) /* an IRQ would be taken, left pending, and taken again */
        return AVC_EHAL;
    daif = avc_hw_irq_save();
    vectors_in(p);
    avc_hw_irq_restore(daif);
    return AVC_OK;
}

enum avc_status avc_pcpu_remove_vectors(struct avc_pcpu *p)
{
    enum avc_status status = avc_pcpu_check_idle(p);
    uint64_t daif;

    if (status)
        return status;
    if (!p->vectors)
        return AVC_ENOENT;
    daif = avc_hw_irq_save();
    avc_vectors_out(p);
    avc_hw_irq_restore(daif);
    return AVC_OK;
}
