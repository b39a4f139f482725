/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * A32's and T32's loads and stores by their words, as EL0 may execute them (Arm ARM DDI 0487, F3.1 and F4.1). Not
 * decoded: whatever is UNPREDICTABLE, with two exceptions. A load with write-back into its own base keeps what was
 * loaded. A store multiple stores its base as it was.
 */
#include "arch/bits.h"
#include "core/decode/decode.h"

#define PC          15
#define NO_REGISTER 31

#define P(w)  ((w) >> 24 & 1)
#define U(w)  ((w) >> 23 & 1)
#define B(w)  ((w) >> 22 & 1)
#define W(w)  ((w) >> 21 & 1)
#define L(w)  ((w) >> 20 & 1)
#define RN(w) ((uint8_t)AVC_FIELD(w, 19, 16))
#define RT(w) ((uint8_t)AVC_FIELD(w, 15, 12))
#define RM(w) ((uint8_t)AVC_FIELD(w, 3, 0))

static struct avc_access begin(unsigned base, unsigned reg, unsigned size)
{
    return (struct avc_access){ .form = AVC_FORM_GPR,
                                .base = (uint8_t)(base == PC ? AVC_BASE_PC : base),
                                .index = AVC_NO_INDEX,
                                .extend = AVC_SHIFT_LSL32,
                                .reg = { (uint8_t)reg },
                                .size = (uint8_t)size,
                                .nr = 1 };
}

static void direction(struct avc_access *a, bool load)
{
    a->what = load ? AVC_ACCESS_LOAD : AVC_ACCESS_STORE;
}

/* A load into its own base does not write the base back as well. */
static void write_back(struct avc_access *a)
{
    bool own = a->reg[0] == a->base || (a->nr == 2 && a->reg[1] == a->base);

    a->write_back = !(a->what == AVC_ACCESS_LOAD && a->form == AVC_FORM_GPR && own);
}

/* The addressing modes by P and W: post-index, post-index without privileges, offset, pre-index. Returns false for a
   write-back that is UNPREDICTABLE: into the PC. */
static bool indexed(struct avc_access *a, bool p, bool w)
{
    a->post = !p;
    a->user = !p && w;
    if (!p || w)
        write_back(a);
    return !(!p || w) || a->base != AVC_BASE_PC;
}

static int32_t by(uint32_t w, uint32_t n)
{
    return U(w) ? (int32_t)n : -(int32_t)n;
}

/* A shift of an index, as `type` and five bits say it (Arm ARM, DecodeImmShift()). */
static void shift(struct avc_access *a, unsigned type, unsigned n)
{
    a->extend = (uint8_t)(AVC_SHIFT_LSL32 + type);
    a->shift = (uint8_t)n;
    if (!n && type == 3)
        a->extend = AVC_SHIFT_RRX32;
    else if (!n && type)
        a->shift = 32;
}

/* ---- what both instruction sets have in the same bits ---- */

/* VLDR and VSTR of a halfword (FEAT_FP16), in the low half of an S register. There are no multiple ones. */
static bool half(uint32_t w, struct avc_access *a)
{
    if (AVC_FIELD(w, 11, 8) != 9 || !P(w) || W(w) || (RN(w) == PC && !L(w)))
        return false;
    *a = begin(RN(w), RT(w) << 1 | B(w), 2);
    a->form = AVC_FORM_BANK;
    a->width = 4;
    direction(a, L(w));
    a->offset = by(w, (uint32_t)AVC_FIELD(w, 7, 0) * 2);
    return true;
}

/* VLDR, VSTR, VLDM, VSTM, VPUSH, VPOP (F4.1, "System register access, Advanced SIMD, and floating-point") */
static bool bank(uint32_t w, struct avc_access *a)
{
    bool is_double = AVC_FIELD(w, 11, 8) == 0xb, one = P(w) && !W(w);
    unsigned imm = (unsigned)AVC_FIELD(w, 7, 0), high = B(w), vd = RT(w);
    unsigned first = is_double ? high << 4 | vd : vd << 1 | high, nr = one ? 1 : is_double ? imm / 2 : imm;

    if (AVC_FIELD(w, 11, 9) != 5)
        return half(w, a);
    if ((!P(w) && !U(w)) || (P(w) && U(w) && W(w)))
        return false;
    if (!one && (!nr || (is_double && (imm & 1 || nr > 16)) || first + nr > 32))
        return false;
    if (RN(w) == PC && (!one || !L(w)))
        return false;
    *a = begin(RN(w), first, is_double ? 8 : 4);
    a->form = AVC_FORM_BANK;
    a->width = a->size;
    a->nr = (uint8_t)nr;
    direction(a, L(w));
    if (one || W(w)) { /* otherwise: increment after, without write-back */
        a->offset = by(w, imm * 4);
        a->post = !P(w);
        a->write_back = W(w);
    }
    return true;
}

