/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The board: what the device tree says about it, and drivers for the little that a hypervisor needs. */
#ifndef VMM_BOARD_BOARD_H
#define VMM_BOARD_BOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kern/percpu.h"

#define VMM_MAX_RANGES   8
#define VMM_MAX_RESERVED 32
#define VMM_MAX_VIRTIO   32

struct vmm_range {
    uint64_t base, size; /* size 0: not there */
};

/** An image that the loader has put into memory (multiboot binding: /chosen/module@...). */
struct vmm_module {
    uint64_t base, size;  /* size 0: none was given */
    const char *bootargs; /* of this module, "" when none */
};

struct vmm_uart {
    uint64_t base; /* 0: not there */
    uint32_t intid;
};

/** A virtio-mmio transport (virtio 1.2, 4.2), with a device or without. */
struct vmm_transport {
    uint64_t base;
    uint32_t intid;
    bool edge;     /* its interrupt is an edge, and not a level */
    bool coherent; /* its device sees what is in the CPUs' caches */
    bool iommu;    /* its device's addresses go through an IOMMU */
};

/** A PCI host bridge whose bus 0 is in memory. */
struct vmm_pci {
    struct vmm_range ecam; /* its configuration space; size 0: there is no such bridge */
    struct vmm_range io;   /* I/O ports from io_port on, as the CPU addresses them */
    uint64_t io_port;
};

/** A bank of the board's NOR flash that is in use; see nor.c. */
struct vmm_nor {
    uint64_t base, size;
    uint32_t block; /* bytes of an erase block, of both chips */
    /* The operation that is in progress: */
    uint32_t offset, left;
    const uint32_t *data; /* NULL: it erases */
};

/** A power button. */
struct vmm_button {
    uint64_t base; /* of a PL061; 0: there is none */
    uint32_t intid;
    unsigned pin;
};

struct vmm_board {
    uint64_t fdt, fdt_size;
    const char *bootargs; /* "" when none */
    struct vmm_range memory[VMM_MAX_RANGES];
    unsigned nr_memory;
    struct vmm_range reserved[VMM_MAX_RESERVED]; /* from the device tree's reservations */
    unsigned nr_reserved;
    struct vmm_range no_map[VMM_MAX_RESERVED]; /* those of them that nobody may map */
    unsigned nr_no_map;
    struct vmm_module kernel, ramdisk;
    struct vmm_range firmware; /* of the guest's: from the hypervisor's options, and not from the device tree */
    struct vmm_range flash[2]; /* banks of NOR flash, two x16 chips each */
    struct vmm_uart guest_uart, log_uart; /* log_uart is missing when the board has only one */
    struct vmm_pci pci;
    struct vmm_button button;
    uint64_t rtc;                                /* a PL031; 0: none */
    struct vmm_transport virtio[VMM_MAX_VIRTIO]; /* by ascending addresses */
    unsigned nr_virtio;
    struct vmm_range gicd;
    struct vmm_range gicr[VMM_MAX_RANGES];
    unsigned nr_gicr;
    uint64_t gicr_stride; /* 0: as GICR_TYPER says */
    uint64_t mpidr[VMM_MAX_CPUS];
    unsigned nr_cpus, nr_cpus_seen; /* those that can be used, and those in the tree */
    bool psci, psci_hvc;            /* there is PSCI; its conduit is HVC, which EL2 cannot use */
};

/** Constant after boot. */
extern struct vmm_board vmm_board;

/** Reads the device tree. Panics if it cannot be used. */
void vmm_board_discover(uint64_t fdt);

/* ---- memory.c ---- */

/** Calls fn for each piece of a range of memory that is in none of the holes, in ascending order. Holes may overlap,
    and have any order. A page that is partly in a hole counts as a hole. */
void vmm_board_pieces(const struct vmm_range *range, const struct vmm_range *hole, unsigned nr,
                      void (*fn)(uint64_t base, uint64_t size));

/* ---- log_out.c ---- */

/** Writes the log. `write' polls the device, and gives up when that takes nothing for a while. The caller holds the
    log's lock. */
void vmm_log_out_init(void); /* the UARTs are mapped */
void vmm_log_out_write(const char *s, size_t n);
void vmm_log_out_start(void); /* interrupts can be used from now on */
/** Writes as many bytes as the device takes at once, but no zeros. Returns how many, zeros included. If it is not all,
    notify says whether the device will interrupt and call vmm_log_send() when it takes more. */
size_t vmm_log_out_try(const char *s, size_t n);
bool vmm_log_out_notify(void);
void vmm_log_out_last(const char *s, size_t n); /* nothing comes after it; returns when the device has sent it */

/* ---- pci_serial.c: one device that the log goes to ---- */

/** Looks for the device and maps it. Returns false if there is none: then the other functions must not be called. */
bool vmm_pci_serial_init(void);
void vmm_pci_serial_write(const char *s, size_t n);
size_t vmm_pci_serial_try(const char *s, size_t n);
void vmm_pci_serial_drain(void);

/* ---- pl011.c ---- */

/** Another device. Before init these use the early UART, for a panic before the device tree was read. */
void vmm_log_uart_init(const struct vmm_uart *uart);
void vmm_log_uart_write(const char *s, size_t n);
void vmm_log_uart_start(const struct vmm_uart *uart);
size_t vmm_log_uart_try(const char *s, size_t n);
bool vmm_log_uart_notify(void);
void vmm_log_uart_drain(void);

