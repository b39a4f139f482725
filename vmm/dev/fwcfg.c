/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The registers are big-endian, but for the data register, whose bytes come in the order of the item's. An item that is
 * not there, and what is behind the end of one, reads as zero.
 *
 * Two vCPUs that use the device at the same time get what they get on the emulated machine: bytes of one item or of the
 * other. A transfer works with a copy of what was selected, so that nothing worse can happen.
 */
#include "fwcfg.h"

#include <string.h>

enum {              /* register offsets */
       DATA = 0x00, /* 8 bytes */
       SELECTOR = 0x08,
       DMA = 0x10 /* 8 bytes */
};

#define ID_TRADITIONAL 1u
#define ID_DMA         2u

#define DMA_SIGNATURE UINT64_C(0x51454D5520434647) /* "QEMU CFG" */

#define DMA_ERROR  1u
#define DMA_READ   2u
#define DMA_SKIP   4u
#define DMA_SELECT 8u
#define DMA_WRITE  16u

#define KEY_WRITE 0x4000u /* once meant for writing; ignored */

/* The guest's request, in its memory: all big-endian. */
struct request {
    uint32_t control, length;
    uint64_t address;
};

static struct vmm_fwcfg *from_mmio(struct vmm_mmio *dev)
{
    return (struct vmm_fwcfg *)(void *)dev;
}

static uint16_t big16(uint16_t x)
{
    return __builtin_bswap16(x);
}

static uint32_t big32(uint32_t x)
{
    return __builtin_bswap32(x);
}

/* ---- items ---- */

static const struct vmm_fwcfg_item *find(const struct vmm_fwcfg *c, uint16_t key)
{
    for (unsigned i = 0; i < c->nr; i++)
        if (c->item[i].key == (uint16_t)(key & ~KEY_WRITE))
            return &c->item[i];
    return NULL;
}

static const uint8_t *data_of(const struct vmm_fwcfg_item *item)
{
    return item->data ? item->data : (const void *)&item->value;
}

static bool add(struct vmm_fwcfg *c, const struct vmm_fwcfg_item *item)
{
    if ((!item->name && c->nr - c->nr_files == VMM_FWCFG_ITEMS) || find(c, item->key))
        return false;
    c->item[c->nr++] = *item;
    return true;
}

bool vmm_fwcfg_add(struct vmm_fwcfg *c, uint16_t key, const void *data, uint32_t bytes)
{
    return add(c, &(struct vmm_fwcfg_item){ .key = key, .bytes = bytes, .data = data });
}

bool vmm_fwcfg_add_number(struct vmm_fwcfg *c, uint16_t key, uint64_t value, unsigned bytes)
{
    return add(c, &(struct vmm_fwcfg_item){ .key = key, .bytes = bytes, .value = value });
}

/* An entry of the directory: size, key, two bytes of nothing, name. */
struct entry {
    uint32_t size;
    uint16_t key, reserved;
    char name[VMM_FWCFG_NAME];
};

bool vmm_fwcfg_add_file(struct vmm_fwcfg *c, const char *name, const void *data, uint32_t bytes)
{
    struct vmm_fwcfg_item item = {
        .key = (uint16_t)(VMM_FWCFG_FIRST_FILE + c->nr_files), .bytes = bytes, .data = data, .name = name
    };
    struct entry entry = { .size = big32(bytes), .key = big16(item.key) };
    uint32_t count = big32(c->nr_files + 1);
    size_t length = strlen(name);

    if (c->nr_files == VMM_FWCFG_FILES || length >= sizeof(entry.name) || !add(c, &item))
        return false;
    memcpy(entry.name, name, length + 1);
    memcpy(c->dir + sizeof(count) + c->nr_files * sizeof(entry), &entry, sizeof(entry));
    memcpy(c->dir, &count, sizeof(count));
    c->nr_files++;
    return true;
}

static void select(struct vmm_fwcfg *c, uint16_t key)
{
    c->key = key;
    c->offset = 0;
}

/* ---- registers ---- */

static uint64_t read_data(struct vmm_fwcfg *c, unsigned size)
{
    const struct vmm_fwcfg_item *item = find(c, c->key);
    uint64_t value = 0;

    for (unsigned i = 0; i < size && item && c->offset < item->bytes; i++)
        value |= (uint64_t)data_of(item)[c->offset++] << 8 * i;
    return value;
}

static uint64_t load(struct vmm_fwcfg *c, uint32_t offset, unsigned size)
{
    if (offset < SELECTOR)
        return read_data(c, size);
    if (offset >= DMA) /* the low bytes count */
        return __builtin_bswap64(DMA_SIGNATURE) >> 8 * (offset - DMA);
    return 0; /* the selector is write-only */
}

/* Returns whether a transfer begins; then *address is where its request is. */
static bool store(struct vmm_fwcfg *c, const struct avc_exit *e, uint64_t *address)
{
    uint32_t offset = (uint32_t)(e->key - c->mmio.base);

    if (offset == SELECTOR && e->size == 2)
        select(c, big16((uint16_t)e->value));
    else if (offset == DMA && e->size == 4)
        c->dma_high = big32((uint32_t)e->value);
    else if (offset == DMA && e->size == 8)
        *address = __builtin_bswap64(e->value);
    else if (offset == DMA + 4 && e->size == 4)
        *address = (uint64_t)c->dma_high << 32 | big32((uint32_t)e->value);
    return (offset == DMA && e->size == 8) || (offset == DMA + 4 && e->size == 4);
}

