/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* What the files of src/core (and src/emul, sparingly) share. The structs are in avc/avc.h. */
#ifndef AVC_CORE_H
#define AVC_CORE_H

#include <avc/avc.h>

#include "core/atomic.h"
#include "hw/hw.h"
#include "hw/offsets.h"

#define avc_likely(x)   __builtin_expect(!!(x), 1)
#define avc_unlikely(x) __builtin_expect(!!(x), 0)
/* Of a function in a file that is not `small`: it is. */
#define avc_small         __attribute__((cold))
#define AVC_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define AVC_BIT(n)        (UINT64_C(1) << (n))
/* The call of a pointer that a function ends with. */
#define AVC_LAST(fn, ...) ((__typeof__(&*(fn)))avc_hw_last((uintptr_t)(fn)))(__VA_ARGS__)
/* Bits hi..lo of v, and a value put there. */
#define AVC_FIELD(v, hi, lo) (((uint64_t)(v) >> (lo)) & (~UINT64_C(0) >> (63 - ((hi) - (lo)))))

/* HCR_EL2 (Arm ARM, "HCR_EL2") where code names its bits; all that guests run with are in traps.c. */
#define HCR_VM  AVC_BIT(0)
#define HCR_IMO AVC_BIT(4)
#define HCR_VF  AVC_BIT(6)
#define HCR_VI  AVC_BIT(7)
#define HCR_VSE AVC_BIT(8)
#define HCR_TGE AVC_BIT(27)
#define HCR_E2H AVC_BIT(34)
#define HCR_APK AVC_BIT(40)
#define HCR_API AVC_BIT(41)

/* HFGITR_EL2 likewise: what avc_vm_trap_svc() switches. */
#define HFGITR_ERET    AVC_BIT(51)
#define HFGITR_SVC_EL0 AVC_BIT(52)
#define HFGITR_SVC_EL1 AVC_BIT(53)

/* The affinity fields of MPIDR_EL1, and of all that names a CPU like it: Aff3 in bits 39..32, Aff2..Aff0 in 23..0.
   All other bits of a PSCI call's target must be zero (DEN0022, "target_cpu"). */
#define MPIDR_AFFINITY UINT64_C(0xff00ffffff)

/* One more of a number that this CPU alone writes and any may read: never in two pieces. */
static inline void avc_count(uint64_t *counter)
{
    *(volatile uint64_t *)counter += 1;
}

/* Marks of initialised objects: what the letters say. The upper half is zero: a constant of two instructions. */
#define AVC_MAGIC_MACHINE UINT64_C(0x6863616d)
#define AVC_MAGIC_PCPU    UINT64_C(0x75706370)
#define AVC_MAGIC_VM      UINT64_C(0x21216d76)
#define AVC_MAGIC_VCPU    UINT64_C(0x75706376)
#define AVC_MAGIC_STAGE2  UINT64_C(0x32677473)
#define AVC_MAGIC_VGIC    UINT64_C(0x63696776)

/*
 * What a trap function tells the vector. The numbers are in offsets.h, where assembly finds them.
 * HW_BACK: to the guest, with the registers as they are in memory (after an IRQ x19..x28 as they are in the CPU).
 * HW_EXIT: avc_hw_enter() returns it, and vcpu->exit holds the event.
 * HW_AGAIN: avc_hw_enter() returns it: nothing to tell the VMM, but requests are due before the guest runs on. With HW_BACK
 * and requests set the vector itself makes it HW_AGAIN.
 * HW_SERROR, with either of them HW_SERROR_SHIFT further up: an SError was taken on the way out, and is in vcpu->serror.
 * Of a function on the light way only, which returns what the vCPU's requests is instead of HW_BACK:
 * HW_SLOW: not settled; save the rest and ask the trap table.
 * the address of a claim: save the rest and ask it about the event in vcpu->exit.
 */

