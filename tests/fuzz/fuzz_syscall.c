/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The tracer of system calls against a model: threads that call, return, are restarted, go elsewhere, exec and die,
 * with room for a few calls, and the traps switched off and on. The model is a list of calls in progress, the oldest
 * first.
 */
#include "asserts.h"
#include "input.h"

int unit_main(void);
#define main unit_main
#include "../unit/test_syscall.c"
#undef main

#define THREADS 12
#define ROOM    AVC_SYSCALL_SET /* one set, so that who has to make room is the oldest */

static struct {
    struct thread t;
    uint64_t number;
} threads[THREADS];

static struct {
    unsigned thread; /* whose stack it is */
    uint64_t number;
    struct thread at;
    bool stale; /* from before the traps were off: nobody trusts it */
} calls_open[ROOM];
static unsigned nr_open;

static void forget(unsigned k)
{
    for (nr_open--; k < nr_open; k++)
        calls_open[k] = calls_open[k + 1];
}

static int open_of(unsigned thread)
{
    for (unsigned k = 0; k < nr_open; k++)
        if (calls_open[k].thread == thread)
            return (int)k;
    return -1;
}

static void call(struct avc_vcpu *vcpu, unsigned n, uint64_t number, bool tell)
{
    int k = open_of(n);

    wanted = tell;
    svc(vcpu, &threads[n].t, number);
    if (k >= 0) { /* the thread that had this stack is gone */
        if (!calls_open[k].stale)
            assert_int_equal(next(AVC_SYSCALL_LOST)->number, calls_open[k].number);
        forget((unsigned)k);
    }
    assert_int_equal(next(AVC_SYSCALL_ENTRY)->number, number);
    if (tell) {
        if (nr_open == ROOM) {
            if (!calls_open[0].stale)
                assert_int_equal(next(AVC_SYSCALL_LOST)->number, calls_open[0].number);
            forget(0);
        }
        calls_open[nr_open].thread = n;
        calls_open[nr_open].number = number;
        calls_open[nr_open].at = threads[n].t;
        calls_open[nr_open++].stale = false;
    }
    no_more();
}

static void end_call(struct avc_vcpu *vcpu, unsigned n, uint8_t how)
{
    int k = open_of(n);
    struct thread t = k < 0 ? threads[n].t : calls_open[k].at;
    uint64_t to = t.pc + (how & 1 ? 4 : how & 2 ? 0 : 8), result = take_bytes(2);
    enum avc_syscall_what what = how & 1 ? AVC_SYSCALL_RETURN : how & 2 ? AVC_SYSCALL_RESTART : AVC_SYSCALL_ELSEWHERE;

    if (how & 4) {
        t.sp -= 0x100;
        what = AVC_SYSCALL_ELSEWHERE;
    }
    if (how & 8) {
        t.table += 0x100000;
        what = AVC_SYSCALL_REPLACED;
    }
    eret(vcpu, &t, to, result);
    if (k >= 0) {
        if (!calls_open[k].stale) {
            const struct avc_syscall_event *e = next(what);

            assert_int_equal(e->number, calls_open[k].number);
            assert_int_equal(e->to, to);
            assert_int_equal(e->result, result);
            assert_int_equal(e->pc, calls_open[k].at.pc);
        }
        forget((unsigned)k);
    }
    no_more();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct avc_vcpu *vcpu;
    uint64_t number = 1;
    bool on = true;

    input_is(data, size);
    make();
    must(attach(NULL, 0, ROOM));
    vcpu = world_load();
    nr_open = 0;
    for (unsigned n = 0; n < THREADS; n++)
        threads[n].t =
            (struct thread){ a.stack + 0x8000 * n, 0x45000000 + 0x1000 * (n / 4), 0x7000 * (n + 1), 0x401000 };
    for (unsigned i = 0; i < 200 && input_left; i++) {
        uint8_t what = byte();
        unsigned n = one_of(THREADS);

        if (what < 0x80) {
            if (on)
                call(vcpu, n, number++, what & 15);
        } else if (what < 0xf0) {
            if (on)
                end_call(vcpu, n, what);
        } else if (what < 0xf8) {
            on = !on;
            must(avc_vm_trap_svc(&world.vm, on));
            go_on(vcpu); /* the vCPU follows */
            for (unsigned k = 0; k < nr_open; k++)
                calls_open[k].stale = true;
        } else if (what < 0xfc) {
            must(avc_vcpu_put(vcpu));
            must(avc_vcpu_load(vcpu, &world.pcpu));
        } else {
            threads[n].t.pc = 0x400000 + 4 * take_bytes(2);
        }
    }
    no_more();
    must(avc_vcpu_put(vcpu));
    return 0;
}
