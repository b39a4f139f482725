/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * arm_vcpu: AArch64 virtual CPUs for a kernel that runs at EL2, the host.
 *
 * An embedder calls these, in this order:
 *
 *     avc_machine_init   once            what the CPUs and VMs of the machine share
 *     avc_pcpu_init      per CPU         the CPU's object, with the host's callbacks (avc/host.h)
 *     avc_pcpu_enable    on each CPU     finds out what this CPU can do
 *     avc_stage2_init    per VM          the guest's memory (avc/stage2.h); or avc_stage2_adopt
 *     avc_vm_init        per VM          then avc_vm_claim, avc_psci_attach, avc_vgic_attach, ...
 *     avc_vcpu_init      per vCPU        then avc_vcpu_start for the first vCPU
 *     avc_vm_seal        per VM          fixes claims and vCPUs; the first load does it otherwise
 *     avc_vcpu_load      on a CPU        moves the vCPU's state into the CPU
 *     avc_vcpu_run       in a loop       runs the guest; each return is one struct avc_exit (avc/event.h)
 *     avc_vcpu_put       on that CPU     moves the state out of the CPU; the vCPU may go to another one
 *
 * The caller gives the storage for all objects: static memory, a heap or a page. It is zeroed before the init function
 * is called. avc/priv/ has the layouts, for the compiler to know the sizes; the members belong to the library. The
 * library allocates nothing and has no global state.
 *
 * "Errors" lists the status codes that a function can return besides AVC_OK, without the prefix AVC_ (avc/status.h).
 * EINVAL for a null pointer and ENOENT for an object that is not initialised are the same everywhere.
 *
 * "Context" says where a function may be called, always at EL2, with IRQs masked or not:
 *   setup    by one CPU at a time, before any other function uses the object
 *   owner    by the thread that owns the vCPU; while the vCPU is loaded, on that CPU and outside of avc_vcpu_run()
 *   loaded   as owner, and the vCPU is loaded
 *   claim    in a claim's function, on the vCPU for which it was called
 *   thread   on any CPU, but not in a claim or an interrupt handler
 *   any      anywhere, on any CPU: in interrupt handlers and in claims, too
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

/* --------------------------------------------------------------------------------------------- machine --- */

/**
 * Prepares the machine: the object that all CPUs and VMs of a host share. It must live as long as any of them. There is
 * one for all CPUs of a host, because it numbers the VMIDs that the TLBs of these CPUs see.
 * Errors: EINVAL, EALIGN, EEXIST (initialised before). Context: setup.
 */
AVC_MUST_USE enum avc_status avc_machine_init(struct avc_machine *machine);

/**
 * Ends the use of a machine; its storage is the caller's again.
 * Errors: EINVAL, ENOENT, EBUSY (a CPU is enabled). Context: setup.
 */
AVC_MUST_USE enum avc_status avc_machine_destroy(struct avc_machine *machine);

/**
 * Tells whether the calling CPU can run guests, as it is now. It changes nothing.
 * Errors: ENOTSUP (the caller is not at EL2, or the CPU lacks what the library needs: AArch64 at EL1, stage 2 with 4
 * KiB pages). Context: any, and at EL1.
 */
AVC_MUST_USE enum avc_status avc_has_hardware_support(void);

/* ------------------------------------------------------------------------------------------------ CPUs --- */

/**
 * Prepares the object of one CPU. `hal` is borrowed while the object lives.
 * Errors: EINVAL, EALIGN, EEXIST (initialised before), ENOENT (machine), EHAL (panic is missing; irq_fetch is there
 * without irq_end or irq_handler). Context: setup.
 */
AVC_MUST_USE enum avc_status avc_pcpu_init(struct avc_pcpu *pcpu, struct avc_machine *machine,
                                           const struct avc_hal *hal);

/**
 * Reads the features of the calling CPU and lets vCPUs be loaded on it. It changes no register of the CPU. On a CPU
 * with EL3 it asks firmware by SMC which mitigations firmware has (SMCCC_ARCH_FEATURES). For a VM with the library's
 * interrupt controller the host sets ICC_SRE_EL2.SRE before: the list registers are counted here.
 * Errors: EINVAL, ENOENT, EBUSY (the object is enabled already, or this CPU is enabled by another object), ENOTSUP (see
 * avc_has_hardware_support(); or a VM was sealed, and this CPU lacks a feature that the other CPUs had then). Context:
 * on the CPU itself, in a thread that stays there, with MMU and data cache on; not in a claim or a handler. Several
 * CPUs may call it at the same time, each with its own object; they wait for each other, without masking interrupts. It
 * calls none of the host's callbacks.
 */