/* A function of the trap table: called by the vector with all of x0..x30 in vcpu->x, on run's stack, masked; ELR_EL2,
   SPSR_EL2, FAR_EL2 and HPFAR_EL2 are live. esr is nothing for IRQ and FIQ, and for IRQ x19..x28 are not in vcpu->x. */
typedef uint64_t avc_trap_fn(struct avc_vcpu *vcpu, uint64_t esr);

/* ---- trap.c: the table of the 64 classes, and the way through claims ---- */
struct avc_trap_row {
    const char *name; /* the Arm ARM's words */
    avc_trap_fn *fn;
    bool step;          /* a CLASS claim's DONE moves the PC past the instruction */
    const char *reason; /* why this answer */
};
extern const struct avc_trap_row avc_trap_rows[64];
extern avc_trap_fn *const avc_trap_table[AVC_NR_TRAPS];          /* made from the rows */
extern avc_trap_fn *const avc_trap_table_claimed[AVC_NR_TRAPS];  /* each class asks the CLASS claims first */
extern avc_trap_fn *const avc_trap_table_observed[AVC_NR_TRAPS]; /* observe.c around one of the two */
avc_trap_fn avc_trap_irq, avc_trap_fiq, avc_trap_serror;
/* struct avc_irqc_ops.irq_taken of controllers that have none, and without controller. */
uint64_t avc_irq_taken(struct avc_vcpu *vcpu, avc_irq_t irq);

/* ---- dump.c: an exception that nobody expects at EL2; never returns ---- */
struct avc_dump {
    uint64_t vector, sp, esr, elr, far; /* vector: 0..15, as in the table */
};
/* vectors.S, while a guest runs. `sp` is the stack it happened on, run's or (in the vectors themselves) the vCPU:
   avc_dump_find_vcpu(sp) finds the vCPU either way, or NULL. */
_Noreturn void avc_trap_host(uint64_t vector, uint64_t sp, uint64_t esr, uint64_t elr, uint64_t far);
struct avc_vcpu *avc_dump_find_vcpu(uint64_t sp);
/* host_vectors.S; pcpu: TPIDR_EL2 */
_Noreturn void avc_host_trap(uint64_t vector, uint64_t sp, uint64_t esr, uint64_t elr, uint64_t far,
                             struct avc_pcpu *pcpu);

/* ---- claim.c, exit.c ---- */
/* Offers e (kind, key, preset answer filled in) to the claim on its key: the embedder's, and if there is none or it passes,
   the library's own. Returns the answer; AVC_PASS when nobody took it. */
enum avc_answer avc_claim_offer(struct avc_vcpu *vcpu, struct avc_exit *e);
/* The second half of it: what becomes of the answer that the claim on an event of this kind has given. */
enum avc_answer avc_claim_after(struct avc_vcpu *vcpu, struct avc_exit *e, enum avc_kind kind, enum avc_answer preset,
                                enum avc_answer answer);
/* Fills in the parts of vcpu->exit all events share, from ESR_EL2, ELR_EL2. */
struct avc_exit *avc_exit_begin(struct avc_vcpu *vcpu, enum avc_kind kind, uint64_t key, uint64_t esr);
/* The event, complete, goes to the VMM. What ends so returns this. */
static inline uint64_t avc_exit_to_vmm(struct avc_vcpu *vcpu, enum avc_kind kind)
{
    avc_count(&vcpu->nr_exits[kind]);
    /* until here the vCPU stays in the register that the code is returned in */
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    return HW_EXIT;
}
/* Offers, and acts on the answer or leaves to the VMM: what most trap functions end with. `unclaimed` is the answer if
   nobody has a claim: AVC_EXIT sends it to the VMM. */
uint64_t avc_exit_finish(struct avc_vcpu *vcpu, struct avc_exit *e, enum avc_answer unclaimed);
/* The second half of it: acts on this answer, or leaves to the VMM. */
uint64_t avc_exit_settle(struct avc_vcpu *vcpu, struct avc_exit *e, enum avc_answer answer);

