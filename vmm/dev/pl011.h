/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The guest's serial port: Arm PrimeCell UART PL011 (DDI 0183), between the guest and a byte stream. It identifies
   itself as the `virt` machine's does, by a revision whose FIFOs have 16 bytes. */
#ifndef VMM_DEV_PL011_H
#define VMM_DEV_PL011_H

#include <avc/state.h>

#include "mmio.h"

#define VMM_PL011_SIZE 0x1000
#define VMM_PL011_FIFO 16

/** Where its bytes come from and go to. The functions are called with the device's lock held. */
struct vmm_pl011_host {
    void (*put)(void *ctx, uint8_t byte); /* bounded */
    int (*get)(void *ctx);                /* the next byte, -1: nothing waits */
    void (*resume)(void *ctx);            /* get() has returned -1: call vmm_pl011_ready() when a byte waits, once
                                             for each resume() */
    void *ctx;
};

struct vmm_pl011 {
    struct vmm_mmio mmio; /* first, because the claim's ctx is this struct */
    _Atomic uint32_t fr;  /* as the guest reads it, without the lock */
    const struct vmm_pl011_host *host;
    uint8_t fifo[VMM_PL011_FIFO];
    unsigned first, count;
    bool held; /* bytes may wait at the host for room here */
    uint32_t ris, imsc, cr, lcr_h, ifls, ibrd, fbrd, ilpr, dmacr;
};

/** Its state as values; vmm_pl011_state says which records they are. Bytes that the host still has are not in it. */
struct vmm_pl011_values {
    uint64_t base;
    uint16_t cr, ris, imsc, ibrd;
    uint8_t lcr_h, ifls, fbrd, ilpr, dmacr;
    uint8_t count;                /* bytes in the FIFO */
    uint8_t fifo[VMM_PL011_FIFO]; /* the oldest first; 0 behind the last */
};

/** The model's table for avc/state.h. */
extern const struct avc_state_model vmm_pl011_state;

/** The claim's function. ctx is the struct vmm_pl011. */
avc_claim_fn vmm_pl011_access;

/** Prepares the device, reset. ->mmio.irq may be set afterwards. */
void vmm_pl011_init(struct vmm_pl011 *uart, uint64_t base, const struct vmm_pl011_host *host);

/** Resets it to its power-on state. Bytes that the guest has not read stay for the next one. */
void vmm_pl011_reset(struct vmm_pl011 *uart);

/** Bytes wait at the host. Takes those for which there is room, now and later, until get() returns -1, and then
    calls resume(). Any CPU may call it, in interrupt handlers too. */
void vmm_pl011_ready(struct vmm_pl011 *uart);

/** Tells its state. Any CPU may call it. */
void vmm_pl011_get(struct vmm_pl011 *uart, struct vmm_pl011_values *values);

/** Takes a state over, and makes the line follow it. Bytes that wait at the host arrive behind those of the FIFO.
    Returns false, and changes nothing, if no device can be in that state, or if it is one at another base. Any CPU may
    call it. */
bool vmm_pl011_set(struct vmm_pl011 *uart, const struct vmm_pl011_values *values);

#endif
