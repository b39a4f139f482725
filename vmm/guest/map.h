/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Where the guest machine has its memory and devices. It is the map of QEMU's `virt` machine, so that programs for that
 * machine run here unchanged.
 */
#ifndef VMM_GUEST_MAP_H
#define VMM_GUEST_MAP_H

#include <stdint.h>

#define VMM_MAX_VCPUS 8

#define VMM_GUEST_FLASH        UINT64_C(0x00000000) /* two banks of flash */
#define VMM_GUEST_FLASH_SIZE   UINT32_C(0x04000000) /* of each */
#define VMM_GUEST_GICD         UINT64_C(0x08000000)
#define VMM_GUEST_GICD_SIZE    UINT64_C(0x00010000)
#define VMM_GUEST_GICR         UINT64_C(0x080A0000)
#define VMM_GUEST_GICR_SIZE    UINT64_C(0x00020000) /* of each vCPU */
#define VMM_GUEST_UART         UINT64_C(0x09000000)
#define VMM_GUEST_RTC          UINT64_C(0x09010000)
#define VMM_GUEST_FWCFG        UINT64_C(0x09020000)
#define VMM_GUEST_GPIO         UINT64_C(0x09030000)
#define VMM_GUEST_PVTIME       UINT64_C(0x090A0000) /* a page */
#define VMM_GUEST_DEV_SIZE     UINT64_C(0x00001000)
#define VMM_GUEST_VIRTIO       UINT64_C(0x0A000000)
#define VMM_GUEST_VIRTIO_SIZE  UINT64_C(0x00000200) /* of each transport */
#define VMM_GUEST_VIRTIO_SLOTS 32
#define VMM_GUEST_RAM          UINT64_C(0x40000000)

#define VMM_GUEST_BUTTON_PIN 3 /* of the GPIO: the power button */

/* Shared interrupts; INTID 32 and up. */
#define VMM_GUEST_UART_SPI   1
#define VMM_GUEST_RTC_SPI    2
#define VMM_GUEST_GPIO_SPI   7
#define VMM_GUEST_VIRTIO_SPI 16 /* of the first transport; the others' follow */
#define VMM_GUEST_SPI(n)     (32 + (n))

/* Private ones, as device trees number them: INTID 16 and up. */
#define VMM_GUEST_PTIMER_S_PPI 13
#define VMM_GUEST_PTIMER_PPI   14
#define VMM_GUEST_VTIMER_PPI   11
#define VMM_GUEST_HTIMER_PPI   10

#endif