/**
 * The guest's console: the board's first UART. Output never waits. What finds no room in the FIFO waits in a queue of
 * 64 KiB, and is lost if there is no room either. For input, `ready` runs in interrupt context on the boot CPU when
 * bytes wait, and takes them with vmm_console_getc(). If it leaves bytes behind, no more such interrupts come until
 * vmm_console_rx_resume(), which the device model calls when it has room again. One
 * caller at a time puts bytes. The drain is for the machine's end.
 */
void vmm_console_init(void (*ready)(void *ctx), void *ctx);
void vmm_console_putc(uint8_t c);
int vmm_console_getc(void); /* -1: nothing waits */
void vmm_console_rx_resume(void);
void vmm_console_drain(void);

/* ---- rtc.c ---- */

/** Returns seconds since 1970 in UTC, or 0 when the board has no clock. */
uint64_t vmm_rtc_now(void);

/* ---- nor.c ---- */

enum vmm_nor_result { VMM_NOR_DONE, VMM_NOR_BUSY, VMM_NOR_FAILED };

/** Maps a bank and looks what it is. Returns NULL, or why it cannot be used. Before other CPUs run guests. */
const char *vmm_nor_init(struct vmm_nor *nor, const struct vmm_range *range);

/** One caller at a time. Offsets and sizes are multiples of 4, or of an erase block. `data` stays until the end. */
uint32_t vmm_nor_read(const struct vmm_nor *nor, uint32_t offset); /* while no operation is in progress */
enum vmm_nor_result vmm_nor_program(struct vmm_nor *nor, uint32_t offset, const uint32_t *data, uint32_t bytes);
enum vmm_nor_result vmm_nor_erase(struct vmm_nor *nor, uint32_t offset, uint32_t bytes);
/** Carries an operation on that was BUSY. Takes some 20 instructions. */
enum vmm_nor_result vmm_nor_poll(struct vmm_nor *nor);

/* ---- button.c ---- */

/** From now on `fn` is told when the power button goes down or up, in interrupt context on the boot CPU. */
void vmm_button_init(void (*fn)(void *ctx, bool down), void *ctx);

/* ---- gic.c ---- */

/* Software-generated interrupts between CPUs. */
#define VMM_SGI_POKE 0 /* the scheduler's */
#define VMM_SGI_STOP 1 /* stop for good: another CPU panics */
#define VMM_SGI_LOG  2 /* write more of the log; of the lowest priority */

/* Private interrupts that the library takes while a guest runs, by their usual numbers (BSA, Arm DEN0094). */
#define VMM_MAINTENANCE_INTID 25
#define VMM_VTIMER_INTID      27
#define VMM_PTIMER_INTID      30

#define VMM_INTID_SPURIOUS 1020 /* 1020..1023 are no interrupts (IHI 0069, 2.2.1) */

void vmm_gic_init(void);                    /* once: the distributor */
void vmm_gic_cpu_init(struct vmm_cpu *cpu); /* on the CPU itself */

/** Says whether a shared interrupt, which is disabled, is an edge or a level, and gives it the lower priority, of the
    interrupts that a guest can cause. Otherwise it is as the board's reset has left it, and of the higher one. */
void vmm_gic_configure(uint32_t intid, bool edge);

/** For private interrupts (SGI, PPI), of the calling CPU. Shared ones are routed to the boot CPU. */
void vmm_gic_enable(uint32_t intid);
void vmm_gic_disable(uint32_t intid);

/** Makes a private interrupt of the calling CPU pending. For the self-test. */
void vmm_gic_pend(uint32_t intid);

/** Acknowledges an interrupt. Returns the raw token, whose low 24 bits are the INTID, which may be spurious. A DSB
    must come before the next access to the device (IHI 0069, 4.1.1). */
uint32_t vmm_gic_ack(void);
static inline uint32_t vmm_gic_intid(uint32_t token)
{
    return token & 0xffffffu;
}

/** Drops the running priority (EOImode is 1), and deactivates the interrupt as well if asked to. It takes effect at
    the exception return, or at an ISB. */
void vmm_gic_end(uint32_t token, bool deactivate);

/** Sends an SGI. When the target takes the interrupt, it sees what was written before. */
void vmm_gic_send_sgi(const struct vmm_cpu *target, unsigned sgi);

/* ---- timer.c ---- */

/** CNTPCT_EL0, and its frequency in Hz. This is the physical counter: at EL2 with E2H=0, the virtual one would jump
    by the guest's CNTVOFF_EL2 at each load. */
uint64_t vmm_time_now(void);
uint64_t vmm_time_hz(void);
uint64_t vmm_time_from_ms(uint64_t ms);

#define VMM_TIMER_INTID 26 /* the EL2 physical timer's PPI (BSA) */

void vmm_timer_init(void);             /* on each CPU */
void vmm_timer_arm(uint64_t deadline); /* one shot; UINT64_MAX: off */

/* ---- psci.c ---- */

/** Returns PSCI's answer (DEN0022, 5.2.2): 0 or a negative code. */
int64_t vmm_psci_cpu_on(uint64_t mpidr, uint64_t entry, uint64_t context);
_Noreturn void vmm_psci_system_off(void);
_Noreturn void vmm_psci_system_reset(void);

#endif
