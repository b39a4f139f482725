/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The addresses of the devices, and the calls by which the guest asks about them. */
#ifndef DEVICE_H
#define DEVICE_H

#define CALL_ASK 0xc6000000 /* x1: ASK_..., x2: device; x0: that */

enum {
    ASK_READS,
    ASK_WRITES,
    ASK_SIZE,  /* of the last access */
    ASK_VALUE, /* of the last write */
    ASK_EXITS, /* accesses to all devices that went through the VMM */
    ASK_STAGE2,
    ASK_NOT_DECODED
};

/*
 * A device has sixteen bytes of registers, repeated over a page. The first two devices have a claim each, one page
 * after the other. The third is handled by the VMM's loop.
 */
#define DEVICES     3
#define DEVICE_BASE 0x0b000000ul
#define DEVICE(n)   (DEVICE_BASE + 0x1000ul * (n))
#define DEVICE_GAP  DEVICE(DEVICES) /* no device is here */

/* Claims over memory. They have no effect on an access that the memory permits. The second page is read-only. */
#define MEMORY_RW 0x80000000ul
#define MEMORY_RO 0x80001000ul
#define PATTERN   0x1122334455667788ul

/*
 * A claim from below the distributor to the end of the distributor's first page. It answers for two registers, and
 * passes the others on.
 */
#define BELOW_GICD 0x07fff000ul
#define GICD_IIDR  0x08000008ul
#define OUR_IIDR   0x4711043bu

#endif
