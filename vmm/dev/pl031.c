/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * A counter of seconds with a match register. The match is its only interrupt. It is checked whenever a register is
 * accessed, and when the machine polls at the time that it was told.
 */
#include "pl031.h"

enum { /* register offsets; DDI 0224, 3.2 */
       DR = 0x00,
       MR = 0x04,
       LR = 0x08,
       CR = 0x0C,
       IMSC = 0x10,
       RIS = 0x14,
       MIS = 0x18,
       ICR = 0x1C,
       ID = 0xFE0
};

static const uint8_t ids[8] = { 0x31, 0x10, 0x14, 0x00, 0x0D, 0xF0, 0x05, 0xB1 };

static struct vmm_pl031 *from_mmio(struct vmm_mmio *dev)
{
    return (struct vmm_pl031 *)(void *)dev;
}

static uint32_t data(struct vmm_pl031 *r)
{
    return (uint32_t)r->seconds(r->ctx) + r->offset;
}

/* The counter wraps at 32 bits. So a value that has gone by matches again 136 years later. The current value
   matches at once. */
static void set_alarm(struct vmm_pl031 *r)
{
    r->alarm = r->seconds(r->ctx) + (uint32_t)(r->mr - data(r));
}

static void check(struct vmm_pl031 *r)
{
    if (r->seconds(r->ctx) >= r->alarm) {
        r->ris = true;
        r->alarm = UINT64_MAX;
    }
    vmm_mmio_drive(&r->mmio, r->ris && r->imsc);
}

static uint32_t read(struct vmm_mmio *dev, uint32_t offset)
{
    struct vmm_pl031 *r = from_mmio(dev);

    check(r);
    switch (offset) {
    case DR:
        return data(r);
    case MR:
        return r->mr;
    case LR:
        return r->lr;
    case CR:
        return 1; /* it always runs */
    case IMSC:
        return r->imsc;
    case RIS:
        return r->ris;
    case MIS:
        return r->ris && r->imsc;
    default: /* ICR is write-only, the others are reserved */
        return offset >= ID ? vmm_primecell_id(ids, offset) : 0;
    }
}

static void write(struct vmm_mmio *dev, uint32_t offset, uint32_t value)
{
    struct vmm_pl031 *r = from_mmio(dev);

    check(r);
    switch (offset) {
    case MR:
        r->mr = value;
        set_alarm(r);
        break;
    case LR:
        r->lr = value;
        r->offset += value - data(r);
        set_alarm(r);
        break;
    case IMSC:
        r->imsc = value & 1;
        break;
    case ICR:
        if (value & 1)
            r->ris = false;
        break;
    default: /* CR: once started, the clock cannot be stopped (3.3.4); the others are read-only or reserved */
        break;
    }
    check(r);
}

void vmm_pl031_init(struct vmm_pl031 *rtc, uint64_t base, uint32_t now, uint64_t (*seconds)(void *ctx), void *ctx)
{
    *rtc = (struct vmm_pl031){
        .mmio = { .base = base, .size = VMM_PL031_SIZE, .read = read, .write = write },
        .seconds = seconds,
        .ctx = ctx,
        .offset = now - (uint32_t)seconds(ctx),
    };
    vmm_pl031_reset(rtc);
}

void vmm_pl031_reset(struct vmm_pl031 *rtc)
{
    vmm_lock(&rtc->mmio.lock);
    rtc->mr = rtc->lr = rtc->imsc = 0;
    rtc->ris = false;
    set_alarm(rtc);
    check(rtc);
    vmm_unlock(&rtc->mmio.lock);
}

uint64_t vmm_pl031_poll(struct vmm_pl031 *rtc)
{
    uint64_t next;

    vmm_lock(&rtc->mmio.lock);
    check(rtc);
    next = rtc->imsc ? rtc->alarm : UINT64_MAX;
    vmm_unlock(&rtc->mmio.lock);
    return next;
}

static const struct avc_state_field fields[] = {
    AVC_STATE_ROW(0, AVC_STATE_FIXED, struct vmm_pl031_values, base, 1),
    AVC_STATE_ROW(1, AVC_STATE_NEEDED, struct vmm_pl031_values, dr, 1),
    AVC_STATE_ROW(2, AVC_STATE_NEEDED, struct vmm_pl031_values, mr, 1),
    AVC_STATE_ROW(3, AVC_STATE_NEEDED, struct vmm_pl031_values, lr, 1),
    AVC_STATE_ROW(4, AVC_STATE_NEEDED, struct vmm_pl031_values, imsc, 1),
    AVC_STATE_ROW(5, AVC_STATE_NEEDED, struct vmm_pl031_values, ris, 1),
    AVC_STATE_ROW(6, AVC_STATE_NEEDED, struct vmm_pl031_values, armed, 1),
};

const struct avc_state_model vmm_pl031_state = { .id = VMM_STATE_PL031,
                                                 .nr = sizeof(fields) / sizeof(fields[0]),
                                                 .field = fields };

void vmm_pl031_get(struct vmm_pl031 *rtc, struct vmm_pl031_values *values)
{
    vmm_lock(&rtc->mmio.lock);
    check(rtc);
    *values = (struct vmm_pl031_values){
        .base = rtc->mmio.base,
        .dr = data(rtc),
        .mr = rtc->mr,
        .lr = rtc->lr,
        .imsc = rtc->imsc != 0,
        .ris = rtc->ris,
        .armed = rtc->alarm != UINT64_MAX,
    };
    vmm_unlock(&rtc->mmio.lock);
}

/* The time of the alarm follows from DR and MR, as it does when the guest writes them. */
bool vmm_pl031_set(struct vmm_pl031 *rtc, const struct vmm_pl031_values *values)
{
    if (values->base != rtc->mmio.base || values->imsc > 1 || values->ris > 1 || values->armed > 1)
        return false;
    vmm_lock(&rtc->mmio.lock);
    rtc->offset = values->dr - (uint32_t)rtc->seconds(rtc->ctx);
    rtc->mr = values->mr;
    rtc->lr = values->lr;
    rtc->imsc = values->imsc;
    rtc->ris = values->ris;
    if (values->armed)
        set_alarm(rtc);
    else
        rtc->alarm = UINT64_MAX;
    check(rtc);
    vmm_unlock(&rtc->mmio.lock);
    return true;
}
