/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Guests and devices at the vGIC, against the reference of test_vgic_model.c: what it chooses comes from the input. */
#include "asserts.h"
#include "input.h"

int model_main(void);
#define main model_main
#include "../unit/test_vgic_model.c"
#undef main

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const unsigned list_regs[] = { 4, 16, 1, 2, 3 };
    uint8_t how;

    rnd = one_of;
    input_is(data, size);
    how = byte();
    run(list_regs[how % 5], how & 0x80, 0, (unsigned)(size < 800 ? size : 800) / 3 + 1);
    return 0;
}
