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
