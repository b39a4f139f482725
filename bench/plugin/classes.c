/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The class of an A64 instruction (Arm ARM C4.1). The first row that matches decides. */
#include "classes.h"

#include <stddef.h>

/* clang-format off */
static const struct row {
    uint32_t mask, value;
    enum insn_class is;
} rows[] = {
    { 0xfff00000, 0xd5300000, CLASS_MRS },
    { 0xfff00000, 0xd5100000, CLASS_MSR },
    { 0xfff8f01f, 0xd500401f, CLASS_PSTATE },
    { 0xfffff0ff, 0xd50330df, CLASS_ISB },
    { 0xfffff0ff, 0xd503309f, CLASS_DSB },
    { 0xfffff3ff, 0xd503323f, CLASS_DSB },    /* nXS */
    { 0xfffff0ff, 0xd50330bf, CLASS_DMB },
    { 0xfff8e000, 0xd5088000, CLASS_TLBI },   /* CRn 8, and 9 with FEAT_XS */
    { 0xffd80000, 0xd5080000, CLASS_SYS },
    { 0xffffffff, 0xd69f03e0, CLASS_ERET },
    { 0xfffffbff, 0xd69f0bff, CLASS_ERET },   /* ERETAA, ERETAB */
    { 0xff000000, 0xd4000000, CLASS_CALL },
    { 0x7c000000, 0x14000000, CLASS_BRANCH }, /* B, BL */
    { 0xff000000, 0x54000000, CLASS_BRANCH }, /* B.cond */
    { 0x7c000000, 0x34000000, CLASS_BRANCH }, /* CBZ, CBNZ, TBZ, TBNZ */
    { 0xfe000000, 0xd6000000, CLASS_BRANCH }, /* BR, BLR, RET */
    { 0x3f207c00, 0x08207c00, CLASS_ATOMIC }, /* CAS, CASP */
    { 0x3ffffc00, 0x38bfc000, CLASS_LOAD },   /* LDAPR */
    { 0x3f200c00, 0x38200000, CLASS_ATOMIC }, /* LDADD, SWP and the like */
    { 0xff000000, 0xd8000000, CLASS_OTHER },  /* PRFM of a literal */
    { 0x3b000000, 0x18000000, CLASS_LOAD },   /* literal */
    { 0x3a400000, 0x28000000, CLASS_STORE },  /* STP */
    { 0x3a400000, 0x28400000, CLASS_LOAD },   /* LDP */
    { 0x3f400000, 0x08000000, CLASS_STORE },  /* exclusive, with release */
    { 0x3f400000, 0x08400000, CLASS_LOAD },
    { 0xbe400000, 0x0c000000, CLASS_STORE },  /* SIMD structures */
    { 0xbe400000, 0x0c400000, CLASS_LOAD },
    { 0xffc00000, 0xf9800000, CLASS_OTHER },  /* PRFM */
    { 0xffe00c00, 0xf8800000, CLASS_OTHER },  /* PRFUM */
    { 0xffe00c00, 0xf8a00800, CLASS_OTHER },  /* PRFM, register offset */
    { 0xfec00000, 0x3c800000, CLASS_STORE },  /* STR of a Q register */
    { 0x3ac00000, 0x38000000, CLASS_STORE },
    { 0x3a000000, 0x38000000, CLASS_LOAD },
    { 0x3fc00000, 0x19000000, CLASS_STORE },  /* STLUR */
    { 0x3f000000, 0x19000000, CLASS_LOAD },   /* LDAPUR */
};
/* clang-format on */

enum insn_class classify(uint32_t insn)
{
    for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++)
        if ((insn & rows[n].mask) == rows[n].value)
            return rows[n].is;
    return CLASS_OTHER;
}