AVC_MUST_USE enum avc_status avc_pcpu_enable(struct avc_pcpu *pcpu);

/**
 * Keeps a guest from steering EL2's indirect branches by what it has taught the branch predictor (Spectre v2,
 * Spectre-BHB). If this CPU needs it, each exception from a guest begins with a sequence against it: a call of
 * firmware's ARCH_WORKAROUND_1 or _3, CLRBHB, or a loop of branches. The CPU's ID registers, MIDR_EL1 and firmware
 * decide which; nothing changes on a CPU that needs none. Call it wherever guests are not trusted. Without it there is
 * no such sequence, whatever the CPU. docs/performance.md has the costs. Until avc_pcpu_disable().
 * Errors: EINVAL, ENOENT, ESTATE (not enabled), EBUSY (a vCPU is loaded; or called on another CPU). Context: as enable.
 */
AVC_MUST_USE enum avc_status avc_pcpu_harden(struct avc_pcpu *pcpu);

/**
 * Takes the calling CPU out of use, and removes the library's vectors if they are installed. Other CPUs read the
 * machine's list of CPUs without a lock. So the storage of the object must stay valid until the calls that they are
 * making at this moment have returned.
 * Errors: EINVAL, ENOENT, ESTATE (not enabled), EBUSY (a vCPU is loaded; or called on another CPU). Context: as enable.
 */
AVC_MUST_USE enum avc_status avc_pcpu_disable(struct avc_pcpu *pcpu);

/** Tells whether the CPU is enabled. Context: any. */
bool avc_pcpu_is_enabled(const struct avc_pcpu *pcpu);

/**
 * Replaces this CPU's interrupt handler. NULL puts the HAL's back, which is the default. `handler` is borrowed.
 *
 * Each interrupt goes to one handler, function and context together: to the old one or to the new one. An interrupt
 * that is being handled stays with its handler. A handler may replace itself. Several CPUs may replace the handler of
 * one pcpu.
 *
 * The caller may take the old handler's memory back as soon as avc_pcpu_irq_handler_in_use(pcpu, old) is false and
 * nobody is going to set it again. If a call of the old handler is in progress, that is when the call returns, at the
 * latest. For a caller on this CPU, outside of a handler, it is at once.
 * Errors: EINVAL (also: a handler without function), ENOENT. Context: any.
 */
AVC_MUST_USE enum avc_status avc_pcpu_set_irq_handler(struct avc_pcpu *pcpu, const struct avc_irq_handler *handler);

/**
 * Tells whether this is the CPU's handler, or a call of its function is in progress there. NULL stands for the HAL's
 * handler. While handlers nest at EL2 it is true for every handler. Context: any.
 */
bool avc_pcpu_irq_handler_in_use(const struct avc_pcpu *pcpu, const struct avc_irq_handler *handler);

/**
 * Handles one physical interrupt that the host's own IRQ vector has taken.
 *
 * With irq_fetch the library fetches the interrupt. It keeps the interrupt if it belongs to the vCPU that is loaded
 * here (a timer's, or the maintenance interrupt), and returns AVC_DONE. It hands any other to this CPU's handler, and
 * returns what the handler answers. It returns AVC_DONE as well when there was nothing to fetch.
 *
 * Without irq_fetch it returns AVC_DONE when the pending interrupt belonged to the loaded vCPU; the library has masked
 * it then. It returns AVC_PASS when the interrupt is the host's, which then acknowledges and ends it. If a timer's
 * interrupt of the vCPU arrives only after that, and the host acknowledges it, the host ends it like any other: it will
 * arrive again.
 *
 * EL2 takes physical IRQs where HCR_EL2.IMO is 1, or HCR_EL2.{E2H,TGE} is {1,1}.
 * Context: on the CPU itself, which is enabled, with IRQs masked, outside of avc_vcpu_run().
 */
enum avc_answer avc_pcpu_irq(struct avc_pcpu *pcpu);

