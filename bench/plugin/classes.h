/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Classes of A64 instructions. */
#ifndef CLASSES_H
#define CLASSES_H

#include <stdint.h>

/* clang-format off */
#define CLASSES(X)                                                                                                     \
    X(MRS, "mrs")                                                                                                      \
    X(MSR, "msr")       /* of a register */                                                                            \
    X(PSTATE, "pstate") /* MSR of an immediate: DAIFSet and its like */                                                \
    X(ISB, "isb")                                                                                                      \
    X(DSB, "dsb")                                                                                                      \
    X(DMB, "dmb")                                                                                                      \
    X(TLBI, "tlbi")                                                                                                    \
    X(SYS, "sys")       /* other SYS and SYSL: caches, address translation */                                          \
    X(ERET, "eret")                                                                                                    \
    X(CALL, "call")     /* HVC, SMC, SVC */                                                                            \
    X(LOAD, "load")                                                                                                    \
    X(STORE, "store")                                                                                                  \
    X(ATOMIC, "atomic") /* those of FEAT_LSE, which load and store */                                                  \
    X(BRANCH, "branch")                                                                                                \
    X(OTHER, "other")
/* clang-format on */

#define CLASS_ENUM(id, name) CLASS_##id,
enum insn_class { CLASSES(CLASS_ENUM) NR_CLASSES };

enum insn_class classify(uint32_t insn);

#endif
