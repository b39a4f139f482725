/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * System calls and their returns. avc/syscall.h says how a return is matched with its call. Calls in progress stand in
 * sets by SP_EL1. A lock guards them, and is never held across the embedder's function. A search looks at one set only,
 * so it is bounded whatever the guest does.
 */
#include <avc/syscall.h>
#include <avc/priv/ctx.h>

#include "arch/esr.h"
#include "arch/pstate.h"
#include "arch/mmu.h"
#include "core/core.h"
#include "core/policy/sysreg.h"

static void tell(struct avc_syscalls *s, struct avc_vcpu *vcpu, struct avc_syscall_event *event,
                 enum avc_syscall_what what)
{
    event->what = what;
    avc_fetch_add(&s->count[what], 1);
    (void)s->fn(vcpu, event, s->ctx);
}

/* ---- calls in progress; the caller holds the lock ---- */

/* Stacks are aligned to their size, so their low bits are alike. The product with 2^64 divided by the golden ratio
   carries the bits in which they differ into its upper half. */
static struct avc_syscall_call *set_of(struct avc_syscalls *s, uint64_t stack)
{
    uint64_t hash = stack * UINT64_C(0x9e3779b97f4a7c15) >> 32;

    return &s->calls[(hash * s->nr_sets >> 32) * AVC_SYSCALL_SET];
}

/*
 * Are the VM's traps on, and do all vCPUs that run have them? While they are being switched on, a thread could make a
 * call on a vCPU that traps it, return on one that does not, and make its next call there. So nothing is remembered
 * until all vCPUs have followed.
 */
static bool watched(struct avc_syscalls *s)
{
    const struct avc_vm *vm = s->vm;
    uint32_t version = avc_load_seq(&vm->traps_version);

    if (version & 1)
        return false;
    if (s->followed == version)
        return true;
    for (uint32_t n = 0; n < vm->nr_vcpus; n++) {
        const struct avc_vcpu *vcpu = vm->vcpus[n];

        if (avc_load_seq(&vcpu->pcpu) && avc_load_seq(&vcpu->traps_version) != version)
            return false; /* a vCPU that is not loaded reads the version when it is loaded */
    }
    s->followed = version;
    return true;
}

/* Takes the call that was begun on this stack out of the set. */
static bool take(struct avc_syscalls *s, uint64_t stack, struct avc_syscall_event *event)
{
    struct avc_syscall_call *set = set_of(s, stack);

    for (unsigned n = 0; n < AVC_SYSCALL_SET; n++) {
        if (!set[n].age || set[n].event.stack != stack)
            continue;
        *event = set[n].event;
        set[n].age = 0;
        return watched(s) && set[n].version == s->followed;
    }
    return false;
}

/* Puts a call into its set. Returns true if another had to make room for it. */
static bool put(struct avc_syscalls *s, const struct avc_syscall_event *event, struct avc_syscall_event *old)
{
    struct avc_syscall_call *set = set_of(s, event->stack), *at = set;
    bool full;

    if (!watched(s))
        return false;
    for (unsigned n = 0; n < AVC_SYSCALL_SET; n++) /* a free place has 0, which is the oldest of all */
        if (set[n].age < at->age)
            at = &set[n];
    full = at->age && at->version == s->followed;
    if (full)
        *old = at->event;
    *at = (struct avc_syscall_call){ *event, ++s->age, s->followed };
    return full;
}

/* ---- claims ---- */

/* Interrupts are masked, as in every claim. The lock is held for a bounded time. */
static enum avc_answer on_svc(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    struct avc_syscalls *s = ctx;
    struct avc_syscall_event event = {
        .aarch32 = ESR_EC(e->esr) == AVC_EC_SVC32,
        .number = e->key,
        .pc = e->pc,
        .table = avc_ctx_get(vcpu, AVC_CTX_TTBR0_EL1) & TTBR_BADDR,
        .stack = avc_ctx_get(vcpu, AVC_CTX_SP_EL1),
    };
    unsigned asid_of = avc_ctx_get(vcpu, AVC_CTX_TCR_EL1) & TCR_A1 ? AVC_CTX_TTBR1_EL1 : AVC_CTX_TTBR0_EL1;
    struct avc_syscall_event old;
    bool lost;

    event.asid = (uint16_t)(avc_ctx_get(vcpu, asid_of) >> 48);
    event.sp = event.aarch32 ? (uint32_t)vcpu->x[13] : avc_ctx_get(vcpu, AVC_CTX_SP_EL0);
    for (unsigned n = 0; n < 6; n++)
        event.args[n] = event.aarch32 ? (uint32_t)vcpu->x[n] : vcpu->x[n];

    avc_lock(&s->lock);
    lost = take(s, event.stack, &old); /* the call that had this stack before never came back */
    avc_unlock(&s->lock);
    if (lost)
        tell(s, vcpu, &old, AVC_SYSCALL_LOST);

    event.what = AVC_SYSCALL_ENTRY;
    avc_fetch_add(&s->count[AVC_SYSCALL_ENTRY], 1);
    if (!s->fn(vcpu, &event, s->ctx))
        return AVC_PASS;

    avc_lock(&s->lock);
    lost = put(s, &event, &old);
    avc_unlock(&s->lock);
    if (lost)
        tell(s, vcpu, &old, AVC_SYSCALL_LOST);
    return AVC_PASS;
}

