/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* VMIDs: which VM gets which, what happens when they run out, and which TLB flush a load makes. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "pages.h"
#include "core/mem/s2.h"
#include "tlb.h"
#include "core/mem/vmid.h"

#define CPUS  4
#define VMS   300
#define VCPUS 4

static struct avc_machine machine;
static struct avc_hal hal;
static struct avc_pcpu pcpus[CPUS];
static struct avc_stage2 s2s[VMS];
static struct avc_vm vms[VMS];
static struct avc_vcpu vcpus[VMS][VCPUS];

static void fresh(uint64_t features)
{
    fake_reset();
    fake_pages_reset();
    fake_tlb_reset(1);
    memset(pcpus, 0, sizeof pcpus);
    memset(s2s, 0, sizeof s2s);
    machine = (struct avc_machine){ .magic = AVC_MAGIC_MACHINE };
    machine.features.pa_bits = 44;
    machine.features.ctr = 0x8444c004;
    machine.features.has = features;
    for (unsigned i = 0; i < CPUS; i++) {
        pcpus[i].machine = &machine;
        pcpus[i].hal = &hal;
        pcpus[i].features = machine.features;
        pcpus[i].next = machine.pcpus;
        pcpus[i].enabled = true;
        pcpus[i].tlb_stale = true; /* as enable leaves it */
        machine.pcpus = &pcpus[i];
    }
    for (unsigned i = 0; i < VMS; i++) {
        assert_int_equal(avc_stage2_init(&s2s[i], &machine, &fake_mem, 39), AVC_OK);
        vms[i].stage2 = &s2s[i];
        for (unsigned k = 0; k < VCPUS; k++) {
            vcpus[i][k].vm = &vms[i];
            vcpus[i][k].last = NULL;
        }
    }
}

static unsigned count(enum fake_op op)
{
    unsigned n = 0;

    for (size_t i = 0; i < fake_log_len; i++)
        n += fake_log[i].what == FAKE_OP && fake_log[i].which == op;
    return n;
}

/* Loads a vCPU, and returns the VMID in VTTBR_EL2. */
static unsigned load(unsigned cpu, unsigned vm, unsigned vcpu)
{
    uint64_t vttbr;

    fake_use_cpu(cpu);
    fake_log_clear();
    vttbr = avc_vmid_load(&pcpus[cpu], &vcpus[vm][vcpu]);
    assert_int_equal(vttbr & 0xffffffffffff, s2s[vm].root_pa);
    assert_ptr_equal(vcpus[vm][vcpu].last, &pcpus[cpu]);
    assert_null(fake_tlb_error);
    return (unsigned)(vttbr >> 48);
}

static void put(unsigned cpu, unsigned vm, unsigned vcpu)
{
    fake_use_cpu(cpu);
    avc_vmid_put(&pcpus[cpu], &vcpus[vm][vcpu]);
}

static void one_per_vm(void **state)
{
    (void)state;
    fresh(0);
    for (unsigned i = 0; i < 255; i++) {
        assert_int_equal(load(0, i, 0), i + 1);
        assert_int_equal(load(1, i, 1), i + 1);
        assert_true(avc_vmid_in_use(&s2s[i]));
        assert_int_equal(avc_stage2_destroy(&s2s[i]), AVC_EBUSY);
        put(0, i, 0);
        assert_true(avc_vmid_in_use(&s2s[i]));
        put(1, i, 1);
        assert_false(avc_vmid_in_use(&s2s[i]));
    }
    assert_int_equal(load(0, 17, 2), 18);
    assert_false(pcpus[2].enabled && !pcpus[2].tlb_stale);
}

static void sixteen_bits(void **state)
{
    (void)state;
    fresh(UINT64_C(1) << AVC_FEAT_VMID16);
    machine.vmid_generation = 1 << 16;
    machine.vmid_next = 254;
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(load(0, i, 0), 254 + i);
        put(0, i, 0);
    }
    machine.vmid_next = 65535;
    assert_int_equal(load(0, 4, 0), 65535);
    put(0, 4, 0);
    assert_int_equal(load(0, 5, 0), 1);
    assert_int_equal(machine.vmid_generation, 2 << 16);
}

