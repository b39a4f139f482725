/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Where the devices are, and what the guest can ask about them. */
#ifndef DEVICE_H
#define DEVICE_H

#define CALL_ASK 0xc6000000 /* x1: ASK_..., x2: device; x0: that */

enum {
    ASK_READS,
    ASK_WRITES,
    ASK_SIZE,  /* of the last access */
    ASK_VALUE, /* of the last write */
    ASK_EXITS, /* of all devices: accesses that went through the VMM */
    ASK_STAGE2,
    ASK_NOT_DECODED
};

/* Sixteen bytes of registers each, again and again over a page. The first two are one claim each, behind each other;
   the third is the same device for the VMM. */
#define DEVICES     3
#define DEVICE_BASE 0x0b000000ul
#define DEVICE(n)   (DEVICE_BASE + 0x1000ul * (n))
#define DEVICE_GAP  DEVICE(DEVICES) /* nobody's */

/* Claims over memory: of no effect where it may be accessed. The second page may only be read. */
#define MEMORY_RW 0x80000000ul
#define MEMORY_RO 0x80001000ul
#define PATTERN   0x1122334455667788ul

/* A claim from below the distributor to the end of its first page: it knows two registers there and passes the others.
 */
#define BELOW_GICD 0x07fff000ul
#define GICD_IIDR  0x08000008ul
#define OUR_IIDR   0x4711043bu

#endif