/* ---- complete.c: the one place that writes result registers and moves the PC ---- */
/* Does what e->answer says to the guest's registers: live in the CPU (in a trap), or saved (before run enters; event.h has
   the short way of it). */
uint64_t avc_complete_live(struct avc_vcpu *vcpu, struct avc_exit *e); /* HW_BACK */
void avc_complete_saved(struct avc_vcpu *vcpu, struct avc_exit *e);
/* PC and PSTATE after one instruction of 4 (il) or 2 bytes: BTYPE and SS cleared, IT state advanced (AArch32). */
void avc_step(uint64_t *pc, uint64_t *pstate, bool il);

/* ---- inject.c: exceptions into the guest; pure on the values, EL1 registers through avc_ctx_get/set ---- */
struct avc_regs { /* PC and PSTATE being worked on */
    uint64_t pc, pstate;
};
void avc_inject_undef(struct avc_vcpu *vcpu, struct avc_regs *r, bool il); /* EC 0x00 */
/* The abort that EL2 took with this syndrome, as the guest's own: stage 2 faults become external aborts. */
void avc_inject_abort(struct avc_vcpu *vcpu, struct avc_regs *r, uint64_t esr, uint64_t va);
void avc_inject_sync(struct avc_vcpu *vcpu, struct avc_regs *r, uint64_t esr); /* ELR_EL1 = pc, as is */
void avc_inject_svc(struct avc_vcpu *vcpu, struct avc_regs *r, uint64_t esr);  /* pc: of the SVC that FGT trapped */
/* What the guest would have had if EL2 had not trapped this: an exception of its own, a return of its own, or UNDEFINED. */
void avc_inject_own(struct avc_vcpu *vcpu, struct avc_regs *r, uint64_t esr, uint64_t va);
void avc_inject_serror(struct avc_vcpu *vcpu, uint64_t iss); /* HCR_EL2.VSE */

/* ---- eret.c: an exception return of the guest's that was trapped, done by hand; UNDEFINED where it is ---- */
void avc_eret(struct avc_vcpu *vcpu, struct avc_regs *r, uint64_t esr);
/* With AVC_WORK_STEP: the step over an ERETAA ends, done or not. In a trap: true, this exception was its own. */
bool avc_eret_stepped(struct avc_vcpu *vcpu, uint64_t esr);
void avc_eret_step_end(struct avc_vcpu *vcpu, uint64_t *pstate);

/* ---- svc.c ---- */
void avc_svc_seal(struct avc_vm *vm); /* what of vm->traps avc_vm_trap_svc() switches; behind avc_traps_make() */

/* ---- condition.c: AArch32 at EL0 ---- */
bool avc_condition_passed(uint64_t esr, uint64_t pstate); /* true for AArch64 */

/* ---- abort.c, call.c, sysreg.c: trap functions named in the table ---- */
avc_trap_fn avc_trap_dabt, avc_trap_iabt, avc_trap_call, avc_trap_sysreg, avc_trap_wfx, avc_trap_fp, avc_trap_svc,
    avc_trap_undef, avc_trap_cp15, avc_trap_reflect, avc_trap_pauth, avc_trap_eret;

/* ---- observe.c ---- */
/* Which tables the vCPU's traps go through, by the VM's claims and the observer asked for: v->trap_table and v->ways. At
   load, and for AVC_REQUEST_WATCH; masked. */
void avc_observe_choose(struct avc_vcpu *vcpu);
avc_trap_fn avc_observe_sync, avc_observe_irq, avc_observe_fiq, avc_observe_serror;
/* With AVC_WORK_SEEN: run enters the guest after it was outside. */
void avc_observe_entry(struct avc_vcpu *vcpu);
/* A trap that the vector did not end by itself is over: back to the guest, or run returns vcpu->exit. */
void avc_observe_end(struct avc_vcpu *vcpu, bool to_vmm);

/* ---- fp.c: the FP/SIMD registers, moved on first use ---- */
void avc_fp_enter_guest(struct avc_vcpu *vcpu); /* in a trap: the guest's into the CPU, untrapped */
/* Run's return, and (`put`) put: the guest's out and the host's in, as the host's policy asks. Masked. */
void avc_fp_leave_guest(struct avc_vcpu *vcpu, bool put);

