/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* An observer looks on: see observe.c. */
#ifndef AVC_OBSERVE_IN_H
#define AVC_OBSERVE_IN_H

#include <avc/observe.h>
#include "core/core.h"

/* The dispatch table of vCPUs with an observer: around the slow functions of the VM's own. */
extern const struct avc_trap_row avc_trap_rows_observed[AVC_NR_TRAPS];

/*
 * What run calls of a vCPU that has or had an observer. vcpu->observe points to it, so that a program without observers does not
 * link them. Masked.
 */
struct avc_observe_ops {
    /* For AVC_REQUEST_WATCH, which a load asks for, too: by the observer asked for, which dispatch table traps go through. */
    void (*choose)(struct avc_vcpu *vcpu);
    /* With AVC_WORK_SEEN: run enters the guest after it was outside. */
    void (*entry)(struct avc_vcpu *vcpu);
    /* A trap that the vector did not end by itself is over: back to the guest, or run returns vcpu->exit. */
    void (*end)(struct avc_vcpu *vcpu, bool to_vmm);
};

#endif
