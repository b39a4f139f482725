/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Stage 2 tables against the reference of test_stage2_random.c: steps, and which page call fails, from the input. */
#include "asserts.h"
#include "input.h"
#include "pages.h"
#include "tlb.h"

static uint64_t from_input(void)
{
    return take_bytes(2);
}

int model_main(void);
#define main        model_main
#define fake_random from_input
#include "../unit/test_stage2_random.c"
#undef main

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t how;

    input_is(data, size);
    how = byte();
    fake_reset();
    fake_pages_reset();
    fake_tlb_reset(1);
    machine = (struct avc_machine){ .magic = AVC_MAGIC_MACHINE };
    machine.features.pa_bits = 44;
    machine.features.ctr = 0x8444c004;
    machine.features.has = how & 0x80 ? AVC_BIT(AVC_FEAT_TLBIRANGE) : 0;
    memset(&s2, 0, sizeof s2);
    memset(ref, 0, sizeof ref);
    assert_int_equal(avc_stage2_init(&s2, &machine, &fake_mem, 32 + how % 13), AVC_OK);
    for (unsigned n = 0; n < 40 && input_left; n++) {
        unsigned out = fake_pages_out;
        struct step s = random_step();
        unsigned fail = one_of(8); /* which page call; 0: none */
        enum avc_status status;

        fake_pages_fail = fail;
        status = do_step(&s);
        if (status == AVC_ENOMEM) {
            assert_int_not_equal(fail, 0);
            assert_int_equal(fake_pages_out, out); /* and nothing has changed */
        } else {
            assert_int_equal(status, ref_step(&s));
            assert_int_equal(fake_pages_out, s2.tables + s2.root_pages);
        }
        fake_pages_fail = 0;
    }
    compare();
    assert_null(fake_tlb_error);
    assert_int_equal(avc_stage2_destroy(&s2), AVC_OK);
    assert_int_equal(fake_pages_out, 0);
    return 0;
}
