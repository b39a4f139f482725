/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* No API: the layout of what avc/syscall.h keeps. */
#ifndef AVC_PRIV_SYSCALL_H
#define AVC_PRIV_SYSCALL_H

#include <avc/priv/lock.h>
#include <avc/syscall.h>

/* A call in progress. */
struct avc_syscall_call {
    struct avc_syscall_event event;
    uint64_t age;     /* 0: free */
    uint32_t version; /* of the VM's traps: a call in progress when these were switched off has no return */
};

struct avc_syscalls {
    struct avc_vm *vm;
    avc_syscall_fn *fn;
    void *ctx;
    struct avc_lock lock;
    struct avc_syscall_call *calls;
    uint32_t nr_sets;
    uint32_t followed; /* avc_vm.traps_version that all loaded vCPUs are known to run with */
    uint64_t age;
    uint64_t count[AVC_NR_SYSCALL_WHATS]; /* events so far; atomic */
};

#endif