/* ---- claim.c ---- */
/* Sorts the claims, takes from the library's own what the embedder's cover, builds the indexes. */
enum avc_status avc_claim_seal(struct avc_vm *vm);
/* Whom to ask first about a key, and the library's own claim on it, whoever else has one; or NULL. */
const struct avc_claim *avc_claim_find(const struct avc_vm *vm, enum avc_kind kind, uint64_t key);
const struct avc_claim *avc_claim_find_builtin(const struct avc_vm *vm, enum avc_kind kind, uint64_t key);

/* ---- index.c ---- */
/* Of a few multipliers for a table the one with which `fill` leaves the least out; the table is filled by it, and what it has
   left out is returned. */
unsigned avc_hash_choose(struct avc_vm *vm, unsigned (*fill)(struct avc_vm *vm, uint32_t hash));
/* vm->mmio and vm->sysreg from the sealed claims and vm->id_regs; the vCPUs learn where they are, and vm->call */
void avc_index_seal(struct avc_vm *vm);

/* ---- sysreg.c: avc/sysreg.def at work ---- */
/* Guest registers that are switched at load and put; live when the vCPU is loaded on this CPU. index: enum avc_ctx */
uint64_t avc_ctx_get(const struct avc_vcpu *vcpu, unsigned ctx);
void avc_ctx_set(struct avc_vcpu *vcpu, unsigned ctx, uint64_t value);
void avc_sysreg_reset(struct avc_vcpu *vcpu); /* ctx[] to reset values */
enum avc_status avc_sysreg_get(struct avc_vcpu *vcpu, uint32_t key, uint64_t *value);
enum avc_status avc_sysreg_set(struct avc_vcpu *vcpu, uint32_t key, uint64_t value);
const char *avc_sysreg_name(uint32_t key); /* NULL: none */
/* The table's own policy for a trapped access; sets e->answer and, for reads, e->value. */
void avc_sysreg_emulate(struct avc_vcpu *vcpu, struct avc_exit *e);

/* ---- feature.c, traps.c ---- */
void avc_feature_decode(struct avc_features *f);                                   /* ->has and the rest from ->id */
void avc_feature_common(struct avc_features *all, const struct avc_features *one); /* lowest of both */
bool avc_feature_covers(const struct avc_features *cpu, const struct avc_features *needed);
void avc_feature_guest_ids(struct avc_vm *vm); /* vm->id_regs from vm->features */
void avc_traps_make(struct avc_vm *vm);        /* vm->traps */
bool avc_traps_can(const struct avc_features *f, enum avc_kind kind, uint64_t first, uint64_t last); /* or ENOTRAP */
static inline bool avc_has(const struct avc_features *f, enum avc_feature_bit bit)
{
    return f->has >> bit & 1;
}

/* ---- vmid.c, stage2.c: see stage2.h ---- */
/* Makes the VM's VMID valid for this CPU, does the flushes that the move of a vCPU needs, returns VTTBR_EL2. Masked. */
uint64_t avc_vmid_load(struct avc_pcpu *pcpu, struct avc_vcpu *vcpu);
void avc_vmid_put(struct avc_pcpu *pcpu, struct avc_vcpu *vcpu);

/* ---- vm.c ---- */
enum avc_status avc_vm_seal(struct avc_vm *vm);

/* ---- vcpu.c ---- */
/* on, on_aff3, mode and work: what MPIDR_EL1 reads, when the vCPU is loaded on the calling CPU and run has nothing rare to do
   at its entry and exit, nor is in progress. */
