/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The call of enter.S; tests/fake/hw_enter.h is the other side. Included by run.c only. */
#ifndef AVC_HW_ENTER_H
#define AVC_HW_ENTER_H

#include "hw.h"

/*
 * Enters the guest and comes back when a trap function did not answer HW_BACK; returns what it answered, and HW_SERROR.
 * Interrupts are masked, the vCPU is loaded; *vcpu is the same afterwards, but the compiler need not keep it. An
 * instruction, not a function: all registers are the guest's in between, and so the compiler saves those of run once, where
 * a function would save them again. (x18 and x29 are kept by enter.S: gcc does not take x29 as lost.)
 */
static inline uint64_t avc_hw_enter(struct avc_vcpu **vcpu)
{
    register uint64_t x0 __asm__("x0") = (uintptr_t)*vcpu;
    register struct avc_vcpu *x1 __asm__("x1");

    __asm__ volatile("bl avc_hw_switch"
                     : "+r"(x0), "=r"(x1)
                     :
                     : "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16",
                       "x17", "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28", "x30", "cc",
                       "memory");
    *vcpu = x1;
    return x0;
}

#endif
