/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* What the files of src/core (and src/emul, sparingly) share. The structs are in avc/priv/. */
#ifndef AVC_CORE_H
#define AVC_CORE_H

#include <avc/avc.h>

#include "arch/bits.h"
#include "core/atomic.h"
#include "hw/hw.h"
#include "hw/offsets.h"

#define avc_likely(x)   __builtin_expect(!!(x), 1)
#define avc_unlikely(x) __builtin_expect(!!(x), 0)
/* Of a function in a file that is not `small`: it is. */
#define avc_small         __attribute__((cold))
#define AVC_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
/* The call of a pointer that a function ends with. */
#define AVC_LAST(fn, ...) ((__typeof__(&*(fn)))avc_hw_last((uintptr_t)(fn)))(__VA_ARGS__)

/* HCR_EL2 (Arm ARM, "HCR_EL2") where code names its bits; all that guests run with are in traps.c. */
#define HCR_VM  AVC_BIT(0)
#define HCR_IMO AVC_BIT(4)
#define HCR_VF  AVC_BIT(6)
#define HCR_VI  AVC_BIT(7)
#define HCR_VSE AVC_BIT(8)
#define HCR_TWI AVC_BIT(13)
#define HCR_TWE AVC_BIT(14)
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

/* ---- trap functions: see exit/trap.h ---- */
avc_trap_fn avc_trap_irq, avc_trap_fiq, avc_trap_serror, avc_trap_wfx, avc_trap_fp, avc_trap_svc, avc_trap_pauth,
    avc_trap_eret;
/* struct avc_irqc_ops.irq_taken of controllers that have none, and without controller. */
enum avc_result avc_irq_taken(struct avc_vcpu *vcpu, avc_irq_t irq);

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
/* The exception that EL2 took, as the guest's own. */
void avc_inject_exception(struct avc_vcpu *vcpu, struct avc_regs *r, uint64_t esr, uint64_t va);
void avc_inject_serror(struct avc_vcpu *vcpu, uint64_t iss); /* HCR_EL2.VSE */

/* ---- eret.c: an exception return of the guest's that was trapped, done by hand; UNDEFINED where it is ---- */
void avc_eret(struct avc_vcpu *vcpu, struct avc_regs *r, uint64_t esr);
/* With AVC_WORK_STEP: the step over an ERETAA ends, done or not. In a trap: true, this exception was its own. */
bool avc_eret_stepped(struct avc_vcpu *vcpu, uint64_t esr);
void avc_eret_step_end(struct avc_vcpu *vcpu, uint64_t *pstate);

/* ---- svc.c ---- */
void avc_svc_seal(struct avc_vm *vm); /* what of vm->traps avc_vm_trap_svc() switches; behind avc_traps_make() */

/* ---- observe.c ---- */
/* Which table the vCPU's traps go through, by the VM's claims and the observer asked for: vcpu->dispatch. At load, and for
   AVC_REQUEST_WATCH; masked. */
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
static inline enum avc_kind avc_claim_kind(const struct avc_claim *claim)
{
    return (enum avc_kind)(claim->kind & AVC_CLAIM_KIND);
}
/* Whom to ask first about a key, and the library's own claim on it, whoever else has one; or NULL. */
const struct avc_claim *avc_claim_find(const struct avc_vm *vm, enum avc_kind kind, uint64_t key);
const struct avc_claim *avc_claim_find_builtin(const struct avc_vm *vm, enum avc_kind kind, uint64_t key);

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

/* ---- vmid.c, stage2.c ---- */
/* VTCR_EL2 for these tables; whether a CPU (or all, the machine's) with these features can walk them. */
uint64_t avc_stage2_vtcr(const struct avc_stage2 *s2);
bool avc_stage2_fits(const struct avc_stage2 *s2, const struct avc_features *features);
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
