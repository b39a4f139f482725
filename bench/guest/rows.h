/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* What both halves of the bench know. Assembly includes it, too, so the numbers have no suffix. */
#ifndef ROWS_H
#define ROWS_H

/* Device pages. */
#define BENCH_DEVICE      0x0b000000 /* a claim answers */
#define BENCH_LOOP_DEVICE 0x0b010000 /* the VMM's loop answers */
#define BENCH_PL011       0x09000000 /* a claim answers, by vmm/'s model */

/* Memory that the VMM's loop maps on first touch. */
#define BENCH_LAZY      0x80000000
#define BENCH_LAZY_SIZE 0x00200000

/* Hypercalls to the VMM's loop. */
#define BENCH_CALLS    0x86000100
#define BENCH_SWITCH   0x86000100 /* puts the vCPU and loads it again */
#define BENCH_YIELD    0x86000101 /* runs the other vCPU of this CPU until that waits */
#define BENCH_TELL     0x86000102 /* x1: a time */
#define BENCH_TOLD     0x86000103 /* x0: the time that BENCH_TELL told last */
#define BENCH_PULSE    0x86000104 /* x1: INTID, which gets an edge */
#define BENCH_RAISE    0x86000105 /* x1: INTID, whose line goes up */
#define BENCH_LOWER    0x86000106 /* x1: INTID, whose line goes down */
#define BENCH_PUT_LOAD 0x86000108 /* as BENCH_SWITCH; x0: ticks that it took */
#define BENCH_HARDEN   0x86000109 /* x1: vectors, BENCH_PLAIN and so on; x2: rounds of the loop */

/* bench/latency.c */
#define BENCH_LATENCY_BEGIN 0x8600010a
#define BENCH_LATENCY_TAKEN 0x8600010b /* x0: interrupts taken since then */
#define BENCH_LATENCY_END   0x8600010c /* x0: the longest time from an interrupt to its handler */
#define BENCH_LATENCY_OTHER 0x8600010d /* runs vCPU 1 until it is off */

#define BENCH_PLAIN  0
#define BENCH_LOOP   1
#define BENCH_CLRBHB 2

/*
 * Calls by claims of different kinds, which the VMM's loop answers as CALL_ADD: x0 = x1 + x2. It recognises them by
 * their last three bits, which are set, so that the loop costs the same for all.
 */
#define BENCH_IS_ADD(id)  (((id)&7) == 7)
#define BENCH_ADD_ONE     0x8600ffff /* the claim has this id alone */
#define BENCH_ADD_WIDE    0x87000007 /* the claim has 65537 ids, and this is the first */
#define BENCH_ADD_WRAPPED 0xc600ffff /* the claim's function is the bench's own */
#define BENCH_ADD_LAST    0xc701ffff /* the claim is the last one of the VM */

#define BENCH_SGI       9
#define BENCH_EDGE_SPI  40 /* and three more */
#define BENCH_LEVEL_SPI 44 /* and three more */
#define BENCH_FILL_SPI  48 /* and seven more, for list registers */

/*
 * For bench/growth.c: the first claim of each kind; the last device, which is half a page; and calls that return what
 * is last of the other kinds, and whether system calls can be claimed.
 */
#define GROWTH_DEVICES     0x0c000000
#define GROWTH_LAST_DEVICE 0x0fff0000
#define GROWTH_CALLS       0x86001000
#define GROWTH_LAST_CALL   0xfff0
#define GROWTH_LAST_VCPU   0xfff1
#define GROWTH_LAST_SVC    0xfff2
#define GROWTH_SVC         0xfff3

#endif
