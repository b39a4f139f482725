/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* How a CPU waits for a word of memory that another CPU writes. */
#ifndef VMM_BOOT_WAIT_H
#define VMM_BOOT_WAIT_H

#include <stdint.h>

/* Sleeps while *word is not zero. May return early. LDAXR makes the CPU's exclusive monitor watch the word. After
   it, another CPU's store there is an event that ends the WFE (DDI 0487, "Wait for Event"), even if it comes before
   the WFE. */
static inline void vmm_wait_while_set(const _Atomic uint32_t *word)
{
    uint32_t value;

    __asm__ volatile("ldaxr %w0, %1\n\tcbz %w0, 1f\n\twfe\n1:" : "=&r"(value) : "Q"(*word) : "memory");
}

#endif
