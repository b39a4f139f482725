/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Several VMs at once, which the reference hypervisor has not: two CPUs, a victim and an attacker, and a third place
 * where VMs come and go until their VMIDs have started again from the first.
 *
 * Victim and attacker run the guest of this folder. The victim has nobody hostile in it: it checks its own state and
 * its own memory. The attacker executes random instructions on all of its vCPUs but two. VMs that come and go ask for
 * the word that they have found in their memory, which is another one in each. The host has filled the memory around
 * the VMs, and looks at it in the end.
 *
 * The loader has put the command line, seed=N rounds=N, at PARAMETERS.
 */
#include "testvm.h"

#include "arch/mmu.h"

#define PARAMETERS ((const char *)0x50000000)
#define MEMORY     0x60000000ul /* the host's own map ends below */
#define VM_BYTES   (32ul << 20)
#define VM_STRIDE  (48ul << 20)
#define IMAGE_AT   0x200000ul
#define GUARD      (1ul << 20) /* on both sides of a VM's memory */
#define WORD       UINT64_C(0x6775617264)

#define UART     UINT64_C(0x09000000)
#define TICKS    100000
#define VCPUS    4
#define LINE     256
#define CALL_SAY 0xfffd

extern const char test_guest[], test_guest_end[]; /* image.S */

const struct test_config test_config; /* testvm.c has none of it: this file has its own host_main() */

struct place {
    struct avc_stage2 stage2;
    struct avc_vm vm;
    struct avc_vcpu vcpu[VCPUS], *vcpus[VCPUS];
    struct avc_claim claims[AVC_CLAIM_SLOTS(4)];
    struct avc_vgic vgic;
    struct avc_vgic_spis spis[2];
    struct avc_vgic_cpu gic_cpus[VCPUS];
    unsigned nr_vcpus;
    uint8_t *ram;
    char line[LINE];
    unsigned length;
    volatile bool off;
};

enum { VICTIM, ATTACKER, NR_PLACES };
static struct place places[NR_PLACES];

static struct {
    struct avc_stage2 stage2;
    struct avc_vm vm;
    struct avc_vcpu vcpu, *vcpus[1];
    struct avc_claim claims[AVC_CLAIM_SLOTS(1)];
} passing;
static uint64_t passed;

/* Reads the word behind it, tells the host, adds one to it, and does so again and again. */
HOST_GUEST(passing_guest, "adr x9, 2f\n1: ldr x1, [x9]\nmov w0, #0xfffd\nhvc #0\nldr x1, [x9]\nadd x1, x1, #1\n"
                          "str x1, [x9]\nb 1b\n.balign 8\n2: .quad 0\n");

static uint64_t parameter(const char *name)
{
    const char *at = PARAMETERS;
    uint64_t value = 0;

    for (; *at; at++) {
        const char *a = at, *b = name;

        while (*b && *a == *b)
            a++, b++;
        if (*b)
            continue;
        for (; *a >= '0' && *a <= '9'; a++)
            value = value * 10 + (uint64_t)(*a - '0');
        return value;
    }
    return 0;
}

static _Noreturn void bad(const char *what, uint64_t got, uint64_t wanted)
{
    host_printf("\n@@host FAILED %s: got %lx, wanted %lx\n", what, got, wanted);
    host_puts("Bail out! of the host\n");
    host_off(1);
}

/* ---- the victim and the attacker ---- */

/* Lines of a report begin with "@@". An attacker writes other things, too. */
static enum avc_answer uart(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    struct place *p = ctx;
    char c = (char)e->value;

    if (!e->write || e->key != UART)
        return avc_done(e, 0);
    if (c == '\n') {
        if (p->length > 2 && p->line[0] == '@' && p->line[1] == '@' && (p == &places[VICTIM] || p->line[3] == 'f')) {
            for (unsigned i = 0; i < p->length; i++)
                host_putc(p->line[i]);
            host_putc('\n');
        }
        p->length = 0;
    } else if (p->length < LINE) {
        p->line[p->length++] = c;
    }
    return avc_done(e, 0);
}

static char *append(char *to, const char *text)
{
    while (*text)
        *to++ = *text++;
    *to = '\0';
    return to;
}

