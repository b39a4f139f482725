/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * A GICv3 (Arm IHI 0069) as a hypervisor needs it. Affinity routing is on. All interrupts are in Group 1 of our
 * security state. EOImode is 1, so that a guest's end of interrupt can deactivate an interrupt whose priority we have
 * dropped.
 *
 * There are two priorities. The lower one is for the interrupts that a guest causes in its CPU. One of these that
 * stays up is taken again as soon as the guest is entered. It must not be taken in place of the tick or of a poke, or
 * the guest would keep the CPU for ever.
 */
#include "arch/gic.h"
#include "board/board.h"
#include "board/mmio.h"
#include "boot/cpu.h"
#include "kern/log.h"

/* Distributor */
#define GICD_CTLR       0x0000
#define GICD_TYPER      0x0004
#define GICD_IGROUPR    0x0080
#define GICD_ISENABLER  0x0100
#define GICD_ICENABLER  0x0180
#define GICD_ISPENDR    0x0200
#define GICD_ICPENDR    0x0280
#define GICD_ICACTIVER  0x0380
#define GICD_IPRIORITYR 0x0400
#define GICD_ICFGR      0x0C00 /* two bits each, of which the upper one says: edge */
#define GICD_IROUTER    0x6000

/* Redistributor: RD_base, and SGI_base 64 KiB above it */
#define GICR_CTLR  0x0000
#define GICR_TYPER 0x0008
#define GICR_WAKER 0x0014
#define SGI_BASE   0x10000

/* A lower number is the higher priority. Any GIC tells these apart: it has 16 priorities at least, in each security
   state (IHI 0069, 4.8). */
#define PRIORITY     0xa0a0a0a0u /* of four interrupts */
#define LOW_PRIORITY 0xc0u

/* What a guest causes: its virtual GIC's and its timers' interrupts, and the log's. */
static const uint8_t low[] = { VMM_MAINTENANCE_INTID, VMM_VTIMER_INTID, VMM_PTIMER_INTID, VMM_SGI_LOG };

static uint64_t gicd;

/* Returns the registers that have the enable, priority and other bits of an interrupt. SGIs and PPIs are in the
   CPU's own redistributor. */
static uint64_t bank(uint32_t intid)
{
    return intid < 32 ? (uint64_t)(uintptr_t)vmm_cpu_self()->gicr + SGI_BASE : gicd;
}

/* Waits until writes of disable bits and of CTLR have taken effect: RWP reads 0 then. */
static void wait_rwp(uint32_t intid)
{
    if (intid < 32)
        while (mmio_read32((uint64_t)(uintptr_t)vmm_cpu_self()->gicr + GICR_CTLR) & GICR_CTLR_RWP)
            vmm_cpu_relax();
    else
        while (mmio_read32(gicd + GICD_CTLR) & GICD_CTLR_RWP)
            vmm_cpu_relax();
}

/* Makes all interrupts of a bank Group 1, disabled, not pending, not active, and of one priority. */
static void clear(uint64_t base, uint32_t first, uint32_t last)
{
    for (uint32_t i = first; i < last; i += 32) {
        mmio_write32(base + GICD_ICENABLER + i / 8, ~0u);
        mmio_write32(base + GICD_ICPENDR + i / 8, ~0u);
        mmio_write32(base + GICD_ICACTIVER + i / 8, ~0u);
        mmio_write32(base + GICD_IGROUPR + i / 8, ~0u);
    }
    for (uint32_t i = first; i < last; i += 4)
        mmio_write32(base + GICD_IPRIORITYR + i, PRIORITY);
}

void vmm_gic_init(void)
{
    uint32_t lines;

    gicd = vmm_board.gicd.base;
    lines = GICD_TYPER_LINES(mmio_read32(gicd + GICD_TYPER));
    if (lines > 1020)
        lines = 1020;
    mmio_write32(gicd + GICD_CTLR, 0);
    wait_rwp(32);
    clear(gicd, 32, lines);
    wait_rwp(32);
    mmio_write32(gicd + GICD_CTLR, GICD_CTLR_ARE); /* before the group is enabled, and before routes are written */
    wait_rwp(32);
    for (uint32_t i = 32; i < lines; i++)
        mmio_write64(gicd + GICD_IROUTER + 8ull * i, vmm_board.mpidr[0]);
    mmio_write32(gicd + GICD_CTLR, GICD_CTLR_ARE | GICD_CTLR_ENABLEGRP1);
    wait_rwp(32);
}

