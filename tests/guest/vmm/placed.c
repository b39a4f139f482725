/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * A program such as RTOSes and test suites for QEMU's virt machine are: an ELF file or a raw one, linked at the start
 * of memory or 512 KiB above it, entered at EL1 with the device tree in X0. It looks for the device tree at the start
 * of memory and above itself as well.
 */
#include "guest.h"

#define MEMORY    0x40000000ul
#define MIB2      (2ul << 20)
#define FDT_MAGIC 0xd00dfeedu /* big-endian; Devicetree Specification, 5.2 */
#define SCTLR_M   1u
#define EL1       (1u << 2) /* CurrentEL */

extern const char _start[], image_end[];
void placed_main(const uint32_t *dtb);

static volatile uint32_t data[2] = { 0x600d1dea, 0x12345678 };
static volatile uint8_t zeros[0x3000];

static bool is_tree(uint64_t at)
{
    return __builtin_bswap32(*(const volatile uint32_t *)at) == FDT_MAGIC;
}

static bool all_zero(void)
{
    for (unsigned i = 0; i < sizeof(zeros); i++)
        if (zeros[i])
            return false;
    return true;
}

void placed_main(const uint32_t *dtb)
{
    uint64_t start = (uint64_t)_start, above = ((uint64_t)image_end + MIB2 - 1) & -MIB2, here;

    __asm__("adr %0, _start" : "=r"(here));
    guest_ok(here == start, "it is where it was linked, at %lx: %lx", start, here);
    guest_ok(READ("currentel") == EL1, "it is at EL1");
    guest_ok(!(READ("sctlr_el1") & SCTLR_M), "the MMU is off");
    guest_ok(data[0] == 0x600d1dea && data[1] == 0x12345678, "its data were loaded");
    guest_ok(all_zero(), "what the file does not have is zero");
    guest_ok(is_tree((uint64_t)dtb), "X0 is a device tree: %lx", (uint64_t)dtb);
    if (start == MEMORY) {
        guest_ok((uint64_t)dtb == above, "it is above the program, at %lx", above);
    } else {
        guest_ok((uint64_t)dtb == MEMORY, "it is at the start of memory");
        guest_ok(is_tree(above), "there is one above the program, at %lx", above);
    }
    guest_plan();
}
