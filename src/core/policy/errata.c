/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Which CPUs have which of the errata that the library works round: Arm's "Software Developers Errata Notice" of each
   CPU. docs/errata.md has these and others, and says why most need nothing here. */
#include "core/policy/errata.h"

#include "arch/idreg.h"
#include "core/core.h"

#define R(r, p) ((r) << 4 | (p))
#define ALL     R(15, 15)
#define PART(m) ((m) >> 4 & 0xfff)

static const struct {
    uint32_t part;
    uint8_t last; /* revision that has it, as all before */
    uint8_t errata;
} rows[] = {
    { MIDR_CORTEX_A57, ALL, AVC_ERRATUM_AT },         /* 1319537 */
    { MIDR_CORTEX_A72, ALL, AVC_ERRATUM_AT },         /* 1319367 */
    { MIDR_CORTEX_A55, R(2, 0), AVC_ERRATUM_AT },     /* 1530923 */
    { MIDR_CORTEX_A76, R(2, 0), AVC_ERRATUM_AT },     /* 1165522 */
    { MIDR_NEOVERSE_N1, R(2, 0), AVC_ERRATUM_AT },    /* the same */
    { MIDR_CORTEX_A55, ALL, AVC_ERRATUM_TLBI },       /* 2441007 */
    { MIDR_CORTEX_A510, R(1, 1), AVC_ERRATUM_TLBI },  /* 2441009 */
    { MIDR_CORTEX_A77, R(1, 0), AVC_ERRATUM_PAR },    /* 1508412 */
    { MIDR_CORTEX_A57, R(1, 2), AVC_ERRATUM_STAGE1 }, /* 834220 */
    { MIDR_COBALT_100, ALL, AVC_ERRATUM_TLBI },       /* 4193789 */
    { MIDR_OLYMPUS, ALL, AVC_ERRATUM_TLBI },          /* T410-OLY-1029 */
};

/* AVC_ERRATUM_TLBI of all revisions of Arm's own: 4118414 and its kin, CVE-2025-10263. (1286807 of the Cortex-A76 is in
   it.) */
static const uint16_t tlbi[] = {
    PART(MIDR_CORTEX_A76),    PART(MIDR_CORTEX_A76AE), PART(MIDR_CORTEX_A77),  PART(MIDR_CORTEX_A78),
    PART(MIDR_CORTEX_A78AE),  PART(MIDR_CORTEX_A78C),  PART(MIDR_CORTEX_A710), PART(MIDR_CORTEX_X1),
    PART(MIDR_CORTEX_X1C),    PART(MIDR_CORTEX_X2),    PART(MIDR_CORTEX_X3),   PART(MIDR_CORTEX_X4),
    PART(MIDR_CORTEX_X925),   PART(MIDR_C1_ULTRA),     PART(MIDR_C1_PREMIUM),  PART(MIDR_NEOVERSE_N1),
    PART(MIDR_NEOVERSE_N2),   PART(MIDR_NEOVERSE_V1),  PART(MIDR_NEOVERSE_V2), PART(MIDR_NEOVERSE_V3),
    PART(MIDR_NEOVERSE_V3AE),
};

uint32_t avc_errata_of(uint64_t midr)
{
    uint64_t revision = MIDR_REVISION(midr);
    uint32_t errata = 0;

    for (size_t n = 0; n < AVC_ARRAY_SIZE(rows); n++)
        if (rows[n].part == (midr & MIDR_PART) && revision <= rows[n].last)
            errata |= rows[n].errata;
    for (size_t n = 0; n < AVC_ARRAY_SIZE(tlbi); n++)
        if ((midr & MIDR_PART) == MIDR_ARM(tlbi[n]))
            errata |= AVC_ERRATUM_TLBI;
    return errata;
}
