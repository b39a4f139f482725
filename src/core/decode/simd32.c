/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * AArch32's Advanced SIMD structures by their words: VLD1 to VLD4, VST1 to VST4 (Arm ARM DDI 0487, F4.1.18 "Advanced
 * SIMD element or structure load/store"). What is UNDEFINED or UNPREDICTABLE is not decoded. The alignment that a word
 * asks for is not looked at: the CPU has checked it before it asked stage 2.
 */
#include "arch/bits.h"
#include "core/decode/decode.h"

#define PC 15
#define SP 13

#define RN(w) ((uint8_t)AVC_FIELD(w, 19, 16))
#define RM(w) ((uint8_t)AVC_FIELD(w, 3, 0))

static struct avc_access begin(uint32_t w, enum avc_access_form form, unsigned regs, unsigned step, unsigned size)
{
    return (struct avc_access){ .what = w & AVC_BIT(21) ? AVC_ACCESS_LOAD : AVC_ACCESS_STORE,
                                .form = (uint8_t)form,
                                .base = RN(w),
                                .index = AVC_NO_INDEX,
                                .extend = AVC_SHIFT_LSL32,
                                .reg = { (uint8_t)(AVC_FIELD(w, 22, 22) << 4 | AVC_FIELD(w, 15, 12)) },
                                .size = (uint8_t)(1u << size),
                                .nr = (uint8_t)regs,
                                .regs = (uint8_t)regs,
                                .rounds = 1,
                                .width = 8,
                                .step = (uint8_t)step };
}

/* The write-back: none, by the size, or by a register. Returns false if there are no such registers. */
static bool end(uint32_t w, struct avc_access *a)
{
    unsigned last = a->reg[0] + (unsigned)(a->regs - 1) * a->step + a->rounds - 1;

    if (RM(w) == SP)
        a->offset = (int32_t)avc_access_bytes(a);
    else if (RM(w) != PC)
        a->index = RM(w);
    a->post = a->write_back = RM(w) != PC;
    return last < 32 && RN(w) != PC;
}

/* All lanes of one to four registers; several rounds of them. */
static bool several(uint32_t w, struct avc_access *a)
{
    static const struct {
        uint8_t rounds, regs, step;
        uint8_t aligns; /* bit n: align = n is there */
    } types[16] = {
        [0x0] = { 1, 4, 1, 0xf }, [0x1] = { 1, 4, 2, 0xf }, [0x2] = { 4, 1, 1, 0xf }, [0x3] = { 2, 2, 2, 0xf },
        [0x4] = { 1, 3, 1, 0x3 }, [0x5] = { 1, 3, 2, 0x3 }, [0x6] = { 3, 1, 1, 0x3 }, [0x7] = { 1, 1, 1, 0x3 },
        [0x8] = { 1, 2, 1, 0x7 }, [0x9] = { 1, 2, 2, 0x7 }, [0xa] = { 2, 1, 1, 0x7 },
    };
    unsigned type = (unsigned)AVC_FIELD(w, 11, 8), size = (unsigned)AVC_FIELD(w, 7, 6);

    if (!(types[type].aligns >> AVC_FIELD(w, 5, 4) & 1) || (size == 3 && types[type].regs > 1))
        return false;
    *a = begin(w, AVC_FORM_LANES32, types[type].regs, types[type].step, size);
    a->rounds = types[type].rounds;
    a->nr = (uint8_t)(a->rounds * a->regs * 8u >> size);
    return end(w, a);
}

/* One element for all lanes. */
static bool replicated(uint32_t w, struct avc_access *a)
{
    unsigned regs = (unsigned)AVC_FIELD(w, 9, 8) + 1, size = (unsigned)AVC_FIELD(w, 7, 6);
    bool two = w & AVC_BIT(5), align = w & AVC_BIT(4);

    if (!(w & AVC_BIT(21)) || (size == 3 && !(regs == 4 && align)) || (align && (regs == 3 || (regs == 1 && !size))))
        return false;
    *a = begin(w, AVC_FORM_REPLICATE32, regs, two && regs > 1 ? 2 : 1, size == 3 ? 2 : size);
    a->rounds = two && regs == 1 ? 2 : 1;
    return end(w, a);
}

/* One lane. The field index_align has the lane, the step, and the alignment. */
static bool one(uint32_t w, struct avc_access *a)
{
    /* by the number of registers and the size: bits of index_align that are 0 */
    static const uint8_t zeros[4][4] = { { 1, 2, 4 }, { 0, 0, 2 }, { 1, 1, 3 }, { 0, 0, 0 } };
    unsigned n = (unsigned)AVC_FIELD(w, 9, 8), size = (unsigned)AVC_FIELD(w, 11, 10), field = (w >> 4) & 15;
    bool two = size && n && (field >> size & 1);

    if (field & zeros[n][size])
        return false;
    if (size == 2 && ((n == 0 && (field & 3) != 0 && (field & 3) != 3) || (n == 3 && (field & 3) == 3)))
        return false;
    *a = begin(w, AVC_FORM_LANE32, n + 1, two ? 2 : 1, size);
    a->lane = (uint8_t)(field >> (size + 1));
    return end(w, a);
}

bool avc_decode_simd32(uint32_t w, struct avc_access *a)
{
    if (!(w & AVC_BIT(23)))
        return several(w, a);
    return AVC_FIELD(w, 11, 10) == 3 ? replicated(w, a) : one(w, a);
}
