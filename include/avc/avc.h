/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * arm_vcpu: AArch64 virtual CPUs for a kernel that runs at EL2.
 *
 * The way through it:
 *
 *     avc_machine_init   once            what the CPUs and VMs share
 *     avc_pcpu_enable    on each CPU     probes it; takes nothing it does not give back
 *     avc_stage2_init    per VM          guest memory (avc/stage2.h), or avc_stage2_adopt
 *     avc_vm_init        per VM          then avc_vm_claim, avc_psci_attach, avc_vgic_attach, ...
 *     avc_vcpu_init      per vCPU        then avc_vcpu_start for the first
 *     avc_vcpu_load      on a CPU        EL1 state in; the first load seals the VM
 *     avc_vcpu_run       again and again each return is one struct avc_exit
 *     avc_vcpu_put       on that CPU     EL1 state out; the vCPU may move
 *
 * All storage is the caller's: every struct here may live in static memory, on a heap or in a page. The members
 * are visible so that the compiler knows their size; unless a comment says otherwise they belong to the library.
 * Nothing here allocates, and nothing is global. Unless a function says otherwise it may be called on any CPU, at
 * EL2, with interrupts masked or not, and must not be called from a claim.
 *
 * Calling contexts, used by the comments below:
 *   setup    from one CPU at a time, before the object is in use
 *   loaded   on the CPU where the vCPU is loaded, from the thread that loaded it, outside of run
 *   claim    from a claim's function, on the vCPU it was called for
 *   any      from anywhere, any CPU, interrupt handlers too
 */
#ifndef AVC_AVC_H
#define AVC_AVC_H

#include <avc/event.h>
#include <avc/feature.h>
#include <avc/host.h>
#include <avc/irqc.h>
#include <avc/priv/machine.h>
#include <avc/priv/pcpu.h>
#include <avc/priv/vcpu.h>
#include <avc/priv/vm.h>
#include <avc/status.h>
#include <avc/version.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------------------------ features, machine --- */

/** Prepares a machine: one for a CPU, since each numbers VMIDs for itself. Errors: EINVAL (null), EALIGN, EEXIST (initialised before). Context: setup. */
AVC_MUST_USE enum avc_status avc_machine_init(struct avc_machine *machine);

/** Forgets a machine. Errors: EINVAL, ENOENT, EBUSY (a CPU is enabled). Context: setup. */
AVC_MUST_USE enum avc_status avc_machine_destroy(struct avc_machine *machine);

/** Whether this CPU, as it is now, can run guests: AVC_OK, or ENOTSUP at EL1, without EL2's stage 2, with an
    implementation that has no AArch64 EL1 and so on. Changes nothing. Context: any, at EL1 or EL2. */
AVC_MUST_USE enum avc_status avc_has_hardware_support(void);

/* --------------------------------------------------------------------------------------------- one CPU --- */

/** Prepares the object of one CPU. Borrowed: hal, for as long as the object lives.
    Errors: EINVAL, EALIGN, EEXIST, EHAL (panic missing; irq_fetch without irq_end and irq_handler). Context: setup. */
AVC_MUST_USE enum avc_status avc_pcpu_init(struct avc_pcpu *pcpu, struct avc_machine *machine,
                                           const struct avc_hal *hal);

/** Probes the calling CPU and makes it ready to load vCPUs. Claims nothing that disable does not give back.
    Errors: EINVAL, ENOENT (not initialised), EBUSY (enabled already, or this CPU is by another object), ENOTSUP (see
    avc_has_hardware_support(); or a VM was sealed and this CPU lacks a feature the others have). Context: setup, on the CPU itself, at EL2. */
AVC_MUST_USE enum avc_status avc_pcpu_enable(struct avc_pcpu *pcpu);

/** Gives the calling CPU back as enable found it. The object's storage must outlive calls that other CPUs are making just
    now: they look for their own in the machine's list without a lock. Errors: EINVAL, ENOENT, ESTATE (not enabled), EBUSY (a vCPU is
    loaded, or called on another CPU). Context: on the CPU itself. */
AVC_MUST_USE enum avc_status avc_pcpu_disable(struct avc_pcpu *pcpu);

/** Whether enable succeeded and disable did not. Context: any. */
bool avc_pcpu_is_enabled(const struct avc_pcpu *pcpu);