/**
 * Installs the library's vectors at EL2, for a kernel without vectors of its own. They handle IRQs from now on: between
 * runs, and without any vCPU. Each IRQ becomes an avc_pcpu_irq(), on the current stack (EL2h; 192 bytes, and what the
 * HAL's callbacks use); x0..x30, ELR_EL2 and SPSR_EL2 are kept. Any other exception at EL2 is reported by hal->log and
 * ends in hal->panic.
 *
 * The library borrows VBAR_EL2, TPIDR_EL2 and HCR_EL2.IMO until the vectors are removed. The host must not write
 * TPIDR_EL2. PSTATE stays as it is: the host unmasks IRQs itself.
 * Errors: EINVAL, ENOENT, ESTATE (not enabled), EBUSY (a vCPU is loaded, or called on another CPU), EEXIST (installed
 * already), EHAL (there is no irq_fetch). Context: on the CPU itself, outside of handlers and claims.
 */
AVC_MUST_USE enum avc_status avc_pcpu_install_vectors(struct avc_pcpu *pcpu);

/**
 * Removes the vectors, and gives VBAR_EL2, TPIDR_EL2 and HCR_EL2.IMO the values back that install has found. Errors:
 * EINVAL, ENOENT (also: not installed), ESTATE, EBUSY, as install. Context: as install.
 */
AVC_MUST_USE enum avc_status avc_pcpu_remove_vectors(struct avc_pcpu *pcpu);

/* ------------------------------------------------------------------------------------------------- VMs --- */

#define AVC_VM_TRAP_WFE (1u << 0) /* WFE exits as WFI does, for hosts with more vCPUs than CPUs */
/* WFI does not exit: the CPU waits. For a vCPU that has its CPU for itself. Under QEMU only such a VM has FEAT_WFxT. */
#define AVC_VM_NO_WFI (1u << 1)

/** How a VM is made. Everything that is pointed to is borrowed until avc_vm_destroy(). */
struct avc_vm_config {
    struct avc_stage2 *stage2; /* required: the guest's memory, which no other VM uses */
    struct avc_vcpu **vcpus;   /* required: storage for max_vcpus pointers */
    uint32_t max_vcpus;        /* 1 or more */
    struct avc_claim *claims;  /* storage for claims: AVC_CLAIM_SLOTS(number of your own) entries */
    uint32_t max_claims;       /* entries in it, up to 65535 */
    uint32_t flags;            /* AVC_VM_...; default 0 */
    void *user;                /* yours: avc_vm_user() returns it */
};

/**
 * Prepares a VM.
 * Errors: EINVAL (also: an unknown flag, or the stage 2 of another machine), EALIGN, EEXIST (initialised before),
 * ENOENT (machine or stage2 is not initialised), EBUSY (another VM has this stage2), ERANGE (max_claims). Context:
 * setup.
 */
AVC_MUST_USE enum avc_status avc_vm_init(struct avc_vm *vm, struct avc_machine *machine,
                                         const struct avc_vm_config *config);

/**
 * Ends the use of a VM and of all its vCPUs; their storage is the caller's again.
 * Errors: EINVAL, ENOENT, EBUSY (a vCPU is loaded). Context: setup.
 */
AVC_MUST_USE enum avc_status avc_vm_destroy(struct avc_vm *vm);

/**
 * Adds a claim, which the library copies. Claims of one kind must not overlap. A claim comes before the library's own
 * claim on the same key (PSCI, vGIC), which the library asks when this one answers PASS. A claim also switches the trap
 * on that it needs.
 * Errors: EINVAL, ENOENT, ESEALED, ERANGE (first > last, or a key is too big), EEXIST (overlap), ENOMEM (max_claims),
 * ENOTRAP (the enabled CPUs have no such trap). Context: setup, before the VM is sealed.
 */
AVC_MUST_USE enum avc_status avc_vm_claim(struct avc_vm *vm, const struct avc_claim *claim);

/**
 * Switches the traps of system calls and exception returns off, and on again: HFGITR_EL2.SVC_EL0, SVC_EL1 and ERET. The
 * VM's claims of kind SVC, and of kind CLASS on 0x11, 0x15 and 0x1a, see nothing while they are off, and system calls
 * cost the guest nothing then. Each vCPU follows before it enters its guest next, and leaves the guest for that; when
 * the call returns some vCPUs may not have followed yet. Default: on, if there are such claims. A call before the first
 * load decides how the VM starts.
 * Errors: EINVAL, ENOENT, ENOTRAP (the CPUs lack FEAT_FGT; after the VM is sealed also: it has no such claim). Context:
 * any.
 */
