/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Devices that are plain memory, for loads and stores of all kinds. */
#include "testvm.h"

#include "../decode/decode.h"

static uint64_t pages[2][512];
static uint64_t parts, exits;

static enum avc_answer access(uint64_t *page, struct avc_exit *e)
{
    unsigned at = (unsigned)(e->key & 0xfff);
    uint8_t *p = (uint8_t *)page + at;

    parts++;
    if (at + e->size > 4096)
        return AVC_FAULT;
    if (!e->write)
        e->value = 0;
    for (unsigned n = 0; n < e->size; n++) {
        if (e->write)
            p[n] = (uint8_t)(e->value >> 8 * n);
        else
            e->value |= (uint64_t)p[n] << 8 * n;
    }
    return AVC_DONE;
}

static enum avc_answer on_device(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    return access(ctx, e);
}

static bool on_exit(struct avc_vcpu *vcpu, struct avc_exit *e)
{
    if (e->kind == AVC_MMIO && e->key >= DEVICES + 0x1000 && e->key < DEVICES + 0x2000) {
        exits++;
        e->answer = access(pages[1], e);
        return true;
    }
    return e->kind == AVC_STAGE2;
}

static enum avc_answer on_page(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    const struct test_vm *t = avc_vm_user(avc_vcpu_vm(vcpu));
    uint64_t *page = pages[avc_vcpu_gpr(vcpu, 2) % 2];
    uint64_t *ram = (uint64_t *)(t->ram + ((avc_vcpu_gpr(vcpu, 3) - GUEST_RAM) & (TEST_RAM - 4096)));
    bool fill = avc_vcpu_gpr(vcpu, 1) == PAGE_FILL;

    for (unsigned n = 0; n < 512; n++)
        *(fill ? &page[n] : &ram[n]) = fill ? ram[n] : page[n];
    return avc_done(e, 0);
}

static enum avc_answer on_ask(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    const uint64_t answers[] = { [ASK_UNDECODED] = vcpu->nr_isv0, [ASK_PARTS] = parts, [ASK_EXITS] = exits };

    return avc_done(e, answers[avc_vcpu_gpr(vcpu, 1) % 3]);
}

/* Unmaps the devices' pages. */
static void before_run(struct avc_vcpu *vcpu)
{
    static bool done;
    struct test_vm *t = avc_vm_user(avc_vcpu_vm(vcpu));

    if (!done)
        host_must(avc_stage2_unmap(&t->stage2, DEVICES, 0x2000));
    done = true;
}

static const struct avc_claim claims[] = {
    { AVC_MMIO, DEVICES, DEVICES + 0xfff, on_device, pages[0] },
    { AVC_MMIO, DEVICES + 0x1000, DEVICES + 0x1fff, NULL, NULL },
    { AVC_CALL, CALL_PAGE, CALL_PAGE, on_page, NULL },
    { AVC_CALL, CALL_ASK, CALL_ASK, on_ask, NULL },
};

const struct test_config test_config = { .claims = claims,
                                         .nr_claims = sizeof claims / sizeof claims[0],
                                         .on_exit = on_exit,
                                         .before_run = before_run,
                                         .decoder = true };
