/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The devices that firmware uses, under any accesses of any width: a bank of flash on a host that may be slow or fail,
 * the configuration device, the GPIO. What must hold after each: a guest has the array mapped only while it reads as
 * one; nothing but an erasure sets a bit of the array, and nothing changes it that was not begun; DMA touches what was
 * asked for, and nothing else; the GPIO's line is what MIS says; a state that is told is taken.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dev/cfi.h"
#include "dev/fwcfg.h"
#include "dev/pl061.h"
#include "input.h"

#define FLASH  UINT64_C(0x04000000)
#define SIZE   (2 * VMM_CFI_BLOCK)
#define FWCFG  UINT64_C(0x09020000)
#define GPIO   UINT64_C(0x09030000)
#define MEMORY UINT64_C(0x40000000)
#define BYTES  4096u

static void must(int ok, const char *what, uint64_t a, uint64_t b)
{
    if (ok)
        return;
    fprintf(stderr, "firmware: %s: %#llx, %#llx\n", what, (unsigned long long)a, (unsigned long long)b);
    abort();
}

static struct vmm_cfi cfi;
static struct vmm_fwcfg cfg;
static struct vmm_pl061 gpio;

static void look(void)
{
}

/* ---- the flash's host ---- */

static uint32_t array[SIZE / 4];
static uint32_t touched[2]; /* words of the array that may differ from ones: from, to */
static struct {
    bool mapped, slow, fails, running, line;
    uint32_t offset, bytes, polls;
    const uint32_t *data;
} host;

static uint32_t read(void *ctx, uint32_t offset)
{
    (void)ctx;
    must(offset < SIZE && offset % 4 == 0, "a read of the array", offset, 0);
    must(!host.running, "a read in an operation", offset, 0);
    return array[offset / 4];
}

static enum vmm_cfi_result finish(void)
{
    host.running = false;
    if (host.fails)
        return VMM_CFI_FAILED;
    if (!host.data) {
        memset(&array[host.offset / 4], 0xFF, VMM_CFI_BLOCK);
        return VMM_CFI_DONE;
    }
    memcpy(&array[host.offset / 4], host.data, host.bytes);
    touched[0] = host.offset / 4 < touched[0] ? host.offset / 4 : touched[0];
    touched[1] = (host.offset + host.bytes) / 4 > touched[1] ? (host.offset + host.bytes) / 4 : touched[1];
    return VMM_CFI_DONE;
}

static enum vmm_cfi_result start(uint32_t offset, const uint32_t *data, uint32_t bytes)
{
    must(!host.running, "two operations", offset, host.offset);
    must(!host.mapped, "an operation on what is mapped", offset, 0);
    must(bytes && offset % 4 == 0 && bytes % 4 == 0 && offset <= SIZE && bytes <= SIZE - offset, "a range", offset,
         bytes);
    for (uint32_t i = 0; data && i < bytes / 4; i++)
        must(!(data[i] & ~array[offset / 4 + i]), "a bit is set", data[i], array[offset / 4 + i]);
    host.offset = offset;
    host.data = data;
    host.bytes = bytes;
    host.running = true;
    host.polls = 1100;
    return host.slow ? VMM_CFI_BUSY : finish();
}

static enum vmm_cfi_result program(void *ctx, uint32_t offset, const uint32_t *data, uint32_t bytes, void (*fn)(void))
{
    (void)ctx;
    (void)fn;
    return start(offset, data, bytes);
}

static enum vmm_cfi_result erase(void *ctx, uint32_t offset, void (*fn)(void))
{
    (void)ctx;
    (void)fn;
    must(offset % VMM_CFI_BLOCK == 0, "a block", offset, 0);
    return start(offset, NULL, VMM_CFI_BLOCK);
}

static enum vmm_cfi_result poll(void *ctx)
{
    (void)ctx;
    must(host.running, "a poll of nothing", 0, 0);
    return --host.polls ? VMM_CFI_BUSY : finish();
}

static bool map(void *ctx, uint32_t offset, bool fetch)
{
    (void)ctx;
    must(offset < SIZE && !host.running, "a map", offset, host.running);
    host.mapped |= !fetch;
    return !fetch;
}

static void unmap(void *ctx)
{
    (void)ctx;
    must(host.mapped, "an unmap of nothing", 0, 0);
    host.mapped = false;
}

/* ---- the configuration device's host ---- */

static uint8_t memory[BYTES], before[BYTES];
static uint64_t allowed_at, request_at;
static uint32_t allowed;

static bool in_memory(uint64_t at, uint32_t bytes)
{
    return at >= MEMORY && at - MEMORY <= BYTES && bytes <= BYTES - (at - MEMORY);
}

static bool dma_load(void *ctx, uint64_t from, void *to, uint32_t bytes, void (*fn)(void))
{
    (void)ctx;
    (void)fn;
    must(from == request_at && bytes == 16, "a load", from, bytes);
    if (!in_memory(from, bytes))
        return false;
    memcpy(to, memory + (from - MEMORY), bytes);
    return true;
}