AVC_MUST_USE enum avc_status avc_vm_trap_svc(struct avc_vm *vm, bool on);

/**
 * Seals the VM: its claims, vCPUs and interrupt controller are fixed from then on. Otherwise the first load does it.
 * The first VM that is sealed also fixes the features that all CPUs have in common: enable all CPUs before. OK if the
 * VM is sealed already.
 *
 * It makes three tables, and tries up to 64 times to place all keys of each. A try takes some 4,000 instructions, and
 * 100 for each key: at most 64 of a claim, 256 of one on calls. So it masks no interrupts. Loads of other vCPUs of the
 * VM wait meanwhile: a host whose threads can preempt each other calls it before there are any.
 * Errors: EINVAL, ENOENT, ENOTSUP (the CPUs cannot walk these stage 2 tables), ENOMEM (max_claims), ENOTRAP (a CPU that
 * was enabled after a claim was made lacks its trap). Context: thread.
 */
AVC_MUST_USE enum avc_status avc_vm_seal(struct avc_vm *vm);

/** Returns the n-th vCPU, in the order of avc_vcpu_init(); NULL when n is too big. Context: any. */
struct avc_vcpu *avc_vm_vcpu(const struct avc_vm *vm, uint32_t n);

/** Returns how many vCPUs the VM has. Context: any. */
uint32_t avc_vm_nr_vcpus(const struct avc_vm *vm);

/** Returns the vCPU with these affinity fields (Aff3 in bits 39..32, Aff2..Aff0 in 23..0), or NULL. Context: any. */
struct avc_vcpu *avc_vm_vcpu_by_mpidr(const struct avc_vm *vm, uint64_t mpidr);

/** Returns avc_vm_config.user. Context: any. */
void *avc_vm_user(const struct avc_vm *vm);

/**
 * Sets CNTVOFF_EL2 for all vCPUs: the guest's CNTVCT_EL0 reads CNTPCT_EL0 minus `offset`, in ticks of CNTFRQ_EL0.
 * Default: CNTPCT_EL0 at avc_vm_init(), so the guest's counter starts at 0.
 * Errors: EINVAL, ENOENT, ESEALED. Context: setup, before the VM is sealed.
 */
AVC_MUST_USE enum avc_status avc_vm_set_counter_offset(struct avc_vm *vm, uint64_t offset);

/**
 * Sets the input line of a shared interrupt (SPI) of the VM's interrupt controller. The guest has configured whether
 * the level counts or the rising edge. A pulse is a call with true and then a call with false.
 * Errors: EINVAL, ENOENT (also: no controller), ERANGE (no such INTID). Context: any.
 */
AVC_MUST_USE enum avc_status avc_vm_set_irq(struct avc_vm *vm, uint32_t intid, bool level);

/* ----------------------------------------------------------------------------------------------- vCPUs --- */

struct avc_vcpu_config {
    uint64_t mpidr; /* the affinity fields that the guest reads in MPIDR_EL1; different for each vCPU of a VM */
    void *user;     /* yours: avc_vcpu_user() returns it */
};

/**
 * Prepares a vCPU and adds it to its VM. The vCPU is reset, and off.
 * Errors: EINVAL (also: bits of mpidr that are no affinity), EALIGN (64 bytes), EEXIST (initialised before, or the VM
 * has a vCPU with this mpidr), ENOENT, ESEALED, ENOMEM (max_vcpus). Context: setup, before the VM is sealed.
 */
AVC_MUST_USE enum avc_status avc_vcpu_init(struct avc_vcpu *vcpu, struct avc_vm *vm,
                                           const struct avc_vcpu_config *config);

/**
 * Gives all registers their architectural reset values, and switches the vCPU off.
 * Errors: EINVAL, ENOENT, EBUSY (loaded). Context: owner.
 */
AVC_MUST_USE enum avc_status avc_vcpu_reset(struct avc_vcpu *vcpu);

