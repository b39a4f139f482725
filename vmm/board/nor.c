/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * A bank of the board's NOR flash, which keeps what a guest stores: two x16 chips on a bus of 32 bits, with Intel's
 * command set (JESD68; Intel StrataFlash P30, 320002). Both chips get each command at the same time.
 *
 * No function waits. An operation is a sequence of commands to the chips, and each poll gives the next one when the
 * chips are ready. Between operations the bank reads as an array.
 */
#include "board/board.h"
#include "board/mmio.h"
#include "boot/boot.h"
#include "boot/cpu.h"

#define BOTH(x) ((uint32_t)(x) | (uint32_t)(x) << 16)

#define CMD_ARRAY   BOTH(0xFF)
#define CMD_PROGRAM BOTH(0x40)
#define CMD_ERASE   BOTH(0x20)
#define CMD_CONFIRM BOTH(0xD0)
#define CMD_CLEAR   BOTH(0x50)
#define CMD_QUERY   BOTH(0x98)

#define READY  BOTH(0x80)
#define ERRORS BOTH(0x3A) /* erase, program, voltage, lock */

static void command(const struct vmm_nor *nor, uint32_t offset, uint32_t value)
{
    mmio_write32(nor->base + offset, value);
}

uint32_t vmm_nor_read(const struct vmm_nor *nor, uint32_t offset)
{
    return mmio_read32(nor->base + offset);
}

static uint32_t query(const struct vmm_nor *nor, uint32_t index)
{
    return vmm_nor_read(nor, 4 * index);
}

/* A chip's erase blocks are all of one size, in units of 256 bytes. */
const char *vmm_nor_init(struct vmm_nor *nor, const struct vmm_range *range)
{
    bool answers, fits;

    *nor = (struct vmm_nor){ .base = range->base, .size = range->size };
    vmm_map(range->base, range->size, VMM_MAP_DEVICE);
    command(nor, 0, CMD_ARRAY);
    command(nor, 4 * 0x55, CMD_QUERY);
    answers = query(nor, 0x10) == BOTH('Q') && query(nor, 0x11) == BOTH('R') && query(nor, 0x12) == BOTH('Y') &&
              query(nor, 0x13) == BOTH(1);
    fits = query(nor, 0x2C) == BOTH(1);
    nor->block = (query(nor, 0x2F) & 0xFF) * 512 + (query(nor, 0x30) & 0xFF) * 512 * 256;
    command(nor, 0, CMD_ARRAY);
    vmm_dsb_sy();
    if (!answers)
        return "the board's second flash bank is not two chips with Intel's command set";
    return fits && nor->block ? NULL : "the board's second flash bank has erase blocks of several sizes";
}

/* Gives the command for what is left. */
static void next(struct vmm_nor *nor)
{
    bool erase = !nor->data;

    command(nor, nor->offset, erase ? CMD_ERASE : CMD_PROGRAM);
    command(nor, nor->offset, erase ? CMD_CONFIRM : *nor->data++);
    nor->offset += erase ? nor->block : 4;
    nor->left -= erase ? nor->block : 4;
}

/* The guest reads the array afterwards by another mapping, on any CPU: the last command must have arrived by then. */
static enum vmm_nor_result end(struct vmm_nor *nor, enum vmm_nor_result result)
{
    command(nor, 0, CMD_CLEAR);
    command(nor, 0, CMD_ARRAY);
    vmm_dsb_sy();
    return result;
}

enum vmm_nor_result vmm_nor_poll(struct vmm_nor *nor)
{
    uint32_t status = vmm_nor_read(nor, nor->offset - 4);

    if ((status & READY) != READY)
        return VMM_NOR_BUSY;
    if (status & ERRORS)
        return end(nor, VMM_NOR_FAILED);
    if (!nor->left)
        return end(nor, VMM_NOR_DONE);
    next(nor);
    return VMM_NOR_BUSY;
}

static enum vmm_nor_result begin(struct vmm_nor *nor, uint32_t offset, const uint32_t *data, uint32_t bytes)
{
    nor->offset = offset;
    nor->data = data;
    nor->left = bytes;
    next(nor);
    return VMM_NOR_BUSY;
}

enum vmm_nor_result vmm_nor_program(struct vmm_nor *nor, uint32_t offset, const uint32_t *data, uint32_t bytes)
{
    return begin(nor, offset, data, bytes);
}

enum vmm_nor_result vmm_nor_erase(struct vmm_nor *nor, uint32_t offset, uint32_t bytes)
{
    return begin(nor, offset, NULL, bytes);
}
