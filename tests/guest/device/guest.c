/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Loads and stores of every size to emulated devices, and accesses that must not reach a device. */
#include "guest.h"

#include "../device/device.h"

static volatile unsigned taken;
static volatile uint64_t at_esr, at_far;

static void on_sync(struct guest_regs *regs, uint64_t esr, uint64_t far)
{
    taken++;
    at_esr = esr;
    at_far = far;
    if (esr >> 26 == 0x21)
        regs->elr = regs->x[30];
    else
        regs->elr += 4;
}

static uint64_t ask(unsigned what, unsigned device)
{
    return guest_hvc(CALL_ASK, what, device, 0, NULL);
}

#define LOAD(instruction, va)                                                                                          \
    ({                                                                                                                 \
        uint64_t x_ = ~0x5aul;                                                                                         \
        __asm__ volatile(instruction : "+&r"(x_) : "r"(va) : "memory");                                                \
        x_;                                                                                                            \
    })
#define STORE(instruction, va, x) __asm__ volatile(instruction ::"r"((uint64_t)(x)), "r"(va) : "memory")

static bool external_abort(uint64_t va, bool write)
{
    return taken == 1 && at_esr >> 26 == 0x25 && (at_esr & 0x3f) == 0x10 && (at_esr >> 6 & 1) == write && at_far == va;
}

static void every_size(unsigned n)
{
    uint64_t at = DEVICE(n);

    STORE("str %0, [%1]", at, 0xf0e1d2c3b4a59687);
    guest_ok(ask(ASK_SIZE, n) == 8 && ask(ASK_VALUE, n) == 0xf0e1d2c3b4a59687, "device %u: store of 8 bytes", n);
    guest_ok(LOAD("ldr %0, [%1]", at) == 0xf0e1d2c3b4a59687 && ask(ASK_SIZE, n) == 8, "load of 8");
    guest_ok(LOAD("ldr %w0, [%1]", at + 4) == 0xf0e1d2c3 && ask(ASK_SIZE, n) == 4, "load of 4");
    guest_ok(LOAD("ldrh %w0, [%1]", at + 2) == 0xb4a5 && ask(ASK_SIZE, n) == 2, "load of 2");
    guest_ok(LOAD("ldrb %w0, [%1]", at + 1) == 0x96 && ask(ASK_SIZE, n) == 1, "load of 1");
    guest_ok(LOAD("ldrsw %0, [%1]", at + 4) == 0xfffffffff0e1d2c3, "load of 4, sign-extended");
    guest_ok(LOAD("ldrsh %0, [%1]", at + 2) == 0xffffffffffffb4a5, "load of 2, sign-extended to 8");
    guest_ok(LOAD("ldrsh %w0, [%1]", at + 2) == 0xffffb4a5, "load of 2, sign-extended to 4");
    guest_ok(LOAD("ldrsb %0, [%1]", at) == 0xffffffffffffff87, "load of 1, sign-extended to 8");
    guest_ok(LOAD("ldrsb %w0, [%1]", at) == 0xffffff87, "load of 1, sign-extended to 4");
    STORE("strb %w0, [%1]", at + 3, 0x1fe);
    guest_ok(ask(ASK_SIZE, n) == 1 && ask(ASK_VALUE, n) == 0xfe, "store of 1");
    STORE("strh %w0, [%1]", at + 4, 0x12345);
    guest_ok(ask(ASK_SIZE, n) == 2 && ask(ASK_VALUE, n) == 0x2345, "store of 2");
    STORE("str %w0, [%1]", at + 8, 0x1ffffffffe);
    guest_ok(ask(ASK_SIZE, n) == 4 && ask(ASK_VALUE, n) == 0xfffffffe, "store of 4");
    guest_ok(LOAD("ldr %0, [%1]", at) == 0xf0e12345fea59687, "what was stored, together");
    __asm__ volatile("str xzr, [%0]; ldr xzr, [%0]" ::"r"(at) : "memory");
    guest_ok(ask(ASK_VALUE, n) == 0 && LOAD("ldr %0, [%1]", at) == 0, "store and load of XZR");
    STORE("stlr %w0, [%1]", at, 0x77);
    guest_ok(LOAD("ldar %w0, [%1]", at) == 0x77, "store with release, load with acquire");
}

/* The result must go to whichever register the instruction names. */
static void every_register(void)
{
    static uint64_t x[8];

    STORE("str %0, [%1]", DEVICE(0), 0x1234567);
    __asm__ volatile(
        "ldr w9, [%0]; ldr w15, [%0]; ldr w16, [%0]; ldr w18, [%0]; ldr w19, [%0]; ldr w28, [%0]; ldr w30, [%0]\n"
        "stp x9, x15, [%1]; stp x16, x18, [%1, #16]; stp x19, x28, [%1, #32]; str x30, [%1, #48]" ::"r"(DEVICE(0)),
        "r"(x)
        : "x9", "x15", "x16", "x18", "x19", "x28", "x30", "memory");
    for (unsigned n = 0; n < 7; n++)
        if (x[n] != 0x1234567) {
            guest_ok(false, "every register can be loaded: number %u got %lx", n, x[n]);
            return;
        }
    guest_ok(true, "every register can be loaded");
}

