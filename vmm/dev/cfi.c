/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The bank is one machine: both chips get the same commands, as drivers of such a bank give them. A command is the low
 * byte of a store of any width, so a driver that tries narrower buses first does not find a chip there. Bits of a word
 * that a store does not bring are taken as ones, which program nothing.
 *
 * Commands: Intel StrataFlash P30 (320002), "Command Definitions", which command set 1 stands for. No block is ever
 * locked, and nothing is suspended: the query says that there is neither.
 */
#include "cfi.h"

#define ESR_S1PTW (UINT64_C(1) << 7) /* the access is a read of the guest's own tables */

#define READY         0x80u /* status */
#define ERASE_ERROR   0x20u
#define PROGRAM_ERROR 0x10u
#define STATUS_BITS   (READY | ERASE_ERROR | PROGRAM_ERROR)

enum {
    CMD_ARRAY_AMD = 0xF0, /* drivers that look for the other command set reset a chip by it */
    CMD_ARRAY = 0xFF,
    CMD_PROGRAM_OLD = 0x10,
    CMD_PROGRAM = 0x40,
    CMD_ERASE = 0x20,
    CMD_CLEAR = 0x50,
    CMD_LOCK = 0x60,
    CMD_STATUS = 0x70,
    CMD_ID = 0x90,
    CMD_QUERY = 0x98,
    CMD_CONFIRM = 0xD0,
    CMD_BUFFER = 0xE8,
    LOCK_SET = 0x01,
    LOCK_DOWN = 0x2F
};

static struct vmm_cfi *from_mmio(struct vmm_mmio *dev)
{
    return (struct vmm_cfi *)(void *)dev;
}

static unsigned log2_of(uint64_t size)
{
    return (unsigned)__builtin_ctzll(size);
}

/* ---- loads ---- */

#define MANUFACTURER 0x89u /* Intel */
#define DEVICE       0x18u

static uint8_t id(uint32_t index)
{
    return index == 0 ? MANUFACTURER : index == 1 ? DEVICE : 0; /* 2 is the block's lock: off */
}

/* The query table (JESD68.01, 4.3; Intel's extended query 1.0) from index 0x10 on. What depends on the size is 0 here.
   Voltages are in BCD, times are powers of two. */
static const uint8_t query_table[] = {
    [0x10 - 0x10] = 'Q',  [0x11 - 0x10] = 'R',  [0x12 - 0x10] = 'Y', [0x13 - 0x10] = 1, /* command set */
    [0x15 - 0x10] = 0x31,                                                               /* the extended query */
    [0x1B - 0x10] = 0x45, [0x1C - 0x10] = 0x55,                                         /* V */
    [0x1F - 0x10] = 7,    [0x20 - 0x10] = 7,    [0x21 - 0x10] = 10,                     /* typical: us, us, ms */
    [0x23 - 0x10] = 4,    [0x24 - 0x10] = 4,    [0x25 - 0x10] = 4,                      /* at most so many times that */
    [0x28 - 0x10] = 2,                                                                  /* x8 and x16 */
    [0x2A - 0x10] = 11,                                                                 /* a chip's write buffer */
    [0x2C - 0x10] = 1,                                                                  /* kinds of erase blocks */
    [0x31 - 0x10] = 'P',  [0x32 - 0x10] = 'R',  [0x33 - 0x10] = 'I', [0x34 - 0x10] = '1',
    [0x35 - 0x10] = '0',  [0x3F - 0x10] = 1, /* protection fields */
};

/* Sizes are of one chip, which is half a bank. */
static uint8_t query(const struct vmm_cfi *c, uint32_t index)
{
    switch (index) {
    case 0x27:
        return (uint8_t)(log2_of(c->mmio.size) - 1);
    case 0x2D: /* blocks, less one */
        return (uint8_t)(c->mmio.size / VMM_CFI_BLOCK - 1);
    case 0x2F: /* a block, in 256 bytes */
        return (uint8_t)(VMM_CFI_BLOCK / 2 / 256);
    case 0x30:
        return (uint8_t)(VMM_CFI_BLOCK / 2 / 256 >> 8);
    default:
        return index - 0x10 < sizeof(query_table) ? query_table[index - 0x10] : 0;
    }
}

