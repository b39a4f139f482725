/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* A VM: its memory, its claims until they are sealed, its vCPUs. */
#include <avc/stage2.h>

#include "core/claim/index.h"
#include "core/exit/trap.h"
#include "core/core.h"
#include "core/claim/claim.h"
#include "core/mem/vtcr.h"
#include "core/policy/feature.h"
#include "core/policy/svc.h"
#include "core/policy/traps.h"

/* For a VM without an interrupt controller: no interrupt is its own. */
static bool not_mine(struct avc_vcpu *vcpu, avc_irq_t irq)
{
    (void)vcpu;
    (void)irq;
    return false;
}

enum avc_status avc_vm_init(struct avc_vm *vm, struct avc_machine *m, const struct avc_vm_config *config)
{
    if (!vm || !m || !config || !config->stage2 || !config->vcpus || !config->max_vcpus ||
        (config->max_claims && !config->claims) || (config->flags & ~(AVC_VM_TRAP_WFE | AVC_VM_NO_WFI)))
        return AVC_EINVAL;
    if ((uintptr_t)vm % _Alignof(struct avc_vm))
        return AVC_EALIGN;
    if (config->max_claims > UINT16_MAX) /* members of struct avc_claim_index */
        return AVC_ERANGE;
    if (vm->magic == AVC_MAGIC_VM)
        return AVC_EEXIST;
    if (m->magic != AVC_MAGIC_MACHINE || config->stage2->magic != AVC_MAGIC_STAGE2)
        return AVC_ENOENT;
    if (config->stage2->machine != m)
        return AVC_EINVAL;
    if (config->stage2->vm)
        return AVC_EBUSY;
    *vm = (struct avc_vm){
        .magic = AVC_MAGIC_VM,
        .machine = m,
        .irq = not_mine,
        .irq_taken = avc_irq_taken,
        .stage2 = config->stage2,
        .vcpus = config->vcpus,
        .max_vcpus = config->max_vcpus,
        .claims = config->claims,
        .max_claims = config->max_claims,
        .flags = config->flags,
        .cntvoff = avc_hw_read_CNTPCT_EL0(),
        .user = config->user,
    };
    vm->stage2->vm = vm;
    return AVC_OK;
}

enum avc_status avc_vm_destroy(struct avc_vm *vm)
{
    if (!vm)
        return AVC_EINVAL;
    if (vm->magic != AVC_MAGIC_VM)
        return AVC_ENOENT;
    for (uint32_t n = 0; n < vm->nr_vcpus; n++)
        if (avc_vcpu_is_loaded(vm->vcpus[n]))
            return AVC_EBUSY;
    for (uint32_t n = 0; n < vm->nr_vcpus; n++)
        vm->vcpus[n]->magic = 0;
    vm->stage2->vm = NULL;
    vm->magic = 0;
    return AVC_OK;
}

struct avc_vcpu *avc_vm_vcpu(const struct avc_vm *vm, uint32_t n)
{
    return n < vm->nr_vcpus ? vm->vcpus[n] : NULL;
}

uint32_t avc_vm_nr_vcpus(const struct avc_vm *vm)
{
    return vm->nr_vcpus;
}

static struct avc_vcpu *named(const struct avc_vm *vm, uint64_t n, uint64_t affinity)
{
    return n < vm->nr_vcpus && vm->vcpus[n]->affinity == affinity ? vm->vcpus[n] : NULL;
}

/* Most VMs number their vCPUs in Aff0, or in clusters of 16 (an SGI's list has as many). The others are searched. */
struct avc_vcpu *avc_vm_vcpu_by_mpidr(const struct avc_vm *vm, uint64_t mpidr)
{
    uint64_t affinity = mpidr & MPIDR_AFFINITY, aff0 = affinity & 0xff;
    struct avc_vcpu *vcpu = named(vm, aff0, affinity);

    if (!vcpu)
        vcpu = named(vm, AVC_FIELD(affinity, 15, 8) * 16 + aff0, affinity);
    for (uint32_t n = 0; n < vm->nr_vcpus && !vcpu; n++)
        vcpu = named(vm, n, affinity);
    return vcpu;
}

void *avc_vm_user(const struct avc_vm *vm)
{
    return vm->user;
}

enum avc_status avc_vm_set_counter_offset(struct avc_vm *vm, uint64_t offset)
{
    if (!vm)
        return AVC_EINVAL;
    if (vm->magic != AVC_MAGIC_VM)
        return AVC_ENOENT;
    if (vm->sealed)
        return AVC_ESEALED;
    vm->cntvoff = offset;
    return AVC_OK;
}

static enum avc_status seal(struct avc_vm *vm)
{
    enum avc_status status;
    uint64_t daif;

    /* A CPU with a smaller PA size may have been enabled since the tables were made. */
    if (!avc_stage2_fits(vm->stage2, &vm->machine->features))
        return AVC_ENOTSUP;
    vm->features = vm->machine->features;
    status = avc_claim_seal(vm);
    if (status)
        return status;
    avc_feature_guest_ids(vm);
    avc_index_seal(vm);
    avc_trap_seal(vm);
    avc_traps_make(vm);
    daif = avc_hw_irq_save(); /* avc_vm_trap_svc() may be called at any time */
    avc_lock(&vm->lock);
    avc_svc_seal(vm);
    avc_store_release(&vm->sealed, true);
    avc_unlock(&vm->lock);
    avc_hw_irq_restore(daif);
    return AVC_OK;
}

/* From then on claims, trap bits and ID registers are constant, and read without a lock. It takes long, so that it
   masks no interrupts. Who waits for it is about to load another vCPU of the same VM. */
enum avc_status avc_vm_seal(struct avc_vm *vm)
{
    enum avc_status status = AVC_OK;

    if (!vm)
        return AVC_EINVAL;
    if (vm->magic != AVC_MAGIC_VM)
        return AVC_ENOENT;
    if (avc_likely(avc_load_acquire(&vm->sealed)))
        return AVC_OK;
    avc_lock(&vm->sealing);
    if (!vm->sealed) {
        avc_lock(&vm->machine->setup);
        vm->machine->fixed = true;
        avc_unlock(&vm->machine->setup);
        status = seal(vm);
    }
    avc_unlock(&vm->sealing);
    return status;
}
