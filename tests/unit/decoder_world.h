/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * What tests of the decoder need: guest memory as the host sees it, devices, and a guest that executes one instruction.
 * A modelled AT instruction translates VA = FAR_TOP | IPA.
 */
#ifndef DECODER_WORLD_H
#define DECODER_WORLD_H

#include "world.h"

#include <cmocka.h>

#include <avc/decoder.h>
#include <avc/observe.h>

#include "arch/cptr.h"
#include "arch/esr.h"
#include "arch/mmu.h"
#include "arch/pstate.h"

#define FAR_TOP     UINT64_C(0xffff000000000000)
#define VA(ipa)     (FAR_TOP | (ipa))
#define CODE        VA(START)
#define TRANSLATION 0x06u
#define PERMISSION  0x0eu
#define WRITE       ISS_WNR
#define DEVICE      NOWHERE
#define OTHER       (NOWHERE + 0x10000) /* another device, the VMM's */

static uint8_t ram[RAM_SIZE] __attribute__((aligned(4096)));
static struct avc_decoder decoder;
static struct avc_decoder_cpu cpus[2];
static bool across = true;
static unsigned words_read;
static uint64_t no_page, par_fault, attributes; /* the VA of a page that stage 1 does not map, and PAR_EL1 for it */

static void *memory(void *ctx, avc_ipa_t ipa, size_t size)
{
    (void)ctx;
    if (ipa < RAM || ipa - RAM > RAM_SIZE - size)
        return NULL;
    assert_true((ipa & 0xfff) + size <= 0x1000);
    words_read++;
    return ram + (ipa - RAM);
}

static void at(enum fake_op op, uint64_t va)
{
    if (op != FAKE_OP_at_s1e1r && op != FAKE_OP_at_s1e0r && op != FAKE_OP_at_s1e1w && op != FAKE_OP_at_s1e0w)
        return;
    fake_cpu->reg[FAKE_PAR_EL1] =
        no_page && (va & ~UINT64_C(0xfff)) == no_page ? par_fault : (va & UINT64_C(0xfffffffff000)) | attributes << 56;
}

/* ---- a device with memory behind it, and a list of what it has seen ---- */

static uint8_t device_bytes[0x2000];
static struct {
    uint64_t key, value, va;
    unsigned size;
    bool write;
} seen[64];
static unsigned nr_seen, fail_at;
static enum avc_answer failure;

static enum avc_answer device_access(struct avc_exit *e)
{
    uint64_t off = e->key & 0x1fff;

    assert_in_range(nr_seen, 0, AVC_ARRAY_SIZE(seen) - 1);
    seen[nr_seen].key = e->key;
    seen[nr_seen].value = e->value;
    seen[nr_seen].va = e->va;
    seen[nr_seen].size = e->size;
    seen[nr_seen].write = e->write;
    if (nr_seen++ == fail_at)
        return failure;
    assert_true(off + e->size <= sizeof device_bytes);
    if (e->write)
        memcpy(device_bytes + off, &e->value, e->size);
    else
        memcpy(&e->value, device_bytes + off, e->size);
    return AVC_DONE;
}

static enum avc_answer device(struct avc_vcpu *vcpu, struct avc_exit *e, void *context)
{
    (void)vcpu, (void)context;
    return device_access(e);
}

/* The VM has its claims. */
static struct avc_vcpu *load_with_decoder(void)
{
    struct avc_vcpu *vcpu;

    must(avc_decoder_attach(
        &decoder, &world.vm,
        &(struct avc_decoder_config){ .memory = memory, .cpus = cpus, .max_vcpus = 2, .across_pages = across }));
    vcpu = world_load();
    avc_ctx_set(vcpu, AVC_CTX_SCTLR_EL1, SCTLR_C | SCTLR_M);
    avc_ctx_set(vcpu, AVC_CTX_CPACR_EL1, CPTR_VHE_FPEN);
    fake_on_op = at;
    attributes = 0xff;
    no_page = 0;
    nr_seen = words_read = 0;
    fail_at = ~0u;
    return vcpu;
}

static inline struct avc_vcpu *make(void)
{
    struct avc_vcpu *vcpu;

    world_make();
    world_claim(AVC_MMIO, DEVICE, DEVICE + 0x1fff, device, NULL);
    world_claim(AVC_MMIO, OTHER, OTHER + 0x1fff, avc_to_vmm, NULL);
    world_claim(AVC_MMIO, ROM, ROM + 0xfff, device, NULL);
    vcpu = load_with_decoder();
    memset(ram, 0, sizeof ram);
    for (unsigned n = 0; n < sizeof device_bytes; n++)
        device_bytes[n] = (uint8_t)(n + 1);
    fake_cpu->reg[FAKE_DCZID_EL0] = 4;
    return vcpu;
}

/* The end of RAM, with a device mapped behind it and one in front of it. */
#define LAST   (RAM + RAM_SIZE - 0x1000)
#define BEFORE UINT64_C(0x3ffff000)

