/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * No CPU may hit a stale TLB entry. Several VMs with several vCPUs run on several CPUs, for a million random steps:
 * map, unmap, protect, load, put, migrate, access, and new VMs until VMIDs run out. The other CPUs access memory
 * between any two operations of the library. What an access finds through the modelled TLBs must be what a simple
 * reference says. A fault must mean that the page is not mapped.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "pages.h"
#include "core/mem/s2.h"
#include "tlb.h"
#include "core/mem/vmid.h"
#include "core/mem/vtcr.h"

#define CPUS  FAKE_MAX_CPUS
#define VMS   5
#define VCPUS 3
#define ASIDS 2
#define VAS   12
#define PAGES 2560                              /* 10 MiB */
#define BASE  (UINT64_C(0x40000000) - 0x400000) /* on both sides of 1 GiB */
#define STEPS 250000

/* A guest's stage 1 on one vCPU. A guest may have other tables on each of its vCPUs. */
struct s1 {
    uint64_t page; /* in the IPA space */
    bool global;
};

static struct vm {
    struct avc_vm vm;
    struct avc_stage2 s2;
    struct avc_vcpu vcpu[VCPUS];
    int on[VCPUS];       /* the CPU, or -1 */
    uint64_t ref[PAGES]; /* PA | descriptor's attributes; 0: not mapped */
    struct s1 s1[VCPUS][ASIDS][VAS];
} vms[VMS];

static struct avc_machine machine;
static struct avc_hal hal;
static struct avc_pcpu pcpus[CPUS];
static struct {
    struct vm *vm;
    unsigned vcpu;
} loaded[CPUS];
static uint64_t host_hcr;
static uint64_t accesses, faults;

static unsigned below(unsigned n)
{
    return (unsigned)(fake_random() % n);
}

/* ---- guests ---- */

static void guest_access(unsigned cpu, bool check)
{
    struct vm *vm = loaded[cpu].vm;
    unsigned asid = below(ASIDS), va = below(VAS);
    const struct s1 *s1 = &vm->s1[loaded[cpu].vcpu][asid][va];
    struct fake_s1 access = { va * UINT64_C(4096), BASE + s1->page * 4096, (uint16_t)asid, s1->global };
    struct fake_leaf leaf = { 0 };
    bool ok = fake_tlb_access(cpu, &access, &leaf);

    if (!check)
        return;
    accesses++;
    faults += !ok;
    assert_int_equal(ok ? leaf.pa | leaf.attrs : 0, vm->ref[s1->page]);
}

/*
 * The other CPUs go on while the library works on one. What they see then may be old or new, but they must not keep
 * what is old.
 */
static void others(void)
{
    unsigned cpu = below(CPUS);

    if (&fake_cpus[cpu] != fake_cpu && loaded[cpu].vm && below(2))
        guest_access(cpu, false);
}

/* The guest changes its tables, and flushes on its own CPU. HCR_EL2.FB makes that a flush on all CPUs. */
static void guest_remap(unsigned cpu)
{
    struct vm *vm = loaded[cpu].vm;
    unsigned va = below(VAS);
    bool global = va % 4 == 0;

    for (unsigned asid = 0; asid < ASIDS; asid++) {
        struct s1 *s1 = &vm->s1[loaded[cpu].vcpu][asid][va];

        if (!asid || !global)
            *s1 = (struct s1){ fake_random() % PAGES, global };
        else
            *s1 = vm->s1[loaded[cpu].vcpu][0][va];
    }
    fake_tlb_guest_flush(cpu);
}

/* ---- the host ---- */

static void load(unsigned cpu, struct vm *vm, unsigned vcpu)
{
    uint64_t vttbr;

    fake_use_cpu(cpu);
    vttbr = avc_vmid_load(&pcpus[cpu], &vm->vcpu[vcpu]);
    avc_hw_write_VTCR_EL2(avc_stage2_vtcr(&vm->s2));
    avc_hw_write_VTTBR_EL2(vttbr);
    fake_tlb_home[cpu] = vttbr >> 48;
    avc_hw_isb();
    loaded[cpu].vm = vm;
    loaded[cpu].vcpu = vcpu;
    vm->on[vcpu] = (int)cpu;
}

