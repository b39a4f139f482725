/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* One CPU and small VMs for it: see host_vm.h. */
#include "host_vm.h"

struct avc_machine host_machine;
struct avc_pcpu host_pcpu;

const struct avc_hal host_hal = { .panic = host_panic, .wake = host_wake, .log = host_log };

void host_vm_cpu(const struct avc_hal *hal)
{
    host_must(avc_machine_init(&host_machine));
    host_must(avc_pcpu_init(&host_pcpu, &host_machine, hal));
    host_must(avc_pcpu_enable(&host_pcpu));
}

/* ---- what the guest prints ---- */

#define LINE 120 /* bounded: a guest must not keep this CPU for long */

static char byte_at(const struct host_vm *vm, uint64_t offset)
{
    return offset < HOST_VM_SIZE ? vm->ram[offset] : '\0'; /* only its memory is read, whatever address it gives */
}

/* x9 is the address of the text. %d and %x in it stand for x1, x2 and so on. host_vm_make() has put the text there.
   So this cached view of it is right, though the guest runs with its caches off. */
static enum avc_answer print(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    const struct host_vm *vm = ctx;
    uint64_t text = avc_vcpu_gpr(vcpu, 9) - HOST_VM_RAM;
    unsigned arg = 1;

    for (uint64_t at = text; at < text + LINE && byte_at(vm, at); at++) {
        if (byte_at(vm, at) != '%')
            host_putc(byte_at(vm, at));
        else if (byte_at(vm, ++at) == 'd')
            host_printf("%ld", (long)avc_vcpu_gpr(vcpu, arg++));
        else
            host_printf("%lx", (unsigned long)avc_vcpu_gpr(vcpu, arg++));
    }
    return avc_done(e, 0);
}

/* ---- the VM ---- */

void host_vm_make(struct host_vm *vm, const void *guest, size_t size)
{
    const struct avc_vm_config vm_config = {
        .stage2 = &vm->stage2,
        .vcpus = vm->vcpus,
        .max_vcpus = 1,
        .claims = vm->claims,
        .max_claims = sizeof vm->claims / sizeof vm->claims[0],
    };
    const struct avc_vcpu_config vcpu_config = { .mpidr = 0 };
    const struct avc_claim prints = { AVC_CALL, HOST_VM_PRINT, HOST_VM_PRINT, print, vm };
    void *ram = host_guest_ram(HOST_VM_SIZE);

    host_copy_code(ram, guest, size);
    vm->ram = ram;
    host_must(avc_stage2_init(&vm->stage2, &host_machine, &host_mem, 32));
    host_must(avc_stage2_map(&vm->stage2, HOST_VM_RAM, (uintptr_t)ram, HOST_VM_SIZE, AVC_RWX));
    host_must(avc_vm_init(&vm->vm, &host_machine, &vm_config));
    host_must(avc_psci_attach(&vm->vm));
    host_must(avc_vm_claim(&vm->vm, &prints));
    host_must(avc_vcpu_init(&vm->vcpu, &vm->vm, &vcpu_config));
}

void host_vm_start(struct host_vm *vm)
{
    host_must(avc_vcpu_start(&vm->vcpu, HOST_VM_RAM, 0));
    host_must(avc_vcpu_load(&vm->vcpu, &host_pcpu));
}

struct avc_exit *host_vm_run(struct host_vm *vm)
{
    struct avc_exit *e = avc_vcpu_run(&vm->vcpu);

    if (e->kind == AVC_FAIL)
        host_must(e->status);
    if (e->kind != AVC_SYSTEM_OFF)
        return e;
    host_must(avc_vcpu_put(&vm->vcpu));
    return NULL;
}
