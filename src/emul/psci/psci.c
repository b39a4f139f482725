/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* PSCI 1.1 (DEN0022). A call that the VMM must handle becomes an exit of its own kind. The VMM need not know PSCI. */
#include <avc/stage2.h>
#include <avc/priv/ctx.h>

#include "arch/pstate.h"
#include "arch/mmu.h"
#include "emul/psci/firmware.h"
#include "core/object/request.h"
#include "core/policy/sysreg.h"

/* ---- queries ---- */

enum avc_result avc_psci_version(struct avc_vcpu *vcpu, uint64_t fid, const struct avc_call_row *row)
{
    return avc_complete_call(vcpu, 0x10001);
}

enum avc_result avc_psci_migrate_info(struct avc_vcpu *vcpu, uint64_t fid, const struct avc_call_row *row)
{
    return avc_complete_call(vcpu, AVC_PSCI_MIGRATE_NOT_REQUIRED);
}

#define NR (AVC_PSCI_LAST - AVC_PSCI_VERSION + 1)

/* Callers that do not know yet whether SMCCC 1.1 is there ask for SMCCC_VERSION here (DEN0028, 7.2). CPU_SUSPEND
   has no flag set: power_state has its original format, and there is no OS-initiated mode. */
enum avc_result avc_psci_features(struct avc_vcpu *vcpu, uint64_t fid, const struct avc_call_row *row)
{
    static const uint8_t forms[2 * NR] = {
#define PSCI_FORMS(name, widths, offered) FORMS_##widths(name - AVC_PSCI_VERSION, NR, IS_##offered),
#define SMCCC_FORMS(name, widths, offered)
#define TRNG_FORMS(name, widths, offered)
#define AVC_FUNCTION(family, name, id, widths, offered, path, handler) family##_FORMS(name, widths, offered)
#include <avc/psci.def>
#undef AVC_FUNCTION
    };
    uint64_t asked = vcpu->x[1];
    uint32_t n = number_in_family(asked, AVC_PSCI_VERSION);

    if (avc_likely(n < NR))
        return avc_complete_call(vcpu, offer_by_forms(forms, n, NR, asked));
    return avc_complete_call(vcpu, (uint32_t)asked == AVC_SMCCC_VERSION ? AVC_PSCI_SUCCESS : AVC_PSCI_NOT_SUPPORTED);
}

/* ---- exits ---- */

/* Turns the call into an event for the VMM. Whatever the VMM answers, no result is written later: the caller of
   this function has written x0, or no guest is left to read it. */
static struct avc_exit *leave_as(struct avc_vcpu *vcpu, uint64_t fid, enum avc_kind kind, uint64_t key)
{
    struct avc_exit *e = avc_call_begin(vcpu, fid, avc_hw_read_ESR_EL2());

    e->kind = kind;
    e->key = key;
    e->answer = AVC_DONE;
    e->arg = 0;
    return e;
}

/* CPU_OFF() answers DENIED only for a trusted OS that lives on this CPU. There is none. */
enum avc_result avc_psci_cpu_off(struct avc_vcpu *vcpu, uint64_t fid, const struct avc_call_row *row)
{
    avc_vcpu_power_off(vcpu);
    leave_as(vcpu, fid, AVC_CPU_OFF, 0);
    return avc_begun(AVC_LEAVE);
}

/* SYSTEM_OFF(), SYSTEM_RESET() and SYSTEM_RESET2() do not return. If the VMM runs this vCPU again, it is told that
   the vCPU is off. */
static enum avc_result system_end(struct avc_vcpu *vcpu, uint64_t fid, enum avc_kind kind, uint64_t type,
                                  uint64_t cookie)
{
    struct avc_exit *e = leave_as(vcpu, fid, kind, fid);

    e->value = type;
    e->arg = cookie;
    avc_vcpu_power_off(vcpu);
    return avc_begun(AVC_LEAVE);
}

enum avc_result avc_psci_system_off(struct avc_vcpu *vcpu, uint64_t fid, const struct avc_call_row *row)
{
    return system_end(vcpu, fid, AVC_SYSTEM_OFF, 0, 0);
}