static bool dma_store(void *ctx, uint64_t to, const void *from, uint32_t bytes, void (*fn)(void))
{
    (void)ctx;
    (void)fn;
    must((to == request_at && bytes == 4) || (to - allowed_at <= allowed && bytes <= allowed - (to - allowed_at)),
         "a store", to, bytes);
    if (!in_memory(to, bytes))
        return false;
    if (from)
        memcpy(memory + (to - MEMORY), from, bytes);
    else
        memset(memory + (to - MEMORY), 0, bytes);
    return true;
}

static void line(void *ctx, bool level)
{
    (void)ctx;
    must(host.line != level, "a line that does not change is told", level, 0);
    host.line = level;
}

/* ---- the guest ---- */

static uint64_t flash_access(uint64_t offset, unsigned size, bool write, uint64_t value)
{
    for (unsigned tries = 0;; tries++) {
        struct avc_exit e = {
            .kind = AVC_MMIO, .key = FLASH + offset, .size = (uint8_t)size, .write = write, .value = value
        };

        must(tries < 2, "an access that does not end", offset, size);
        if (!write && host.mapped && offset + size <= SIZE) {
            memcpy(&e.value, (uint8_t *)array + offset, size);
            return e.value;
        }
        if (!write && host.mapped) /* its tail reaches out of the bank */
            return 0;
        if (vmm_cfi_access(NULL, &e, &cfi) == AVC_EXIT)
            must(vmm_cfi_exit(&cfi, &e, look), "an exit", offset, size);
        if (e.answer == AVC_DONE)
            return e.value;
        must(e.answer == AVC_RETRY, "the answer", e.answer, 0);
    }
}

static void flash(uint8_t what)
{
    static const uint8_t commands[] = { 0xFF, 0x40, 0x20, 0xD0, 0xE8, 0x70, 0x50, 0x98, 0x90, 0x60, 0x10, 0xF0 };
    unsigned size = what & 0x10 ? 4 : 1u << (what >> 6);
    uint64_t offset = take_bytes(3) % SIZE;
    bool write = what & 0x20;
    uint64_t value = 0;

    if (what & 0x10)
        offset &= ~UINT64_C(3);
    if (write && what & 0x40 && what & 0x10)
        value = commands[byte() % sizeof(commands)];
    else if (write)
        value = take_bytes(size);
    value = flash_access(offset, size, write, value);
    must(size == 8 || write || !(value >> 8 * size), "a load is too wide", value, size);
}

static void other_exit(void)
{
    uint8_t what = byte();
    struct avc_exit e = { .kind = AVC_STAGE2,
                          .key = FLASH + take_bytes(3) % SIZE,
                          .fetch = what & 1,
                          .write = what & 2,
                          .answer = AVC_FAULT };
    bool good = vmm_cfi_exit(&cfi, &e, look);

    must(good == (e.answer == AVC_RETRY), "an exit's answer", good, e.answer);
}

static void config(uint8_t what)
{
    unsigned size = 1u << (what >> 6);
    uint64_t at = what & 0x10 ? (uint64_t[]){ 0, 8, 16, 20 }[byte() & 3] : byte() % VMM_FWCFG_SIZE;
    struct avc_exit e = { .kind = AVC_MMIO, .key = FWCFG + at, .size = (uint8_t)size, .write = what & 0x20 };

    if (e.write)
        e.value = what & 8 && at == 8 ? (uint64_t)byte() << 8 : take_bytes(size);
    if (vmm_fwcfg_access(NULL, &e, &cfg) != AVC_EXIT) {
        must(e.answer == AVC_DONE, "the configuration's answer", e.answer, 0);
        return;
    }
    /* It goes wherever the guest has said: nothing is allowed, unless the request is in memory. */
    request_at =
        size == 8 ? __builtin_bswap64(e.value) : (uint64_t)cfg.dma_high << 32 | __builtin_bswap32((uint32_t)e.value);
    allowed = 0;
    if (in_memory(request_at, 16)) {
        memcpy(&allowed, memory + (request_at - MEMORY) + 4, 4);
        memcpy(&allowed_at, memory + (request_at - MEMORY) + 8, 8);
        allowed = __builtin_bswap32(allowed);
        allowed_at = __builtin_bswap64(allowed_at);
    }
    must(vmm_fwcfg_exit(&cfg, &e, look) && e.answer == AVC_DONE, "a transfer", request_at, 0);
}

