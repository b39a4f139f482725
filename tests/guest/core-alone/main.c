/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The smallest embedder: no PSCI, no interrupt controller, tables of its own. It is linked, to see that nothing is
 * missing. It does not run.
 */
#include "host.h"

static struct avc_machine machine;
static struct avc_pcpu cpu;
static struct avc_stage2 stage2;
static struct avc_vm vm;
static struct avc_vcpu vcpu, *vcpus[1];
static struct avc_claim claims[AVC_CLAIM_SLOTS(1)];
static uint64_t root[4 * 512] __attribute__((aligned(16384))); /* avc_stage2_root_layout(32) */

int host_main(void)
{
    static const struct avc_hal hal = { .panic = host_panic };
    static const struct avc_claim all = { AVC_CALL, 0, UINT32_MAX, avc_to_vmm, NULL };
    const struct avc_vm_config vm_config = {
        .stage2 = &stage2, .vcpus = vcpus, .max_vcpus = 1, .claims = claims, .max_claims = AVC_CLAIM_SLOTS(1)
    };
    const struct avc_vcpu_config vcpu_config = { .mpidr = 0 };
    uint64_t value;

    host_must(avc_machine_init(&machine));
    host_must(avc_pcpu_init(&cpu, &machine, &hal));
    host_must(avc_pcpu_enable(&cpu));
    host_must(avc_stage2_adopt(&stage2, &machine, NULL, (uintptr_t)root, 32));
    host_must(avc_vm_init(&vm, &machine, &vm_config));
    host_must(avc_vm_claim(&vm, &all));
    host_must(avc_vcpu_init(&vcpu, &vm, &vcpu_config));
    host_must(avc_vcpu_start(&vcpu, 0x40000000, 0));
    host_must(avc_vcpu_load(&vcpu, &cpu));
    avc_vcpu_kick(&vcpu);
    avc_vcpu_run(&vcpu);
    host_must(avc_vcpu_get(&vcpu, 0, &value));
    host_must(avc_vcpu_put(&vcpu));
    return 0;
}
