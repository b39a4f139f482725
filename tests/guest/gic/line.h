/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* x1: INTID of an SPI, or of a PPI of the caller's; x2: level of its line. */
#define CALL_LINE 0xfff0
