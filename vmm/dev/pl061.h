/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The guest's general-purpose I/O: Arm PrimeCell GPIO PL061 (DDI 0190), eight pins. One has the power button. */
#ifndef VMM_DEV_PL061_H
#define VMM_DEV_PL061_H

#include <avc/state.h>

#include "mmio.h"

#define VMM_PL061_SIZE 0x1000

struct vmm_pl061 {
    struct vmm_mmio mmio; /* first, because the claim's ctx is this struct */
    uint8_t pins;         /* levels that come from outside */
    uint8_t data;         /* levels of the pins that are outputs */
    uint8_t dir, is, ibe, iev, ie, afsel;
    uint8_t edges; /* that were seen, of the pins that are sensitive to edges */
};

/** Its state as values; vmm_pl061_state says which records they are. */
struct vmm_pl061_values {
    uint64_t base;
    uint8_t pins, data, dir, is, ibe, iev, ie, afsel, edges;
};

/** The model's table for avc/state.h. */
extern const struct avc_state_model vmm_pl061_state;

/** Prepares the device, reset, with all pins low. The claim's function is vmm_mmio_access(). ->mmio.irq may be set
    afterwards. */
void vmm_pl061_init(struct vmm_pl061 *gpio, uint64_t base);

/** Resets it to its power-on state. Levels that come from outside stay. */
void vmm_pl061_reset(struct vmm_pl061 *gpio);

/** Sets a pin's level, 0 to 7, from outside. Any CPU may call it, in interrupt handlers too. */
void vmm_pl061_pin(struct vmm_pl061 *gpio, unsigned pin, bool level);

/** Tells its state. Any CPU may call it. */
void vmm_pl061_get(struct vmm_pl061 *gpio, struct vmm_pl061_values *values);

/** Takes a state over, and makes the line follow it. Returns false, and changes nothing, if no device can be in that
    state, or if it is one at another base. Any CPU may call it. */
bool vmm_pl061_set(struct vmm_pl061 *gpio, const struct vmm_pl061_values *values);

#endif
