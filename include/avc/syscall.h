/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * System calls of an unmodified guest, with their results: an add-on made of claims. FEAT_FGT traps the SVC instruction of
 * EL0 and the ERET by which the guest's kernel goes back there; this part tells a function of yours about both, and
 * matches the one with the other. Nothing in the guest is changed, and nothing of its memory read.
 *
 * How a return is known. A kernel gives each thread a stack of its own, and enters it from EL0 with SP_EL1 at that
 * stack's top; when it goes back to EL0 the stack is empty again, so that SP_EL1 has the same value. From an SVC on, the
 * first ERET to EL0 with the SP_EL1 of that SVC is therefore by the same thread, whatever ran meanwhile, and on whatever
 * vCPU; no other thread can have that stack before this one is gone. What this return means the rest of the registers
 * tell: see enum avc_syscall_what. Linux, the BSDs and every other kernel with a stack per thread work so; with a
 * stack per CPU calls that wait are not told from each other.
 */
#ifndef AVC_SYSCALL_H
#define AVC_SYSCALL_H

#include <avc/avc.h>

#ifdef __cplusplus
extern "C" {
#endif

enum avc_syscall_what {
    AVC_SYSCALL_ENTRY,     /* the SVC; the guest's kernel has not seen it yet */
    AVC_SYSCALL_RETURN,    /* back behind the SVC, same address space, same stack pointer: `result` is its result */
    AVC_SYSCALL_RESTART,   /* back at the SVC itself: the kernel has it done again; its result comes with that one's */
    AVC_SYSCALL_ELSEWHERE, /* to another address, or with another stack: a signal's handler, a call like rt_sigreturn */
    AVC_SYSCALL_REPLACED,  /* to another address space: the call was a successful exec */
    AVC_SYSCALL_LOST,      /* its end was not seen: the thread died in it, or there was no room to remember it */
    AVC_NR_SYSCALL_WHATS
};

struct avc_syscall_event {
    enum avc_syscall_what what;
    bool aarch32;      /* by an AArch32 program: its own numbers, 32-bit values */
    uint16_t asid;     /* of the task, at the SVC: the guest may give it another at any time */
    uint64_t number;   /* X8 (AArch32: R7) */
    uint64_t args[6];  /* X0..X5 at the SVC */
    uint64_t pc;       /* of the SVC */
    uint64_t sp;       /* SP_EL0 at the SVC (AArch32: R13) */
    uint64_t table;    /* TTBR0_EL1.BADDR at the SVC: names the address space, and with it the process */
    uint64_t stack;    /* SP_EL1 at the SVC: names the thread, as long as it lives */
    uint64_t result;   /* RETURN: X0 */
    uint64_t to;       /* where EL0 goes on; ENTRY, LOST: 0 */
    uint64_t to_table; /* in which address space; ENTRY, LOST: 0 */
};

/**
 * Told of each event. At ENTRY: true, its end is wanted, too; false, for a call that does not come back (exit), or whose
 * result nobody needs. Else the answer has no meaning. `event` is valid during the call.
 * Called as a claim: masked, bounded, on the vCPU concerned; without locks. Events of one thread come in order; those of
 * several vCPUs at the same time. One that has more to do than it may do here calls avc_vcpu_kick(vcpu): run returns
 * before the guest executes another instruction.
 */
typedef bool avc_syscall_fn(struct avc_vcpu *vcpu, const struct avc_syscall_event *event, void *ctx);

struct avc_syscall_range {
    uint64_t first, last; /* numbers, both included */
};

/* Room for a call in progress is looked for in one set of this many, chosen by the thread's stack. */
#define AVC_SYSCALL_SET 8
struct avc_syscall_call;
struct avc_syscalls;

struct avc_syscalls_config {
    avc_syscall_fn *fn;
    void *ctx;
    const struct avc_syscall_range *ranges; /* disjoint; copied. The others cost an exit less, and nobody sees them */
    uint32_t nr_ranges;                     /* 0: all numbers */
    struct avc_syscall_call *calls;         /* storage, borrowed until avc_vm_destroy() */
    uint32_t max_calls; /* entries in it: a multiple of AVC_SYSCALL_SET, two for each thread that the guest may have
                           waiting in a call is plenty. When a set is full its oldest is LOST */
};

/**
 * Traces the VM's system calls. It takes a claim on each range of numbers and one on the exception class of ERET; all the
 * same the guest's kernel gets every call. avc_vm_trap_svc() switches it off and on while the VM runs. `syscalls` lives as
 * long as the VM; what is in it is this part's.
 * Errors: EINVAL (null, a number of calls that is 0 or no multiple), ENOENT, ESEALED, ERANGE (first > last), EEXIST (claims on
 * the same keys), ENOMEM (storage for claims: nr_ranges + 1, or 2), ENOTRAP (the CPU lacks FEAT_FGT); nothing is claimed
 * then. Context: setup.
 */
AVC_MUST_USE enum avc_status avc_syscalls_attach(struct avc_syscalls *syscalls, struct avc_vm *vm,
                                                 const struct avc_syscalls_config *config);

/** Forgets the calls in progress: at the VM's reset. Errors: EINVAL. Context: no vCPU of the VM is loaded. */
AVC_MUST_USE enum avc_status avc_syscalls_reset(struct avc_syscalls *syscalls);

/** "return" and so on; never NULL. Context: any. */
const char *avc_syscall_what_name(enum avc_syscall_what what);

#ifdef __cplusplus
}
#endif

#include <avc/priv/syscall.h>

#endif