enum avc_result avc_psci_system_reset(struct avc_vcpu *vcpu, uint64_t fid, const struct avc_call_row *row)
{
    return system_end(vcpu, fid, AVC_SYSTEM_RESET, 0, 0);
}

/* SYSTEM_RESET2(reset_type, cookie): of the architectural types only the warm reset exists. The VMM handles the
   vendor's types. */
enum avc_result avc_psci_system_reset2(struct avc_vcpu *vcpu, uint64_t fid, const struct avc_call_row *row)
{
    uint32_t type = (uint32_t)vcpu->x[1];

    if (type < AVC_PSCI_RESET_VENDOR && type != AVC_PSCI_RESET_WARM)
        return avc_complete_call(vcpu, AVC_PSCI_INVALID_PARAMETERS);
    return system_end(vcpu, fid, AVC_SYSTEM_RESET, type, call_arg(vcpu, fid, 2));
}

/* ---- CPUs on and asleep ---- */

/* AFFINITY_INFO's answer is the low three bits of the power state, signed. So a destroyed vCPU is
   INVALID_PARAMETERS. */
#define INFO_OF(power) ((int64_t)((uint64_t)(power) << 61) >> 61)
_Static_assert(INFO_OF(AVC_POWER_ON) == AVC_PSCI_AFF_ON && INFO_OF(AVC_POWER_OFF) == AVC_PSCI_AFF_OFF &&
                   INFO_OF(AVC_POWER_PENDING) == AVC_PSCI_AFF_ON_PENDING &&
                   INFO_OF(AVC_POWER_CLAIMED) == AVC_PSCI_AFF_ON_PENDING &&
                   INFO_OF(AVC_POWER_GONE) == AVC_PSCI_INVALID_PARAMETERS,
               "the low bits of enum avc_power");

static int64_t affinity_state(const struct avc_vcpu *vcpu)
{
    return INFO_OF(avc_load_acquire(&vcpu->power));
}

/* Returns the vCPU that a call names. Bits outside the affinity fields must be zero. */
static struct avc_vcpu *target_of(const struct avc_vm *vm, uint64_t target)
{
    return target & ~MPIDR_AFFINITY ? NULL : avc_vm_vcpu_by_mpidr(vm, target);
}

static __attribute__((noinline)) enum avc_result affinity_info_far(struct avc_vcpu *vcpu, uint64_t fid)
{
    const struct avc_vcpu *asked = target_of(vcpu->vm, call_arg(vcpu, fid, 1));

    if ((uint32_t)vcpu->x[2] != 0 || !asked)
        return avc_complete_call(vcpu, AVC_PSCI_INVALID_PARAMETERS);
    return avc_complete_call(vcpu, affinity_state(asked));
}

/* AFFINITY_INFO(target_affinity, lowest_affinity_level). From PSCI 1.0 on only level 0, the CPU itself, is required
   (DEN0022, AFFINITY_INFO). Both forms name a CPU in the same way, except that a 64-bit target may have Aff3. */
enum avc_result avc_psci_affinity_info(struct avc_vcpu *vcpu, uint64_t fid, const struct avc_call_row *row)
{
    uint64_t target = vcpu->x[1];
    const struct avc_vcpu *asked = vcpu->vm->near[target % AVC_ARRAY_SIZE(vcpu->vm->near)];

    if (avc_unlikely(asked->affinity != target || (uint32_t)vcpu->x[2] != 0))
        return affinity_info_far(vcpu, fid);
    return avc_complete_call(vcpu, affinity_state(asked));
}

/* Can a vCPU start here? It needs the address of an instruction, in memory that is not a device. */
static bool entry_ok(const struct avc_vm *vm, uint64_t entry)
{
    uint32_t attrs = 0;

    if (entry % 4)
        return false;
    switch (avc_stage2_lookup(vm->stage2, entry, NULL, &attrs, NULL)) {
    case AVC_OK:
        return !(attrs & AVC_DEVICE);
    case AVC_ENOTSUP: /* adopted tables: the library cannot look */
        return entry >> vm->stage2->ipa_bits == 0;
    default:
        return false;
    }
}

