/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Device registers. Accesses are volatile and have the register's own width. The memory is Device-nGnRE, which keeps
 * accesses to one device in order (DDI 0487, B2.7.2).
 */
#ifndef VMM_BOARD_MMIO_H
#define VMM_BOARD_MMIO_H

#include <stdint.h>

static inline uint8_t mmio_read8(uint64_t address)
{
    return *(volatile uint8_t *)(uintptr_t)address;
}

static inline void mmio_write8(uint64_t address, uint8_t value)
{
    *(volatile uint8_t *)(uintptr_t)address = value;
}

static inline uint16_t mmio_read16(uint64_t address)
{
    return *(volatile uint16_t *)(uintptr_t)address;
}

static inline void mmio_write16(uint64_t address, uint16_t value)
{
    *(volatile uint16_t *)(uintptr_t)address = value;
}

static inline uint32_t mmio_read32(uint64_t address)
{
    return *(volatile uint32_t *)(uintptr_t)address;
}

static inline void mmio_write32(uint64_t address, uint32_t value)
{
    *(volatile uint32_t *)(uintptr_t)address = value;
}

static inline uint64_t mmio_read64(uint64_t address)
{
    return *(volatile uint64_t *)(uintptr_t)address;
}

static inline void mmio_write64(uint64_t address, uint64_t value)
{
    *(volatile uint64_t *)(uintptr_t)address = value;
}

#endif
