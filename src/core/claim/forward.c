/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Hands the guest's call on to the host's firmware, for an embedder that claimed it with avc_to_firmware(). The guest's
 * x0..x17 go out, and firmware's come back. The host's own registers take no part. Firmware keeps x18..x30, FP and SIMD
 * (DEN0028, 3.1).
 *
 * For firmware the caller is EL2. So calls that would make it act for EL2 as the guest says stay here, whatever the
 * claim says: calls that end the machine, take CPUs away, name an address where a CPU goes on at EL2, or switch off
 * what protects EL2. The hint that the caller's SVE registers may be lost stays here as well: the registers are the
 * host's.
 */
#include "core/exit/complete.h"

/* Function ids of fast calls have a type, a width, an owner, and a number of 16 bits. Bit 16 is a hint to firmware.
   The rest must be zero (DEN0028, table 2-1). Firmware need not look at all of it: TF-A drops the hint before it
   looks at the rest. */
#define FID_FAST     (UINT32_C(1) << 31)
#define FID_SVE_HINT (UINT32_C(1) << 16)
#define FID_OF_OWNER UINT32_C(0xbf00ffff) /* without the width and bits 23..16 */

static const struct {
    uint32_t first, last;
} withheld[] = {
    { 0x80007fff, 0x80007fff }, /* ARCH_WORKAROUND_2 switches a mitigation of this CPU, for EL2 too (DEN0028, 7.6) */
    { 0x84000000, 0x8400001f }, /* PSCI (DEN0022): CPU and system power, entry points */
    { 0x84000020, 0x8400003f }, /* SDEI (DEN0054): handlers of events, called at EL2 */
    { 0x84000110, 0x8400012f }, /* DRTM (DEN0113): starts another owner of EL2 */
};

static bool is_withheld(uint32_t fid)
{
    uint32_t id = fid & FID_OF_OWNER;

    for (unsigned n = 0; n < AVC_ARRAY_SIZE(withheld); n++)
        if (id >= withheld[n].first && id <= withheld[n].last)
            return true;
    return false;
}

/* Without EL3 an SMC is UNDEFINED, at EL2 too (Arm ARM, SMC). A guest must not be able to make the host execute one
   then. */
static bool answered(const struct avc_vcpu *vcpu)
{
    return avc_id_field(vcpu->vm->features.id, ID_AA64PFR0_EL3) || vcpu->pcpu->hal->uses & AVC_HOST_SMC;
}

enum avc_answer avc_to_firmware(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    const struct avc_firmware_audit *audit = ctx;
    uint32_t fid = (uint32_t)e->key;
    uint64_t x[18];

    if (e->kind != AVC_CALL || e->imm) /* SMCCC is the immediate 0 (DEN0028, 2.9 of issue E) */
        return AVC_FAULT;
    if (is_withheld(fid))
        return AVC_PASS;
    if (!answered(vcpu))
        return AVC_FAULT;
    x[0] = fid & FID_FAST ? fid & ~FID_SVE_HINT : fid;
    for (unsigned n = 1; n < AVC_ARRAY_SIZE(x); n++)
        x[n] = vcpu->x[n];
    if (audit && audit->call && !audit->call(audit->ctx, vcpu, e, x))
        return AVC_FAULT;
    avc_hw_smc(x);
    if (audit && audit->answer)
        audit->answer(audit->ctx, vcpu, e, x);
    avc_complete_gprs(vcpu, 0, AVC_ARRAY_SIZE(x), x);
    return avc_done(e, x[0]);
}