static jmp_buf out;
static const char *panicked;

static void stop(void *context, const char *why)
{
    (void)context;
    panicked = why;
    longjmp(out, 1);
}

/* As many CPUs with a guest as there are VMIDs: one more finds none, and must not share one. */
static void none_left(void **state)
{
    static struct avc_pcpu many[255];

    (void)state;
    fresh(0);
    memset(many, 0, sizeof many);
    machine.vmid_generation = 1 << 16;
    for (unsigned n = 0; n < 255; n++) {
        many[n].vmid_active = machine.vmid_generation | (n + 1);
        many[n].next = machine.pcpus;
        machine.pcpus = &many[n];
    }
    machine.vmid_next = 256;
    hal.panic = stop;
    panicked = NULL;
    if (!setjmp(out))
        (void)load(0, 3, 0);
    hal.panic = NULL;
    assert_string_equal(panicked, "more CPUs than VMIDs");
    many[100].vmid_active = 0;
    machine.lock.held = 0;
    assert_int_equal(load(0, 3, 0), 101);
}

static void rollover(void **state)
{
    (void)state;
    fresh(0);
    load(1, 7, 0); /* gets VMID 1, and stays loaded */
    load(2, 8, 0); /* gets VMID 2, and stays loaded */
    for (unsigned i = 10; i < 263; i++) {
        assert_int_equal(load(0, i, 0), 3 + i - 10);
        put(0, i, 0);
    }
    assert_false(pcpus[0].tlb_stale || pcpus[1].tlb_stale);
    /* No VMID is left. A new generation begins, in which 1 and 2 are still taken. */
    assert_int_equal(load(0, 263, 0), 3);
    assert_int_equal(count(FAKE_OP_tlbi_alle1), 1);
    assert_int_equal(machine.vmid_generation, 2 << 16);
    assert_false(pcpus[0].tlb_stale);
    assert_true(pcpus[1].tlb_stale && pcpus[2].tlb_stale && pcpus[3].tlb_stale);
    /* A second vCPU of a VM whose VMID was kept gets that VMID, in the new generation. */
    assert_int_equal(load(3, 7, 1), 1);
    assert_int_equal(count(FAKE_OP_tlbi_alle1), 1);
    assert_int_equal(s2s[7].vmid, 2 << 16 | 1);
    assert_int_equal(pcpus[1].vmid_active, s2s[7].vmid);
    assert_true(avc_vmid_in_use(&s2s[7]));
    /* A VM that was not loaded gets a new VMID; 4 is free. */
    put(0, 263, 0);
    assert_int_equal(load(0, 10, 0), 4);
    assert_int_equal(count(FAKE_OP_tlbi_alle1), 0);
    /* A VM that is put and loaded again on a stale CPU has lost its VMID. */
    put(2, 8, 0);
    assert_false(avc_vmid_in_use(&s2s[8]));
    assert_int_equal(load(2, 8, 0), 5);
    assert_int_equal(count(FAKE_OP_tlbi_alle1), 1);
    put(2, 8, 0);
    /* A VMID is kept over two rollovers without a load in between. */
    put(3, 7, 1);
    machine.vmid_next = 256;
    assert_int_equal(load(2, 20, 0), 2);
    put(2, 20, 0);
    machine.vmid_next = 256;
    assert_int_equal(load(2, 21, 0), 2);
    put(2, 21, 0);
    assert_int_equal(machine.vmid_generation, 4 << 16);
    assert_int_equal(load(3, 7, 2), 1);
    assert_int_equal(s2s[7].vmid, 4 << 16 | 1);
}

/* ---- against a model ---- */

/* What a CPU's TLB may hold: for each VMID the VM that has used it since the CPU was flushed. VMs have numbers that are
   never used again. The seed is fixed. */
