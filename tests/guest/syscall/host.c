/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Traces the guest's system calls and keeps every event for the guest to compare. */
#include <avc/syscall.h>

#include "testvm.h"
#include "trace.h"

#define MAX_EVENTS 8192

static struct test_vm vm;
static struct avc_syscalls syscalls;
static struct avc_syscall_call calls[2 * AVC_SYSCALL_SET];
static struct avc_syscall_event events[MAX_EVENTS];
static unsigned nr_events;
static enum avc_status attached;

static bool trace(struct avc_vcpu *vcpu, const struct avc_syscall_event *event, void *ctx)
{
    if (nr_events < MAX_EVENTS)
        events[nr_events++] = *event;
    return true;
}

static uint64_t field(uint64_t n, uint64_t which)
{
    const struct avc_syscall_event *e = &events[n % MAX_EVENTS];

    switch (which) {
    case FIELD_COUNT:
        return nr_events;
    case FIELD_WHAT:
        return e->what;
    case FIELD_NUMBER:
        return e->number;
    case FIELD_PC:
        return e->pc;
    case FIELD_SP:
        return e->sp;
    case FIELD_TABLE:
        return e->table;
    case FIELD_STACK:
        return e->stack;
    case FIELD_TO:
        return e->to;
    case FIELD_RESULT:
        return e->result;
    default:
        return e->args[(which - FIELD_ARGS) % 6];
    }
}

static bool on_exit(struct avc_vcpu *vcpu, struct avc_exit *e)
{
    uint64_t x1 = avc_vcpu_gpr(vcpu, 1), x2 = avc_vcpu_gpr(vcpu, 2);

    if (e->kind != AVC_CALL || e->key < CALL_STATUS || e->key > CALL_EVENT)
        return false;
    if (e->key == CALL_STATUS)
        avc_done(e, x1 ? test_machine.features.has >> AVC_FEAT_FGT & 1 : attached);
    else if (e->key == CALL_SWITCH)
        avc_done(e, avc_vm_trap_svc(&vm.vm, x1));
    else
        avc_done(e, field(x1, x2));
    return true;
}

static const struct avc_claim own = { AVC_CALL, CALL_STATUS, CALL_EVENT, avc_to_vmm, NULL };
const struct test_config test_config = { .vcpus = 1, .claims = &own, .nr_claims = 1, .on_exit = on_exit };

int host_main(void)
{
    static const struct avc_syscall_range ranges[] = { { 0, UNSEEN_FIRST - 1 }, { UNSEEN_LAST + 1, UINT64_MAX } };
    const struct avc_syscalls_config config = {
        .fn = trace,
        .ranges = ranges,
        .nr_ranges = 2,
        .calls = calls,
        .max_calls = 2 * AVC_SYSCALL_SET,
    };

    test_cpu_init(test_config.uses);
    test_vm_init(&vm, &test_config);
    attached = avc_syscalls_attach(&syscalls, &vm.vm, &config);
    host_must(avc_vcpu_load(&vm.vcpu[0], &test_pcpu[0]));
    while (!vm.off)
        test_vcpu_step(&vm, 0, &test_config);
    host_must(avc_vcpu_put(&vm.vcpu[0]));
    return 0;
}
