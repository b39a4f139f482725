/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * A 16550 on a PCI card. The log goes there on a board with one PL011, which is the guest's. QEMU's virt machine has no
 * second PL011 before version 9.1, but takes such a card (-device pci-serial).
 *
 * This has only what that takes: a walk over the functions in bus 0's configuration space (PCI Local Bus 3.0, chapter
 * 6; memory mapped as in PCI Express Base 2.0, 7.2.2), one I/O BAR, and output by polling. Nothing else here uses PCI,
 * and guests cannot reach it.
 */
#include "board/board.h"
#include "board/mmio.h"
#include "boot/boot.h"
#include "boot/cpu.h"

/* Configuration space, as 32-bit words. */
#define PCI_ID          0x00 /* vendor in the lower half; 0xffff: nothing there */
#define PCI_COMMAND     0x04
#define PCI_CLASS       0x08 /* class, subclass, interface, revision */
#define PCI_HEADER_TYPE 0x0c /* in bits 23:16 */
#define PCI_BAR0        0x10

#define COMMAND_IO        0x1u
#define CLASS_SERIAL      0x0700u
#define INTERFACE_16550   2u /* interfaces above it are successors, which start as one */
#define HEADER_TYPE(word) ((word) >> 16 & 0x7f)
#define HEADER_MULTI      (1u << 23)
#define BAR_IO            0x1u

#define NR_FUNCTIONS  256u    /* of a bus: 32 devices of 8 */
#define FUNCTION_SIZE 0x1000u /* of configuration space */

/* The BAR's value: any multiple of 256, the most that an I/O BAR may decode. It is not 0, which some cards take for
   "not given yet". */
#define IO_PORT 0x1000u
#define IO_SIZE 0x100u

/* The 16550's registers (PC16550D data sheet). DLL and DLM are there while LCR_DLAB is set. */
#define THR 0
#define DLL 0
#define IER 1
#define DLM 1
#define FCR 2
#define LCR 3
#define MCR 4
#define LSR 5

#define FCR_ENABLE_CLEAR 0x07u
#define LCR_WLEN8        0x03u
#define LCR_DLAB         0x80u
#define MCR_DTR_RTS      0x03u
#define LSR_THRE         0x20u
#define LSR_TEMT         0x40u

static uint64_t base; /* of the 16550's registers */

static bool is_serial(uint64_t function)
{
    uint32_t class = mmio_read32(function + PCI_CLASS);

    return class >> 16 == CLASS_SERIAL && (class >> 8 & 0xff) >= INTERFACE_16550 &&
           HEADER_TYPE(mmio_read32(function + PCI_HEADER_TYPE)) == 0 && mmio_read32(function + PCI_BAR0) & BAR_IO;
}

/* Returns the configuration space of the first such device, or 0. */
static uint64_t find(uint64_t bus)
{
    for (unsigned n = 0; n < NR_FUNCTIONS; n++) {
        uint64_t function = bus + n * FUNCTION_SIZE;
        bool present = (mmio_read32(function + PCI_ID) & 0xffff) != 0xffff;

        if (present && is_serial(function))
            return function;
        /* A device with one function need not look at the number, and may answer to all eight. */
        if (n % 8 == 0 && !(present && mmio_read32(function + PCI_HEADER_TYPE) & HEADER_MULTI))
            n += 7;
    }
    return 0;
}

static void set_up(void)
{
    mmio_write8(base + IER, 0);
    /* 115200 baud with the usual clock of 1.8432 MHz. Firmware that did not look at the card has chosen nothing. */
    mmio_write8(base + LCR, LCR_DLAB | LCR_WLEN8);
    mmio_write8(base + DLL, 1);
    mmio_write8(base + DLM, 0);
    mmio_write8(base + LCR, LCR_WLEN8);
    mmio_write8(base + FCR, FCR_ENABLE_CLEAR);
    mmio_write8(base + MCR, MCR_DTR_RTS);
}

bool vmm_pci_serial_init(void)
{
    const struct vmm_pci *pci = &vmm_board.pci;
    uint64_t function;

    /* The window must contain the port that the BAR gets. */
    if (pci->ecam.size < NR_FUNCTIONS * FUNCTION_SIZE || pci->io_port > IO_PORT ||
        pci->io.size < IO_PORT - pci->io_port + IO_SIZE)
        return false;
    vmm_map(pci->ecam.base, NR_FUNCTIONS * FUNCTION_SIZE, VMM_MAP_DEVICE);
    function = find(pci->ecam.base);
    if (!function)
        return false;
    base = pci->io.base + (IO_PORT - pci->io_port);
    vmm_map(base, IO_SIZE, VMM_MAP_DEVICE);
    mmio_write32(function + PCI_BAR0, IO_PORT);
    /* The upper half is the status register. Writing 1 to a bit of it clears the bit. */
    mmio_write32(function + PCI_COMMAND, (mmio_read32(function + PCI_COMMAND) & 0xffff) | COMMAND_IO);
    /* For the CPU these are two devices, and Device memory keeps no order between two. The card decodes its port
       once a read from configuration space has come back. */
    (void)mmio_read32(function + PCI_COMMAND);
    vmm_dsb_sy();
    set_up();
    return true;
}

/* As for a PL011: a device that is broken, or held up, is not waited for. */
#define PATIENCE_MS 2
#define DRAIN_MS    1000

static bool has(uint8_t bit)
{
    return mmio_read8(base + LSR) & bit;
}

static bool wait(uint8_t bit, uint64_t ms)
{
    uint64_t end;

    if (has(bit))
        return true;
    end = vmm_time_now() + vmm_time_from_ms(ms);
    while (!has(bit)) {
        if (vmm_time_now() >= end)
            return false;
        vmm_cpu_relax();
    }
    return true;
}

void vmm_pci_serial_write(const char *s, size_t n)
{
    static bool stuck;

    while (n--) {
        stuck = !wait(LSR_THRE, stuck ? 0 : PATIENCE_MS);
        if (stuck)
            return;
        mmio_write8(base + THR, (uint8_t)*s++);
    }
}

size_t vmm_pci_serial_try(const char *s, size_t n)
{
    size_t done = 0;

    for (; done < n && (!s[done] || has(LSR_THRE)); done++)
        if (s[done])
            mmio_write8(base + THR, (uint8_t)s[done]);
    return done;
}

void vmm_pci_serial_drain(void)
{
    wait(LSR_TEMT, DRAIN_MS);
}
