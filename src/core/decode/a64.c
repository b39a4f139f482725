/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * A64's loads and stores by their words (Arm ARM DDI 0487, C4.1.94 "Loads and Stores"). The functions follow the Arm
 * ARM's encoding groups. What is in no table there, or belongs to a feature that guests do not see (MTE, LS64, LSE128,
 * LRCPC3, MOPS, SVE), is not decoded.
 *
 * Where the Arm ARM leaves a choice (CONSTRAINED UNPREDICTABLE), this takes one of those it offers: a load with
 * write-back into its own base keeps what was loaded; of a pair that loads one register twice the second one counts;
 * fields that should be one are not looked at.
 */
#include "arch/bits.h"
#include "core/decode/decode.h"

#define V      AVC_BIT(26) /* the registers are V registers */
#define Q      AVC_BIT(30) /* structures: registers of 16 bytes */
#define L_BIT  AVC_BIT(22) /* a load */
#define RT(w)  ((uint8_t)AVC_FIELD(w, 4, 0))
#define RN(w)  ((uint8_t)AVC_FIELD(w, 9, 5))
#define RT2(w) ((uint8_t)AVC_FIELD(w, 14, 10))
#define RM(w)  ((uint8_t)AVC_FIELD(w, 20, 16))

/* Returns the field as a signed number, times `scale`. */
static int32_t offset(uint32_t w, unsigned hi, unsigned lo, int32_t scale)
{
    int32_t value = (int32_t)AVC_FIELD(w, hi, lo), sign = (int32_t)AVC_BIT(hi - lo);

    return ((value ^ sign) - sign) * scale;
}

/* A load into its own base does not write the base back as well. */
static bool overwritten(const struct avc_access *a)
{
    if (a->what != AVC_ACCESS_LOAD || a->form != AVC_FORM_GPR || a->base == AVC_BASE_SP)
        return false;
    return a->reg[0] == a->base || (a->nr == 2 && a->reg[1] == a->base);
}

static void write_back(struct avc_access *a, bool post)
{
    a->post = post;
    a->write_back = !overwritten(a);
}

/* ---- exclusives, acquire and release (C4.1.94.5 and the following) ---- */

static bool ordered(uint32_t w, struct avc_access *a)
{
    bool o2 = w & AVC_BIT(23), o1 = w & AVC_BIT(21);

    if (!o2 || o1) {                                 /* exclusives; pairs of them and CASP; CAS */
        bool casp = !o2 && o1 && !(w & AVC_BIT(31)); /* Rs and Rt are even, each the first of a pair */

        a->what = AVC_ACCESS_EXCLUSIVE;
        return casp ? RT2(w) == 31 && !((w | w >> 16) & 1) : !o2 || RT2(w) == 31;
    }
    a->what = w & L_BIT ? AVC_ACCESS_LOAD : AVC_ACCESS_STORE;
    a->size = (uint8_t)AVC_BIT(AVC_FIELD(w, 31, 30));
    a->nr = 1;
    return true;
}

/* ---- SIMD structures ---- */

static void step_by(uint32_t w, struct avc_access *a)
{
    if (RM(w) == 31)
        a->offset = (int32_t)avc_access_bytes(a);
    else
        a->index = RM(w);
    write_back(a, true);
}

static bool structures(uint32_t w, struct avc_access *a)
{
    static const struct {
        uint8_t rounds, regs;
    } by_opcode[16] = {
        [0x0] = { 1, 4 }, [0x2] = { 4, 1 }, [0x4] = { 1, 3 }, [0x6] = { 3, 1 },
        [0x7] = { 1, 1 }, [0x8] = { 1, 2 }, [0xa] = { 2, 1 },
    };
    unsigned opcode = (unsigned)AVC_FIELD(w, 15, 12), size = (unsigned)AVC_FIELD(w, 11, 10);
    bool post = w & AVC_BIT(23);

    a->rounds = by_opcode[opcode].rounds;
    a->regs = by_opcode[opcode].regs;
    a->width = w & Q ? 16 : 8;
    if (w & AVC_BIT(21) || !a->regs || (!post && RM(w)) || (size == 3 && !(w & Q) && a->regs != 1))
        return false;
    a->form = AVC_FORM_LANES;
    a->what = w & L_BIT ? AVC_ACCESS_LOAD : AVC_ACCESS_STORE;
    a->size = (uint8_t)AVC_BIT(size);
    a->nr = (uint8_t)(a->rounds * a->regs * a->width >> size);
    if (post)
        step_by(w, a);
    return true;
}