static char *append_number(char *to, const char *name, uint64_t value)
{
    char digits[20];
    unsigned n = 0;

    to = append(to, name);
    do
        digits[n++] = (char)('0' + value % 10);
    while ((value /= 10));
    while (n)
        *to++ = digits[--n];
    *to = '\0';
    return to;
}

/* VM 1 is the victim, VM 2 the attacker: reports of failure say it. */
static void command_line(char *text, unsigned which, unsigned nr_vcpus, uint64_t rounds)
{
    text = append(text, "attack=insn wild=1");
    text = append_number(text, " vm=", which + 1);
    text = append_number(text, " seed=", parameter("seed="));
    text = append_number(text, " patience=", parameter("patience="));
    text = append_number(text, " cpus=", nr_vcpus);
    append_number(text, " rounds=", rounds);
}

static void guard(unsigned which, bool fill)
{
    uint8_t *ram = places[which].ram;
    uint64_t *side[2] = { (uint64_t *)(ram - GUARD), (uint64_t *)(ram + VM_BYTES) };

    for (unsigned s = 0; s < 2; s++)
        for (unsigned i = 0; i < GUARD / 8; i++) {
            if (fill)
                side[s][i] = WORD ^ (uintptr_t)&side[s][i];
            else if (side[s][i] != (WORD ^ (uintptr_t)&side[s][i]))
                bad("memory around a VM", side[s][i], WORD ^ (uintptr_t)&side[s][i]);
        }
}

static void make(unsigned which, unsigned nr_vcpus, uint64_t rounds)
{
    struct place *p = &places[which];
    const struct avc_vm_config vm_config = {
        .stage2 = &p->stage2,
        .vcpus = p->vcpus,
        .max_vcpus = nr_vcpus,
        .claims = p->claims,
        .max_claims = sizeof p->claims / sizeof p->claims[0],
        .flags = AVC_VM_TRAP_WFE,
    };
    const struct avc_vgic_config gic_config = {
        .dist_base = GUEST_DIST,
        .redist_base = GUEST_RD,
        .nr_spis = 64,
        .max_vcpus = nr_vcpus,
        .spis = p->spis,
        .cpus = p->gic_cpus,
    };
    const struct avc_claim console = { AVC_MMIO, UART, UART + 0xfff, uart, p };
    static char text[256] __attribute__((aligned(64)));

    p->nr_vcpus = nr_vcpus;
    p->ram = (uint8_t *)MEMORY + which * VM_STRIDE;
    command_line(text, which, nr_vcpus, rounds);
    host_copy_code(p->ram, text, sizeof(text));
    host_copy_code(p->ram + IMAGE_AT, test_guest, (size_t)(test_guest_end - test_guest));
    host_must(avc_stage2_init(&p->stage2, &test_machine, &host_mem, 0));
    host_must(avc_stage2_map(&p->stage2, GUEST_RAM, (uintptr_t)p->ram, VM_BYTES, AVC_RWX));
    host_must(avc_vm_init(&p->vm, &test_machine, &vm_config));
    host_must(avc_psci_attach(&p->vm));
    host_must(avc_vgic_attach(&p->vgic, &p->vm, &gic_config));
    host_must(avc_vm_claim(&p->vm, &console));
    for (unsigned n = 0; n < nr_vcpus; n++) {
        const struct avc_vcpu_config vcpu_config = { .mpidr = n };

        host_must(avc_vcpu_init(&p->vcpu[n], &p->vm, &vcpu_config));
    }
    host_must(avc_vcpu_start(&p->vcpu[0], GUEST_RAM + IMAGE_AT, 0));
    guard(which, true);
}

/* Runs a vCPU for a slice. */
static void run(struct place *p, unsigned n)
{
    struct avc_vcpu *v = &p->vcpu[n];

    host_must(avc_vcpu_load(v, &test_pcpu[host_cpu()]));
    host_timer_set(host_ticks() + TICKS);
    for (;;) {
        struct avc_exit *e = avc_vcpu_run(v);

        if (e->kind == AVC_FAIL)
            host_must(e->status);
        if (e->kind == AVC_SYSTEM_OFF)
            p->off = true;
        if (e->kind == AVC_SYSTEM_OFF || e->kind == AVC_WFI || e->kind == AVC_WFE || e->kind == AVC_CPU_OFF ||
            e->kind == AVC_CPU_SUSPEND || e->kind == AVC_IRQ)
            break;
    }
    host_must(avc_vcpu_put(v));
}

