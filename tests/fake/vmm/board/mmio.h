/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Stands in for vmm/board/mmio.h: a test of a driver has the device. */
#ifndef VMM_BOARD_MMIO_H
#define VMM_BOARD_MMIO_H

#include <stdint.h>

uint8_t mmio_read8(uint64_t address);
uint16_t mmio_read16(uint64_t address);
uint32_t mmio_read32(uint64_t address);
void mmio_write8(uint64_t address, uint8_t value);
void mmio_write16(uint64_t address, uint16_t value);
void mmio_write32(uint64_t address, uint32_t value);

#endif
