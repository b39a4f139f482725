/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* What this CPU is: whether it can run guests, its ID registers, and what firmware says of its workarounds. */
#include <avc/psci.h>

#include "arch/gic.h"
#include "arch/idreg.h"
#include "core/core.h"
#include "hw_guest.h"
#include "core/policy/feature.h"

/*
 * Guests need EL2, AArch64 at EL1 (ID_AA64PFR0_EL1.EL1), and stage 2 with 4 KiB pages (ID_AA64MMFR0_EL1.TGran4_2, whose
 * 0 refers to TGran4). This reads CurrentEL and ID registers only. EL1 may read them too; a hypervisor below that traps
 * the ID registers answers.
 */
enum avc_status avc_hw_supported(void)
{
    uint64_t pfr0, mmfr0;
    unsigned tgran4_2;

    if (CURRENTEL_EL(avc_hw_read_CURRENTEL()) != 2)
        return AVC_ENOTSUP;
    pfr0 = avc_hw_read_id(ID_AA64PFR0);
    if (avc_id_value(pfr0, ID_AA64PFR0_EL2) == 0 || avc_id_value(pfr0, ID_AA64PFR0_EL1) == 0)
        return AVC_ENOTSUP;
    mmfr0 = avc_hw_read_id(ID_AA64MMFR0);
    tgran4_2 = avc_id_value(mmfr0, ID_AA64MMFR0_TGran4_2);
    if (tgran4_2 == 1 || (tgran4_2 == 0 && avc_id_value(mmfr0, ID_AA64MMFR0_TGran4) == 15))
        return AVC_ENOTSUP;
    return AVC_OK;
}

static int64_t call(uint32_t fid, uint32_t arg)
{
    uint64_t x[18] = { fid, arg };

    avc_hw_smc(x);
    return (int32_t)x[0];
}

/*
 * Asks SMCCC_ARCH_FEATURES for each of the three workarounds (DEN0028, 7.3). SMCCC_VERSION came with version 1.1, and
 * PSCI_FEATURES(SMCCC_VERSION) says whether it is there (DEN0028, 7.2). Older firmware answers NOT_SUPPORTED to both.
 * An SMC without EL3 is UNDEFINED, so ID_AA64PFR0_EL1.EL3 is looked at first.
 */
static uint32_t probe_workarounds(const uint64_t *id)
{
    static const uint32_t ids[] = { AVC_SMCCC_ARCH_WORKAROUND_1, AVC_SMCCC_ARCH_WORKAROUND_2,
                                    AVC_SMCCC_ARCH_WORKAROUND_3 };
    uint32_t known = 0;

    if (avc_id_field(id, ID_AA64PFR0_EL3) == 0)
        return 0;
    if (call(AVC_PSCI_VERSION, 0) < 0x10000 || call(AVC_PSCI_FEATURES, AVC_SMCCC_VERSION) < 0 ||
        call(AVC_SMCCC_VERSION, 0) < 0x10001)
        return 0;
    for (unsigned n = 0; n < AVC_ARRAY_SIZE(ids); n++) {
        int64_t answer = call(AVC_SMCCC_ARCH_FEATURES, ids[n]);
        enum avc_workaround is = AVC_WORKAROUND_UNKNOWN;

        if (answer == 0)
            is = AVC_WORKAROUND_CALL;
        else if (answer == 1)
            is = AVC_WORKAROUND_NOT_HERE;
        else if (answer == AVC_SMCCC_NOT_REQUIRED) /* of WORKAROUND_2 (DEN0028, 7.6) */
            is = ids[n] == AVC_SMCCC_ARCH_WORKAROUND_2 ? AVC_WORKAROUND_NOT_REQUIRED : AVC_WORKAROUND_NOT_HERE;
        known |= (uint32_t)is << (2 * n);
    }
    return known;
}

void avc_hw_probe(struct avc_features *f)
{
    *f = (struct avc_features){ 0 };
    for (unsigned n = 0; n < AVC_NR_ID_REGS; n++)
        f->id[n] = avc_hw_read_id(n);
    f->midr = avc_hw_read_MIDR_EL1();
    f->ctr = avc_hw_read_CTR_EL0();
    f->dczid = avc_hw_read_DCZID_EL0();
    f->clidr = avc_hw_read_CLIDR_EL1();
    f->cntfrq = avc_hw_read_CNTFRQ_EL0();
    /* The virtual CPU interface exists as system registers if the host has switched to them (ICC_SRE_EL2.SRE). */
    if (avc_id_field(f->id, ID_AA64PFR0_GIC) != 0 && avc_hw_read_ICC_SRE_EL2() & ICC_SRE_SRE) {
        uint64_t vtr = avc_hw_read_ICH_VTR_EL2();

        f->list_regs = (uint8_t)ICH_VTR_LISTREGS(vtr);
        f->pri_bits = (uint8_t)ICH_VTR_PRIBITS(vtr);
    }
    f->workarounds = probe_workarounds(f->id);
    avc_feature_decode(f);
    avc_feature_unaffected(f);
}
