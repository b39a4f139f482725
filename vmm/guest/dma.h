/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* DMA by devices that EL2 emulates: copies between its memory and the guest's, by vmm_ram_pin(). */
#ifndef VMM_GUEST_DMA_H
#define VMM_GUEST_DMA_H

#include "ram.h"

/** Copy into guest addresses, and out of them; from NULL: zeros. For a task: they wait for memory that was never
    touched, and call `look`, which looks for interrupts, each few thousand instructions. Return false if not all of the
    range is memory; then a part of it may have been copied. */
bool vmm_dma_store(struct vmm_ram *ram, avc_ipa_t to, const void *from, uint32_t bytes, void (*look)(void));
bool vmm_dma_load(struct vmm_ram *ram, avc_ipa_t from, void *to, uint32_t bytes, void (*look)(void));

#endif