/* Says what it means that the thread goes on at `to`. */
static enum avc_syscall_what meaning(const struct avc_vcpu *vcpu, const struct avc_syscall_event *call, uint64_t bytes,
                                     uint64_t mask)
{
    uint64_t sp = call->aarch32 ? (uint32_t)vcpu->x[13] : avc_ctx_get(vcpu, AVC_CTX_SP_EL0);

    if (call->to_table != call->table)
        return AVC_SYSCALL_REPLACED;
    if (sp != call->sp)
        return AVC_SYSCALL_ELSEWHERE;
    if (((call->to ^ (call->pc + bytes)) & mask) == 0)
        return AVC_SYSCALL_RETURN;
    return ((call->to ^ call->pc) & mask) == 0 ? AVC_SYSCALL_RESTART : AVC_SYSCALL_ELSEWHERE;
}

static enum avc_answer on_eret(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    struct avc_syscalls *s = ctx;
    uint64_t spsr = avc_ctx_get(vcpu, AVC_CTX_SPSR_EL1), mask = ~UINT64_C(0);
    struct avc_syscall_event call;
    bool aarch32 = spsr & SPSR_NRW, found;

    if (!avc_at_el0(spsr))
        return AVC_PASS; /* within the kernel */
    avc_lock(&s->lock);
    found = take(s, avc_ctx_get(vcpu, AVC_CTX_SP_EL1), &call);
    avc_unlock(&s->lock);
    if (!found)
        return AVC_PASS;
    call.to = avc_ctx_get(vcpu, AVC_CTX_ELR_EL1);
    call.to_table = avc_ctx_get(vcpu, AVC_CTX_TTBR0_EL1) & TTBR_BADDR;
    if (e->esr & ISS_ERETA) /* it is signed above the bits of an address of TTBR0's half: TCR_EL1.T0SZ */
        mask >>= avc_ctx_get(vcpu, AVC_CTX_TCR_EL1) & TCR_T0SZ;
    else if (aarch32)
        mask = spsr & SPSR_T32 ? 0xfffffffe : 0xfffffffc;
    call.to &= mask;
    call.result = aarch32 ? (uint32_t)vcpu->x[0] : vcpu->x[0];
    /* A T32 SVC is 2 bytes long. */
    tell(s, vcpu, &call, meaning(vcpu, &call, call.aarch32 && spsr & SPSR_T32 ? 2 : 4, mask));
    return AVC_PASS;
}

/* ---- setup ---- */

static enum avc_status claim_all(struct avc_syscalls *s, const struct avc_syscalls_config *config)
{
    static const struct avc_syscall_range all = { 0, UINT64_MAX };
    const struct avc_syscall_range *range = config->nr_ranges ? config->ranges : &all;
    uint32_t nr = config->nr_ranges ? config->nr_ranges : 1;
    struct avc_claim claim = { AVC_CLASS, AVC_EC_ERET, AVC_EC_ERET, on_eret, s };
    enum avc_status status = avc_vm_claim(s->vm, &claim);

    for (uint32_t n = 0; !status && n < nr; n++) {
        claim = (struct avc_claim){ AVC_SVC, range[n].first, range[n].last, on_svc, s };
        status = avc_vm_claim(s->vm, &claim);
    }
    return status;
}

enum avc_status avc_syscalls_attach(struct avc_syscalls *s, struct avc_vm *vm, const struct avc_syscalls_config *config)
{
    enum avc_status status;
    uint32_t claims;

    if (!s || !vm || !config || !config->fn || !config->calls || !config->max_calls ||
        config->max_calls % AVC_SYSCALL_SET || (config->nr_ranges && !config->ranges))
        return AVC_EINVAL;
    if (vm->magic != AVC_MAGIC_VM)
        return AVC_ENOENT;
    *s = (struct avc_syscalls){
        .vm = vm,
        .fn = config->fn,
        .ctx = config->ctx,
        .calls = config->calls,
        .nr_sets = config->max_calls / AVC_SYSCALL_SET,
        .followed = 1, /* no version: an odd one never has the traps on */
    };
    claims = vm->nr_claims;
    status = claim_all(s, config);
    if (status)
        vm->nr_claims = claims;
    else
        status = avc_syscalls_reset(s);
    return status;
}

enum avc_status avc_syscalls_reset(struct avc_syscalls *s)
{
    if (!s || !s->calls)
        return AVC_EINVAL;
    for (uint32_t n = 0; n < s->nr_sets * AVC_SYSCALL_SET; n++)
        s->calls[n].age = 0;
    return AVC_OK;
}

const char *avc_syscall_what_name(enum avc_syscall_what what)
{
    static const char *const names[AVC_NR_SYSCALL_WHATS] = { "entry",     "return",   "restart",
                                                             "elsewhere", "replaced", "lost" };

    return (unsigned)what < AVC_NR_SYSCALL_WHATS ? names[what] : "?";
}