/* A request as drivers make them, with any values. */
static void transfer(void)
{
    uint32_t at = byte() * 8u, control = __builtin_bswap32((byte() & 0x1F) | (uint32_t)byte() << 16);
    uint32_t length = __builtin_bswap32((uint32_t)take_bytes(2));
    uint64_t address = __builtin_bswap64(MEMORY - 64 + take_bytes(2) % (BYTES + 128));
    struct avc_exit e = { .kind = AVC_MMIO, .key = FWCFG + 16, .size = 8, .write = true };
    uint32_t result;

    memcpy(memory + at, &control, 4);
    memcpy(memory + at + 4, &length, 4);
    memcpy(memory + at + 8, &address, 8);
    memcpy(before, memory, BYTES);
    request_at = MEMORY + at;
    allowed_at = __builtin_bswap64(address);
    allowed = __builtin_bswap32(length);
    e.value = __builtin_bswap64(request_at);
    must(vmm_fwcfg_access(NULL, &e, &cfg) == AVC_EXIT && vmm_fwcfg_exit(&cfg, &e, look), "a transfer", at, 0);
    memcpy(&result, memory + at, 4);
    must(!(result & ~0x01000000u), "a transfer's result", result, 0);
    if (!(control & 0x02000000))
        must(!memcmp(before + at + 4, memory + at + 4, BYTES - at - 4), "no read, and memory has changed", at, 0);
}

static void pins(uint8_t what)
{
    struct avc_exit e = { .kind = AVC_MMIO, .size = 4, .write = what & 0x20 };

    if (what & 0x10) {
        vmm_pl061_pin(&gpio, what >> 5 & 7, byte() & 1);
        return;
    }
    e.key = GPIO + (what & 0x40 ? UINT64_C(0x400) + (byte() & 0x3F) : take_bytes(2) & 0xFFF);
    e.size = what & 0x40 ? 4 : (uint8_t)(1u << (what >> 6));
    e.value = take_bytes(1);
    must(vmm_mmio_access(NULL, &e, &gpio) == AVC_DONE, "the GPIO's answer", e.key, e.answer);
}

static uint32_t gpio_load(uint32_t offset)
{
    struct avc_exit e = { .kind = AVC_MMIO, .key = GPIO + offset, .size = 4 };

    (void)vmm_mmio_access(NULL, &e, &gpio);
    return (uint32_t)e.value;
}

/* ---- what must hold ---- */

static void check(void)
{
    must(!host.mapped || (cfi.mode == VMM_CFI_ARRAY && !cfi.busy), "mapped, and no array", cfi.mode, cfi.busy);
    must(cfi.mapped == host.mapped, "the map", cfi.mapped, host.mapped);
    must(cfi.busy == host.running, "busy", cfi.busy, host.running);
    must(cfi.busy == !(cfi.status & 0x80), "the status", cfi.status, cfi.busy);
    must(gpio_load(0x418) == (gpio_load(0x414) & gpio_load(0x410)), "MIS", gpio_load(0x418), 0);
    must(host.line == (gpio_load(0x418) != 0), "the GPIO's line", host.line, gpio_load(0x418));
}

static void save(void)
{
    static struct vmm_cfi_values c;
    struct vmm_fwcfg_values f;
    struct vmm_pl061_values g;

    vmm_cfi_get(&cfi, &c, look);
    must(vmm_cfi_set(&cfi, &c, look), "the bank refuses its own state", c.mode, c.phase);
    vmm_fwcfg_get(&cfg, &f);
    must(vmm_fwcfg_set(&cfg, &f), "the configuration refuses its own state", f.key, 0);
    vmm_pl061_get(&gpio, &g);
    must(vmm_pl061_set(&gpio, &g), "the GPIO refuses its own state", g.edges, g.is);
}

static void prepare(void)
{
    static const struct vmm_cfi_host ops = { read, program, erase, poll, map, unmap, NULL };
    static const struct vmm_fwcfg_host dma = { dma_load, dma_store, NULL };

    if (!touched[1]) /* at first, all of it */
        touched[1] = SIZE / 4;
    if (touched[0] < touched[1])
        memset(&array[touched[0]], 0xFF, 4 * (touched[1] - touched[0]));
    touched[0] = SIZE / 4;
    touched[1] = 1;
    memset(&host, 0, sizeof(host));
    memset(memory, 0x55, BYTES);
    vmm_cfi_init(&cfi, FLASH, SIZE, &ops);
    vmm_fwcfg_init(&cfg, FWCFG, &dma);
    (void)vmm_fwcfg_add_number(&cfg, VMM_FWCFG_NB_CPUS, 4, 2);
    (void)vmm_fwcfg_add(&cfg, VMM_FWCFG_KERNEL_DATA, array, 1000);
    (void)vmm_fwcfg_add_file(&cfg, "etc/file", "content", 7);
    vmm_pl061_init(&gpio, GPIO);
    gpio.mmio.irq = line;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input_is(data, size);
    prepare();
    host.slow = byte() & 1;
    for (unsigned n = 0; n < 300 && input_left; n++) {
        uint8_t what = byte();

        switch (what & 7) {
        case 0:
            config(what);
            break;
        case 1:
            transfer();
            break;
        case 2:
            pins(what);
            break;
        case 3:
            if (what == 0xFB) {
                vmm_cfi_reset(&cfi, look);
                vmm_fwcfg_reset(&cfg);
                vmm_pl061_reset(&gpio);
            } else if (what & 0x80) {
                save();
            } else {
                other_exit();
            }
            host.fails = (what & 0x78) == 0x78;
            break;
        default:
            flash(what);
        }
        check();
    }
    vmm_cfi_reset(&cfi, look); /* ends what is in progress */
    return 0;
}
