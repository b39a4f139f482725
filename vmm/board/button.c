/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The board's power button, a pin of a PL061 (DDI 0190): QEMU presses it for `system_powerdown`. */
#include "board/board.h"
#include "board/mmio.h"
#include "boot/boot.h"
#include "vmm.h"

enum { IBE = 0x408, IE = 0x410, IC = 0x41C };

static void (*changed)(void *ctx, bool down);
static void *changed_ctx;

static void look(void *ctx)
{
    const struct vmm_button *b = &vmm_board.button;
    uint32_t pin = 1u << b->pin;

    (void)ctx;
    mmio_write32(b->base + IC, pin); /* before the level is read: a later edge interrupts again */
    changed(changed_ctx, mmio_read32(b->base + 4 * pin) != 0);
}

void vmm_button_init(void (*fn)(void *ctx, bool down), void *ctx)
{
    const struct vmm_button *b = &vmm_board.button;

    if (!b->base)
        return;
    changed = fn;
    changed_ctx = ctx;
    vmm_map(b->base, VMM_PAGE_SIZE, VMM_MAP_DEVICE);
    mmio_write32(b->base + IBE, 1u << b->pin);
    mmio_write32(b->base + IE, 1u << b->pin);
    vmm_irq_register(b->intid, look, NULL);
}
