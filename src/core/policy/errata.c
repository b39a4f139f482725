/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Which CPUs have which of the errata that the library works round: Arm's "Software Developers Errata Notice" of each
   CPU. docs/errata.md has these and others, and says why most need nothing here. */
#include "core/policy/errata.h"

#include "arch/idreg.h"
#include "core/core.h"

#define R(r, p) ((r) << 4 | (p))
#define ALL     R(15, 15)

static const struct {
    uint64_t part;
    uint8_t last; /* revision that has it, as all before */
    uint32_t errata;
} rows[] = {
    { MIDR_CORTEX_A57, ALL, AVC_ERRATUM_AT },        /* 1319537 */
    { MIDR_CORTEX_A72, ALL, AVC_ERRATUM_AT },        /* 1319367 */
    { MIDR_CORTEX_A55, R(2, 0), AVC_ERRATUM_AT },    /* 1530923 */
    { MIDR_CORTEX_A76, R(2, 0), AVC_ERRATUM_AT },    /* 1165522 */
    { MIDR_CORTEX_A55, ALL, AVC_ERRATUM_TLBI },      /* 2441007 */
    { MIDR_CORTEX_A76, R(3, 0), AVC_ERRATUM_TLBI },  /* 1286807 */
    { MIDR_CORTEX_A510, R(1, 1), AVC_ERRATUM_TLBI }, /* 2441009 */
    { MIDR_CORTEX_A77, R(1, 0), AVC_ERRATUM_PAR },   /* 1508412 */
};

uint32_t avc_errata_of(uint64_t midr)
{
    uint64_t revision = MIDR_REVISION(midr);
    uint32_t errata = 0;

    for (size_t n = 0; n < AVC_ARRAY_SIZE(rows); n++)
        if (rows[n].part == (midr & MIDR_PART) && revision <= rows[n].last)
            errata |= rows[n].errata;
    return errata;
}