static void put(unsigned cpu)
{
    fake_use_cpu(cpu);
    loaded[cpu].vm->on[loaded[cpu].vcpu] = -1;
    loaded[cpu].vm = NULL;
    fake_tlb_home[cpu] = 0;
    avc_hw_write_VTTBR_EL2(0);
    avc_hw_write_VTCR_EL2(0);
    avc_hw_isb();
    avc_vmid_put(&pcpus[cpu], NULL);
}

static void move(void)
{
    unsigned cpu = below(CPUS), vcpu = below(VCPUS);
    struct vm *vm = &vms[below(VMS)];

    if (loaded[cpu].vm)
        put(cpu);
    if (vm->on[vcpu] >= 0)
        put((unsigned)vm->on[vcpu]);
    load(cpu, vm, vcpu);
}

static void new_vm(struct vm *vm)
{
    uint32_t vmids = machine.features.has >> AVC_FEAT_VMID16 & 1 ? 65536 : 256;

    for (unsigned i = 0; i < VCPUS; i++)
        if (vm->on[i] >= 0)
            put((unsigned)vm->on[i]);
    fake_use_cpu(below(CPUS));
    if (vm->s2.magic)
        assert_int_equal(avc_stage2_destroy(&vm->s2), AVC_OK);
    if (machine.vmid_next && machine.vmid_next < vmids - 8)
        machine.vmid_next = vmids - 8; /* so few that they run out often and are used again soon */
    assert_int_equal(avc_stage2_init(&vm->s2, &machine, &fake_mem, 34 + below(3)), AVC_OK);
    memset(vm->ref, 0, sizeof vm->ref);
    for (unsigned i = 0; i < VCPUS; i++) {
        vm->vcpu[i].vm = &vm->vm;
        vm->on[i] = -1;
        for (unsigned asid = 0; asid < ASIDS; asid++)
            for (unsigned va = 0; va < VAS; va++)
                vm->s1[i][asid][va] = (struct s1){ fake_random() % PAGES, false };
    }
    vm->vm.stage2 = &vm->s2;
    vm->vm.traps.vtcr = avc_stage2_vtcr(&vm->s2); /* as sealing does */
    assert_int_equal(avc_stage2_map(&vm->s2, BASE, BASE, PAGES * 4096, AVC_RWX), AVC_OK);
    for (unsigned i = 0; i < PAGES; i++)
        vm->ref[i] = (BASE + i * 4096) | 0x7fc;
}

static void change_memory(void)
{
    static const struct {
        uint32_t attrs;
        uint64_t desc;
    } kinds[] = { { AVC_RWX, 0x7fc }, { AVC_R, 0x004000000000077c }, { AVC_RW | AVC_DEVICE, 0x00400000000007c4 } };
    struct vm *vm = &vms[below(VMS)];
    unsigned what = below(3), kind = below(3), big = below(8) == 0;
    unsigned unit = big ? 512 : 1;
    unsigned first = below(PAGES / unit) * unit, count = (1 + below(big ? 2 : 24)) * unit;
    uint64_t ipa, pa;
    enum avc_status status, expected = AVC_OK;
    bool any = false, all = true;

    if (count > PAGES - first)
        count = PAGES - first;
    ipa = BASE + first * UINT64_C(4096);
    pa = below(2) ? ipa : (uint64_t)below(64) << 21 | (big ? 0 : (uint64_t)below(512) << 12);
    if (what == 0 && below(2)) { /* makes room, so that the call often succeeds */
        status = avc_stage2_unmap(&vm->s2, ipa, count * UINT64_C(4096));
        assert_true(status == AVC_OK || status == AVC_ENOENT);
        memset(&vm->ref[first], 0, count * sizeof vm->ref[0]);
    }
    for (unsigned i = 0; i < count; i++) {
        uint64_t old = vm->ref[first + i];

        any |= old != 0;
        all &= old != 0;
        if (what == 0 && old && old != ((pa + i * UINT64_C(4096)) | kinds[kind].desc))
            expected = AVC_EEXIST;
    }
    if ((what == 1 && !any) || (what == 2 && !all))
        expected = AVC_ENOENT;
    fake_use_cpu(below(CPUS));
    status = what == 0   ? avc_stage2_map(&vm->s2, ipa, pa, count * UINT64_C(4096), kinds[kind].attrs)
             : what == 1 ? avc_stage2_unmap(&vm->s2, ipa, count * UINT64_C(4096))
                         : avc_stage2_protect(&vm->s2, ipa, count * UINT64_C(4096), kinds[kind].attrs);
    assert_int_equal(status, expected);
    for (unsigned i = 0; !status && i < count; i++) {
        uint64_t *ref = &vm->ref[first + i];

        *ref = what == 0   ? (pa + i * UINT64_C(4096)) | kinds[kind].desc
               : what == 1 ? 0
                           : (*ref & S2_OA) | kinds[kind].desc;
    }
}

