/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* PSTATE behind an instruction, and AArch32's conditions: every IT state, every condition with all flags. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "arch/esr.h"
#include "arch/pstate.h"

#define USR  UINT64_C(0x10) /* AArch32 User */
#define PC   UINT64_C(0x40001000)
#define JUNK UINT64_C(0x1000) /* an SSBS bit of AArch64, which no step may change */

static uint64_t with_it(unsigned it)
{
    return (uint64_t)(it >> 2) << 10 | (uint64_t)(it & 3) << 25;
}

/* AArch64: the PC moves by 4 whatever IL says. BTYPE and SS become 0, all else stays. */
static void step64(void **state)
{
    static const uint64_t modes[] = { 0, 4, 5 };

    (void)state;
    for (unsigned m = 0; m < 3; m++)
        for (unsigned il = 0; il < 2; il++)
            for (unsigned bit = 5; bit < 32; bit++) {
                uint64_t pc = PC, pstate = modes[m] | UINT64_C(1) << bit;
                bool gone = bit == 10 || bit == 11 || bit == 21;

                assert_int_equal(avc_pstate_step_is_plain(pstate), !gone);
                avc_pstate_step(&pc, &pstate, il);
                assert_int_equal(pc, PC + 4);
                assert_int_equal(pstate, gone ? modes[m] : modes[m] | UINT64_C(1) << bit);
            }
}

/* The PC must stay inside of 32 bits. */
static void step32(void **state)
{
    (void)state;
    for (unsigned il = 0; il < 2; il++) {
        uint64_t pc = PC, pstate = USR | SPSR_T32 | SPSR_E | SPSR_SS;

        assert_false(avc_pstate_step_is_plain(pstate));
        avc_pstate_step(&pc, &pstate, il);
        assert_int_equal(pc, PC + (il ? 4 : 2));
        assert_int_equal(pstate, USR | SPSR_T32 | SPSR_E);
        pc = 0xfffffffe;
        avc_pstate_step(&pc, &pstate, il);
        assert_int_equal(pc, il ? 2 : 0);
    }
}

/*
 * A block of n instructions (F5.1.56: IT<x><y><z>). Each has the condition of the first, or its opposite. Then the
 * block is over.
 */
static void it_blocks(void **state)
{
    (void)state;
    for (unsigned cond = 0; cond < 14; cond += 2)
        for (unsigned n = 1; n <= 4; n++)
            for (unsigned opposite = 0; opposite < 1u << n; opposite += 2) {
                /*
                 * IT[7:5] is the condition without its lowest bit. From IT[4] down come the lowest bits, and then a 1.
                 */
                unsigned it = (cond >> 1) << 5;
                uint64_t pc = PC, pstate;

                for (unsigned i = 0; i < n; i++)
                    it |= (opposite >> i & 1) << (4 - i);
                it |= 1u << (4 - n);
                pstate = USR | SPSR_T32 | SPSR_NZCV | with_it(it);
                for (unsigned i = 0; i < n; i++) {
                    assert_int_equal(avc_it_state(pstate) >> 4, cond | (opposite >> i & 1));
                    avc_pstate_step(&pc, &pstate, false);
                }
                assert_int_equal(pstate, USR | SPSR_T32 | SPSR_NZCV);
                assert_int_equal(pc, PC + 2 * n);
            }
}

static bool holds(unsigned cond, unsigned nzcv)
{
    bool n = nzcv & 8, z = nzcv & 4, c = nzcv & 2, v = nzcv & 1;
    bool even[8] = { z, c, n, v, c && !z, n == v, n == v && !z, true };

    return cond >= 14 ? true : even[cond >> 1] != (cond & 1);
}

static void conditions(void **state)
{
    (void)state;
    for (unsigned cond = 0; cond < 16; cond++)
        for (unsigned nzcv = 0; nzcv < 16; nzcv++) {
            uint64_t flags = (uint64_t)nzcv << 28, iss = (uint64_t)cond << 20;
            /* Inside of a block: IT[7:4] is the condition, and IT[3:0] is not 0. */
            uint64_t t32 = USR | SPSR_T32 | flags | with_it(cond << 4 | 8);

            assert_int_equal(avc_condition_passed(ESR_MAKE(1, true, ISS_CV | iss), USR | flags), holds(cond, nzcv));
            assert_int_equal(avc_condition_passed(ESR_MAKE(3, false, 0), t32), holds(cond, nzcv));
            assert_true(avc_condition_passed(ESR_MAKE(1, true, ISS_CV | iss), flags));        /* AArch64 */
            assert_true(avc_condition_passed(ESR_MAKE(3, false, 0), USR | SPSR_T32 | flags)); /* outside of a block */
            assert_true(avc_condition_passed(ESR_MAKE(0x13, true, ISS_CCKNOWNPASS | ISS_CV | iss), USR | flags));
        }
}

/* The classes whose syndrome has a condition (Arm ARM D24.2.40). */
static void conditional_classes(void **state)
{
    static const unsigned char conditional[64] = {
        [0x01] = 1, [0x03] = 1, [0x04] = 1, [0x05] = 1, [0x06] = 1, [0x07] = 1, [0x08] = 1, [0x0c] = 1, [0x13] = 1
    };

    (void)state;
    for (unsigned ec = 0; ec < 64; ec++) /* EQ, Z clear */
        assert_int_equal(avc_condition_passed(ESR_MAKE(ec, true, ISS_CV), USR), !conditional[ec]);
}

static void levels(void **state)
{
    (void)state;
    assert_true(avc_at_el0(0) && avc_at_el0(USR) && avc_at_el0(SPSR_NZCV | JUNK));
    assert_false(avc_at_el0(4) || avc_at_el0(5));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(step64),
        cmocka_unit_test(step32),
        cmocka_unit_test(it_blocks),
        cmocka_unit_test(conditions),
        cmocka_unit_test(conditional_classes),
        cmocka_unit_test(levels),
    };

    return cmocka_run_group_tests_name("pstate", tests, NULL, NULL);
}