static uint32_t cached[CPUS][65536];
static struct {
    unsigned vm, vcpu;
    bool loaded;
} on[CPUS];
static uint32_t identity[VMS];
static uint64_t generations_seen;

static unsigned below(unsigned n)
{
    static uint32_t x = 12345;

    x = x * 1664525 + 1013904223;
    return (x >> 8) % n;
}

static void put_one(unsigned cpu)
{
    if (on[cpu].loaded)
        put(cpu, on[cpu].vm, on[cpu].vcpu);
    on[cpu].loaded = false;
}

/* Loads a vCPU, and looks what stale entries it could use. */
static void load_one(unsigned cpu, unsigned vm, unsigned vcpu, unsigned vmids)
{
    unsigned vmid = load(cpu, vm, vcpu);

    assert_in_range(vmid, 1, vmids - 1);
    if (count(FAKE_OP_tlbi_alle1))
        memset(cached[cpu], 0, sizeof cached[cpu]);
    if (cached[cpu][vmid] && cached[cpu][vmid] != identity[vm])
        fail_msg("CPU %u, VMID %u: VM %u finds entries of VM %u", cpu, vmid, identity[vm], cached[cpu][vmid]);
    cached[cpu][vmid] = identity[vm];
    on[cpu].vm = vm;
    on[cpu].vcpu = vcpu;
    on[cpu].loaded = true;
    for (unsigned other = 0; other < CPUS; other++)
        if (on[other].loaded &&
            (AVC_VMID_OF(pcpus[other].vmid_active) == vmid) != (identity[on[other].vm] == identity[vm]))
            fail_msg("CPUs %u and %u: VMs %u and %u, VMID %u", cpu, other, identity[vm], identity[on[other].vm], vmid);
    generations_seen = machine.vmid_generation >> 16;
}

static bool is_loaded(unsigned vm)
{
    for (unsigned cpu = 0; cpu < CPUS; cpu++)
        if (on[cpu].loaded && on[cpu].vm == vm)
            return true;
    return false;
}

/* VMs come and go, most are loaded once and never again, some stay loaded over whole generations, and some have vCPUs
   on several CPUs. */
static void against_model(uint64_t features, unsigned vmids, unsigned total, unsigned least)
{
    uint32_t next = 0;

    fresh(features);
    memset(cached, 0, sizeof cached);
    memset(on, 0, sizeof on);
    for (unsigned vm = 0; vm < VMS; vm++)
        identity[vm] = ++next;
    while (next < total) {
        unsigned cpu = below(CPUS), vm = below(VMS);

        if (cpu && below(vmids / 8)) /* all CPUs but the first keep what they have, mostly */
            cpu = 0;
        put_one(cpu);
        if (!is_loaded(vm) && below(16)) { /* another VM, in the same storage. Its VMID is not flushed. */
            s2s[vm].vmid = 0;
            identity[vm] = ++next;
        }
        load_one(cpu, vm, cpu, vmids);
    }
    assert_true(generations_seen >= least);
}

static void model_of_8_bits(void **state)
{
    (void)state;
    against_model(0, 256, 20000, 50);
}

static void model_of_16_bits(void **state)
{
    (void)state;
    against_model(UINT64_C(1) << AVC_FEAT_VMID16, 65536, 4 * 65536, 4);
}

/* A VMID that was kept for a CPU is used on another one when the first CPU is disabled: nobody else may get it. */
static void disabled_cpu(void **state)
{
    (void)state;
    fresh(0);
    for (unsigned i = 0; i < 250; i++) {
        load(0, i, 0);
        put(0, i, 0);
    }
    assert_int_equal(load(1, 250, 0), 251);
    machine.vmid_next = 256;
    assert_int_equal(load(0, 251, 0), 1); /* a new generation */
    put(0, 251, 0);
    assert_int_equal(load(3, 250, 1), 251);
    put(1, 250, 0);
    pcpus[2].next = &pcpus[0]; /* as avc_pcpu_disable() does it */
    avc_vmid_leave(&pcpus[1]);
    for (unsigned i = 0; i < 250; i++) {
        assert_int_not_equal(load(0, i, 0), 251);
        put(0, i, 0);
    }
    assert_int_equal(load(2, 250, 2), 251);
    /* Without such a VMID nothing happens. */
    machine.vmid_generation = 9 << 16;
    pcpus[0].vmid_kept = 0;
    avc_vmid_leave(&pcpus[0]);
    assert_int_equal(machine.vmid_generation, 9 << 16);
}