static void end(struct vmm_cfi *c, enum vmm_cfi_result result)
{
    c->busy = c->polled = false;
    c->status |= READY;
    if (result == VMM_CFI_FAILED)
        c->status |= c->erasing ? ERASE_ERROR : PROGRAM_ERROR;
}

static void look_for_end(struct vmm_cfi *c)
{
    enum vmm_cfi_result result;

    if (!c->polled)
        return;
    result = c->host->poll(c->host->ctx);
    if (result != VMM_CFI_BUSY)
        end(c, result);
}

static bool is_array(const struct vmm_cfi *c)
{
    return c->mode == VMM_CFI_ARRAY && !c->busy;
}

/* Both chips say the same. A busy chip shows its status, whatever it showed before. */
static uint32_t read_word(const struct vmm_cfi *c, uint32_t offset)
{
    uint32_t index = offset / 4 & 0xFF, half;

    if (is_array(c))
        return c->host->read(c->host->ctx, offset);
    half = c->busy || c->mode == VMM_CFI_STATUS ? c->status : c->mode == VMM_CFI_ID ? id(index) : query(c, index);
    return half | half << 16;
}

/* ---- stores ---- */

/* What a store asks for that takes longer. */
enum job { NOTHING, PROGRAM, ERASE };

static enum job sequence_error(struct vmm_cfi *c)
{
    c->phase = VMM_CFI_COMMAND;
    c->mode = VMM_CFI_STATUS;
    c->status |= ERASE_ERROR | PROGRAM_ERROR;
    return NOTHING;
}

static enum job show(struct vmm_cfi *c, enum vmm_cfi_mode mode, enum vmm_cfi_phase next)
{
    c->mode = (uint8_t)mode;
    c->phase = (uint8_t)next;
    return NOTHING;
}

static enum job command(struct vmm_cfi *c, uint8_t value)
{
    switch (value) {
    case CMD_ARRAY:
    case CMD_ARRAY_AMD:
        return show(c, VMM_CFI_ARRAY, VMM_CFI_COMMAND);
    case CMD_PROGRAM:
    case CMD_PROGRAM_OLD:
        return show(c, VMM_CFI_STATUS, VMM_CFI_DATA);
    case CMD_ERASE:
        return show(c, VMM_CFI_STATUS, VMM_CFI_ERASE);
    case CMD_LOCK:
        return show(c, VMM_CFI_STATUS, VMM_CFI_LOCK);
    case CMD_BUFFER:
        return show(c, VMM_CFI_STATUS, VMM_CFI_COUNT);
    case CMD_STATUS:
        return show(c, VMM_CFI_STATUS, VMM_CFI_COMMAND);
    case CMD_ID:
        return show(c, VMM_CFI_ID, VMM_CFI_COMMAND);
    case CMD_QUERY:
        return show(c, VMM_CFI_QUERY, VMM_CFI_COMMAND);
    case CMD_CLEAR: /* what is shown stays */
        c->status = READY;
        return NOTHING;
    default:
        return NOTHING;
    }
}

static void buffer_clear(struct vmm_cfi *c)
{
    for (unsigned i = 0; i < VMM_CFI_BUFFER / 4; i++)
        c->buffer[i] = UINT32_MAX;
    c->low = c->high = 0;
}

static void buffer_put(struct vmm_cfi *c, uint32_t offset, uint32_t word)
{
    if (c->low == c->high)
        c->low = c->high = offset;
    c->low = offset < c->low ? offset : c->low;
    c->high = offset + 4 > c->high ? offset + 4 : c->high;
    c->buffer[offset % VMM_CFI_BUFFER / 4] &= word;
}

/* All words of a buffer lie in one aligned piece of its size. */
static enum job buffer_data(struct vmm_cfi *c, uint32_t offset, uint32_t word)
{
    if (c->low != c->high && offset / VMM_CFI_BUFFER != c->low / VMM_CFI_BUFFER)
        return sequence_error(c);
    buffer_put(c, offset, word);
    if (c->left)
        c->left--;
    else
        c->phase = VMM_CFI_BUFFER_GO;
    return NOTHING;
}

