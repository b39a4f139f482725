/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Stands in for vmm/virtio/access.h: a test sees each read of a ring before it is done, and may change the memory. */
#ifndef VMM_VIRTIO_ACCESS_H
#define VMM_VIRTIO_ACCESS_H

#include <stdint.h>

/* The test's: `bytes` at `p` are about to be read, or written. */
void fake_ring_read(const void *p, unsigned bytes);
void fake_ring_write(const void *p, unsigned bytes);

#define FAKE_RING_READ(bits)                                                                                           \
    static inline uint##bits##_t vmm_ring_read##bits(const void *p)                                                    \
    {                                                                                                                  \
        fake_ring_read(p, bits / 8);                                                                                   \
        return *(const volatile uint##bits##_t *)p;                                                                    \
    }
#define FAKE_RING_WRITE(bits)                                                                                          \
    static inline void vmm_ring_write##bits(void *p, uint##bits##_t value)                                             \
    {                                                                                                                  \
        fake_ring_write(p, bits / 8);                                                                                  \
        *(volatile uint##bits##_t *)p = value;                                                                         \
    }

FAKE_RING_READ(8)
FAKE_RING_READ(16)
FAKE_RING_READ(32)
FAKE_RING_READ(64)
FAKE_RING_WRITE(16)
FAKE_RING_WRITE(32)
FAKE_RING_WRITE(64)

#endif
