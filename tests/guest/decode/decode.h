/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The addresses of the devices: two pages of the guest's memory, with plain memory behind them. A claim answers for the
 * first, the VMM for the second.
 */
#ifndef DECODE_H
#define DECODE_H

#define RAM_END (GUEST_RAM + 0x800000ul)
#define DEVICES (RAM_END - 0x30000ul)

#define CALL_PAGE 0xc6000000 /* x1: PAGE_...; x2: number of the device; x3: address of 4 KiB in the guest's memory */
#define CALL_ASK  0xc6000001 /* x1: ASK_... */

enum { PAGE_FILL, PAGE_SHOW };
enum { ASK_UNDECODED, ASK_PARTS, ASK_EXITS };

#endif
