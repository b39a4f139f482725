/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * EL2's controls over a guest: what traps, its stage 2, its identity. This file touches only registers that this CPU
 * has. CPUs may differ, and this one may have features that the VM has not. They stay closed, because the guest's
 * values define every field.
 */
#include "arch/cptr.h"
#include "arch/gic.h"
#include "arch/mpam.h"
#include "arch/timer.h"
#include "hw/controls.h"

/* These bits stay the host's while a guest runs. They control the host's own counters and event stream. */
#define MDCR_HOST    (MDCR_HPMN | MDCR_HPME | MDCR_HPMD | MDCR_HCCD | MDCR_HLP | MDCR_MTPME | MDCR_HPMFZO)
#define CNTHCTL_HOST (CNTHCTL_EVNTEN | CNTHCTL_EVNTDIR | CNTHCTL_EVNTI | CNTHCTL_EVNTIS)
#define CNTHCTL_VHE_HOST                                                                                               \
    (CNTHCTL_HOST | CNTHCTL_VHE_EL0PCTEN | CNTHCTL_VHE_EL0VCTEN | CNTHCTL_VHE_EL0VTEN | CNTHCTL_VHE_EL0PTEN)

static bool has_fgt2(const struct avc_features *f)
{
    return avc_id_field(f->id, ID_AA64MMFR0_FGT) >= 2;
}

/* Here and below several values are read before any is written: the compiler makes pairs of loads or stores of them. */
static void write_fgt(const struct avc_features *cpu, const struct avc_traps *t)
{
    uint64_t r = t->hfgrtr, w = t->hfgwtr, dr = t->hdfgrtr, dw = t->hdfgwtr;

    if (!avc_has(cpu, AVC_FEAT_FGT))
        return;
    avc_hw_write_HFGRTR_EL2(r);
    avc_hw_write_HFGWTR_EL2(w);
    avc_hw_write_HFGITR_EL2(avc_load_relaxed(&t->hfgitr)); /* see svc_switch.c */
    avc_hw_write_HDFGRTR_EL2(dr);
    avc_hw_write_HDFGWTR_EL2(dw);
    if (avc_has(cpu, AVC_FEAT_AMU))
        avc_hw_write_HAFGRTR_EL2(t->hafgrtr);
}

/* The VM's HCR_EL2, with TWI and TWE as the vCPU has them. */
static uint64_t guest_hcr(const struct avc_vcpu *vcpu)
{
    uint64_t hcr = vcpu->vm->traps.hcr;

    switch ((enum avc_wfx)vcpu->wfx) {
    case AVC_WFX_TRAPPED:
        return hcr | HCR_TWI;
    case AVC_WFX_FREE:
        return hcr & ~(HCR_TWI | HCR_TWE);
    default:
        return hcr;
    }
}

void avc_hw_traps_write(struct avc_vcpu *vcpu)
{
    const struct avc_traps *t = avc_hw_opaque(&vcpu->vm->traps);
    const struct avc_features *cpu = &vcpu->pcpu->features;
    const uint64_t *host = vcpu->pcpu->host_saved;
    uint64_t e2h = host[S_HCR] & HCR_E2H, mdcr, hstr;

    avc_store_seq(&vcpu->traps_version, avc_load_seq(&vcpu->vm->traps_version)); /* the version first */
    vcpu->hcr = (vcpu->hcr & (HCR_VSE | HCR_VI | HCR_VF)) | guest_hcr(vcpu) | e2h;
    vcpu->cptr = e2h ? t->cptr_vhe : t->cptr;
    if (vcpu->fp_live)
        vcpu->cptr = e2h ? vcpu->cptr | CPTR_VHE_FPEN : vcpu->cptr & ~CPTR_TFP;
    mdcr = t->mdcr | (host[S_MDCR] & MDCR_HOST);
    hstr = t->hstr;
    avc_hw_write_MDCR_EL2(mdcr);
    avc_hw_write_HSTR_EL2(hstr);
    avc_hw_write_CNTHCTL_EL2(e2h ? t->cnthctl_vhe | (host[S_CNTHCTL] & CNTHCTL_VHE_HOST)
                                 : t->cnthctl | (host[S_CNTHCTL] & CNTHCTL_HOST));
    avc_hw_write_VTCR_EL2(t->vtcr);
    if (avc_has(cpu, AVC_FEAT_HCX))
        avc_hw_write_HCRX_EL2(t->hcrx);
    write_fgt(cpu, t);
}

