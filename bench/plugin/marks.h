/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* What a program says to the plugin: hints that the architecture has not allocated, and which so do nothing (Arm ARM C4.1.93). */
#ifndef MARKS_H
#define MARKS_H

#define MARK_COUNT 0x70 /* with marks=on: what EL2 executes from here on belongs to the next row, */
#define MARK_OTHER 0x71 /* to the row after that, */
#define MARK_PAUSE 0x72 /* to none */
#define MARK_ROW   0x73 /* the next row is complete; what was after it is next */
#define MARK_LAP   0x74 /* the totals up to here get a line */

#define MARK_FIRST MARK_COUNT
#define MARK_LAST  MARK_LAP

/* HINT, less its number in bits 5 to 11 */
#define MARK_INSN 0xd503201f

#endif