static enum job buffer_count(struct vmm_cfi *c, uint32_t word)
{
    if ((word & 0xFFFF) >= VMM_CFI_BUFFER / 4)
        return sequence_error(c);
    buffer_clear(c);
    c->left = word & 0xFFFF;
    c->phase = VMM_CFI_BUFFER_DATA;
    return NOTHING;
}

static enum job begin(struct vmm_cfi *c, enum job job)
{
    c->phase = VMM_CFI_COMMAND;
    c->busy = true;
    c->erasing = job == ERASE;
    c->status &= (uint8_t)~READY;
    return job;
}

/* A store of a part of a word, whose other bits are ones. */
static enum job write_word(struct vmm_cfi *c, uint32_t offset, uint32_t word, uint8_t low_byte)
{
    look_for_end(c);
    if (c->busy)
        return NOTHING;
    switch (c->phase) {
    case VMM_CFI_DATA:
        buffer_clear(c);
        buffer_put(c, offset, word);
        return begin(c, PROGRAM);
    case VMM_CFI_ERASE:
        if (low_byte != CMD_CONFIRM)
            return sequence_error(c);
        c->low = c->high = offset / VMM_CFI_BLOCK * VMM_CFI_BLOCK;
        return begin(c, ERASE);
    case VMM_CFI_LOCK:
        if (low_byte != CMD_CONFIRM && low_byte != LOCK_SET && low_byte != LOCK_DOWN)
            return sequence_error(c);
        c->phase = VMM_CFI_COMMAND;
        return NOTHING;
    case VMM_CFI_COUNT:
        return buffer_count(c, word);
    case VMM_CFI_BUFFER_DATA:
        return buffer_data(c, offset, word);
    case VMM_CFI_BUFFER_GO:
        return low_byte == CMD_CONFIRM ? begin(c, PROGRAM) : sequence_error(c);
    default:
        return command(c, low_byte);
    }
}

/* Does a store that lies in one word, or the part of a wider one that does. `done`: bytes of it that are done. */
static enum job store_part(struct vmm_cfi *c, const struct avc_exit *e, unsigned done, unsigned bytes)
{
    uint32_t offset = (uint32_t)(e->key - c->mmio.base) + done, value = (uint32_t)(e->value >> 8 * done);
    unsigned shift = 8 * (offset % 4);
    uint32_t mask = vmm_mmio_mask(bytes) << shift;

    return write_word(c, offset & ~3u, (value << shift & mask) | ~mask, (uint8_t)value);
}

static unsigned part(const struct vmm_cfi *c, const struct avc_exit *e, unsigned done)
{
    unsigned room = 4 - (unsigned)(e->key - c->mmio.base + done) % 4, left = e->size - done;

    return room < left ? room : left;
}

static uint64_t load(const struct vmm_cfi *c, const struct avc_exit *e)
{
    uint64_t result = 0;

    for (unsigned done = 0, n; done < e->size; done += n) {
        uint64_t offset = e->key - c->mmio.base + done;

        n = part(c, e, done);
        if (offset >= c->mmio.size)
            break; /* the tail of an unaligned access reads as zero */
        result |= (uint64_t)(read_word(c, (uint32_t)offset & ~3u) >> 8 * (offset % 4) & vmm_mmio_mask(n)) << 8 * done;
    }
    return result;
}

/* ---- the claim ---- */

/* A store that changes the map or the array, or may do so half way. */
static bool is_long(const struct vmm_cfi *c, const struct avc_exit *e)
{
    return c->mapped || c->phase == VMM_CFI_DATA || c->phase == VMM_CFI_ERASE || c->phase == VMM_CFI_BUFFER_GO ||
           part(c, e, 0) < e->size;
}

enum avc_answer vmm_cfi_access(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    struct vmm_cfi *c = from_mmio(ctx);
    enum avc_answer answer = AVC_EXIT;

    (void)vcpu;
    vmm_lock(&c->mmio.lock);
    if (!e->write)
        look_for_end(c); /* a store does so itself */
    if (e->write && !is_long(c, e)) {
        (void)store_part(c, e, 0, e->size);
        answer = avc_done(e, e->value);
    } else if (!e->write && !is_array(c)) {
        answer = avc_done(e, load(c, e));
    }
    vmm_unlock(&c->mmio.lock);
    return answer;
}

