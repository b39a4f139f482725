/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The option strace. A claim must not wait for a UART, and no line may be lost. So what a trap has to report, three
 * events at most, is kept with the vCPU, and the vCPU is kicked. Its step writes the lines before the guest executes
 * another instruction. So the lines of a thread are in order, too, wherever the thread runs next.
 */
#include "guest/guest.h"
#include "guest/strace.h"
#include "guest/syscalls.h"

/* Calls in progress. Most threads of a guest wait in one. */
#define MAX_CALLS 2048

#define MAX_EVENTS 4 /* of a trap: a call that was lost, an entry, a call that had to make room */

static struct avc_syscalls syscalls;
static struct avc_syscall_call calls[MAX_CALLS];
static struct pending {
    struct avc_syscall_event event[MAX_EVENTS];
    unsigned nr;
} pending[VMM_MAX_VCPUS];

static bool note(struct avc_vcpu *vcpu, const struct avc_syscall_event *event, void *ctx)
{
    struct pending *p = &pending[vcpu->index];

    (void)ctx;
    if (event->what == AVC_SYSCALL_ENTRY && vmm_syscall_returns(event))
        return true; /* its line is written when it returns */
    vmm_assert(p->nr < MAX_EVENTS);
    p->event[p->nr++] = *event;
    avc_vcpu_kick(vcpu);
    return false;
}

void vmm_strace_show(struct avc_vcpu *vcpu)
{
    struct pending *p = &pending[vcpu->index];
    char line[300];

    if (p->nr)
        vmm_log_wait();
    for (unsigned n = 0; n < p->nr; n++) {
        vmm_syscall_line(line, sizeof(line), &p->event[n]);
        vmm_log(VMM_INFO, "%s", line);
    }
    p->nr = 0;
}

void vmm_strace_init(struct avc_vm *vm)
{
    static struct avc_syscall_range ranges[VMM_STRACE_CLAIMS - 1];
    struct avc_syscalls_config config = {
        .fn = note,
        .calls = calls,
        .max_calls = MAX_CALLS,
        .ranges = ranges,
    };
    enum avc_status status;

    if (!vmm_options.strace)
        return;
    if (*vmm_options.strace) {
        const char *wrong;
        size_t length;

        config.nr_ranges = vmm_syscall_ranges(vmm_options.strace, ranges, VMM_STRACE_CLAIMS - 1, &wrong, &length);
        if (!config.nr_ranges)
            vmm_exit(VMM_EXIT_USAGE, "strace=%s: \"%.*s\" is no system call of Linux, or one too many",
                     vmm_options.strace, (int)length, wrong);
    }
    status = avc_syscalls_attach(&syscalls, vm, &config);
    if (status == AVC_ENOTRAP)
        vmm_exit(VMM_EXIT_USAGE, "system calls cannot be traced: this CPU has no FEAT_FGT");
    if (status)
        vmm_exit(VMM_EXIT_FAILURE, "strace: %s", avc_status_text(status));
}

void vmm_strace_reset(void)
{
    if (vmm_options.strace)
        vmm_assert(avc_syscalls_reset(&syscalls) == AVC_OK);
    for (unsigned n = 0; n < VMM_MAX_VCPUS; n++)
        pending[n].nr = 0;
}