/*
 * A vCPU that comes back to its CPU needs no flush. If another vCPU of its VM was there, its load makes one local flush
 * for the VMID.
 */
static void local_rule(void **state)
{
    (void)state;
    fresh(0);
    load(0, 0, 0);
    assert_int_equal(count(FAKE_OP_tlbi_alle1), 1); /* the CPU was just enabled */
    assert_int_equal(count(FAKE_OP_tlbi_vmalle1), 0);
    put(0, 0, 0);
    load(0, 0, 0);
    assert_int_equal(count(FAKE_OP_tlbi_alle1) + count(FAKE_OP_tlbi_vmalle1), 0);
    put(0, 0, 0);
    load(0, 1, 0); /* another VM has another VMID */
    put(0, 1, 0);
    load(0, 0, 0);
    assert_int_equal(count(FAKE_OP_tlbi_alle1) + count(FAKE_OP_tlbi_vmalle1), 0);
    put(0, 0, 0);
    load(0, 1, 0);
    put(0, 1, 0);
    load(0, 0, 1); /* another vCPU of VM 0; VM 1 in between does not matter */
    assert_int_equal(count(FAKE_OP_tlbi_vmalle1), 1);
    assert_int_equal(count(FAKE_OP_dsb_nsh), 1);
    put(0, 0, 1);
    load(0, 0, 0);
    assert_int_equal(count(FAKE_OP_tlbi_vmalle1), 1);
    put(0, 0, 0);
    /* It goes to another CPU and comes back, and no vCPU of the VM was here meanwhile. */
    load(1, 0, 0);
    put(1, 0, 0);
    load(0, 0, 0);
    assert_int_equal(count(FAKE_OP_tlbi_alle1) + count(FAKE_OP_tlbi_vmalle1), 0);
    put(0, 0, 0);
    /* It goes to another CPU, a sibling runs here, and it comes back. */
    load(1, 0, 0);
    load(0, 0, 1);
    put(0, 0, 1);
    put(1, 0, 0);
    load(0, 0, 0);
    assert_int_equal(count(FAKE_OP_tlbi_vmalle1), 1);
    put(0, 0, 0);
    /* The table has one entry for VM 0 and VM 16. The conflict costs a flush, but no mistake. */
    for (unsigned i = 2; i < 17; i++) {
        load(0, i, 0);
        put(0, i, 0);
    }
    assert_int_equal(AVC_VMID_OF(s2s[16].vmid), 17);
    load(0, 0, 0);
    assert_int_equal(count(FAKE_OP_tlbi_vmalle1), 1);
    assert_int_equal(count(FAKE_OP_ic_iallu), 1);
    put(0, 0, 0);
    /* The storage of a vCPU becomes a vCPU of another VM. That is noticed, too. */
    vcpus[0][0].vm = &vms[16];
    fake_log_clear();
    assert_int_equal(avc_vmid_load(&pcpus[0], &vcpus[0][0]) >> 48, 17);
    assert_int_equal(count(FAKE_OP_tlbi_vmalle1), 1);
}

static void local_rule_from_vhe_host(void **state)
{
    (void)state;
    fresh(0);
    load(0, 0, 0);
    put(0, 0, 0);
    fake_cpu->reg[FAKE_HCR_EL2] = UINT64_C(1) << 34 | UINT64_C(1) << 27;
    load(0, 0, 1);
    for (size_t i = 0, hcr = 0; i < fake_log_len; i++) {
        if (fake_log[i].what == FAKE_WRITE && fake_log[i].which == FAKE_HCR_EL2)
            hcr = fake_log[i].value;
        if (fake_log[i].what == FAKE_OP && fake_log[i].which == FAKE_OP_tlbi_vmalle1)
            assert_int_equal(hcr, UINT64_C(1) << 34);
    }
    assert_int_equal(count(FAKE_OP_tlbi_vmalle1), 1);
    assert_int_equal(fake_cpu->reg[FAKE_HCR_EL2], UINT64_C(1) << 34 | UINT64_C(1) << 27);
}