/**
 * Replaces this CPU's interrupt handler; NULL puts the HAL's back. Each interrupt goes to one pair, function and context
 * together: the old one or the new one. One that is being handled is finished by the pair it went to; a handler may
 * replace itself. Borrowed: the pair, and what its function uses, until it is no longer in use: after this call,
 * avc_pcpu_irq_handler_in_use(pcpu, old) false means that the old one may go. That is so at the latest when the call of it
 * that is in progress has returned; for the caller on the CPU itself, outside of a handler, at once. Several CPUs may call
 * this for one pcpu; a pair may go when it is not in use and nobody is going to set it again.
 * Errors: EINVAL (null, or a pair without function), ENOENT (not initialised). Context: any, handlers too.
 */
AVC_MUST_USE enum avc_status avc_pcpu_set_irq_handler(struct avc_pcpu *pcpu, const struct avc_irq_handler *handler);

/** Whether this pair (NULL: the HAL's) is the CPU's handler, or its function is being called there. While handlers nest
    at EL2 it is true of any pair. Context: any. */
bool avc_pcpu_irq_handler_in_use(const struct avc_pcpu *pcpu, const struct avc_irq_handler *handler);

/**
 * For the host's own IRQ vector: fetches one interrupt through the HAL, keeps it if it is a timer's or the maintenance
 * interrupt of the vCPU loaded here, and hands it to this CPU's handler otherwise. Returns the handler's answer;
 * AVC_DONE when it was the library's, or spurious. Without irq_fetch: AVC_DONE when what was pending was the loaded vCPU's
 * own, and is gone; AVC_PASS: it is the host's, to acknowledge and end. (A timer's that comes in just then and is
 * acknowledged by the host is ended like any other: it comes again, and goes the first way.) EL2 takes IRQs where
 * HCR_EL2.IMO is 1 or {E2H,TGE} are {1,1}. Context: on the CPU itself, enabled, IRQs masked, outside of run.
 */
enum avc_answer avc_pcpu_irq(struct avc_pcpu *pcpu);

/**
 * For a kernel without vectors: lets the library's stand at EL2 for good, between runs and without any vCPU. Each IRQ taken
 * at EL2 is an avc_pcpu_irq(), on the stack it finds (EL2h; 192 bytes, and what the HAL uses), with x0..x30, ELR_EL2 and
 * SPSR_EL2 kept. Anything else is a line in hal->log and hal->panic. Borrowed until they are removed: VBAR_EL2; TPIDR_EL2,
 * which the host must not write; HCR_EL2.IMO, which is set. PSTATE stays: the host unmasks.
 * Errors: EINVAL, ENOENT (not initialised), ESTATE (not enabled), EBUSY (a vCPU is loaded, or called on another CPU),
 * EEXIST (they stand already), EHAL (no irq_fetch). Context: on the CPU itself, outside of handlers.
 */
AVC_MUST_USE enum avc_status avc_pcpu_install_vectors(struct avc_pcpu *pcpu);

/** Gives VBAR_EL2, TPIDR_EL2 and HCR_EL2.IMO back as install found them; avc_pcpu_disable() does it too.
    Errors: EINVAL, ENOENT (not initialised, or not installed), ESTATE, EBUSY. Context: as install. */
AVC_MUST_USE enum avc_status avc_pcpu_remove_vectors(struct avc_pcpu *pcpu);

/* ------------------------------------------------------------------------------------------------- VMs --- */

#define AVC_VM_TRAP_WFE (1u << 0) /* WFE exits, for hosts with more vCPUs than CPUs */
#define AVC_VM_NO_WFI   (1u << 1) /* WFI is not trapped: one vCPU owns its CPU */

/** How a VM is made. Everything pointed to is borrowed until avc_vm_destroy(). */
struct avc_vm_config {
    struct avc_stage2 *stage2; /* required: its memory */
    struct avc_vcpu **vcpus;   /* storage for max_vcpus pointers */
    uint32_t max_vcpus;
    struct avc_claim *claims; /* storage: AVC_CLAIM_SLOTS(number of your claims) */
    uint32_t max_claims;      /* entries in it, up to 65535 */
    uint32_t flags;           /* AVC_VM_... */
    void *user;               /* yours: avc_vm_user() */
};

/** Prepares a VM. Errors: EINVAL, EALIGN, EEXIST, ENOENT (machine or stage2 not initialised), EBUSY (stage2 has a VM),
    ERANGE (max_claims). Context: setup. */
AVC_MUST_USE enum avc_status avc_vm_init(struct avc_vm *vm, struct avc_machine *machine,
                                         const struct avc_vm_config *config);

/** Takes a VM and its vCPUs back. Errors: EINVAL, ENOENT, EBUSY (a vCPU is loaded). Context: setup. */
AVC_MUST_USE enum avc_status avc_vm_destroy(struct avc_vm *vm);

