/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* What both halves of the bench know. */
#ifndef ROWS_H
#define ROWS_H

#define BENCH_DEVICE      0x0b000000 /* a claim answers */
#define BENCH_LOOP_DEVICE 0x0b010000 /* the VMM's loop answers */

#endif
