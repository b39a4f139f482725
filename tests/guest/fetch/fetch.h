/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* What the two halves share. */
#ifndef FETCH_H
#define FETCH_H

#define DEVICE 0x0a010000ul /* a page: each doubleword has its own address, and DEVICE_MARK */
#define CODE   0x40600000ul /* 64 KiB of the guest's memory, the instructions at its beginning */

#define DEVICE_MARK 0xde00000000000000ul

#define CALL_PROTECT 0xc6000000 /* x1: what the guest may do in CODE by stage 2, AVC_R and the like */
#define CALL_ASK     0xc6000001 /* returns the accesses that the decoder did not decode */

#endif