/** Makes a claim; copied. Before the first load. Claims of one kind must not overlap; they go before the library's own,
    which are asked when they pass. Errors: EINVAL, ENOENT, ESEALED, ERANGE (first > last, key too big), EEXIST
    (overlap), ENOMEM (storage), ENOTRAP (the CPU has no such trap). Context: setup. */
AVC_MUST_USE enum avc_status avc_vm_claim(struct avc_vm *vm, const struct avc_claim *claim);

/**
 * Switches the traps of system calls and exception returns (HFGITR_EL2.SVC_EL0, SVC_EL1 and ERET) off, and on again: all that
 * the VM's claims of kind SVC, and of kind CLASS on 0x11, 0x15 and 0x1a, see. Each vCPU follows at its next entry into the
 * guest, for which one that runs is pulled out of it: when the call returns others may not have followed yet. While they
 * are off system calls cost what they do without claims. Default: on, once there are such claims; a VM that
 * starts with them off is told so before its first load.
 * Errors: EINVAL, ENOENT, ENOTRAP (the CPU lacks FEAT_FGT; after the first load also: no such claim).
 * Context: any, and claims.
 */
AVC_MUST_USE enum avc_status avc_vm_trap_svc(struct avc_vm *vm, bool on);

/** The n-th vCPU in the order of init, NULL past the last; how many there are. Context: any. */
struct avc_vcpu *avc_vm_vcpu(const struct avc_vm *vm, uint32_t n);
uint32_t avc_vm_nr_vcpus(const struct avc_vm *vm);
/** The vCPU whose MPIDR affinity bits (Aff3..0) are these, or NULL. Context: any. */
struct avc_vcpu *avc_vm_vcpu_by_mpidr(const struct avc_vm *vm, uint64_t mpidr);
void *avc_vm_user(const struct avc_vm *vm);

/** What the guest's virtual counter shows is CNTPCT_EL0 minus this. Default: CNTPCT_EL0 at avc_vm_init(), so that it
    starts at 0. Errors: EINVAL, ENOENT, ESEALED. Context: setup. */
AVC_MUST_USE enum avc_status avc_vm_set_counter_offset(struct avc_vm *vm, uint64_t offset);

/** Drives an interrupt line of the VM's controller: a shared one (SPI) by its INTID, level or rising edge as the
    guest configured it (a pulse is a call with true, then one with false).
    Errors: EINVAL, ENOENT (no controller), ERANGE (no such INTID). Context: any. */
AVC_MUST_USE enum avc_status avc_vm_set_irq(struct avc_vm *vm, uint32_t intid, bool level);

/* ----------------------------------------------------------------------------------------------- vCPUs --- */

struct avc_vcpu_config {
    uint64_t mpidr; /* affinity fields (Aff3..0) the guest sees; must differ within the VM */
    void *user;     /* yours: avc_vcpu_user() */
};

/** Prepares a vCPU and adds it to its VM; it is off and reset. Errors: EINVAL, EALIGN (64 bytes),
    EEXIST (initialised before, or the MPIDR is taken), ENOENT, ESEALED, ENOMEM (max_vcpus). Context: setup. */
AVC_MUST_USE enum avc_status avc_vcpu_init(struct avc_vcpu *vcpu, struct avc_vm *vm,
                                           const struct avc_vcpu_config *config);

/** All registers to their architectural reset values; off. Errors: EINVAL, ENOENT, EBUSY (loaded). Context: any
    thread that owns the vCPU. */
AVC_MUST_USE enum avc_status avc_vcpu_reset(struct avc_vcpu *vcpu);

/** Resets and switches on: EL1h, MMU off, interrupts masked, PC and X0 as given; the host's part of what PSCI CPU_ON
    does. Errors: as reset. */
AVC_MUST_USE enum avc_status avc_vcpu_start(struct avc_vcpu *vcpu, avc_ipa_t pc, uint64_t x0);

/** Takes a vCPU out of use for good: all that is asked of it later is refused (ENOENT), and the guest finds no such CPU.
    Its place in the VM's list, and so its storage, stays until avc_vm_destroy(). Errors: EINVAL, ENOENT, EBUSY. */
AVC_MUST_USE enum avc_status avc_vcpu_destroy(struct avc_vcpu *vcpu);

/** Moves the vCPU onto the calling CPU; the first load of a VM seals it. Errors: EINVAL, ENOENT, ESTATE (CPU not
    enabled), EBUSY (loaded somewhere, or the CPU has another one), ENOTSUP, EHAL (wake missing with 2 vCPUs; irq_mask
    missing with timers), ENOMEM (claims), ENOTRAP (a CPU enabled since a claim was made lacks its trap). VBAR_EL2,
    CPTR_EL2 and HCR_EL2 are read here and given back at each return of run: the host must not change them until put. Context: on the CPU itself, IRQs masked or not. */