static inline struct avc_vcpu *make_neighbours(void)
{
    struct avc_vcpu *vcpu;

    world_make();
    world_claim(AVC_MMIO, RAM + RAM_SIZE, RAM + RAM_SIZE + 0xfff, device, NULL);
    world_claim(AVC_MMIO, BEFORE, BEFORE + 0xfff, device, NULL);
    vcpu = load_with_decoder();
    for (unsigned n = 0; n < sizeof ram; n++)
        ram[n] = (uint8_t)(n * 7);
    for (unsigned n = 0; n < sizeof device_bytes; n++)
        device_bytes[n] = (uint8_t)(0x80 + n);
    return vcpu;
}

/* Of an access of many parts run does a piece. Is there more of it to do? */
static inline bool has_more(const struct avc_vcpu *vcpu, const struct avc_exit *e)
{
    return e->kind == AVC_KICKED && vcpu->requests & AVC_REQUEST_PART;
}

/* Runs as long as pieces are all that comes. */
static inline struct avc_exit *all_pieces(struct avc_vcpu *vcpu, struct avc_exit *e)
{
    while (has_more(vcpu, e)) {
        world.taken = true;
        e = world_run(vcpu);
    }
    return e;
}

/* The guest executes the word at CODE, which faults at `ipa`. */
static inline struct avc_exit *begin_at(struct avc_vcpu *vcpu, uint32_t word, uint64_t iss, uint64_t ipa,
                                        uint64_t pstate)
{
    memcpy(ram + (START - RAM), &word, sizeof word);
    return take(vcpu, (struct fake_trap){ .esr = ESR_MAKE(0x24, true, iss),
                                          .elr = CODE,
                                          .spsr = pstate,
                                          .far = VA(ipa),
                                          .hpfar = (iss & 0x3c) == 0x0c ? 0 : ipa >> 12 << 4 });
}

static struct avc_exit *execute_as(struct avc_vcpu *vcpu, uint32_t word, uint64_t iss, uint64_t ipa, uint64_t pstate)
{
    return all_pieces(vcpu, begin_at(vcpu, word, iss, ipa, pstate));
}

static inline struct avc_exit *execute(struct avc_vcpu *vcpu, uint32_t word, uint64_t iss, uint64_t ipa)
{
    return execute_as(vcpu, word, iss, ipa, EL1H);
}

static inline void check_part(unsigned n, uint64_t key, unsigned size, bool write)
{
    assert_in_range(n, 0, nr_seen - 1);
    assert_int_equal(seen[n].key, key);
    assert_int_equal(seen[n].va, VA(key));
    assert_int_equal(seen[n].size, size);
    assert_int_equal(seen[n].write, write);
}

static inline void check_done(const struct avc_exit *e)
{
    assert_int_equal(e->kind, AVC_KICKED);
    assert_int_equal(world.trap.elr, CODE + 4);
}

static inline void check_abort(unsigned status, bool write, uint64_t far)
{
    assert_int_equal(ctx(AVC_CTX_ESR_EL1), ESR_MAKE(0x25, true, status | (write ? ISS_WNR : 0)));
    assert_int_equal(ctx(AVC_CTX_ELR_EL1), CODE);
    assert_int_equal(ctx(AVC_CTX_FAR_EL1), far);
    assert_int_equal(world.trap.elr & ~UINT64_C(0x7ff), VBAR & ~UINT64_C(0x7ff));
}

#define LDP       0xa9401003u                              /* ldp x3, x4, [x0] */
#define STP       0xa9001003u                              /* stp x3, x4, [x0] */
#define STP_WB    0xa8810c02u                              /* stp x2, x3, [x0], #16 */
#define STR_POST  0xb8004402u                              /* str w2, [x0], #4 */
#define LDR_PRE   0xf8408c07u                              /* ldr x7, [x0, #8]! */
#define LDR_OWN   0xf8408400u                              /* ldr x0, [x0], #8 */
#define LDR_SP    0xf84107e1u                              /* ldr x1, [sp], #16 */
#define LDR_Q     0x3dc00003u                              /* ldr q3, [x0] */
#define STP_Q     0xad000801u                              /* stp q1, q2, [x0] */
#define LD2       0x0cc68404u                              /* ld2 {v4.4h, v5.4h}, [x0], x6 */
#define LD4       0x4cdf0002u                              /* ld4 {v2.16b-v5.16b}, [x0], #64 */
#define ST4       0x4c9f0002u                              /* st4 {v2.16b-v5.16b}, [x0], #64 */
#define DC_ZVA    0xd50b7420u                              /* dc zva, x0 */
#define LDXR      0xc85f7c01u                              /* ldxr x1, [x0] */
#define LDADD     0xb8210002u                              /* ldadd w1, w2, [x0] */
#define LDR       0xf9400001u                              /* ldr x1, [x0] */
#define STR       0xf9000001u                              /* str x1, [x0] */
#define LDRAA     0xf8201c01u                              /* ldraa x1, [x0, #8]! */
#define PLAIN(x)  (ISS_ISV | (x) << 22 | 1 << 16 | ISS_SF) /* syndrome of LDR and STR: 8 bytes, x1 */
#define NEW_PAIR0 UINT64_C(0x0807060504030201)
#define NEW_PAIR1 UINT64_C(0x100f0e0d0c0b0a09)

#endif