/* Finds the redistributor whose GICR_TYPER names this CPU's affinity. */
static void *find_redistributor(uint64_t mpidr)
{
    uint64_t affinity = (mpidr >> 32 & 0xff) << 24 | (mpidr & 0xffffff);

    for (unsigned r = 0; r < vmm_board.nr_gicr; r++) {
        uint64_t frame = vmm_board.gicr[r].base, end = frame + vmm_board.gicr[r].size, typer;

        do {
            typer = mmio_read64(frame + GICR_TYPER);
            if (typer >> 32 == affinity)
                return (void *)(uintptr_t)frame;
            /* It has 2 frames of 64 KiB. GICv4 has 2 more for virtual LPIs. */
            frame += vmm_board.gicr_stride ? vmm_board.gicr_stride : typer & GICR_TYPER_VLPIS ? 0x40000 : 0x20000;
        } while (!(typer & GICR_TYPER_LAST) && frame < end);
    }
    return NULL;
}

void vmm_gic_cpu_init(struct vmm_cpu *cpu)
{
    uint64_t gicr;

    cpu->gicr = find_redistributor(cpu->mpidr);
    if (!cpu->gicr)
        vmm_panic("no redistributor for CPU %u, MPIDR %lx", cpu->index, cpu->mpidr);
    gicr = (uint64_t)(uintptr_t)cpu->gicr;
    mmio_write32(gicr + GICR_WAKER, mmio_read32(gicr + GICR_WAKER) & ~GICR_WAKER_SLEEP);
    while (mmio_read32(gicr + GICR_WAKER) & GICR_WAKER_ASLEEP)
        vmm_cpu_relax();
    clear(gicr + SGI_BASE, 0, 32);
    wait_rwp(0);
    for (unsigned i = 0; i < sizeof(low) / sizeof(low[0]); i++)
        mmio_write8(gicr + SGI_BASE + GICD_IPRIORITYR + low[i], LOW_PRIORITY);

    vmm_write_ICC_SRE_EL2(ICC_SRE_SRE | ICC_SRE_DFB | ICC_SRE_DIB | ICC_SRE_ENABLE);
    vmm_isb(); /* the other ICC registers exist after this */
    if (!(vmm_read_ICC_SRE_EL2() & ICC_SRE_SRE))
        vmm_panic("CPU %u does not let EL2 use the GIC's system registers", cpu->index);
    vmm_write_ICC_PMR_EL1(0xff);
    vmm_write_ICC_BPR1_EL1(0);
    vmm_write_ICC_CTLR_EL1(ICC_CTLR_EOIMODE);
    vmm_write_ICC_IGRPEN1_EL1(1);
    vmm_isb();
    vmm_gic_enable(VMM_SGI_POKE);
    vmm_gic_enable(VMM_SGI_STOP);
    vmm_gic_enable(VMM_SGI_LOG);
}

/* An interrupt that is enabled may not be changed so (IHI 0069, GICD_ICFGR). */
void vmm_gic_configure(uint32_t intid, bool edge)
{
    uint64_t at = gicd + GICD_ICFGR + intid / 16 * 4;
    uint32_t bit = 2u << intid % 16 * 2;

    mmio_write32(at, edge ? mmio_read32(at) | bit : mmio_read32(at) & ~bit);
    mmio_write8(gicd + GICD_IPRIORITYR + intid, LOW_PRIORITY);
}

void vmm_gic_enable(uint32_t intid)
{
    mmio_write32(bank(intid) + GICD_ISENABLER + intid / 32 * 4, 1u << intid % 32);
}

void vmm_gic_disable(uint32_t intid)
{
    mmio_write32(bank(intid) + GICD_ICENABLER + intid / 32 * 4, 1u << intid % 32);
    wait_rwp(intid);
}

void vmm_gic_pend(uint32_t intid)
{
    mmio_write32(bank(intid) + GICD_ISPENDR, 1u << intid % 32);
    vmm_dsb_sy(); /* the interrupt is pending before the next acknowledge */
}

uint32_t vmm_gic_ack(void)
{
    return (uint32_t)vmm_read_ICC_IAR1_EL1();
}

void vmm_gic_end(uint32_t token, bool deactivate)
{
    vmm_write_ICC_EOIR1_EL1(token);
    if (deactivate)
        vmm_write_ICC_DIR_EL1(token);
}

void vmm_gic_send_sgi(const struct vmm_cpu *target, unsigned sgi)
{
    uint64_t mpidr = target->mpidr;
    uint64_t aff0 = mpidr & 0xff;

    vmm_dsb_ishst();
    vmm_write_ICC_SGI1R_EL1((mpidr >> 32 & 0xff) << 48 | (aff0 >> 4) << 44 | (mpidr >> 16 & 0xff) << 32 |
                            (uint64_t)sgi << 24 | (mpidr >> 8 & 0xff) << 16 | 1ull << (aff0 & 15));
    vmm_isb();
}