AVC_MUST_USE enum avc_status avc_vcpu_load(struct avc_vcpu *vcpu, struct avc_pcpu *pcpu);

/** Moves it off again. Errors: EINVAL, ENOENT, ESTATE (not loaded, or from a claim), EBUSY (loaded on another CPU).
    Context: loaded. */
AVC_MUST_USE enum avc_status avc_vcpu_put(struct avc_vcpu *vcpu);

/** Finishes the last exit as its `answer` says, enters the guest, and comes back with the next exit; never NULL. The
    exit belongs to the vCPU and is valid until the next run. Takes the guest's exceptions through vectors of its own,
    which are in place only inside of the call. PSTATE.PAN, DIT, SSBS and TCO are afterwards as the exception left them: a
    host with E2H=1 that relies on PAN sets it again. Errors: an exit of kind AVC_FAIL: ESTATE (not loaded, or from a
    claim), EBUSY (loaded on another CPU). Context: loaded, EL2h, with 1 KiB of stack besides what the HAL and claims
    use. */
struct avc_exit *avc_vcpu_run(struct avc_vcpu *vcpu);

/** Makes run return AVC_KICKED, now if it is in progress, at once if it is called next. Context: any. */
void avc_vcpu_kick(struct avc_vcpu *vcpu);

/** Whether the vCPU has a reason to run: kicked, an interrupt for it, switched on. A blocked one asks it after it has set
    "blocked", so that nothing is missed. Context: any. */
bool avc_vcpu_has_work(struct avc_vcpu *vcpu);

/** CNTPCT_EL0 at which a timer of the vCPU will have an interrupt for it: ~0 none, 0 now. Context: thread that owns it, not loaded or
    loaded here. */
uint64_t avc_vcpu_deadline(struct avc_vcpu *vcpu);

/** Drives a private interrupt (PPI) of this vCPU; without controller INTID 0 is its IRQ line, 1 its FIQ line. Errors as
    avc_vm_set_irq(). Context: any. */
AVC_MUST_USE enum avc_status avc_vcpu_set_irq(struct avc_vcpu *vcpu, uint32_t intid, bool level);

/** Registers by id: avc/sysreg.h names them, from avc/sysreg.def. The live register or the saved copy, whichever holds
    it. A PC set while an exit is open is where DONE steps from: answer AVC_RETRY to go on right there.
    Errors: EINVAL, ENOENT (unknown, or hidden from this guest), EBUSY (loaded elsewhere), ERANGE (read-only).
    Context: thread that owns it. */
AVC_MUST_USE enum avc_status avc_vcpu_get(struct avc_vcpu *vcpu, uint32_t reg, uint64_t *value);
AVC_MUST_USE enum avc_status avc_vcpu_set(struct avc_vcpu *vcpu, uint32_t reg, uint64_t value);

/** V<n> and as above; halves: [0] bits 63..0. */
AVC_MUST_USE enum avc_status avc_vcpu_get_fp(struct avc_vcpu *vcpu, uint32_t n, uint64_t value[2]);
AVC_MUST_USE enum avc_status avc_vcpu_set_fp(struct avc_vcpu *vcpu, uint32_t n, const uint64_t value[2]);

/** General registers, n 0..30; 31 is XZR. Context: loaded (outside of run), claim, or not loaded. */
static inline uint64_t avc_vcpu_gpr(const struct avc_vcpu *vcpu, unsigned n)
{
    return n < 31 ? vcpu->x[n] : 0;
}
static inline void avc_vcpu_set_gpr(struct avc_vcpu *vcpu, unsigned n, uint64_t value)
{
    if (n < 31)
        vcpu->x[n] = value;
}
/** The result of a call (AVC_CALL), for X0; X1..X3 are set as registers. Answers the exit: DONE; a claim also returns
    that. Context: loaded, claim. */
void avc_vcpu_set_return_value(struct avc_vcpu *vcpu, uint64_t value);

/** Context: any. */
struct avc_vm *avc_vcpu_vm(const struct avc_vcpu *vcpu);
void *avc_vcpu_user(const struct avc_vcpu *vcpu);
bool avc_vcpu_is_loaded(const struct avc_vcpu *vcpu);

/* ----------------------------------------------------------------------------------------------- extra --- */

/** An SMC to firmware, SMCCC 1.2: x[0..17] in and out. UNDEFINED where there is none. Context: any, claims too, at EL2. */
void avc_smc(uint64_t x[18]);

#ifdef __cplusplus
}
#endif
#endif