/* How many registers a list has. The compiler's own function is in libgcc. */
static unsigned count(unsigned list)
{
    unsigned n = 0;

    for (unsigned i = 0; i < 16; i++)
        n += list >> i & 1;
    return n;
}

/* LDM and STM: from the lowest address up, whatever the mode. */
static bool multiple(struct avc_access *a, unsigned base, unsigned list, bool load, bool before, bool up, bool wb)
{
    int32_t bytes = 4 * (int32_t)count(list);

    if (!list || base == PC)
        return false;
    *a = begin(base, 0, 4);
    a->r15 = list >> PC;
    a->form = AVC_FORM_LIST;
    a->list = (uint16_t)list;
    a->nr = (uint8_t)(bytes / 4);
    direction(a, load);
    a->offset = up ? (before ? 4 : 0) : (before ? 0 : 4) - bytes;
    a->further = (up ? bytes : -bytes) - a->offset;
    a->write_back = wb && !(load && list >> base & 1);
    return true;
}

/* ---- A32 ---- */

static bool word_or_byte(uint32_t w, struct avc_access *a)
{
    *a = begin(RN(w), RT(w), B(w) ? 1 : 4);
    direction(a, L(w));
    a->r15 = RT(w) == PC;
    if (a->r15 && (B(w) || (!P(w) && W(w)))) /* bytes; LDRT and STRT */
        return false;
    if (!(w & AVC_BIT(25))) {
        a->offset = by(w, (uint32_t)AVC_FIELD(w, 11, 0));
    } else {
        if (w & AVC_BIT(4) || RM(w) == PC || RN(w) == PC)
            return false;
        a->index = RM(w);
        a->subtract = !U(w);
        shift(a, (unsigned)AVC_FIELD(w, 6, 5), (unsigned)AVC_FIELD(w, 11, 7));
    }
    return indexed(a, P(w), W(w));
}

/* Halfwords, signed bytes, doublewords. */
static bool extra(uint32_t w, struct avc_access *a)
{
    unsigned op = (unsigned)AVC_FIELD(w, 6, 5);
    bool two = !L(w) && op != 1;

    *a = begin(RN(w), RT(w), two ? 4 : op == 2 ? 1 : 2);
    direction(a, two ? op == 2 : L(w));
    a->sign = !two && op != 1;
    if (RT(w) == PC)
        return false;
    if (two) {
        if (RT(w) & 1 || RT(w) == 14 || (!P(w) && W(w)))
            return false;
        a->nr = 2;
        a->reg[1] = (uint8_t)(RT(w) + 1);
    }
    if (B(w)) {
        a->offset = by(w, (uint32_t)(AVC_FIELD(w, 11, 8) << 4 | AVC_FIELD(w, 3, 0)));
    } else {
        if (AVC_FIELD(w, 11, 8) || RM(w) == PC || RN(w) == PC)
            return false;
        a->index = RM(w);
        a->subtract = !U(w);
    }
    return indexed(a, P(w), W(w));
}

/* LDREX and its like; LDA and STL. */
static bool ordered(uint32_t w, struct avc_access *a)
{
    static const uint8_t sizes[4] = { 4, 0, 1, 2 };
    unsigned size = sizes[AVC_FIELD(w, 22, 21)];
    bool exclusive = w & AVC_BIT(9), acquire_release = !(w & AVC_BIT(8));

    if (!U(w) || AVC_FIELD(w, 11, 10) != 3)
        return false;
    *a = begin(RN(w), L(w) ? RT(w) : RM(w), size);
    if (exclusive) {
        a->what = AVC_ACCESS_EXCLUSIVE;
        return RN(w) != PC;
    }
    direction(a, L(w));
    return acquire_release && size && RN(w) != PC && a->reg[0] != PC && (L(w) ? RM(w) : RT(w)) == PC;
}