/* ---- the VMM's part ---- */

/* Programs can only clear bits. */
static enum vmm_cfi_result program(struct vmm_cfi *c, void (*look)(void))
{
    const struct vmm_cfi_host *h = c->host;
    uint32_t first = c->low % VMM_CFI_BUFFER / 4, words = (c->high - c->low) / 4;

    for (uint32_t i = 0; i < words; i++)
        c->buffer[first + i] &= h->read(h->ctx, c->low + 4 * i);
    return h->program(h->ctx, c->low, &c->buffer[first], c->high - c->low, look);
}

/* Nobody else touches the buffer, since commands are ignored while the bank is busy, and poll() is not called. */
static void do_job(struct vmm_cfi *c, enum job job, void (*look)(void))
{
    enum vmm_cfi_result result = job == ERASE ? c->host->erase(c->host->ctx, c->low, look) : program(c, look);

    vmm_lock(&c->mmio.lock);
    c->polled = result == VMM_CFI_BUSY;
    if (!c->polled)
        end(c, result);
    vmm_unlock(&c->mmio.lock);
}

/* Silicon programs in less than a millisecond, and erases in about a second. So the guest's CPU waits here for the one,
   and the guest itself for the other: each load of its status asks anew. */
#define POLLS 1000

static void wait(struct vmm_cfi *c, unsigned polls, void (*look)(void))
{
    bool busy = true;

    while (busy && polls--) {
        vmm_lock(&c->mmio.lock);
        look_for_end(c);
        busy = c->busy;
        vmm_unlock(&c->mmio.lock);
        if (busy && look)
            look();
    }
}

static void store_piece(struct vmm_cfi *c, const struct avc_exit *e, unsigned done, void (*look)(void))
{
    enum job job;

    vmm_lock(&c->mmio.lock);
    if (c->mapped)
        c->host->unmap(c->host->ctx);
    c->mapped = false;
    job = store_part(c, e, done, part(c, e, done));
    vmm_unlock(&c->mmio.lock);
    if (job == NOTHING)
        return;
    do_job(c, job, look);
    wait(c, POLLS, look);
}

/* A load that the claim has left, a fetch, a walk, or a load that was not decoded. The guest does it again when the
   place is mapped. What can be done without the map has a value. */
static bool read_array(struct vmm_cfi *c, struct avc_exit *e)
{
    bool can = true, fetch = e->fetch && !(e->esr & ESR_S1PTW); /* the walk for a fetch only loads */

    vmm_lock(&c->mmio.lock);
    if (is_array(c)) {
        can = c->host->map(c->host->ctx, (uint32_t)(e->key - c->mmio.base), fetch);
        c->mapped |= can;
        e->answer = can ? AVC_RETRY : e->answer;
    } else if (e->kind == AVC_MMIO) {
        e->value = load(c, e);
        e->answer = AVC_DONE;
    } else {
        can = false;
    }
    vmm_unlock(&c->mmio.lock);
    return can;
}

bool vmm_cfi_exit(struct vmm_cfi *c, struct avc_exit *e, void (*look)(void))
{
    if (!e->write)
        return read_array(c, e);
    if (!e->size)
        return false; /* an atomic, for example */
    for (unsigned done = 0, n; done < e->size && e->key - c->mmio.base + done < c->mmio.size; done += n) {
        n = part(c, e, done);
        store_piece(c, e, done, look);
    }
    e->answer = AVC_DONE;
    return true;
}

/* ---- the whole device ---- */

void vmm_cfi_init(struct vmm_cfi *c, uint64_t base, uint32_t size, const struct vmm_cfi_host *host)
{
    *c = (struct vmm_cfi){ .mmio = { .base = base, .size = size }, .host = host, .status = READY };
    buffer_clear(c);
}

