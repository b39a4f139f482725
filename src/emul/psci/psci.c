/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * PSCI 1.1 (DEN0022), the calls that change something: CPUs on, off and asleep, and the system's
 * end. What they leave to the VMM becomes an exit of its own kind: nothing of PSCI is left to know
 * there.
 */
#include <avc/psci.h>
#include <avc/stage2.h>
#include <avc/priv/ctx.h>

#include "arch/esr.h"
#include "arch/pstate.h"
#include "emul/psci/firmware.h"

/* SCTLR_EL1 */
#define SCTLR_M AVC_BIT(0)
#define SCTLR_C AVC_BIT(2)
#define SCTLR_I AVC_BIT(12)

static enum avc_answer answer(struct avc_exit *e, int64_t value)
{
    return avc_done(e, (uint64_t)value);
}

/* Makes an event of another kind of the call, for the VMM. Whatever the answer, no result is
   written later: the caller of this has written x0, or there is nobody left to read it. */
static enum avc_answer leave_as(struct avc_exit *e, enum avc_kind kind, uint64_t key)
{
    e->kind = kind;
    e->key = key;
    e->answer = AVC_DONE;
    return AVC_EXIT;
}

/* Where a vCPU can start: an instruction's address, in memory that is not a device. */
static bool entry_ok(const struct avc_vm *vm, uint64_t entry)
{
    uint32_t attrs = 0;

    if (entry % 4)
        return false;
    switch (avc_stage2_lookup(vm->stage2, entry, NULL, &attrs, NULL)) {
    case AVC_OK:
        return !(attrs & AVC_DEVICE);
    case AVC_ENOTSUP: /* adopted: the library cannot look */
        return entry >> vm->stage2->ipa_bits == 0;
    default:
        return false;
    }
}

/* CPU_ON(target_cpu, entry_point_address, context_id) */
static int64_t cpu_on(struct avc_vcpu *vcpu, uint32_t fid)
{
    uint64_t target = call_arg(vcpu, fid, 1), entry = call_arg(vcpu, fid, 2);
    struct avc_vcpu *other;

    other = target & ~MPIDR_AFFINITY ? NULL : avc_vm_vcpu_by_mpidr(vcpu->vm, target);
    if (!other)
        return AVC_PSCI_INVALID_PARAMETERS;
    if (!entry_ok(vcpu->vm, entry))
        return AVC_PSCI_INVALID_ADDRESS;
    if (avc_vcpu_power_on(other, entry, call_arg(vcpu, fid, 3)))
        return AVC_PSCI_SUCCESS;
    /* It was not off. If it is by now, it was on when it was asked, and the caller may ask again.
     */
    return psci_affinity_state(other) == AVC_PSCI_AFF_ON_PENDING ? AVC_PSCI_ON_PENDING : AVC_PSCI_ALREADY_ON;
}

/* CPU_OFF(): DENIED is for a trusted OS that lives on this CPU, which there is not. */
static enum avc_answer cpu_off(struct avc_vcpu *vcpu, struct avc_exit *e)
{
    avc_vcpu_power_off(vcpu);
    return leave_as(e, AVC_CPU_OFF, 0);
}

/*
 * The vCPU goes on at `entry` as after CPU_ON (DEN0022, 6.4): EL1h, interrupts masked, MMU and
 * caches off, the caller's endianness. The rest of a warm reset is UNKNOWN, and stays as it was; so
 * do timers and the interrupt controller's CPU interface, or nothing would wake it.
 */
static void restart(struct avc_vcpu *vcpu, uint64_t entry, uint64_t context)
{
    uint64_t sctlr = avc_ctx_get(vcpu, AVC_CTX_SCTLR_EL1);

    avc_ctx_set(vcpu, AVC_CTX_SCTLR_EL1, sctlr & ~(SCTLR_M | SCTLR_C | SCTLR_I));
    avc_complete_jump(vcpu, entry, SPSR_DAIF | SPSR_EL1H);
    vcpu->x[0] = context;
}

/* CPU_SUSPEND(power_state, entry_point_address, context_id): power levels of a CPU, a cluster and
 * the system. */
static enum avc_answer cpu_suspend(struct avc_vcpu *vcpu, struct avc_exit *e)
{
    uint32_t fid = (uint32_t)e->key, state = (uint32_t)vcpu->x[1];
    uint64_t entry = call_arg(vcpu, fid, 2), context = call_arg(vcpu, fid, 3);
    bool powerdown = state & AVC_PSCI_STATE_POWERDOWN;

    if (state & AVC_PSCI_STATE_RESERVED || (state & AVC_PSCI_STATE_LEVEL) == AVC_PSCI_STATE_LEVEL)
        return answer(e, AVC_PSCI_INVALID_PARAMETERS);
    if (powerdown && !entry_ok(vcpu->vm, entry))
        return answer(e, AVC_PSCI_INVALID_ADDRESS);
    /* With a wake-up event pending the call returns at once, from power-down too, which has then
       not been entered (DEN0022, 5.4.5). The host's kick is not one, but it makes run return all
       the same. */
    if (avc_vcpu_has_work(vcpu))
        return answer(e, AVC_PSCI_SUCCESS);
    e->value = avc_vcpu_deadline(vcpu);
    if (powerdown) {
        restart(vcpu, entry, context);
        e->step = false; /* ELR_EL2 is where it goes on */
    } else {
        vcpu->x[0] = (uint64_t)AVC_PSCI_SUCCESS;
    }
    return leave_as(e, AVC_CPU_SUSPEND, state);
}