bool avc_decode_a32(uint32_t w, struct avc_access *a)
{
    if (w >> 28 == 15)
        return (w & 0xff100000) == 0xf4000000 && avc_decode_simd32(w, a);
    switch (AVC_FIELD(w, 27, 25)) {
    case 0:
        if ((w & 0x90) != 0x90)
            return false;
        if (w & 0x60)
            return extra(w, a);
        return P(w) && ordered(w, a);
    case 2:
    case 3:
        return word_or_byte(w, a);
    case 4:
        return !B(w) && multiple(a, RN(w), (unsigned)AVC_FIELD(w, 15, 0), L(w), P(w), U(w), W(w));
    case 6:
        return bank(w, a);
    default:
        return false;
    }
}

/* ---- T32, two bytes ---- */

static bool narrow_register(uint32_t w, struct avc_access *a)
{
    static const struct {
        uint8_t size;
        bool load, sign;
    } by_op[8] = {
        { 4, false, false }, { 2, false, false }, { 1, false, false }, { 1, true, true },
        { 4, true, false },  { 2, true, false },  { 1, true, false },  { 2, true, true },
    };
    unsigned op = (unsigned)AVC_FIELD(w, 11, 9);

    *a = begin((unsigned)AVC_FIELD(w, 5, 3), (unsigned)AVC_FIELD(w, 2, 0), by_op[op].size);
    direction(a, by_op[op].load);
    a->sign = by_op[op].sign;
    a->index = (uint8_t)AVC_FIELD(w, 8, 6);
    return true;
}

static bool narrow_offset(uint32_t w, struct avc_access *a, unsigned size)
{
    *a = begin((unsigned)AVC_FIELD(w, 5, 3), (unsigned)AVC_FIELD(w, 2, 0), size);
    direction(a, w & AVC_BIT(11));
    a->offset = (int32_t)(AVC_FIELD(w, 10, 6) * size);
    return true;
}

static bool narrow_relative(uint32_t w, struct avc_access *a, unsigned base, bool load)
{
    *a = begin(base, (unsigned)AVC_FIELD(w, 10, 8), 4);
    direction(a, load);
    a->offset = (int32_t)AVC_FIELD(w, 7, 0) * 4;
    return true;
}

static bool narrow(uint32_t w, struct avc_access *a)
{
    unsigned list = w & 0xff;

    switch (w >> 11) {
    case 0x09:
        return narrow_relative(w, a, PC, true);
    case 0x0a:
    case 0x0b:
        return narrow_register(w, a);
    case 0x0c:
    case 0x0d:
        return narrow_offset(w, a, 4);
    case 0x0e:
    case 0x0f:
        return narrow_offset(w, a, 1);
    case 0x10:
    case 0x11:
        return narrow_offset(w, a, 2);
    case 0x12:
    case 0x13:
        return narrow_relative(w, a, 13, w & AVC_BIT(11));
    case 0x16: /* PUSH */
        return (w & 0x600) == 0x400 && multiple(a, 13, list | (w & 0x100) << 6, false, true, false, true);
    case 0x17: /* POP */
        return (w & 0x600) == 0x400 && multiple(a, 13, list | (w & 0x100) << 7, true, false, true, true);
    case 0x18:
        return multiple(a, (unsigned)AVC_FIELD(w, 10, 8), list, false, false, true, true);
    case 0x19:
        return multiple(a, (unsigned)AVC_FIELD(w, 10, 8), list, true, false, true, true);
    default:
        return false;
    }
}

/* ---- T32, four bytes: the first halfword is above ---- */

/* TBB and TBH: the PC as a base is not aligned. */
static bool table_branch(uint32_t w, struct avc_access *a)
{
    unsigned halfwords = w >> 4 & 1;

    *a = begin(RN(w), NO_REGISTER, 1 + halfwords);
    a->what = AVC_ACCESS_LOAD;
    a->index = RM(w);
    a->shift = (uint8_t)halfwords;
    a->table = true;
    return L(w) && AVC_FIELD(w, 15, 8) == 0xf0 && RM(w) != PC;
}