enum avc_answer vmm_fwcfg_access(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    struct vmm_fwcfg *c = from_mmio(ctx);
    uint64_t address, value = e->value;
    bool transfer = false;

    (void)vcpu;
    vmm_lock(&c->mmio.lock);
    if (e->write)
        transfer = store(c, e, &address);
    else
        value = load(c, (uint32_t)(e->key - c->mmio.base), e->size);
    vmm_unlock(&c->mmio.lock);
    return transfer ? AVC_EXIT : avc_done(e, value);
}

/* ---- DMA ---- */

/* Moves `length` bytes from the item at *offset on. Returns whether all of it went well. */
static bool transfer(const struct vmm_fwcfg *c, const struct request *r, const struct vmm_fwcfg_item *item,
                     uint32_t *offset, void (*look)(void))
{
    const struct vmm_fwcfg_host *h = c->host;
    uint32_t left = item && *offset < item->bytes ? item->bytes - *offset : 0, n = r->length < left ? r->length : left;

    if (!(r->control & (DMA_READ | DMA_WRITE | DMA_SKIP)))
        return true;
    if (r->control & DMA_READ) {
        if ((n && !h->store(h->ctx, r->address, data_of(item) + *offset, n, look)) ||
            (r->length > n && !h->store(h->ctx, r->address + n, NULL, r->length - n, look)))
            return false;
    } else if (r->control & DMA_WRITE) {
        return !r->length;
    }
    *offset += n;
    return true;
}

static void run(struct vmm_fwcfg *c, uint64_t address, void (*look)(void))
{
    struct request r;
    uint32_t offset, result;
    uint16_t key;

    if (!c->host->load(c->host->ctx, address, &r, sizeof(r), look))
        return; /* there is nowhere to say so */
    r.control = big32(r.control);
    r.length = big32(r.length);
    r.address = __builtin_bswap64(r.address);
    vmm_lock(&c->mmio.lock);
    if (r.control & DMA_SELECT)
        select(c, (uint16_t)(r.control >> 16));
    key = c->key;
    offset = c->offset;
    vmm_unlock(&c->mmio.lock);

    result = transfer(c, &r, find(c, key), &offset, look) ? 0 : DMA_ERROR;

    vmm_lock(&c->mmio.lock);
    if (c->key == key)
        c->offset = offset;
    vmm_unlock(&c->mmio.lock);
    result = big32(result);
    (void)c->host->store(c->host->ctx, address, &result, sizeof(result), look);
}

bool vmm_fwcfg_exit(struct vmm_fwcfg *c, struct avc_exit *e, void (*look)(void))
{
    uint64_t address;
    bool begins = false;

    if (e->kind != AVC_MMIO || !e->write)
        return false;
    vmm_lock(&c->mmio.lock);
    begins = store(c, e, &address);
    if (begins)
        c->dma_high = 0;
    vmm_unlock(&c->mmio.lock);
    if (begins)
        run(c, address, look);
    e->answer = AVC_DONE;
    return true;
}

/* ---- the whole device ---- */

void vmm_fwcfg_init(struct vmm_fwcfg *c, uint64_t base, const struct vmm_fwcfg_host *host)
{
    *c = (struct vmm_fwcfg){ .mmio = { .base = base, .size = VMM_FWCFG_SIZE }, .host = host };
    (void)vmm_fwcfg_add(c, VMM_FWCFG_SIGNATURE, "QEMU", 4);
    (void)vmm_fwcfg_add_number(c, VMM_FWCFG_ID, ID_TRADITIONAL | ID_DMA, 4);
    (void)vmm_fwcfg_add(c, VMM_FWCFG_FILE_DIR, c->dir, sizeof(c->dir));
}

void vmm_fwcfg_reset(struct vmm_fwcfg *c)
{
    vmm_lock(&c->mmio.lock);
    select(c, 0);
    c->dma_high = 0;
    vmm_unlock(&c->mmio.lock);
}

static const struct avc_state_field fields[] = {
    AVC_STATE_ROW(0, AVC_STATE_FIXED, struct vmm_fwcfg_values, base, 1),
    AVC_STATE_ROW(1, AVC_STATE_NEEDED, struct vmm_fwcfg_values, key, 1),
    AVC_STATE_ROW(2, AVC_STATE_NEEDED, struct vmm_fwcfg_values, offset, 1),
    AVC_STATE_ROW(3, AVC_STATE_NEEDED, struct vmm_fwcfg_values, dma_high, 1),
};

const struct avc_state_model vmm_fwcfg_state = { .id = VMM_STATE_FWCFG,
                                                 .nr = sizeof(fields) / sizeof(fields[0]),
                                                 .field = fields };

void vmm_fwcfg_get(struct vmm_fwcfg *c, struct vmm_fwcfg_values *values)
{
    vmm_lock(&c->mmio.lock);
    *values =
        (struct vmm_fwcfg_values){ .base = c->mmio.base, .key = c->key, .offset = c->offset, .dma_high = c->dma_high };
    vmm_unlock(&c->mmio.lock);
}

/* Any key and any offset can be: reading stops at the end. */
bool vmm_fwcfg_set(struct vmm_fwcfg *c, const struct vmm_fwcfg_values *values)
{
    if (values->base != c->mmio.base)
        return false;
    vmm_lock(&c->mmio.lock);
    c->key = values->key;
    c->offset = values->offset;
    c->dma_high = values->dma_high;
    vmm_unlock(&c->mmio.lock);
    return true;
}
