/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * What a test of a whole exit needs: a machine, a CPU with its HAL, a VM with some memory, two vCPUs, and a guest that
 * takes one exception.
 */
#ifndef WORLD_H
#define WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <avc/stage2.h>
#include <avc/priv/ctx.h>
#include <avc/sysreg.h>

#include "core/core.h"
#include "guest.h"
#include "models.h"
#include "smc.h"
#include "core/policy/sysreg.h"

/*
 * Guest memory: RAM, read-only memory that is not executable, a passed-through device, and memory that is mapped later.
 */
#define RAM      UINT64_C(0x40000000)
#define RAM_SIZE UINT64_C(0x400000)
#define ROM      UINT64_C(0x50000000)
#define PASS     UINT64_C(0x60000000)
#define NOWHERE  UINT64_C(0x09000000)
#define START    (RAM + 0x80000)

#define VBAR UINT64_C(0xffff800008011800)

#define EL1H 0x3c5u
#define EL0T 0x000u
#define USR  0x010u /* AArch32 User, A32 */

#define NR_PAGES 256

static struct world {
    struct avc_machine machine;
    struct avc_pcpu pcpu;
    struct avc_hal hal;
    struct avc_stage2 stage2;
    struct avc_vm vm;
    struct avc_vcpu vcpu[2];
    struct avc_vcpu *vcpus[2];
    struct avc_claim claims[AVC_CLAIM_SLOTS(32)];
    /* The HAL's calls and answers. */
    unsigned wakes, fetches, ends, handled;
    avc_irq_t irq; /* the token of the next fetch; spurious afterwards */
    enum avc_answer irq_answer;
    /* The guest's one exception, and where the guest is afterwards. */
    struct fake_trap trap;
    bool taken;
    unsigned pages;
} world;

/* The CPU model; tests set it before world_make(). NULL and false mean a Cortex-A72 whose host has HCR_EL2.E2H = 0. */
static const struct fake_model *world_model;
static bool world_e2h;
static uint32_t world_uses;               /* of struct avc_hal */
static void (*world_smc)(uint64_t x[18]); /* firmware, of a CPU with EL3 */

static uint8_t world_pages[NR_PAGES][4096] __attribute__((aligned(65536)));

static void *page_get(void *ctx, size_t bytes, avc_pa_t *pa)
{
    unsigned n = (unsigned)(bytes / 4096);
    unsigned at = (world.pages + n - 1) / n * n;

    (void)ctx;
    if (at + n > NR_PAGES)
        return NULL;
    world.pages = at + n;
    *pa = UINT64_C(0x100000000) + at * UINT64_C(4096);
    return world_pages[at];
}

static void page_put(void *ctx, void *va, size_t bytes)
{
    (void)ctx, (void)va, (void)bytes; /* tests do not look at cache maintenance */
}

static void *page_at(void *ctx, avc_pa_t pa)
{
    (void)ctx;
    return world_pages[(pa - UINT64_C(0x100000000)) / 4096];
}

static void hal_panic(void *ctx, const char *why)
{
    (void)ctx;
    fprintf(stderr, "panic: %s\n", why);
    abort();
}

static void hal_wake(void *ctx, struct avc_vcpu *vcpu)
{
    (void)ctx, (void)vcpu;
    world.wakes++;
}

static avc_irq_t hal_fetch(void *ctx)
{
    avc_irq_t irq = world.irq;

    (void)ctx;
    world.fetches++;
    world.irq = AVC_IRQ_SPURIOUS;
    return irq;
}

static void hal_end(void *ctx, avc_irq_t irq, bool deactivate)
{
    (void)ctx, (void)irq, (void)deactivate;
    world.ends++;
}

static void hal_mask(void *ctx, uint32_t intid, bool masked)
{
    (void)ctx, (void)intid, (void)masked;
}

static enum avc_answer hal_irq(void *ctx, avc_irq_t irq)
{
    (void)ctx, (void)irq;
    world.handled++;
    return world.irq_answer;
}

static inline void must(enum avc_status status)
{
    if (status) {
        fprintf(stderr, "unexpected: %s\n", avc_status_name(status));
        abort();
    }
}

