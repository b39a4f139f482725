/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * What a program tells the plugin. The marks are hints that the architecture has not allocated, so they do nothing.
 * Assembly includes this file, too, so the numbers have no suffix.
 */
#ifndef MARKS_H
#define MARKS_H

#define MARK_COUNT 0x70 /* with marks=on: instructions at EL2 from here on count for the next row */
#define MARK_PAUSE 0x71 /* they count for no row from here on */
#define MARK_ROW   0x72 /* the row is complete */
#define MARK_LAP   0x74 /* the totals up to here are written as a line */

#define MARK_FIRST MARK_COUNT
#define MARK_LAST  MARK_LAP

/* The HINT instruction without its number, which is bits 5 to 11. */
#define MARK_INSN 0xd503201f

#endif
