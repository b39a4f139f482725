/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Nothing is connected to what the guest makes an output. A pin that is sensitive to a level is pending for as long as
 * the level is there; one that is sensitive to edges, until the guest clears it (DDI 0190, 3.3).
 */
#include "pl061.h"

enum {                   /* register offsets; DDI 0190, 3.2 */
       DATA_END = 0x400, /* DATA: address bits 9 to 2 say which pins an access is about */
       DIR = 0x400,
       IS = 0x404,
       IBE = 0x408,
       IEV = 0x40C,
       IE = 0x410,
       RIS = 0x414,
       MIS = 0x418,
       IC = 0x41C,
       AFSEL = 0x420,
       ID = 0xFE0
};

static const uint8_t ids[8] = { 0x61, 0x10, 0x04, 0x00, 0x0D, 0xF0, 0x05, 0xB1 };

static struct vmm_pl061 *from_mmio(struct vmm_mmio *dev)
{
    return (struct vmm_pl061 *)(void *)dev;
}

static uint8_t levels(const struct vmm_pl061 *g)
{
    return (uint8_t)((g->pins & ~g->dir) | (g->data & g->dir));
}

static uint8_t ris(const struct vmm_pl061 *g)
{
    return (uint8_t)((g->edges & ~g->is) | (~(levels(g) ^ g->iev) & g->is));
}

static void update(struct vmm_pl061 *g)
{
    vmm_mmio_drive(&g->mmio, ris(g) & g->ie);
}

/* Notes the edges between two states of the pins. */
static void note(struct vmm_pl061 *g, uint8_t before)
{
    uint8_t now = levels(g), changed = before ^ now;

    g->edges |= (uint8_t)(changed & ~g->is & (g->ibe | ~(now ^ g->iev)));
    update(g);
}

static uint32_t read(struct vmm_mmio *dev, uint32_t offset)
{
    struct vmm_pl061 *g = from_mmio(dev);

    if (offset < DATA_END)
        return levels(g) & offset >> 2;
    switch (offset) {
    case DIR:
        return g->dir;
    case IS:
        return g->is;
    case IBE:
        return g->ibe;
    case IEV:
        return g->iev;
    case IE:
        return g->ie;
    case RIS:
        return ris(g);
    case MIS:
        return ris(g) & g->ie;
    case AFSEL:
        return g->afsel;
    default: /* IC is write-only, the others are reserved */
        return offset >= ID ? vmm_primecell_id(ids, offset) : 0;
    }
}

static void write(struct vmm_mmio *dev, uint32_t offset, uint32_t value)
{
    struct vmm_pl061 *g = from_mmio(dev);
    uint8_t before = levels(g), byte = (uint8_t)value;

    if (offset < DATA_END) {
        uint8_t mask = (uint8_t)(offset >> 2) & g->dir;

        g->data = (uint8_t)((g->data & ~mask) | (byte & mask));
    }
    switch (offset) {
    case DIR:
        g->dir = byte;
        break;
    case IS:
        g->is = byte;
        break;
    case IBE:
        g->ibe = byte;
        break;
    case IEV:
        g->iev = byte;
        break;
    case IE:
        g->ie = byte;
        break;
    case IC:
        g->edges &= (uint8_t)~byte;
        break;
    case AFSEL: /* kept; no pin has another function */
        g->afsel = byte;
        break;
    default: /* read-only or reserved */
        break;
    }
    g->edges &= (uint8_t)~g->is;
    note(g, before);
}

void vmm_pl061_init(struct vmm_pl061 *gpio, uint64_t base)
{
    *gpio = (struct vmm_pl061){
        .mmio = { .base = base, .size = VMM_PL061_SIZE, .read = read, .write = write },
    };
}

void vmm_pl061_reset(struct vmm_pl061 *gpio)
{
    vmm_lock(&gpio->mmio.lock);
    gpio->data = gpio->dir = gpio->is = gpio->ibe = gpio->iev = gpio->ie = gpio->afsel = gpio->edges = 0;
    update(gpio);
    vmm_unlock(&gpio->mmio.lock);
}

void vmm_pl061_pin(struct vmm_pl061 *gpio, unsigned pin, bool level)
{
    uint8_t before;

    vmm_lock(&gpio->mmio.lock);
    before = levels(gpio);
    gpio->pins = (uint8_t)((gpio->pins & ~(1u << pin)) | (unsigned)level << pin);
    note(gpio, before);
    vmm_unlock(&gpio->mmio.lock);
}

static const struct avc_state_field fields[] = {
    AVC_STATE_ROW(0, AVC_STATE_FIXED, struct vmm_pl061_values, base, 1),
    AVC_STATE_ROW(1, AVC_STATE_NEEDED, struct vmm_pl061_values, pins, 1),
    AVC_STATE_ROW(2, AVC_STATE_NEEDED, struct vmm_pl061_values, data, 1),
    AVC_STATE_ROW(3, AVC_STATE_NEEDED, struct vmm_pl061_values, dir, 1),
    AVC_STATE_ROW(4, AVC_STATE_NEEDED, struct vmm_pl061_values, is, 1),
    AVC_STATE_ROW(5, AVC_STATE_NEEDED, struct vmm_pl061_values, ibe, 1),
    AVC_STATE_ROW(6, AVC_STATE_NEEDED, struct vmm_pl061_values, iev, 1),
    AVC_STATE_ROW(7, AVC_STATE_NEEDED, struct vmm_pl061_values, ie, 1),
    AVC_STATE_ROW(8, AVC_STATE_NEEDED, struct vmm_pl061_values, afsel, 1),
    AVC_STATE_ROW(9, AVC_STATE_NEEDED, struct vmm_pl061_values, edges, 1),
};

const struct avc_state_model vmm_pl061_state = { .id = VMM_STATE_PL061,
                                                 .nr = sizeof(fields) / sizeof(fields[0]),
                                                 .field = fields };

void vmm_pl061_get(struct vmm_pl061 *g, struct vmm_pl061_values *values)
{
    vmm_lock(&g->mmio.lock);
    *values = (struct vmm_pl061_values){
        .base = g->mmio.base,
        .pins = g->pins,
        .data = g->data,
        .dir = g->dir,
        .is = g->is,
        .ibe = g->ibe,
        .iev = g->iev,
        .ie = g->ie,
        .afsel = g->afsel,
        .edges = g->edges,
    };
    vmm_unlock(&g->mmio.lock);
}

bool vmm_pl061_set(struct vmm_pl061 *g, const struct vmm_pl061_values *values)
{
    if (values->base != g->mmio.base || values->edges & values->is)
        return false;
    vmm_lock(&g->mmio.lock);
    g->pins = values->pins;
    g->data = values->data;
    g->dir = values->dir;
    g->is = values->is;
    g->ibe = values->ibe;
    g->iev = values->iev;
    g->ie = values->ie;
    g->afsel = values->afsel;
    g->edges = values->edges;
    update(g);
    vmm_unlock(&g->mmio.lock);
    return true;
}