/* Each CPU has the vCPUs whose wake() interrupts it. */
static void run_all(void)
{
    for (unsigned which = 0; which < NR_PLACES; which++)
        for (unsigned n = host_cpu(); n < places[which].nr_vcpus && !places[which].off; n += test_nr_cpus)
            run(&places[which], n);
    host_irq_unmask();
    host_irq_mask();
}

/* ---- VMs that come and go ---- */

static void pass_by(uint64_t number)
{
    const struct avc_vm_config vm_config = { .stage2 = &passing.stage2,
                                             .vcpus = passing.vcpus,
                                             .max_vcpus = 1,
                                             .claims = passing.claims,
                                             .max_claims = sizeof passing.claims / sizeof passing.claims[0] };
    const struct avc_vcpu_config vcpu_config = { .mpidr = 0 };
    const struct avc_claim say = { AVC_CALL, CALL_SAY, CALL_SAY, NULL, NULL };
    size_t bytes = (size_t)(passing_guest_end - passing_guest);
    uint8_t *page = (uint8_t *)MEMORY + NR_PLACES * VM_STRIDE + number % 16 * 4096;
    uint64_t word = number << 8;

    host_copy_code(page, passing_guest, bytes - 8);
    host_copy_code(page + bytes - 8, &word, 8);
    host_must(avc_stage2_init(&passing.stage2, &test_machine, &host_mem, 0));
    host_must(avc_stage2_map(&passing.stage2, GUEST_RAM, (uintptr_t)page, 4096, AVC_RWX));
    host_must(avc_vm_init(&passing.vm, &test_machine, &vm_config));
    host_must(avc_vm_claim(&passing.vm, &say));
    host_must(avc_vcpu_init(&passing.vcpu, &passing.vm, &vcpu_config));
    host_must(avc_vcpu_start(&passing.vcpu, GUEST_RAM, 0));
    host_must(avc_vcpu_load(&passing.vcpu, &test_pcpu[host_cpu()]));
    for (unsigned said = 0; said < 4;) {
        struct avc_exit *e = avc_vcpu_run(&passing.vcpu);

        if (e->kind == AVC_FAIL)
            host_must(e->status);
        if (e->kind == AVC_CALL) {
            if (avc_vcpu_gpr(&passing.vcpu, 1) != word + said)
                bad("a VM's memory", avc_vcpu_gpr(&passing.vcpu, 1), word + said);
            avc_done(e, 0);
            said++;
        }
    }
    host_must(avc_vcpu_put(&passing.vcpu));
    host_must(avc_vm_destroy(&passing.vm));
    host_must(avc_stage2_destroy(&passing.stage2));
}

static bool has_vmid16(void)
{
    return test_machine.features.has >> AVC_FEAT_VMID16 & 1;
}

/* Where VMIDs have 16 bits most of them are skipped, as if so many VMs had been. (test_vmid.c uses them all.) Where
   they have 8 bits each is used. */
static void skip_vmids(void)
{
    if (has_vmid16() && test_machine.vmid_next > 16 && test_machine.vmid_next < 65536 - 16)
        test_machine.vmid_next = 65536 - 16;
}

static void secondary(unsigned cpu)
{
    test_cpu_init(0);
    for (;;)
        run_all();
}

int host_main(void)
{
    uint64_t rounds = parameter("rounds=");

    test_nr_cpus = 2;
    test_cpu_init(0);
    make(VICTIM, 2, rounds);
    make(ATTACKER, VCPUS, rounds * 4);
    host_puts("@@host several VMs\n");
    host_cpu_start(1, secondary);
    while (!places[VICTIM].off || !places[ATTACKER].off) {
        run_all();
        pass_by(++passed);
        skip_vmids();
    }
    guard(VICTIM, false);
    guard(ATTACKER, false);
    host_printf("@@host %ld VMs came and went, generation %lx\n", (long)passed,
                (unsigned long)(test_machine.vmid_generation >> 16));
    if (passed > (has_vmid16() ? 64 : 300) && test_machine.vmid_generation >> 16 < 2)
        bad("VMIDs did not start again", test_machine.vmid_generation >> 16, 2);
    return 0;
}