/* Makes all but the vCPUs, so that claims can still be made. */
static inline void world_make_flags(uint32_t flags)
{
    struct avc_mem mem = { NULL, page_get, page_put, page_at };

    fake_reset();
    fake_guest_reset();
    fake_smc_reset();
    fake_on_smc = world_smc;
    fake_become(0, world_model);
    if (world_e2h) {
        fake_cpu->reg[FAKE_HCR_EL2] = AVC_BIT(34) | AVC_BIT(27); /* E2H, TGE */
        fake_cpu->reg[FAKE_CPTR_EL2] = UINT64_C(3) << 20;        /* FPEN */
    }
    memset(world_pages, 0, world.pages * sizeof world_pages[0]);
    memset(&world, 0, sizeof world);
    world.irq = AVC_IRQ_SPURIOUS;
    world.irq_answer = AVC_DONE;
    world.hal = (struct avc_hal){ .panic = hal_panic,
                                  .wake = hal_wake,
                                  .irq_fetch = hal_fetch,
                                  .irq_end = hal_end,
                                  .irq_mask = hal_mask,
                                  .irq_handler = hal_irq,
                                  .uses = world_uses };
    must(avc_machine_init(&world.machine));
    must(avc_pcpu_init(&world.pcpu, &world.machine, &world.hal));
    must(avc_pcpu_enable(&world.pcpu));
    must(avc_stage2_init(&world.stage2, &world.machine, &mem, 36));
    must(avc_stage2_map(&world.stage2, RAM, UINT64_C(0x80000000), RAM_SIZE, AVC_RWX | AVC_NORMAL));
    must(avc_stage2_map(&world.stage2, ROM, UINT64_C(0x90000000), 0x1000, AVC_R | AVC_NORMAL));
    must(avc_stage2_map(&world.stage2, PASS, UINT64_C(0xa0000000), 0x1000, AVC_RW | AVC_DEVICE));
    must(avc_vm_init(&world.vm, &world.machine,
                     &(struct avc_vm_config){ .stage2 = &world.stage2,
                                              .vcpus = world.vcpus,
                                              .max_vcpus = 2,
                                              .claims = world.claims,
                                              .max_claims = AVC_ARRAY_SIZE(world.claims),
                                              .flags = flags }));
}

static inline void world_make(void)
{
    world_make_flags(0);
}

static inline void world_claim(enum avc_kind kind, uint64_t first, uint64_t last, avc_claim_fn *fn, void *ctx)
{
    must(avc_vm_claim(&world.vm, &(struct avc_claim){ kind, first, last, fn, ctx }));
}

/* Runs the vCPU, and checks that one exit was counted, of the kind that run returns. */
static inline struct avc_exit *world_run(struct avc_vcpu *vcpu)
{
    uint64_t before[AVC_NR_KINDS];
    struct avc_exit *e;

    memcpy(before, vcpu->nr_exits, sizeof before);
    e = avc_vcpu_run(vcpu);
    for (enum avc_kind kind = 0; kind < AVC_NR_KINDS; kind++)
        if (vcpu->nr_exits[kind] - before[kind] != (e->kind == kind && kind != AVC_FAIL)) {
            fprintf(stderr, "run returned %s, and counted %s %u times\n", avc_kind_name(e->kind), avc_kind_name(kind),
                    (unsigned)(vcpu->nr_exits[kind] - before[kind]));
            abort();
        }
    return e;
}

/* Starts vCPU 0 at START with x[n] = 0x1111 * (n + 1), and loads it. */
static inline struct avc_vcpu *world_load(void)
{
    struct avc_vcpu *vcpu = &world.vcpu[0];

    for (unsigned n = 0; n < 2; n++)
        must(avc_vcpu_init(&world.vcpu[n], &world.vm, &(struct avc_vcpu_config){ .mpidr = n }));
    must(avc_vcpu_start(vcpu, START, 0));
    must(avc_vcpu_load(vcpu, &world.pcpu));
    (void)world_run(vcpu); /* powers up */
    for (unsigned n = 0; n < 31; n++)
        vcpu->x[n] = 0x1111 * (n + 1);
    avc_ctx_set(vcpu, AVC_CTX_VBAR_EL1, VBAR);
    return vcpu;
}

static bool one_trap(struct avc_vcpu *vcpu, struct fake_trap *trap)
{
    struct fake_trap at = *trap;

    (void)vcpu;
    if (world.taken) {
        world.trap.elr = at.elr; /* where the guest would go on */
        world.trap.spsr = at.spsr;
        return false;
    }
    world.taken = true;
    *trap = world.trap;
    return true;
}

/*
 * Runs the vCPU, which takes this exception at `pc` with `pstate`. Returns the exit. It is AVC_KICKED if the library
 * has handled the trap; then world.trap.elr and .spsr say where the guest went on.
 */
static inline struct avc_exit *take(struct avc_vcpu *vcpu, struct fake_trap trap)
{
    fake_guest = one_trap;
    world.trap = trap;
    world.taken = false;
    return world_run(vcpu);
}

static inline struct avc_exit *take_sync(struct avc_vcpu *vcpu, uint64_t esr, uint64_t pstate)
{
    return take(vcpu, (struct fake_trap){ .esr = esr, .elr = START, .spsr = pstate });
}

/* Completes the exit by the VMM's answer, without another exception. */
static inline void go_on(struct avc_vcpu *vcpu)
{
    world.taken = true;
    (void)world_run(vcpu);
}

static inline uint64_t ctx(unsigned n)
{
    return avc_ctx_get(&world.vcpu[0], n);
}

#endif
