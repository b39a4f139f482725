/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Which vectors stand while a guest runs. Nobody links the others who does not call avc_pcpu_harden().
 *
 * On some CPUs what a guest has taught the branch predictor steers indirect branches of EL2. There are two attacks. In
 * Spectre v2 (CVE-2017-5715) the guest trains targets; CPUs with ID_AA64PFR0_EL1.CSV2 >= 1 keep contexts apart. In
 * Spectre-BHB (CVE-2022-23960) the guest's branch history selects among EL2's own targets; CSV2 = 3 (FEAT_CSV2_3) rules
 * that out, too, and FEAT_ECBHB makes an exception to a higher EL clear the history. Against the first there is
 * firmware's ARCH_WORKAROUND_1, which invalidates all that the predictor has learnt, the history included. Against the
 * second there are CLRBHB, a loop of taken branches, and ARCH_WORKAROUND_3, which does the work of _1 as well (DEN0028,
 * 7.5 and 7.7).
 */
#include "core/object/harden.h"

#include <avc/psci.h>

#include "arch/idreg.h"
#include "core/core.h"
#include "core/object/pcpu.h"

/* Rounds of the loop: Arm, "Spectre-BHB" (the table of "Software mitigations"); Ampere1 and Kryo by their vendors, as
   Linux has them. */
static const struct {
    uint64_t part;
    uint16_t rounds;
} loops[] = {
    { MIDR_CORTEX_A57, 8 },    { MIDR_CORTEX_A72, 8 },    { MIDR_AMPERE1, 11 },     { MIDR_CORTEX_A76, 24 },
    { MIDR_CORTEX_A76AE, 24 }, { MIDR_CORTEX_A77, 24 },   { MIDR_NEOVERSE_N1, 24 }, { MIDR_KRYO_4XX_GOLD, 24 },
    { MIDR_CORTEX_A78, 32 },   { MIDR_CORTEX_A78AE, 32 }, { MIDR_CORTEX_A78C, 32 }, { MIDR_CORTEX_X1, 32 },
    { MIDR_CORTEX_X1C, 32 },   { MIDR_CORTEX_A710, 32 },  { MIDR_CORTEX_X2, 32 },   { MIDR_NEOVERSE_N2, 32 },
    { MIDR_NEOVERSE_V1, 32 },  { MIDR_CORTEX_A715, 38 },  { MIDR_CORTEX_A720, 38 }, { MIDR_CORTEX_X3, 132 },
    { MIDR_NEOVERSE_V2, 132 },
};

static uint16_t rounds(uint64_t midr)
{
    for (size_t n = 0; n < AVC_ARRAY_SIZE(loops); n++)
        if (loops[n].part == (midr & MIDR_PART))
            return loops[n].rounds;
    return 0;
}

/* `f` is what this one CPU has. */
struct avc_hardening avc_hardening_of(const struct avc_features *f)
{
    unsigned csv2 = avc_id_field(f->id, ID_AA64PFR0_CSV2);
    bool by_1 = avc_workaround_of(f->workarounds, 1) == AVC_WORKAROUND_CALL;
    bool by_3 = avc_workaround_of(f->workarounds, 3) == AVC_WORKAROUND_CALL;
    struct avc_hardening firmware = { AVC_HARDEN_FIRMWARE,
                                      (uint16_t)(by_3 ? AVC_SMCCC_ARCH_WORKAROUND_3 : AVC_SMCCC_ARCH_WORKAROUND_1) };

    if (csv2 >= 3)
        return (struct avc_hardening){ AVC_HARDEN_NONE, 0 };
    if (csv2 == 0 && by_1)
        return firmware;
    if (avc_id_field(f->id, ID_AA64MMFR1_ECBHB))
        return (struct avc_hardening){ AVC_HARDEN_NONE, 0 };
    if (avc_id_field(f->id, ID_AA64ISAR2_CLRBHB))
        return (struct avc_hardening){ AVC_HARDEN_CLRBHB, 0 };
    if (rounds(f->midr))
        return (struct avc_hardening){ AVC_HARDEN_LOOP, rounds(f->midr) };
    return by_3 ? firmware : (struct avc_hardening){ AVC_HARDEN_NONE, 0 };
}

enum avc_status avc_pcpu_harden(struct avc_pcpu *p)
{
    static const char *const tables[] = {
        [AVC_HARDEN_NONE] = avc_vectors,
        [AVC_HARDEN_LOOP] = avc_vectors_loop,
        [AVC_HARDEN_CLRBHB] = avc_vectors_clrbhb,
        [AVC_HARDEN_FIRMWARE] = avc_vectors_firmware,
    };
    enum avc_status status = avc_pcpu_check_idle(p);
    struct avc_hardening h;

    if (status)
        return status;
    h = avc_hardening_of(&p->features);
    p->guest_vbar = (uintptr_t)tables[h.how];
    p->harden = h.arg;
    return AVC_OK;
}