typedef uint64_t __attribute__((may_alias)) avc_word;
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ && offsetof(struct avc_vcpu, on) % 8 == 0 &&
                   offsetof(struct avc_vcpu, on_aff3) == offsetof(struct avc_vcpu, on) + 4 &&
                   offsetof(struct avc_vcpu, mode) == offsetof(struct avc_vcpu, on) + 5 &&
                   offsetof(struct avc_vcpu, work) == offsetof(struct avc_vcpu, on) + 6,
               "a doubleword: MPIDR_EL1 has its fields in bits 39..0");
static inline uint64_t avc_vcpu_where(const struct avc_vcpu *vcpu)
{
    return avc_load_relaxed((const avc_word *)&vcpu->on);
}

static inline void avc_vcpu_set_where(struct avc_vcpu *vcpu, uint64_t mpidr, unsigned work)
{
    avc_store_relaxed((avc_word *)&vcpu->on, mpidr | (uint64_t)work << 48);
}

/* Loaded on the calling CPU, which alone writes its own number there and takes it away. */
static inline bool avc_vcpu_here(const struct avc_vcpu *vcpu)
{
    return !((avc_vcpu_where(vcpu) ^ avc_hw_read_MPIDR_EL1()) << 24);
}
/* Guest state out of the CPU it is loaded on, and in again; between, memory holds all of it. Masked. */
void avc_vcpu_switch_out(struct avc_vcpu *vcpu);
void avc_vcpu_switch_in(struct avc_vcpu *vcpu);
/* All registers to their reset values, in memory. */
void avc_vcpu_reset_state(struct avc_vcpu *vcpu);
/* PSCI CPU_ON: OFF -> PENDING, start state set, vCPU woken; false, and nothing done, when it was not OFF. */
bool avc_vcpu_power_on(struct avc_vcpu *vcpu, uint64_t pc, uint64_t x0);
/* PSCI CPU_OFF, by the vCPU itself in a trap: the next run (and this one's exit) says AVC_CPU_OFF. */
void avc_vcpu_power_off(struct avc_vcpu *vcpu);

/* ---- call.c ---- */
void avc_call_seal(struct avc_vm *vm); /* vm->call from the sealed claims */

/* ---- fast.c: the light way of vectors.S; compiled so that x8..x15 and x18 are kept ---- */
uint64_t avc_fast_hvc(struct avc_vcpu *vcpu, uint64_t esr);
uint64_t avc_fast_smc(struct avc_vcpu *vcpu, uint64_t esr);
/* these two for instructions that name one of x0..x7 */
uint64_t avc_fast_sysreg(struct avc_vcpu *vcpu, uint64_t esr);
uint64_t avc_fast_dabt(struct avc_vcpu *vcpu, uint64_t esr);
/* What entries of others' claims have as `light`: the event begins. What is next, their code says: to ask the claim, or HW_EXIT
   for avc_to_vmm(), which need not be asked. */
uint64_t avc_fast_mmio_claim(struct avc_vcpu *vcpu, uint64_t esr, const struct avc_mmio_entry *entry);
uint64_t avc_fast_sysreg_claim(struct avc_vcpu *vcpu, uint64_t esr, const struct avc_sysreg_entry *entry);
/* call.c, sysreg_trap.c, abort.c: what the claim has answered that the vector has asked. HW_EXIT, requests, or both */
uint64_t avc_call_answered(struct avc_vcpu *vcpu, enum avc_answer answer);
uint64_t avc_sysreg_answered(struct avc_vcpu *vcpu, enum avc_answer answer);
uint64_t avc_mmio_answered(struct avc_vcpu *vcpu, enum avc_answer answer);

/* ---- pcpu.c ---- */
/* The HAL of the calling CPU, for callbacks that may be made anywhere; NULL where none is enabled. */
const struct avc_hal *avc_machine_hal(const struct avc_machine *machine);
/* Hands a fetched interrupt to this CPU's handler. Masked. */
enum avc_answer avc_pcpu_handle(struct avc_pcpu *pcpu, avc_irq_t irq);

/* ---- util.c ---- */
void avc_log(const struct avc_hal *hal, enum avc_log_level level, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
_Noreturn void avc_panic(const struct avc_hal *hal, const char *why);

#endif
