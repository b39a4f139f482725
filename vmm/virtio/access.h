/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Memory that the other side of a ring writes at the same time: each of these is one access, which the compiler neither
 * repeats nor leaves out. Tests replace this file, to see each read and to change the memory between two. Numbers are
 * little-endian in rings, and so are EL2's.
 */
#ifndef VMM_VIRTIO_ACCESS_H
#define VMM_VIRTIO_ACCESS_H

#include <stdint.h>

static inline uint8_t vmm_ring_read8(const void *p)
{
    return *(const volatile uint8_t *)p;
}

static inline uint16_t vmm_ring_read16(const void *p)
{
    return *(const volatile uint16_t *)p;
}

static inline uint32_t vmm_ring_read32(const void *p)
{
    return *(const volatile uint32_t *)p;
}

static inline uint64_t vmm_ring_read64(const void *p)
{
    return *(const volatile uint64_t *)p;
}

static inline void vmm_ring_write16(void *p, uint16_t value)
{
    *(volatile uint16_t *)p = value;
}

static inline void vmm_ring_write32(void *p, uint32_t value)
{
    *(volatile uint32_t *)p = value;
}

static inline void vmm_ring_write64(void *p, uint64_t value)
{
    *(volatile uint64_t *)p = value;
}

#endif