/* A VPIPT or AIVIVT cache does not change what a load does. */
static void instruction_caches(void **state)
{
    (void)state;
    for (uint64_t policy = 0; policy < 4; policy++) {
        fresh(0);
        pcpus[0].features.ctr = 0x84440004 | policy << 14;
        load(0, 0, 0);
        assert_int_equal(count(FAKE_OP_ic_iallu), 1);
        put(0, 0, 0);
        load(0, 0, 1);
        assert_int_equal(count(FAKE_OP_ic_iallu), 1);
        put(0, 0, 1);
        load(0, 0, 1);
        assert_int_equal(count(FAKE_OP_ic_iallu), 0);
    }
}

/*
 * A vCPU whose stage 1 is off fetches from the point of coherency, and may leave what it has fetched in the instruction
 * cache. A neighbour that has cleaned new code to the point of unification only would execute the old one. So no vCPU
 * may meet lines of another one of its VM. IC IALLU has its effect at the DSB, and the ISB drops what was fetched
 * before.
 */
static unsigned lines_of[CPUS][VMS]; /* one bit for each vCPU */
static bool invalidating, invalidated;

static void icache_op(enum fake_op op, uint64_t value)
{
    unsigned cpu = (unsigned)(fake_cpu - fake_cpus);

    (void)value;
    if (op == FAKE_OP_ic_iallu)
        invalidating = true;
    else if (invalidating && (op == FAKE_OP_dsb_nsh || op == FAKE_OP_dsb_ish || op == FAKE_OP_dsb_sy))
        invalidated = true;
    else if (invalidated && op == FAKE_OP_isb) {
        invalidating = invalidated = false;
        memset(lines_of[cpu], 0, sizeof lines_of[cpu]);
    }
}

static void no_lines_of_another_vcpu(void **state)
{
    unsigned needless = 0, loads = 0;

    (void)state;
    fresh(0);
    memset(lines_of, 0, sizeof lines_of);
    for (unsigned step = 0; step < 20000; step++) {
        unsigned cpu = (unsigned)(fake_random() % CPUS), vcpu = (unsigned)(fake_random() % VCPUS);
        unsigned vm = (unsigned)(fake_random() % (step % 4000 < 3000 ? 4 : VMS)); /* VMIDs run out */
        bool alone;

        alone = !(lines_of[cpu][vm] & ~(1u << vcpu)) && lines_of[cpu][vm];
        fake_on_op = icache_op;
        load(cpu, vm, vcpu);
        invalidating = invalidated = false;
        if (lines_of[cpu][vm] & ~(1u << vcpu))
            fail_msg("step %u: vCPU %u of VM %u on CPU %u finds lines of %x", step, vcpu, vm, cpu, lines_of[cpu][vm]);
        loads += alone;
        needless += alone && !lines_of[cpu][vm];
        lines_of[cpu][vm] |= 1u << vcpu;
        put(cpu, vm, vcpu);
    }
    assert_true(loads > 1000);
    assert_true(needless < loads / 8); /* after a rollover, or where another VM shares the place in the table */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(none_left),          cmocka_unit_test(one_per_vm),
        cmocka_unit_test(sixteen_bits),       cmocka_unit_test(rollover),
        cmocka_unit_test(local_rule),         cmocka_unit_test(local_rule_from_vhe_host),
        cmocka_unit_test(instruction_caches), cmocka_unit_test(no_lines_of_another_vcpu),
        cmocka_unit_test(disabled_cpu),       cmocka_unit_test(model_of_8_bits),
        cmocka_unit_test(model_of_16_bits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