/**
 * Resets the vCPU and switches it on, as PSCI CPU_ON does: EL1h, MMU off, interrupts masked, PC and X0 as given. What
 * the caller sets afterwards is added to that. While a reset, a start or a destroy is in progress a guest's CPU_ON of
 * this vCPU answers ON_PENDING, and does nothing.
 *
 * A vCPU that a guest's CPU_ON has switched on gets this state in the next call that its owner makes for it: load, run,
 * or one that gets or sets a register. avc_vcpu_gpr() and avc_vcpu_set_gpr() are not among these.
 * Errors: as reset. Context: owner.
 */
AVC_MUST_USE enum avc_status avc_vcpu_start(struct avc_vcpu *vcpu, avc_ipa_t pc, uint64_t x0);

/**
 * Takes a vCPU out of use for good. Later calls for it return ENOENT, and the guest finds no such CPU. The VM's list
 * keeps its place, so the storage is the caller's only after avc_vm_destroy().
 * Errors: EINVAL, ENOENT, EBUSY (loaded). Context: owner.
 */
AVC_MUST_USE enum avc_status avc_vcpu_destroy(struct avc_vcpu *vcpu);

/**
 * Moves the vCPU's state into the calling CPU. The first load of a VM seals it, as avc_vm_seal(). The library reads
 * VBAR_EL2, CPTR_EL2 and HCR_EL2 here, and restores these values at each return of avc_vcpu_run(): the host must not
 * change them before avc_vcpu_put().
 * Errors: EINVAL (also: a CPU of another machine), ENOENT, ESTATE (the CPU is not enabled, or is another one), EBUSY
 * (the vCPU is loaded, or the CPU has a loaded vCPU), EHAL (wake is missing with two vCPUs or an interrupt controller;
 * irq_mask is missing with an interrupt controller). The first load also: as avc_vm_seal().
 * Context: on the CPU itself, in a thread that stays there until put, without a lock that the HAL's wake() or
 * irq_mask() takes; not in a claim or a handler.
 */
AVC_MUST_USE enum avc_status avc_vcpu_load(struct avc_vcpu *vcpu, struct avc_pcpu *pcpu);

/**
 * Moves the vCPU's state out of the CPU, and gives the borrowed registers back, with AVC_HOST_NO_EL1 not all
 * (docs/embedding.md).
 * Errors: EINVAL, ENOENT, ESTATE (not loaded, or called in a claim), EBUSY (loaded on another CPU). Context: loaded,
 * without a lock that the HAL's wake() or irq_mask() takes.
 */
AVC_MUST_USE enum avc_status avc_vcpu_put(struct avc_vcpu *vcpu);

/**
 * Completes the last exit as its `answer` says, enters the guest, and returns the next exit; never NULL. The exit
 * belongs to the vCPU, and is valid until the next call.
 *
 * The library's vectors take the guest's exceptions. They are in VBAR_EL2 only during the call. After the call
 * PSTATE.PAN, DIT, SSBS and TCO are as the last exception has left them: a host with HCR_EL2.E2H = 1 that relies on PAN
 * sets it again. Errors: an exit of kind AVC_FAIL with a status: ESTATE (not loaded, or called in a claim), EBUSY
 * (loaded on another CPU). Context: loaded; at EL2h, with 1 KiB of stack besides what callbacks and claims use.
 */
struct avc_exit *avc_vcpu_run(struct avc_vcpu *vcpu);

/**
 * Makes avc_vcpu_run() return AVC_KICKED: as soon as possible if it is in progress, at once if it is called next. Calls
 * the HAL's wake() unless a claim calls it for its own vCPU.
 * Context: any, without a lock that wake() takes.
 */
void avc_vcpu_kick(struct avc_vcpu *vcpu);

/**
 * Switches the traps of this vCPU's waits on or off, from its next run until the next call; a reset does not change it.
 * Default: as the VM's flags AVC_VM_NO_WFI and AVC_VM_TRAP_WFE say.
 *
 * True: WFI and WFIT exit, and so do WFE and WFET if the VM has AVC_VM_TRAP_WFE. (Under QEMU a WFIT that exits has lost
 * its time-out: docs/caveats.md.) False: none of them exits. The CPU waits until some interrupt is pending, the host's
 * or the guest's, or WFIT's time is over, and no claim sees the instruction. That is right while no other thread of the
 * host wants the CPU. When one does, the host interrupts the CPU, and its VMM calls this.
 * Context: owner.
 */
void avc_vcpu_trap_wfx(struct avc_vcpu *vcpu, bool trap);

