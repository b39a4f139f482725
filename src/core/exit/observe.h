/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* An observer: see observe.c. */
#ifndef AVC_OBSERVE_IN_H
#define AVC_OBSERVE_IN_H

#include <avc/observe.h>
#include "core/core.h"

/* The dispatch table of vCPUs with an observer. Its functions call the slow functions of the VM's own table. */
extern const struct avc_trap_row avc_trap_rows_observed[AVC_NR_TRAPS];

/*
 * What run calls for a vCPU that has or had an observer. vcpu->observe points to it, so that a program without
 * observers does not link them. Interrupts are masked.
 */
struct avc_observe_ops {
    /* For AVC_REQUEST_WATCH, which a load sets as well: chooses the vCPU's dispatch table by the observer that was
       asked for. */
    void (*choose)(struct avc_vcpu *vcpu);
    /* With AVC_WORK_SEEN: run enters the guest from outside. */
    void (*entry)(struct avc_vcpu *vcpu);
    /* A trap that the vector did not end by itself is over: the guest goes on, or run returns vcpu->exit. */
    void (*end)(struct avc_vcpu *vcpu, bool to_vmm);
};

#endif
