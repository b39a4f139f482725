/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The time of day, from the board's PL031 (Arm DDI 0224). A guest's clock starts from it. */
#include "board/board.h"
#include "board/mmio.h"

#define DR 0x000

uint64_t vmm_rtc_now(void)
{
    return vmm_board.rtc ? mmio_read32(vmm_board.rtc + DR) : 0;
}