static bool structure(uint32_t w, struct avc_access *a)
{
    unsigned opcode = (unsigned)AVC_FIELD(w, 15, 13), size = (unsigned)AVC_FIELD(w, 11, 10), scale = opcode >> 1;
    unsigned lane = (unsigned)(AVC_FIELD(w, 30, 30) << 3 | AVC_FIELD(w, 12, 10)); /* Q:S:size */
    bool load = w & L_BIT, post = w & AVC_BIT(23);

    if (!post && RM(w))
        return false;
    a->form = AVC_FORM_LANE;
    a->regs = (uint8_t)(((opcode & 1) << 1 | AVC_FIELD(w, 21, 21)) + 1);
    a->width = w & Q ? 16 : 8;
    switch (scale) {
    case 3:
        if (!load || w & AVC_BIT(12))
            return false;
        a->form = AVC_FORM_REPLICATE;
        scale = size;
        break;
    case 2:
        if (size & 2 || (size & 1 && w & AVC_BIT(12)))
            return false;
        scale += size & 1;
        break;
    case 1:
        if (size & 1)
            return false;
        break;
    default:
        break;
    }
    a->lane = (uint8_t)(lane >> scale);
    a->what = load ? AVC_ACCESS_LOAD : AVC_ACCESS_STORE;
    a->size = (uint8_t)AVC_BIT(scale);
    a->nr = a->regs;
    if (post)
        step_by(w, a);
    return true;
}

/* ---- one register ---- */

/* What size, V and opc say. PRFM is where a doubleword would be sign-extended. */
static bool transfer(uint32_t w, struct avc_access *a)
{
    unsigned size = (unsigned)AVC_FIELD(w, 31, 30), opc = (unsigned)AVC_FIELD(w, 23, 22);

    a->nr = 1;
    if (w & V) {
        if (opc & 2 && size)
            return false;
        a->form = AVC_FORM_VECTOR;
        a->size = (uint8_t)AVC_BIT(opc & 2 ? 4 : size);
        a->what = opc & 1 ? AVC_ACCESS_LOAD : AVC_ACCESS_STORE;
        return true;
    }
    a->size = (uint8_t)AVC_BIT(size);
    a->what = opc ? AVC_ACCESS_LOAD : AVC_ACCESS_STORE;
    a->sign = opc & 2;
    a->wide = opc != 3;
    if (size == 3 && opc == 2)
        a->what = AVC_ACCESS_NONE;
    return opc != 3 || size < 2;
}

/* Literals: relative to the PC. */
static bool literal(uint32_t w, struct avc_access *a)
{
    unsigned opc = (unsigned)AVC_FIELD(w, 31, 30);

    a->base = AVC_BASE_PC;
    a->offset = offset(w, 23, 5, 4);
    a->nr = 1;
    a->what = AVC_ACCESS_LOAD;
    if (w & V) {
        a->form = AVC_FORM_VECTOR;
        a->size = (uint8_t)(4 << opc);
        return opc < 3;
    }
    a->size = opc == 1 ? 8 : 4;
    a->sign = opc == 2;
    a->wide = true;
    if (opc == 3)
        a->what = AVC_ACCESS_NONE;
    return true;
}

/* LDAPUR and STLUR (FEAT_LRCPC2). Their neighbours are MTE's and MOPS's. */
static bool ordered_unscaled(uint32_t w, struct avc_access *a)
{
    if (w & (V | AVC_BIT(21) | AVC_BITS(11, 10)) || !transfer(w, a))
        return false;
    a->offset = offset(w, 20, 12, 1);
    return a->what != AVC_ACCESS_NONE;
}

static bool pair(uint32_t w, struct avc_access *a)
{
    unsigned opc = (unsigned)AVC_FIELD(w, 31, 30), mode = (unsigned)AVC_FIELD(w, 24, 23);

    a->what = w & L_BIT ? AVC_ACCESS_LOAD : AVC_ACCESS_STORE;
    a->reg[1] = RT2(w);
    a->nr = 2;
    a->wide = true;
    if (opc == 3)
        return false;
    if (w & V) {
        a->form = AVC_FORM_VECTOR;
        a->size = (uint8_t)(4 << opc);
    } else {
        a->size = opc == 2 ? 8 : 4;
        a->sign = opc == 1;
        if (a->sign && (!(w & L_BIT) || mode == 0)) /* STGP is MTE's */
            return false;
    }
    a->offset = offset(w, 21, 15, a->size);
    if (mode & 1)
        write_back(a, mode == 1);
    return true;
}

