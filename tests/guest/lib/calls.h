/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The hypercalls between test guests and the test host, and the VM's memory map. */
#ifndef CALLS_H
#define CALLS_H

#define CALL_PUTC 0xfffe /* x1: byte */
#define CALL_ADD  0xffff /* the VMM's loop answers x0 = x1 + x2 */

#define GUEST_RAM  0x40000000
#define GUEST_DIST 0x08000000
#define GUEST_RD   0x080a0000

#endif
