/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The register ids for avc_vcpu_get() and avc_vcpu_set(). An id is called AVC_REG_ and the Arm ARM's name of the
 * register; the table avc/sysreg.def has all system registers. The value of a system register's id is
 * AVC_SYSREG_KEY(op0, op1, CRn, CRm, op2), so it is also the key of a claim on that register.
 */
#ifndef AVC_SYSREG_H
#define AVC_SYSREG_H

#include <avc/avc.h>

/** General registers, PC and PSTATE. No system register has these ids. */
#define AVC_REG_CORE   0x10000u
#define AVC_REG_X(n)   (AVC_REG_CORE + (n)) /* n: 0..30 */
#define AVC_REG_X0     AVC_REG_X(0)
#define AVC_REG_X30    AVC_REG_X(30)
#define AVC_REG_PC     (AVC_REG_CORE + 32)
#define AVC_REG_PSTATE (AVC_REG_CORE + 33) /* the layout is SPSR_EL2's */

/** The control and status registers of FP. avc_vcpu_get_fp() has V0..V31. */
#define AVC_REG_FPCR AVC_SYSREG_KEY(3, 3, 4, 4, 0)
#define AVC_REG_FPSR AVC_SYSREG_KEY(3, 3, 4, 4, 1)

/** The system registers. */
enum avc_reg {
#define CTX(name, op0, op1, crn, crm, op2, group, cond, reset, mask, policy)                                           \
    AVC_REG_##name = AVC_SYSREG_KEY(op0, op1, crn, crm, op2),
#define REG(name, op0, op1, crn, crm, op2, cond, policy, value)                                                        \
    AVC_REG_##name = AVC_SYSREG_KEY(op0, op1, crn, crm, op2),
#include <avc/sysreg.def>
#undef CTX
#undef REG
};

#endif