/* What FEAT_LSE and FEAT_LRCPC have between the register forms. */
static bool atomic(uint32_t w, struct avc_access *a)
{
    unsigned opc = (unsigned)AVC_FIELD(w, 14, 12);

    if (w & V)
        return false;
    if (!(w & AVC_BIT(15)) || opc == 0) { /* LDADD to LDUMIN; SWP */
        a->what = AVC_ACCESS_EXCLUSIVE;
        return true;
    }
    if (opc != 4 || w & L_BIT || !(w & AVC_BIT(23)) || RM(w) != 31) /* LDAPR */
        return false;
    a->what = AVC_ACCESS_LOAD;
    a->size = (uint8_t)AVC_BIT(AVC_FIELD(w, 31, 30));
    a->nr = 1;
    return true;
}

/* LDRAA, LDRAB (FEAT_PAuth) */
static bool authenticated(uint32_t w, struct avc_access *a)
{
    if (w & V || AVC_FIELD(w, 31, 30) != 3)
        return false;
    a->what = AVC_ACCESS_LOAD;
    a->size = 8;
    a->nr = 1;
    a->signed_base = true;
    a->offset = offset((uint32_t)(AVC_FIELD(w, 22, 22) << 21 | AVC_FIELD(w, 20, 12) << 12), 21, 12, 8);
    if (w & AVC_BIT(11))
        write_back(a, false);
    return true;
}

static bool by_register(uint32_t w, struct avc_access *a)
{
    if (!(w & AVC_BIT(14)) || !transfer(w, a))
        return false;
    a->index = RM(w);
    a->extend = (uint8_t)AVC_FIELD(w, 15, 13);
    if (w & AVC_BIT(12))
        a->shift = (uint8_t)__builtin_ctz(a->size);
    return true;
}

static bool by_short_offset(uint32_t w, struct avc_access *a)
{
    unsigned mode = (unsigned)AVC_FIELD(w, 11, 10); /* unscaled, post, unprivileged, pre */

    if (!transfer(w, a) || (mode && a->what == AVC_ACCESS_NONE) || (mode == 2 && w & V))
        return false;
    a->offset = offset(w, 20, 12, 1);
    a->user = mode == 2;
    if (mode & 1)
        write_back(a, mode == 1);
    return true;
}

static bool single(uint32_t w, struct avc_access *a)
{
    if (w & AVC_BIT(24)) {
        if (!transfer(w, a))
            return false;
        a->offset = (int32_t)AVC_FIELD(w, 21, 10) * a->size;
        return true;
    }
    if (!(w & AVC_BIT(21)))
        return by_short_offset(w, a);
    if (w & AVC_BIT(10))
        return authenticated(w, a);
    return w & AVC_BIT(11) ? by_register(w, a) : atomic(w, a);
}

/* ---- all ---- */

bool avc_decode_a64(uint32_t w, struct avc_access *a)
{
    *a = (struct avc_access){ .base = RN(w), .index = AVC_NO_INDEX, .extend = AVC_EXTEND_LSL, .reg = { RT(w) } };
    if ((w & ~AVC_BITS(4, 0)) == 0xd50b7420) { /* DC ZVA */
        a->what = AVC_ACCESS_ZERO;
        a->base = RT(w);
        a->size = 8; /* how often: the CPU's, DCZID_EL0 */
        return true;
    }
    if ((w & (AVC_BIT(27) | AVC_BIT(25))) != AVC_BIT(27))
        return false;
    switch (AVC_FIELD(w, 29, 27)) {
    case 1:
        if (!(w & V))
            return !(w & AVC_BIT(24)) && ordered(w, a);
        return !(w & AVC_BIT(31)) && (w & AVC_BIT(24) ? structure(w, a) : structures(w, a));
    case 3:
        return w & AVC_BIT(24) ? ordered_unscaled(w, a) : literal(w, a);
    case 5:
        return pair(w, a);
    default: /* 7: bit 27 is set */
        return single(w, a);
    }
}