/**
 * Tells whether the vCPU has a reason to run: a kick, an interrupt for the guest, or it was switched on. Before a
 * thread blocks, it first makes itself one that wake() finds blocked, and then calls this. So it misses no wake-up.
 * Context: any.
 */
bool avc_vcpu_has_work(struct avc_vcpu *vcpu);

/**
 * Returns the CNTPCT_EL0 at which a timer of the vCPU will have an interrupt for it: ~0 never, 0 now. While a vCPU is
 * not loaded its timers are not in the CPU: a host that blocks its thread sets a timer of its own to this value, and
 * makes the thread run again then. For AVC_WFI and AVC_WFE the exit's `value` counts too, if it is earlier: the
 * time-out of WFIT and WFET is none of the timers. Context: owner.
 */
uint64_t avc_vcpu_deadline(struct avc_vcpu *vcpu);

/**
 * Sets the input line of a private interrupt (PPI) of this vCPU. In a VM without interrupt controller INTID 0 is the
 * vCPU's IRQ line, and INTID 1 its FIQ line.
 * Errors: EINVAL, ENOENT, ERANGE (no such INTID). Context: any.
 */
AVC_MUST_USE enum avc_status avc_vcpu_set_irq(struct avc_vcpu *vcpu, uint32_t intid, bool level);

/**
 * Read and write a register by its id (avc/sysreg.h). They access the register in the CPU or the saved copy, whichever
 * has the guest's value.
 * While an exit is open, the answer DONE moves the PC on from AVC_REG_PC. To go on exactly at a PC that you have set,
 * answer RETRY.
 * Errors: EINVAL (also: a PSTATE that a guest must not have), ENOENT (an unknown id, or a register that this guest does
 * not see), EBUSY (loaded on another CPU), ERANGE (set: the register is read-only). Context: owner, claim.
 */
AVC_MUST_USE enum avc_status avc_vcpu_get(struct avc_vcpu *vcpu, uint32_t reg, uint64_t *value);
AVC_MUST_USE enum avc_status avc_vcpu_set(struct avc_vcpu *vcpu, uint32_t reg, uint64_t value);

/**
 * Read and write V0..V31. value[0] has bits 63..0, value[1] has bits 127..64.
 * Errors: EINVAL, ENOENT (also: n is above 31), EBUSY (loaded on another CPU). Context: owner, claim.
 */
AVC_MUST_USE enum avc_status avc_vcpu_get_fp(struct avc_vcpu *vcpu, uint32_t n, uint64_t value[2]);
AVC_MUST_USE enum avc_status avc_vcpu_set_fp(struct avc_vcpu *vcpu, uint32_t n, const uint64_t value[2]);

/** Reads X0..X30; 31 is XZR. Context: owner, claim. */
static inline uint64_t avc_vcpu_gpr(const struct avc_vcpu *vcpu, unsigned n)
{
    return n < 31 ? vcpu->x[n] : 0;
}

/** Writes X0..X30; a write of 31 has no effect. Context: owner, claim. */
static inline void avc_vcpu_set_gpr(struct avc_vcpu *vcpu, unsigned n, uint64_t value)
{
    if (n < 31)
        vcpu->x[n] = value;
}

/**
 * Answers an AVC_CALL event with DONE; X0 gets `value`. More results go into X1..X3 by avc_vcpu_set_gpr(). A claim
 * returns AVC_DONE after it. Context: loaded, claim.
 */
void avc_vcpu_set_return_value(struct avc_vcpu *vcpu, uint64_t value);

/** Returns the vCPU's VM. Context: any. */
struct avc_vm *avc_vcpu_vm(const struct avc_vcpu *vcpu);

/** Returns avc_vcpu_config.user. Context: any. */
void *avc_vcpu_user(const struct avc_vcpu *vcpu);

/** Tells whether the vCPU is loaded on some CPU. Context: any. */
bool avc_vcpu_is_loaded(const struct avc_vcpu *vcpu);

/* ----------------------------------------------------------------------------------------------- extra --- */

/**
 * Calls the host's firmware by an SMC, as SMCCC 1.2 (DEN0028) has it: x[0..17] are the arguments, and then the results.
 * On a CPU without EL3 the SMC is UNDEFINED at EL2. Context: any.
 */
void avc_smc(uint64_t x[18]);

#ifdef __cplusplus
}
#endif
#endif