/* Saves what only a host wants back that executes something at EL1 or EL0. */
static void save_el1_controls(uint64_t *host, const struct avc_features *cpu)
{
    host[S_HSTR] = avc_hw_read_HSTR_EL2();
    host[S_VTCR] = avc_hw_read_VTCR_EL2();
    host[S_VTTBR] = avc_hw_read_VTTBR_EL2();
    host[S_VPIDR] = avc_hw_read_VPIDR_EL2();
    host[S_VMPIDR] = avc_hw_read_VMPIDR_EL2();
    if (avc_has(cpu, AVC_FEAT_HCX))
        host[S_HCRX] = avc_hw_read_HCRX_EL2();
    if (avc_has(cpu, AVC_FEAT_FGT)) {
        host[S_HFGRTR] = avc_hw_read_HFGRTR_EL2();
        host[S_HFGWTR] = avc_hw_read_HFGWTR_EL2();
        host[S_HFGITR] = avc_hw_read_HFGITR_EL2();
        host[S_HDFGRTR] = avc_hw_read_HDFGRTR_EL2();
        host[S_HDFGWTR] = avc_hw_read_HDFGWTR_EL2();
        if (avc_has(cpu, AVC_FEAT_AMU))
            host[S_HAFGRTR] = avc_hw_read_HAFGRTR_EL2();
    }
    if (has_fgt2(cpu)) {
        host[S_HFGRTR2] = avc_hw_read_HFGRTR2_EL2();
        host[S_HFGWTR2] = avc_hw_read_HFGWTR2_EL2();
        host[S_HFGITR2] = avc_hw_read_HFGITR2_EL2();
        host[S_HDFGRTR2] = avc_hw_read_HDFGRTR2_EL2();
        host[S_HDFGWTR2] = avc_hw_read_HDFGWTR2_EL2();
    }
}

static void save(uint64_t *host)
{
    uint64_t hcr = avc_hw_read_HCR_EL2(), mdcr = avc_hw_read_MDCR_EL2();
    uint64_t cnthctl = avc_hw_read_CNTHCTL_EL2(), cntvoff = avc_hw_read_CNTVOFF_EL2();

    host[S_HCR] = hcr;
    host[S_MDCR] = mdcr;
    host[S_CNTHCTL] = cnthctl;
    host[S_CNTVOFF] = cntvoff;
    host[S_MDSCR] = avc_hw_read_MDSCR_EL1();
}

static void write_fgt2(const struct avc_features *cpu, const uint64_t *host)
{
    if (!has_fgt2(cpu))
        return;
    /* The guest's values are zero: in each of these registers a field of 0 traps what is not offered. */
    avc_hw_write_HFGRTR2_EL2(host ? host[S_HFGRTR2] : 0);
    avc_hw_write_HFGWTR2_EL2(host ? host[S_HFGWTR2] : 0);
    avc_hw_write_HFGITR2_EL2(host ? host[S_HFGITR2] : 0);
    avc_hw_write_HDFGRTR2_EL2(host ? host[S_HDFGRTR2] : 0);
    avc_hw_write_HDFGWTR2_EL2(host ? host[S_HDFGWTR2] : 0);
}

/* MPAM's controls also hold EL2's own partition, which stays. MPAMIDR_EL1 is trapped by MPAM2_EL2.TIDR or by
   MPAMHCR_EL2, whichever the CPU has. */
static void mpam_load(uint64_t *host)
{
    uint64_t mpamidr = avc_hw_read_MPAMIDR_EL1();

    host[S_MPAM2] = avc_hw_read_MPAM2_EL2();
    avc_hw_write_MPAM2_EL2(host[S_MPAM2] | MPAM2_TRAPMPAM1EL1 | MPAM2_TRAPMPAM0EL1 |
                           (mpamidr & MPAMIDR_HAS_TIDR ? MPAM2_TIDR : 0));
    if (mpamidr & MPAMIDR_HAS_HCR) {
        host[S_MPAMHCR] = avc_hw_read_MPAMHCR_EL2();
        avc_hw_write_MPAMHCR_EL2(host[S_MPAMHCR] | MPAMHCR_TRAP_MPAMIDR_EL1);
    }
}

static void mpam_put(const uint64_t *host)
{
    avc_hw_write_MPAM2_EL2(host[S_MPAM2]);
    if (avc_hw_read_MPAMIDR_EL1() & MPAMIDR_HAS_HCR)
        avc_hw_write_MPAMHCR_EL2(host[S_MPAMHCR]);
}

/*
 * In a VM without an interrupt controller the GICv3's CPU interface must trap. HCR_EL2.IMO turns its registers into
 * those of the virtual interface, which would carry state from one guest to the next. An interrupt controller writes
 * ICH_HCR_EL2 itself. ICC_SRE_EL1 traps by ICC_SRE_EL2.Enable, also where the host does not use the registers
 * (ICC_SRE_EL2.SRE = 0). The bit may be fixed at 1 (IHI 0069, "ICC_SRE_EL2").
 */
