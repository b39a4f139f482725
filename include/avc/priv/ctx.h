/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* No API: where the saved registers of avc/sysreg.def lie in avc_vcpu.ctx[]. */
#ifndef AVC_PRIV_CTX_H
#define AVC_PRIV_CTX_H

#include <avc/priv/vcpu.h>

enum avc_ctx {
#define CTX(name, op0, op1, crn, crm, op2, group, cond, reset, mask, policy) AVC_CTX_##name,
#define REG(name, op0, op1, crn, crm, op2, cond, policy, value)
#include <avc/sysreg.def>
#undef CTX
#undef REG
    AVC_NR_CTX_USED
};

#if defined(__cplusplus)
static_assert((int)AVC_NR_CTX_USED <= AVC_NR_CTX, "avc_vcpu.ctx[] is too small for avc/sysreg.def");
#else
_Static_assert((int)AVC_NR_CTX_USED <= AVC_NR_CTX, "avc_vcpu.ctx[] is too small for avc/sysreg.def");
#endif

#endif
