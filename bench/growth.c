/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Does an exit cost more if there is more beside it? In one VM the guest measures. Each setting adds more of one thing:
 * other VMs, vCPUs of this VM, or claims. All objects are made anew for each setting.
 */
#include "bench_host.h"

#include "rows.h"

#define MAX        64
#define MAX_CLAIMS 1024

static const struct setting {
    const char *name;
    unsigned vms, vcpus, claims;
} settings[] = {
    { "1", 1, 1, 1 },         { "8 VMs", 8, 1, 1 },      { "64 VMs", 64, 1, 1 },        { "8 vCPUs", 1, 8, 1 },
    { "64 vCPUs", 1, 64, 1 }, { "32 claims", 1, 1, 32 }, { "1024 claims", 1, 1, 1024 },
};

static struct avc_stage2 stage2[MAX];
static struct avc_vm vms[MAX];
static struct avc_vcpu others[MAX], vcpus[MAX];
static struct avc_vcpu *list[MAX], *other_list[MAX];
static struct avc_claim claims[AVC_CLAIM_SLOTS(4 * MAX_CLAIMS + 8)], other_claims[MAX][AVC_CLAIM_SLOTS(8)];
static struct avc_vgic vgic;
static struct avc_vgic_spis spis[2];
static struct avc_vgic_cpu gic_cpus[MAX];
static uint8_t *ram;

extern const char test_guest[], test_guest_end[]; /* image.S */

static enum avc_answer zero(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    return avc_done(e, 0);
}

static bool svc; /* this CPU can trap system calls (FEAT_FGT) */

static void claim(struct avc_vm *vm, enum avc_kind kind, uint64_t first, uint64_t last)
{
    host_must(avc_vm_claim(vm, &(struct avc_claim){ kind, first, last, zero, NULL }));
}

/* All registers with CRn 11 and 15, which are IMPLEMENTATION DEFINED: from S3_0_C11_C0_0 to S3_7_C15_C15_7. */
static uint32_t sysreg(unsigned n)
{
    return AVC_SYSREG_KEY(3, n >> 8 & 7, n >> 7 & 1 ? 15 : 11, n >> 3 & 15, n & 7);
}

static uint32_t call(unsigned n)
{
    return GROWTH_CALLS + 16 * n;
}

static void claim_all(struct avc_vm *vm, unsigned nr)
{
    svc = avc_vm_claim(vm, &(struct avc_claim){ AVC_SVC, 0, 0, zero, NULL }) == AVC_OK;
    for (unsigned n = 1; svc && n < nr; n++)
        claim(vm, AVC_SVC, 8ul * n, 8ul * n);
    for (unsigned n = 0; n < nr; n++) {
        claim(vm, AVC_MMIO, GROWTH_DEVICES + 0x4000ul * n, GROWTH_DEVICES + 0x4000ul * n + 0xfff);
        claim(vm, AVC_CALL, call(n), call(n));
        claim(vm, AVC_SYSREG, sysreg(2047 * n / MAX_CLAIMS), sysreg(2047 * n / MAX_CLAIMS));
    }
    claim(vm, AVC_MMIO, GROWTH_LAST_DEVICE, GROWTH_LAST_DEVICE + 0x7ff);
    claim(vm, AVC_SYSREG, sysreg(2047), sysreg(2047));
    host_must(avc_vm_claim(vm, &(struct avc_claim){ AVC_CALL, GROWTH_LAST_CALL, CALL_ADD, avc_to_vmm, NULL }));
}

static void make(struct avc_vm *vm, struct avc_stage2 *s2, struct avc_vcpu **of, unsigned nr, struct avc_claim *slots,
                 uint32_t nr_slots)
{
    const struct avc_vm_config config = {
        .stage2 = s2, .vcpus = of, .max_vcpus = nr, .claims = slots, .max_claims = nr_slots
    };

    *s2 = (struct avc_stage2){ 0 };
    __builtin_memset(vm, 0, sizeof *vm);
    host_must(avc_stage2_init(s2, &test_machine, &host_mem, 0));
    host_must(avc_vm_init(vm, &test_machine, &config));
    host_must(avc_psci_attach(vm));
}

static void start(struct avc_vcpu *vcpu, struct avc_vm *vm, uint64_t mpidr)
{
    vcpu->magic = 0;
    host_must(avc_vcpu_init(vcpu, vm, &(struct avc_vcpu_config){ .mpidr = mpidr }));
}

static void prepare(const struct setting *s)
{
    const struct avc_vgic_config gic = { .dist_base = GUEST_DIST,
                                         .redist_base = GUEST_RD,
                                         .nr_spis = 64,
                                         .max_vcpus = s->vcpus,
                                         .spis = spis,
                                         .cpus = gic_cpus };

    for (unsigned n = 1; n < s->vms; n++) {
        make(&vms[n], &stage2[n], &other_list[n], 1, other_claims[n], AVC_CLAIM_SLOTS(8));
        start(&others[n], &vms[n], 0);
        host_must(avc_vcpu_start(&others[n], GUEST_RAM, 0));
        host_must(avc_vcpu_load(&others[n], &test_pcpu[0]));
        host_must(avc_vcpu_put(&others[n]));
    }
    make(&vms[0], &stage2[0], list, s->vcpus, claims, sizeof claims / sizeof claims[0]);
    __builtin_memset(&vgic, 0, sizeof vgic);
    host_must(avc_vgic_attach(&vgic, &vms[0], &gic));
    claim_all(&vms[0], s->claims);
    host_copy_code(ram, test_guest, (size_t)(test_guest_end - test_guest));
    host_must(avc_stage2_map(&stage2[0], GUEST_RAM, (uintptr_t)ram, TEST_RAM, AVC_RWX));
    for (unsigned n = 0; n < s->vcpus; n++)
        start(&vcpus[n], &vms[0], n);
    host_must(avc_vcpu_start(&vcpus[0], GUEST_RAM, 0));
}

static void measure(const struct setting *s)
{
    host_must(avc_vcpu_load(&vcpus[0], &test_pcpu[0]));
    for (struct avc_exit *e; (e = avc_vcpu_run(&vcpus[0]))->kind != AVC_SYSTEM_OFF;) {
        if (e->kind == AVC_FAIL)
            host_must(e->status);
        if (e->kind != AVC_CALL) {
            host_printf("# %s key %lx\n", avc_kind_name(e->kind), e->key);
            continue;
        }
        if (e->key == CALL_PUTC)
            host_putc((char)avc_vcpu_gpr(&vcpus[0], 1));
        avc_done(e, e->key == GROWTH_LAST_CALL   ? call(s->claims - 1)
                    : e->key == GROWTH_LAST_VCPU ? s->vcpus - 1
                    : e->key == GROWTH_LAST_SVC  ? 8 * (s->claims - 1)
                    : e->key == GROWTH_SVC       ? svc
                                                 : 0);
    }
    host_must(avc_vcpu_put(&vcpus[0]));
}

static void destroy(const struct setting *s)
{
    for (unsigned n = 0; n < s->vms; n++) {
        host_must(avc_vm_destroy(&vms[n]));
        host_must(avc_stage2_destroy(&stage2[n]));
    }
}

int host_main(void)
{
    test_trusts_guests = true;
    test_cpu_init(AVC_HOST_NO_EL1);
    ram = host_guest_ram(TEST_RAM);
    for (unsigned n = 0; n < sizeof settings / sizeof settings[0]; n++) {
        host_printf("setting\t%s\n", settings[n].name);
        prepare(&settings[n]);
        measure(&settings[n]);
        destroy(&settings[n]);
    }
    return 0;
}