void vmm_cfi_reset(struct vmm_cfi *c, void (*look)(void))
{
    wait(c, UINT32_MAX, look);
    vmm_lock(&c->mmio.lock);
    c->mode = VMM_CFI_ARRAY;
    c->phase = VMM_CFI_COMMAND;
    c->status = READY;
    buffer_clear(c);
    vmm_unlock(&c->mmio.lock);
}

static const struct avc_state_field fields[] = {
    AVC_STATE_ROW(0, AVC_STATE_FIXED, struct vmm_cfi_values, base, 1),
    AVC_STATE_ROW(1, AVC_STATE_FIXED, struct vmm_cfi_values, size, 1),
    AVC_STATE_ROW(2, AVC_STATE_NEEDED, struct vmm_cfi_values, mode, 1),
    AVC_STATE_ROW(3, AVC_STATE_NEEDED, struct vmm_cfi_values, phase, 1),
    AVC_STATE_ROW(4, AVC_STATE_NEEDED, struct vmm_cfi_values, status, 1),
    AVC_STATE_ROW(5, AVC_STATE_NEEDED, struct vmm_cfi_values, left, 1),
    AVC_STATE_ROW(6, AVC_STATE_NEEDED, struct vmm_cfi_values, low, 1),
    AVC_STATE_ROW(7, AVC_STATE_NEEDED, struct vmm_cfi_values, high, 1),
    AVC_STATE_ROW(8, AVC_STATE_NEEDED, struct vmm_cfi_values, buffer, VMM_CFI_BUFFER / 4),
};

const struct avc_state_model vmm_cfi_state = { .id = VMM_STATE_CFI,
                                               .nr = sizeof(fields) / sizeof(fields[0]),
                                               .field = fields };

void vmm_cfi_get(struct vmm_cfi *c, struct vmm_cfi_values *v, void (*look)(void))
{
    wait(c, UINT32_MAX, look);
    vmm_lock(&c->mmio.lock);
    *v = (struct vmm_cfi_values){
        .base = c->mmio.base,
        .size = c->mmio.size,
        .mode = c->mode,
        .phase = c->phase,
        .status = c->status,
        .left = c->left,
        .low = c->low,
        .high = c->high,
    };
    for (unsigned i = 0; i < VMM_CFI_BUFFER / 4; i++)
        v->buffer[i] = c->buffer[i];
    vmm_unlock(&c->mmio.lock);
}

/* The buffer's words are all in one piece of its size, and a command's next store finds it in status mode. */
static bool is_possible(const struct vmm_cfi *c, const struct vmm_cfi_values *v)
{
    bool empty = v->low == v->high;

    return v->base == c->mmio.base && v->size == c->mmio.size && v->mode < VMM_CFI_NR_MODES &&
           v->phase < VMM_CFI_NR_PHASES && (v->phase == VMM_CFI_COMMAND || v->mode == VMM_CFI_STATUS) &&
           !(v->status & ~STATUS_BITS) && v->status & READY && v->left < VMM_CFI_BUFFER / 4 && !(v->low % 4) &&
           !(v->high % 4) && v->low <= v->high && v->high <= v->size && v->low < v->size &&
           (empty || v->low / VMM_CFI_BUFFER == (v->high - 1) / VMM_CFI_BUFFER) &&
           (v->phase != VMM_CFI_BUFFER_GO || !empty);
}

bool vmm_cfi_set(struct vmm_cfi *c, const struct vmm_cfi_values *v, void (*look)(void))
{
    if (!is_possible(c, v))
        return false;
    wait(c, UINT32_MAX, look);
    vmm_lock(&c->mmio.lock);
    if (c->mapped && v->mode != VMM_CFI_ARRAY)
        c->host->unmap(c->host->ctx);
    c->mapped &= v->mode == VMM_CFI_ARRAY;
    c->mode = v->mode;
    c->phase = v->phase;
    c->status = v->status;
    c->left = v->left;
    c->low = v->low;
    c->high = v->high;
    for (unsigned i = 0; i < VMM_CFI_BUFFER / 4; i++)
        c->buffer[i] = v->buffer[i];
    vmm_unlock(&c->mmio.lock);
    return true;
}
