/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The system calls of an unmodified guest, with their results. This part is an add-on made of claims. FEAT_FGT traps
 * the SVC instruction of EL0, and the ERET by which the guest's kernel returns there. The part tells a function of
 * yours about both, and finds out which return belongs to which call. It changes nothing in the guest, and reads none
 * of its memory.
 *
 * How it knows a return: a kernel gives each thread a stack. The thread enters the kernel with SP_EL1 at the top of
 * that stack; when it returns to EL0 the stack is empty again, so SP_EL1 has the same value. Therefore the first ERET
 * to EL0 with the SP_EL1 of an SVC is by the same thread, whatever has run in between, and on whatever vCPU. No other
 * thread can have this stack while the thread exists. The other registers tell what the return means: see enum
 * avc_syscall_what. Linux, the BSDs and all kernels with one stack per thread work like this. In a kernel with one
 * stack per CPU this part cannot tell apart the calls that wait.
 */
#ifndef AVC_SYSCALL_H
#define AVC_SYSCALL_H

#include <avc/avc.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What has happened to a call. */
enum avc_syscall_what {
    AVC_SYSCALL_ENTRY,     /* the thread executes the SVC; the guest's kernel has not seen it yet */
    AVC_SYSCALL_RETURN,    /* it goes on behind the SVC, in the same address space, on the same stack */
    AVC_SYSCALL_RESTART,   /* it goes on at the SVC: the kernel repeats the call, whose result comes then */
    AVC_SYSCALL_ELSEWHERE, /* it goes on at another address or on another stack: a signal's handler, or rt_sigreturn */
    AVC_SYSCALL_REPLACED,  /* it goes on in another address space: the call was a successful exec */
    AVC_SYSCALL_LOST,      /* the end was not seen: the thread died in the call, or there was no room to remember it */
    AVC_NR_SYSCALL_WHATS
};

/** One event of a call. Except for `what`, `result`, `to` and `to_table`, all is as it was at the SVC. */
struct avc_syscall_event {
    enum avc_syscall_what what;
    bool aarch32;      /* the program is AArch32: it has other numbers, and 32-bit values */
    uint16_t asid;     /* of the task; the guest may give it another one at any time */
    uint64_t number;   /* X8 (AArch32: R7) */
    uint64_t args[6];  /* X0..X5 */
    uint64_t pc;       /* address of the SVC */
    uint64_t sp;       /* SP_EL0 (AArch32: R13) */
    uint64_t table;    /* TTBR0_EL1.BADDR: identifies the address space, and with it the process */
    uint64_t stack;    /* SP_EL1: identifies the thread while it lives */
    uint64_t result;   /* RETURN: X0 */
    uint64_t to;       /* the PC where EL0 goes on; 0 for ENTRY and LOST */
    uint64_t to_table; /* and in which address space; 0 for ENTRY and LOST */
};

/**
 * Your function, called for each event. At ENTRY it returns whether the call's end is wanted as well: false for a call
 * that does not return (exit), or whose result nobody needs. For other events the return value has no meaning. `event`
 * is valid during the call.
 *
 * Context: as a claim's function, on the vCPU concerned. The events of one thread come in order; those of several vCPUs
 * come at the same time. If the function has more to do than it may do here, it calls avc_vcpu_kick(vcpu):
 * avc_vcpu_run() then returns before the guest executes another instruction.
 */
typedef bool avc_syscall_fn(struct avc_vcpu *vcpu, const struct avc_syscall_event *event, void *ctx);

struct avc_syscall_range {
    uint64_t first, last; /* numbers, both included */
};

/** The storage for calls in progress is divided into sets of this many entries. A thread's stack decides which set
    its calls go to. */
#define AVC_SYSCALL_SET 8
struct avc_syscall_call;
struct avc_syscalls;

/** How system calls are traced. */
struct avc_syscalls_config {
    avc_syscall_fn *fn;
    void *ctx;
    const struct avc_syscall_range *ranges; /* which numbers are traced: disjoint ranges, copied */
    uint32_t nr_ranges;                     /* 0: all numbers are */
    struct avc_syscall_call *calls;         /* storage for calls in progress, borrowed until avc_vm_destroy() */
    uint32_t max_calls; /* entries in it, a multiple of AVC_SYSCALL_SET: two for each thread that may wait
                           in a call are plenty. When a set is full, its oldest call is LOST */
};

/**
 * Traces the VM's system calls. It makes a claim on each range of numbers, and one on the exception class of ERET.
 * These claims pass: the guest's kernel gets every call. avc_vm_trap_svc() switches the tracing off and on while the VM
 * runs. `syscalls` is storage for this part, and lives as long as the VM.
 * Errors: EINVAL (also: max_calls is 0, or no multiple), ENOENT, ESEALED, ERANGE (first > last), EEXIST (another claim
 * on these keys), ENOMEM (max_claims: this takes nr_ranges + 1 entries, or 2 without ranges), ENOTRAP (the CPUs lack
 * FEAT_FGT). After an error nothing is claimed. Context: setup, before the VM is sealed.
 */
AVC_MUST_USE enum avc_status avc_syscalls_attach(struct avc_syscalls *syscalls, struct avc_vm *vm,
                                                 const struct avc_syscalls_config *config);

/** Forgets the calls in progress, for a VM that is being reset. Errors: EINVAL. Context: setup; no vCPU of the VM is
    loaded. */
AVC_MUST_USE enum avc_status avc_syscalls_reset(struct avc_syscalls *syscalls);

/** Returns the name, such as "return"; never NULL. Context: any. */
const char *avc_syscall_what_name(enum avc_syscall_what what);

#ifdef __cplusplus
}
#endif

#include <avc/priv/syscall.h>

#endif