/* CPU_ON(target_cpu, entry_point_address, context_id) */
enum avc_result avc_psci_cpu_on(struct avc_vcpu *vcpu, uint64_t fid, const struct avc_call_row *row)
{
    struct avc_vcpu *other = target_of(vcpu->vm, call_arg(vcpu, fid, 1));
    uint64_t entry = call_arg(vcpu, fid, 2);

    if (!other)
        return avc_complete_call(vcpu, AVC_PSCI_INVALID_PARAMETERS);
    if (!entry_ok(vcpu->vm, entry))
        return avc_complete_call(vcpu, AVC_PSCI_INVALID_ADDRESS);
    if (avc_vcpu_power_on(other, entry, call_arg(vcpu, fid, 3)))
        return avc_complete_call(vcpu, AVC_PSCI_SUCCESS);
    /* The vCPU was not off. If it is off by now, it was on when this asked. The caller may ask again. */
    return avc_complete_call(vcpu, affinity_state(other) == AVC_PSCI_AFF_ON_PENDING ? AVC_PSCI_ON_PENDING
                                                                                    : AVC_PSCI_ALREADY_ON);
}

/*
 * The vCPU goes on at `entry` as after CPU_ON (DEN0022, 6.4): EL1h, interrupts masked, MMU and caches off, the caller's
 * endianness. The rest of a warm reset is UNKNOWN, and stays as it was. Timers and the interrupt controller's CPU
 * interface stay as well: otherwise nothing would wake the vCPU.
 */
static void restart(struct avc_vcpu *vcpu, uint64_t entry, uint64_t context)
{
    uint64_t sctlr = avc_ctx_get(vcpu, AVC_CTX_SCTLR_EL1);

    avc_ctx_set(vcpu, AVC_CTX_SCTLR_EL1, sctlr & ~(SCTLR_M | SCTLR_C | SCTLR_I));
    avc_complete_jump(vcpu, entry, SPSR_RESET);
    avc_complete_call(vcpu, (int64_t)context);
}

/* CPU_SUSPEND(power_state, entry_point_address, context_id). Power levels are a CPU, a cluster and the system. */
enum avc_result avc_psci_cpu_suspend(struct avc_vcpu *vcpu, uint64_t fid, const struct avc_call_row *row)
{
    uint32_t state = (uint32_t)vcpu->x[1];
    uint64_t entry = call_arg(vcpu, fid, 2), context = call_arg(vcpu, fid, 3);
    bool powerdown = state & AVC_PSCI_STATE_POWERDOWN;
    struct avc_exit *e;

    if (state & AVC_PSCI_STATE_RESERVED || (state & AVC_PSCI_STATE_LEVEL) == AVC_PSCI_STATE_LEVEL)
        return avc_complete_call(vcpu, AVC_PSCI_INVALID_PARAMETERS);
    if (powerdown && !entry_ok(vcpu->vm, entry))
        return avc_complete_call(vcpu, AVC_PSCI_INVALID_ADDRESS);
    /* With a wake-up event pending the call returns at once. A power-down returns too, and has then not been
       entered (DEN0022, 5.4.5). The host's kick is no such event, but it makes run return all the same. */
    if (avc_vcpu_has_work(vcpu))
        return avc_complete_call(vcpu, AVC_PSCI_SUCCESS);
    e = leave_as(vcpu, fid, AVC_CPU_SUSPEND, state);
    e->value = avc_vcpu_deadline(vcpu);
    if (powerdown) {
        restart(vcpu, entry, context);
        e->step = false; /* the PC is where the vCPU goes on */
    } else {
        avc_complete_call(vcpu, AVC_PSCI_SUCCESS);
        if (e->step)
            avc_complete_step(e->esr);
        e->step = false; /* whatever the VMM answers */
    }
    return avc_begun(AVC_LEAVE);
}