/* SYSTEM_OFF() and SYSTEM_RESET() do not return: a VMM that runs this vCPU again is told that it is
 * off. */
static enum avc_answer system_end(struct avc_vcpu *vcpu, struct avc_exit *e, enum avc_kind kind)
{
    avc_vcpu_power_off(vcpu);
    return leave_as(e, kind, e->key);
}

/* SYSTEM_RESET2(reset_type, cookie): of the architectural types there is the warm reset; the
 * vendor's are the VMM's. */
static enum avc_answer system_reset2(struct avc_vcpu *vcpu, struct avc_exit *e)
{
    uint32_t type = (uint32_t)vcpu->x[1];

    if (type < AVC_PSCI_RESET_VENDOR && type != AVC_PSCI_RESET_WARM)
        return answer(e, AVC_PSCI_INVALID_PARAMETERS);
    e->value = type;
    e->arg = call_arg(vcpu, (uint32_t)e->key, 2);
    return system_end(vcpu, e, AVC_SYSTEM_RESET);
}

/* AFFINITY_INFO(target_affinity, lowest_affinity_level), where settled.c did not find the target at first sight. From
   PSCI 1.0 on only level 0, the CPU itself, has to be known (DEN0022, 5.1.5). */
static int64_t affinity_info(struct avc_vcpu *vcpu, uint32_t fid)
{
    uint64_t target = call_arg(vcpu, fid, 1);
    struct avc_vcpu *other;

    if ((uint32_t)vcpu->x[2] != 0 || target & ~MPIDR_AFFINITY)
        return AVC_PSCI_INVALID_PARAMETERS;
    other = avc_vm_vcpu_by_mpidr(vcpu->vm, target);
    return other ? psci_affinity_state(other) : AVC_PSCI_INVALID_PARAMETERS;
}

enum avc_answer avc_psci_full(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    uint32_t fid = (uint32_t)e->key;

    (void)ctx;
    switch (fid & ~AVC_SMC64) { /* which of them have a 64-bit form was decided in settled.c */
    case AVC_PSCI_CPU_ON:
        return answer(e, cpu_on(vcpu, fid));
    case AVC_PSCI_CPU_OFF:
        return cpu_off(vcpu, e);
    case AVC_PSCI_CPU_SUSPEND:
        return cpu_suspend(vcpu, e);
    case AVC_PSCI_AFFINITY_INFO:
        return answer(e, affinity_info(vcpu, fid));
    case AVC_PSCI_SYSTEM_OFF:
        return system_end(vcpu, e, AVC_SYSTEM_OFF);
    case AVC_PSCI_SYSTEM_RESET:
        return system_end(vcpu, e, AVC_SYSTEM_RESET);
    case AVC_PSCI_SYSTEM_RESET2:
        return system_reset2(vcpu, e);
    default:
        return answer(e, AVC_PSCI_NOT_SUPPORTED);
    }
}

/* ---- attaching ---- */

static const struct {
    uint32_t first, last;
    union avc_fast calls;
} ranges[] = {
    { AVC_SMCCC_VERSION, AVC_SMCCC_ARCH_LAST, { .call = &avc_smccc_calls } },
    { AVC_PSCI_VERSION, AVC_PSCI_LAST, { .call = &avc_psci_calls32 } },
    { AVC_TRNG_VERSION, AVC_TRNG_LAST, { .call = &avc_trng_calls } },
    { AVC_PSCI_VERSION | AVC_SMC64, AVC_PSCI_LAST | AVC_SMC64, { .call = &avc_psci_calls64 } },
    { AVC_TRNG_VERSION | AVC_SMC64, AVC_TRNG_LAST | AVC_SMC64, { .call = &avc_trng_calls } },
};

enum avc_status avc_psci_attach(struct avc_vm *vm)
{
    uint32_t before;

    if (!vm)
        return AVC_EINVAL;
    if (vm->magic != AVC_MAGIC_VM)
        return AVC_ENOENT;
    if (vm->sealed)
        return AVC_ESEALED;
    if (vm->psci)
        return AVC_EEXIST;
    before = vm->nr_builtin;
    for (unsigned n = 0; n < AVC_ARRAY_SIZE(ranges); n++) {
        struct avc_claim claim = {
            .kind = AVC_CALL | AVC_CLAIM_FAST,
            .first = ranges[n].first,
            .last = ranges[n].last,
            .fn = avc_call_handle,
            /* claims hand it back as it is; avc_call_handle makes it const again */
            .ctx = (void *)(uintptr_t)&ranges[n].calls,
        };
        enum avc_status status = avc_vm_claim_builtin(vm, &claim);

        if (status) {
            vm->nr_builtin = before;
            return status;
        }
    }
    vm->psci = true;
    return AVC_OK;
}
