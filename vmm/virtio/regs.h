/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The virtio-mmio transport, version 2 (virtio 1.2, 4.2.2): the guest's, which is emulated, and the board's. */
#ifndef VMM_VIRTIO_REGS_H
#define VMM_VIRTIO_REGS_H

#define VMM_VIRTIO_MMIO_SIZE 0x200u /* of a transport, as the virt machine has them */

enum { /* register offsets */
       VIRTIO_MAGIC_VALUE = 0x000,
       VIRTIO_VERSION = 0x004,
       VIRTIO_DEVICE_ID = 0x008,
       VIRTIO_VENDOR_ID = 0x00c,
       VIRTIO_DEVICE_FEATURES = 0x010,
       VIRTIO_DEVICE_FEATURES_SEL = 0x014,
       VIRTIO_DRIVER_FEATURES = 0x020,
       VIRTIO_DRIVER_FEATURES_SEL = 0x024,
       VIRTIO_QUEUE_SEL = 0x030,
       VIRTIO_QUEUE_NUM_MAX = 0x034,
       VIRTIO_QUEUE_NUM = 0x038,
       VIRTIO_QUEUE_READY = 0x044,
       VIRTIO_QUEUE_NOTIFY = 0x050,
       VIRTIO_INTERRUPT_STATUS = 0x060,
       VIRTIO_INTERRUPT_ACK = 0x064,
       VIRTIO_STATUS = 0x070,
       VIRTIO_QUEUE_DESC_LOW = 0x080,
       VIRTIO_QUEUE_DESC_HIGH = 0x084,
       VIRTIO_QUEUE_DRIVER_LOW = 0x090,
       VIRTIO_QUEUE_DRIVER_HIGH = 0x094,
       VIRTIO_QUEUE_DEVICE_LOW = 0x0a0,
       VIRTIO_QUEUE_DEVICE_HIGH = 0x0a4,
       VIRTIO_SHM_LEN_LOW = 0x0b0,
       VIRTIO_SHM_BASE_HIGH = 0x0bc,
       VIRTIO_CONFIG_GENERATION = 0x0fc,
       VIRTIO_CONFIG = 0x100
};

#define VIRTIO_MAGIC  0x74726976u /* "virt" */
#define VIRTIO_MODERN 2u          /* Version; 1 is legacy (4.2.4) */

/* InterruptStatus */
#define VIRTIO_INT_USED   1u
#define VIRTIO_INT_CONFIG 2u

/* Status (2.1) */
#define VIRTIO_S_ACKNOWLEDGE 1u
#define VIRTIO_S_DRIVER      2u
#define VIRTIO_S_DRIVER_OK   4u
#define VIRTIO_S_FEATURES_OK 8u
#define VIRTIO_S_NEEDS_RESET 64u
#define VIRTIO_S_FAILED      128u

/* Feature bits from 24 on are the transport's and the ring's (6, 6.3). */
#define VIRTIO_F(bit)            (UINT64_C(1) << (bit))
#define VIRTIO_F_INDIRECT_DESC   VIRTIO_F(28)
#define VIRTIO_F_EVENT_IDX       VIRTIO_F(29)
#define VIRTIO_F_VERSION_1       VIRTIO_F(32)
#define VIRTIO_F_ACCESS_PLATFORM VIRTIO_F(33)
#define VIRTIO_F_ORDER_PLATFORM  VIRTIO_F(36)
#define VIRTIO_F_OF_TYPE         (VIRTIO_F(24) - 1)   /* those that a device type defines: 0 to 23, ... */
#define VIRTIO_F_OF_TYPE_HIGH    (~UINT64_C(0) << 50) /* ... and 50 and up */

#endif