static void icc_load(const struct avc_vcpu *vcpu, uint64_t *host)
{
    const struct avc_features *cpu = &vcpu->pcpu->features;

    if (avc_has(cpu, AVC_FEAT_GICV3)) {
        host[S_ICH_HCR] = avc_hw_read_ICH_HCR_EL2();
        avc_hw_write_ICH_HCR_EL2(ICH_HCR_TC | ICH_HCR_TALL0 | ICH_HCR_TALL1);
    }
    if (avc_id_field(cpu->id, ID_AA64PFR0_GIC) != 0) {
        host[S_ICC_SRE] = avc_hw_read_ICC_SRE_EL2();
        avc_hw_write_ICC_SRE_EL2(host[S_ICC_SRE] & ~(uint64_t)ICC_SRE_ENABLE);
    }
}

static void icc_put(const struct avc_vcpu *vcpu, const uint64_t *host)
{
    const struct avc_features *cpu = &vcpu->pcpu->features;

    if (avc_has(cpu, AVC_FEAT_GICV3))
        avc_hw_write_ICH_HCR_EL2(host[S_ICH_HCR]);
    if (avc_id_field(cpu->id, ID_AA64PFR0_GIC) != 0)
        avc_hw_write_ICC_SRE_EL2(host[S_ICC_SRE]);
}

void avc_hw_controls_load(struct avc_vcpu *vcpu)
{
    const struct avc_features *cpu = &vcpu->pcpu->features;
    uint64_t *host = vcpu->pcpu->host_saved;

    save(host);
    if (avc_host_keeps_el1(vcpu))
        save_el1_controls(host, cpu);
    vcpu->vbar = vcpu->pcpu->guest_vbar;
    vcpu->harden = vcpu->pcpu->harden;
    vcpu->host_cptr = avc_hw_read_CPTR_EL2();
    vcpu->host_vbar = avc_hw_read_VBAR_EL2();
    vcpu->host_hcr = host[S_HCR];
    vcpu->hcr = vcpu->vserror ? HCR_VSE : 0;
    if (!vcpu->vm->irqc)
        vcpu->hcr |= (vcpu->irq_line ? HCR_VI : 0) | (vcpu->fiq_line ? HCR_VF : 0);

    avc_hw_traps_write(vcpu);
    write_fgt2(cpu, NULL);
    avc_hw_write_VTTBR_EL2(vcpu->vttbr);
    avc_hw_write_VPIDR_EL2(vcpu->vm->features.midr);
    avc_hw_write_VMPIDR_EL2(vcpu->mpidr);
    if (avc_has(cpu, AVC_FEAT_MPAM))
        mpam_load(host);
    if (!vcpu->vm->irqc)
        icc_load(vcpu, host);
}

static void write_el1_controls(const uint64_t *host, const struct avc_features *cpu)
{
    avc_hw_write_VTTBR_EL2(host[S_VTTBR]);
    avc_hw_write_VTCR_EL2(host[S_VTCR]);
    avc_hw_write_VPIDR_EL2(host[S_VPIDR]);
    avc_hw_write_VMPIDR_EL2(host[S_VMPIDR]);
    avc_hw_write_HSTR_EL2(host[S_HSTR]);
    if (avc_has(cpu, AVC_FEAT_HCX))
        avc_hw_write_HCRX_EL2(host[S_HCRX]);
    write_fgt(cpu, &(struct avc_traps){
                       .hfgrtr = host[S_HFGRTR],
                       .hfgwtr = host[S_HFGWTR],
                       .hfgitr = host[S_HFGITR],
                       .hdfgrtr = host[S_HDFGRTR],
                       .hdfgwtr = host[S_HDFGWTR],
                       .hafgrtr = host[S_HAFGRTR],
                   });
    write_fgt2(cpu, host);
    if (avc_has(cpu, AVC_FEAT_MPAM))
        mpam_put(host);
}

void avc_hw_controls_put(struct avc_vcpu *vcpu)
{
    const struct avc_features *cpu = &vcpu->pcpu->features;
    const uint64_t *host = vcpu->pcpu->host_saved;

    avc_hw_write_MDCR_EL2(host[S_MDCR]);
    avc_hw_write_CNTHCTL_EL2(host[S_CNTHCTL]);
    if (avc_host_keeps_el1(vcpu))
        write_el1_controls(host, cpu);
    if (!vcpu->vm->irqc)
        icc_put(vcpu, host);
}