static void apart(void)
{
    STORE("str %0, [%1]", DEVICE(0), 10);
    STORE("str %0, [%1]", DEVICE(1), 11);
    STORE("str %0, [%1]", DEVICE(2), 12);
    guest_ok(LOAD("ldr %0, [%1]", DEVICE(0)) == 10 && LOAD("ldr %0, [%1]", DEVICE(1)) == 11 &&
                 LOAD("ldr %0, [%1]", DEVICE(2)) == 12,
             "each device has its own context");
    guest_ok(LOAD("ldrb %w0, [%1]", DEVICE(1) - 16) == 10 && LOAD("ldrb %w0, [%1]", DEVICE(1) - 1) == 0,
             "up to its last byte");
    guest_ok(ask(ASK_EXITS, 0) == ask(ASK_READS, 2) + ask(ASK_WRITES, 2), "of which the VMM saw one's alone (%lu)",
             ask(ASK_EXITS, 0));
}

/* An access without a decoded syndrome gets an external abort, and the host counts it. */
static void not_decoded(void)
{
    uint64_t reads = ask(ASK_READS, 0), writes = ask(ASK_WRITES, 0), before = ask(ASK_NOT_DECODED, 0);
    uint64_t exits = ask(ASK_STAGE2, 0), at = DEVICE(0), back = at;

    taken = 0;
    __asm__ volatile("ldp x9, x10, [%0]" ::"r"(at) : "x9", "x10", "memory");
    guest_ok(external_abort(at, false), "a load of a pair from a device is an external abort");
    taken = 0;
    __asm__ volatile("stp xzr, xzr, [%0]" ::"r"(at) : "memory");
    guest_ok(external_abort(at, true), "so is a store of one");
    taken = 0;
    __asm__ volatile("ldr w9, [%0], #4" : "+r"(back)::"x9", "memory");
    guest_ok(external_abort(at, false) && back == at, "and one with write-back, which has not been written");
    guest_ok(ask(ASK_READS, 0) == reads && ask(ASK_WRITES, 0) == writes, "the device saw none of them");
    guest_ok(ask(ASK_NOT_DECODED, 0) == before + 3 && ask(ASK_STAGE2, 0) == exits + 3,
             "they were counted, and the VMM asked");
    taken = 0;
    LOAD("ldr %w0, [%1]", DEVICE_GAP);
    guest_ok(external_abort(DEVICE_GAP, false), "behind the devices there is nothing");
}

/* An access that the memory permits never traps, even if a claim covers it. */
static void over_memory(void)
{
    guest_ok(LOAD("ldr %0, [%1]", MEMORY_RW) == PATTERN && LOAD("ldr %0, [%1]", MEMORY_RO) == PATTERN,
             "loads from claimed memory are loads from memory");
    STORE("str %0, [%1]", MEMORY_RW, 1);
    guest_ok(LOAD("ldr %0, [%1]", MEMORY_RW) == 1 && ask(ASK_READS, 3) == 0 && ask(ASK_WRITES, 3) == 0,
             "so are stores, and the claim sees none of it");
    STORE("str %0, [%1]", MEMORY_RO, 2);
    guest_ok(ask(ASK_WRITES, 3) == 1 && ask(ASK_VALUE, 3) == 2 && LOAD("ldr %0, [%1]", MEMORY_RO) == PATTERN,
             "stores to read-only memory are the claim's: flash");
    taken = 0;
    ((void (*)(void))MEMORY_RO)();
    guest_ok(taken == 1 && at_esr >> 26 == 0x21 && (at_esr & 0x3f) == 0x10 && at_far == MEMORY_RO &&
                 ask(ASK_READS, 3) == 0 && ask(ASK_WRITES, 3) == 1,
             "a fetch is no claim's");
}

static void over_the_gic(void)
{
    volatile uint32_t *gicd = (volatile uint32_t *)GUEST_DIST;

    guest_ok(*(volatile uint32_t *)BELOW_GICD == 0xb0, "a claim that begins below the distributor");
    guest_ok(gicd[2] == OUR_IIDR, "has a register of it");
    guest_ok((gicd[1] & 0x1f) == 2, "and passes others: GICD_TYPER is the vGIC's (%x)", gicd[1]);
    guest_gic_init();
    gicd[0x104 / 4] = 0x80;
    guest_ok(gicd[0x104 / 4] == 0x80, "which is as good as without the claim");
}

int guest_main(unsigned cpu)
{
    guest_on_sync = on_sync;
    for (unsigned n = 0; n < DEVICES; n++)
        every_size(n);
    every_register();
    apart();
    not_decoded();
    over_memory();
    over_the_gic();
    guest_plan();
    return 0;
}