/* LDREX, LDREXB and the like, LDA and STL; TBB and TBH are among them. */
static bool wide_ordered(uint32_t w, struct avc_access *a)
{
    unsigned op = (unsigned)AVC_FIELD(w, 7, 4);

    if (U(w) && op < 2)
        return table_branch(w, a);
    *a = begin(RN(w), RT(w), op == 8 ? 1 : op == 9 ? 2 : 4);
    if (!U(w) || (op >= 4 && op <= 7 && op != 6) || op >= 12) {
        a->what = AVC_ACCESS_EXCLUSIVE;
        return RN(w) != PC;
    }
    direction(a, L(w));
    return op >= 8 && op <= 10 && RN(w) != PC && RT(w) != PC && AVC_FIELD(w, 11, 8) == PC && RM(w) == PC;
}

static bool wide_pair(uint32_t w, struct avc_access *a)
{
    unsigned t2 = (unsigned)AVC_FIELD(w, 11, 8);

    if (!P(w) && !W(w))
        return wide_ordered(w, a);
    *a = begin(RN(w), RT(w), 4);
    a->nr = 2;
    a->reg[1] = (uint8_t)t2;
    direction(a, L(w));
    a->offset = by(w, (uint32_t)AVC_FIELD(w, 7, 0) * 4);
    if (RT(w) == 13 || RT(w) == PC || t2 == 13 || t2 == PC || (L(w) && RT(w) == t2) || (!L(w) && RN(w) == PC))
        return false;
    a->post = !P(w);
    if (W(w))
        write_back(a);
    return !W(w) || RN(w) != PC;
}

static bool wide_multiple(uint32_t w, struct avc_access *a)
{
    unsigned list = (unsigned)AVC_FIELD(w, 15, 0);

    if (P(w) == U(w)) /* SRS, RFE */
        return false;
    if (list & AVC_BIT(13) || count(list) < 2)
        return false;
    if (list >> PC && (!L(w) || list & AVC_BIT(14))) /* PC and LR, or a store of the PC */
        return false;
    return multiple(a, RN(w), list, L(w), P(w), U(w), W(w));
}

/* An offset of eight bits, with P, U and W of its own. */
static bool wide_indexed(uint32_t w, struct avc_access *a)
{
    bool p = w & AVC_BIT(10), u = w & AVC_BIT(9), wb = w & AVC_BIT(8);

    a->offset = (u ? 1 : -1) * (int32_t)AVC_FIELD(w, 7, 0);
    a->user = p && u && !wb;
    a->post = !p;
    if (wb)
        write_back(a);
    return (p || wb) && !(a->r15 && a->user);
}

static bool wide_single(uint32_t w, struct avc_access *a)
{
    unsigned size = (unsigned)AVC_FIELD(w, 22, 21);
    bool sign = P(w), load = L(w);

    if (size == 3 || (sign && (!load || size == 2)))
        return false;
    *a = begin(RN(w), RT(w), 1u << size);
    direction(a, load);
    a->sign = sign;
    a->r15 = RT(w) == PC;
    if (a->r15 && (!load || size != 2)) /* a store of the PC, or a preload */
        return false;
    if (RN(w) == PC) {
        a->offset = by(w, (uint32_t)AVC_FIELD(w, 11, 0));
        return load;
    }
    if (U(w)) {
        a->offset = (int32_t)AVC_FIELD(w, 11, 0);
        return true;
    }
    if (!(w & AVC_BIT(11))) {
        a->index = RM(w);
        a->shift = (uint8_t)AVC_FIELD(w, 5, 4);
        return !AVC_FIELD(w, 10, 6) && RM(w) != PC && RM(w) != 13;
    }
    return wide_indexed(w, a);
}

bool avc_decode_t32(uint32_t w, struct avc_access *a)
{
    if (w < 0x10000)
        return narrow(w, a);
    switch (w >> 25) {
    case 0x74: /* 1110 100 */
        return B(w) ? wide_pair(w, a) : wide_multiple(w, a);
    case 0x76: /* 1110 110 */
        return bank(w, a);
    case 0x7c: /* 1111 100 */
        return (w & 0xff100000) == 0xf9000000 ? avc_decode_simd32(w, a) : wide_single(w, a);
    default:
        return false;
    }
}