static void step(void)
{
    unsigned what = below(1000), cpu = below(CPUS);

    if (what < 700) {
        if (loaded[cpu].vm)
            guest_access(cpu, true);
    } else if (what < 720) {
        if (loaded[cpu].vm)
            guest_remap(cpu);
    } else if (what < 840) {
        move();
    } else if (what < 850) {
        if (loaded[cpu].vm)
            put(cpu);
    } else if (what < 980) {
        change_memory();
    } else if (what < 983) {
        fake_use_cpu(cpu);
        assert_int_equal(avc_stage2_flush(&vms[below(VMS)].s2), AVC_OK);
    } else if (what < 995) {
        new_vm(&vms[below(VMS)]);
    } else if (what < 998 && !loaded[cpu].vm) {
        host_hcr ^= below(2) ? UINT64_C(1) << 34 : UINT64_C(1) << 27;
        fake_cpus[cpu].reg[FAKE_HCR_EL2] = host_hcr;
    }
    if (fake_tlb_error)
        fail_msg("%s", fake_tlb_error);
}

static void run(uint64_t seed, uint64_t features, uint64_t ctr)
{
    fake_reset();
    fake_pages_reset();
    fake_tlb_reset(seed);
    memset(vms, 0, sizeof vms);
    memset(pcpus, 0, sizeof pcpus);
    memset(loaded, 0, sizeof loaded);
    accesses = faults = host_hcr = 0;
    machine = (struct avc_machine){ .magic = AVC_MAGIC_MACHINE };
    machine.features = (struct avc_features){ .pa_bits = 40, .ctr = ctr, .has = features };
    for (unsigned i = 0; i < CPUS; i++) {
        pcpus[i] = (struct avc_pcpu){ .machine = &machine,
                                      .hal = &hal,
                                      .features = machine.features,
                                      .next = machine.pcpus,
                                      .enabled = true,
                                      .tlb_stale = true };
        machine.pcpus = &pcpus[i];
    }
    fake_tlb_on_gap = others;
    for (unsigned i = 0; i < VMS; i++) {
        memset(vms[i].on, -1, sizeof vms[i].on);
        new_vm(&vms[i]);
    }
    for (unsigned n = 0; n < STEPS; n++)
        step();
    print_message("# %lu accesses, %lu faults, %lu TLB hits, %lu walks, %lu generations\n", (unsigned long)accesses,
                  (unsigned long)faults, (unsigned long)fake_tlb_hits, (unsigned long)fake_tlb_walks,
                  (unsigned long)(machine.vmid_generation >> 16));
    assert_true(accesses > STEPS / 3 && faults > accesses / 100 && faults < accesses / 2);
    assert_true(fake_tlb_hits > fake_tlb_walks / 4);
    assert_true(machine.vmid_generation > 100 << 16); /* VMIDs have run out often */
    for (unsigned i = 0; i < VMS; i++) {
        for (unsigned k = 0; k < VCPUS; k++)
            if (vms[i].on[k] >= 0)
                put((unsigned)vms[i].on[k]);
        assert_int_equal(avc_stage2_destroy(&vms[i].s2), AVC_OK);
    }
    assert_int_equal(fake_pages_out, 0);
}

static void plain(void **state)
{
    (void)state;
    run(1, 0, 0x8444c004);
}

static void with_range_tlbi(void **state)
{
    (void)state;
    run(2, UINT64_C(1) << AVC_FEAT_TLBIRANGE, 0x8444c004);
}

static void with_16_bit_vmids(void **state)
{
    (void)state;
    run(3, UINT64_C(1) << AVC_FEAT_VMID16, 0x84448004);
}

static void with_all(void **state)
{
    (void)state;
    run(4, UINT64_C(1) << AVC_FEAT_VMID16 | UINT64_C(1) << AVC_FEAT_TLBIRANGE, 0x84444004);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain),
        cmocka_unit_test(with_range_tlbi),
        cmocka_unit_test(with_16_bit_vmids),
        cmocka_unit_test(with_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
