/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* What the columns `group` and `cond` of avc/sysreg.def mean, for sysreg.c and src/hw/regs.c. */
#ifndef AVC_CTX_H
#define AVC_CTX_H

#include <avc/priv/ctx.h>

#include "arch/debug.h"
#include "core/core.h"

/* Bits of avc_vcpu.live. A set bit says that the CPU holds the guest's registers of the group, and ctx[] holds old
   values; of DEBUG it holds what was in the CPU before. */
enum avc_group {
    AVC_GROUP_XLAT,
    AVC_GROUP_EL1,
    AVC_GROUP_TIMER,
    AVC_GROUP_PLAIN,
    AVC_GROUP_RAS,
    AVC_GROUP_SCXT1,
    AVC_GROUP_SCXT0,
    AVC_GROUP_SP0,
    AVC_GROUP_TPIDR,
    AVC_GROUP_PAUTH,
    AVC_GROUP_DEBUG,
    AVC_GROUP_SHADOW,
};

/* Conditions: a feature, a breakpoint, a watchpoint, or none. */
#define AVC_COND_ALWAYS 0xff
#define AVC_COND_RAS    AVC_FEAT_RAS
#define AVC_COND_CSV2_2 AVC_FEAT_CSV2_2
#define AVC_COND_PAUTH  AVC_FEAT_PAUTH
#define AVC_COND_GICV3  AVC_FEAT_GICV3
#define AVC_COND_BRP(n) (0x80 + (n))
#define AVC_COND_WRP(n) (0xa0 + (n))

static inline bool avc_cond_met(const struct avc_features *f, unsigned cond)
{
    if (cond == AVC_COND_ALWAYS)
        return true;
    if (cond >= AVC_COND_WRP(0))
        return cond - AVC_COND_WRP(0) < f->watchpoints;
    if (cond >= AVC_COND_BRP(0))
        return cond - AVC_COND_BRP(0) < f->breakpoints;
    return avc_has(f, (enum avc_feature_bit)cond);
}

/* Does the host of the CPU where the vCPU is loaded want EL1's registers back at put? */
static inline bool avc_host_keeps_el1(const struct avc_vcpu *vcpu)
{
    return !(vcpu->pcpu->hal->uses & AVC_HOST_NO_EL1);
}

/* Must the CPU hold the guest's debug registers? Breakpoints and watchpoints need MDE, stepping needs SS, and both
   need the OS lock to be clear (DDI 0487, D2.3). */
static inline bool avc_debug_wanted(const struct avc_vcpu *vcpu)
{
    return !(vcpu->ctx[AVC_CTX_OSLSR_EL1] & OSLSR_OSLK) && (vcpu->ctx[AVC_CTX_MDSCR_EL1] & (MDSCR_SS | MDSCR_MDE));
}

/* Returns MDSCR_EL1 as the CPU gets it. */
static inline uint64_t avc_debug_mdscr(const struct avc_vcpu *vcpu)
{
    uint64_t keep = avc_debug_wanted(vcpu) ? MDSCR_SS | MDSCR_TDCC | MDSCR_KDE | MDSCR_MDE : MDSCR_TDCC;

    return vcpu->ctx[AVC_CTX_MDSCR_EL1] & keep;
}

#endif
