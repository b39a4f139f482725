/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * What a program says to the plugin: hints that the architecture has not allocated, and which so do nothing. Plain
 * numbers: assembly reads it, too.
 */
#ifndef MARKS_H
#define MARKS_H

#define MARK_COUNT 0x70 /* with marks=on: what EL2 executes from here on belongs to the next row, */
#define MARK_PAUSE 0x71 /* and from here on to none */
#define MARK_ROW   0x72 /* the row is complete */
#define MARK_LAP   0x74 /* the totals up to here get a line */

#define MARK_FIRST MARK_COUNT
#define MARK_LAST  MARK_LAP

/* HINT, less its number in bits 5 to 11 */
#define MARK_INSN 0xd503201f

#endif
