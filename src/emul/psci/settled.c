/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The guest's firmware, first part: which function ids there are, and the answers that need no more than the vCPU and
 * its VM.
 */
#include "emul/psci/firmware.h"

/* ---- PSCI (DEN0022) ---- */

#define NONE avc_call_unknown
#define FULL avc_call_slow

static enum avc_result psci_version(struct avc_vcpu *vcpu, uint64_t fid, const struct avc_call_row *row)
{
    (void)fid, (void)row;
    return avc_complete_call(vcpu, 0x10001); /* 1.1 */
}

static enum avc_result psci_migrate_info_type(struct avc_vcpu *vcpu, uint64_t fid, const struct avc_call_row *row)
{
    (void)fid, (void)row;
    return avc_complete_call(vcpu, AVC_PSCI_MIGRATE_NOT_REQUIRED);
}

/* The common cases: one of the first sixteen, or a target whose Aff0 is its index. Whatever is not quite that, errors too, is
   told apart by the full way. */
static __attribute__((noinline)) enum avc_result psci_affinity_far(struct avc_vcpu *vcpu, uint64_t target)
{
    const struct avc_vm *vm = vcpu->vm;
    const struct avc_vcpu *asked;

    if ((target & 0xff) >= vm->nr_vcpus)
        return AVC_SLOW;
    asked = vm->vcpus[target & 0xff];
    if (asked->affinity != target)
        return AVC_SLOW;
    return avc_complete_call(vcpu, psci_affinity_state(asked));
}

static inline enum avc_result psci_affinity_info(struct avc_vcpu *vcpu, uint64_t target)
{
    const struct avc_vcpu *asked = vcpu->vm->near[vcpu->x[1] % AVC_ARRAY_SIZE(vcpu->vm->near)];

    if ((uint32_t)vcpu->x[2] != 0)
        return AVC_SLOW;
    if (avc_unlikely(asked->affinity != target))
        return psci_affinity_far(vcpu, target);
    return avc_complete_call(vcpu, psci_affinity_state(asked));
}

static enum avc_result psci_affinity_info32(struct avc_vcpu *vcpu, uint64_t fid, const struct avc_call_row *row)
{
    (void)fid, (void)row;
    return psci_affinity_info(vcpu, (uint32_t)vcpu->x[1]);
}

static enum avc_result psci_affinity_info64(struct avc_vcpu *vcpu, uint64_t fid, const struct avc_call_row *row)
{
    (void)fid, (void)row;
    return psci_affinity_info(vcpu, vcpu->x[1]);
}

static avc_call_fn psci_features;

/* By the low five bits of the id: what the 32-bit form does, and the 64-bit form. */
#define PSCI_ROWS 32
static avc_call_fn *const psci_rows[PSCI_ROWS][2] = {
    { psci_version, NONE },                         /* 00 VERSION */
    { FULL, FULL },                                 /* 01 CPU_SUSPEND */
    { FULL, NONE },                                 /* 02 CPU_OFF */
    { FULL, FULL },                                 /* 03 CPU_ON */
    { psci_affinity_info32, psci_affinity_info64 }, /* 04 AFFINITY_INFO */
    { NONE, NONE },                                 /* 05 MIGRATE */
    { psci_migrate_info_type, NONE },               /* 06 MIGRATE_INFO_TYPE */
    { NONE, NONE },                                 /* 07 MIGRATE_INFO_UP_CPU */
    { FULL, NONE },                                 /* 08 SYSTEM_OFF */
    { FULL, NONE },                                 /* 09 SYSTEM_RESET */
    { psci_features, NONE },                        /* 0a PSCI_FEATURES */
    { NONE, NONE },                                 /* 0b CPU_FREEZE */
    { NONE, NONE },                                 /* 0c CPU_DEFAULT_SUSPEND */
    { NONE, NONE },                                 /* 0d NODE_HW_STATE */
    { NONE, NONE },                                 /* 0e SYSTEM_SUSPEND */
    { NONE, NONE },                                 /* 0f PSCI_SET_SUSPEND_MODE */
    { NONE, NONE },                                 /* 10 PSCI_STAT_RESIDENCY */
    { NONE, NONE },                                 /* 11 PSCI_STAT_COUNT */
    { FULL, FULL },                                 /* 12 SYSTEM_RESET2 */
    { NONE, NONE },                                 /* 13 MEM_PROTECT */
    { NONE, NONE },                                 /* 14 MEM_PROTECT_CHECK_RANGE */
    { NONE, NONE },                                 /* 15 */
    { NONE, NONE },                                 /* 16 */
    { NONE, NONE },                                 /* 17 */
    { NONE, NONE },                                 /* 18 */
    { NONE, NONE },                                 /* 19 */
    { NONE, NONE },                                 /* 1a */
    { NONE, NONE },                                 /* 1b */
    { NONE, NONE },                                 /* 1c */
    { NONE, NONE },                                 /* 1d */
    { NONE, NONE },                                 /* 1e */
    { NONE, NONE },                                 /* 1f */
};

/* Offered means: has a row. */
#define OFFERED32 UINT32_C(0x0004075f) /* 00..04, 06, 08..0a, 12 */
#define OFFERED64 UINT32_C(0x0004001a) /* 01, 03, 04, 12 */

/* SMCCC_VERSION is asked for here by callers that do not know yet whether SMCCC 1.1 is there (DEN0028, 7.2). No flag of
   CPU_SUSPEND is set: original format of power_state, no OS-initiated mode. */
static enum avc_result psci_features(struct avc_vcpu *vcpu, uint64_t fid, const struct avc_call_row *row)
{
    uint32_t n = (uint32_t)vcpu->x[1] - AVC_PSCI_VERSION;

    (void)fid, (void)row;
    if (n < PSCI_ROWS)
        return avc_complete_call(vcpu, (int64_t)(OFFERED32 >> n & 1) - 1);
    if (n - AVC_SMC64 < PSCI_ROWS)
        return avc_complete_call(vcpu, (int64_t)(OFFERED64 >> (n - AVC_SMC64) & 1) - 1);
    return avc_complete_call(vcpu,
                             (uint32_t)vcpu->x[1] == AVC_SMCCC_VERSION ? AVC_PSCI_SUCCESS : AVC_PSCI_NOT_SUPPORTED);
}

/* ---- SMCCC, Arm architecture calls (DEN0028, 7) ---- */

/* n of ARCH_WORKAROUND_n; 0: none of them. */
static unsigned workaround_number(uint32_t fid)
{
    if (fid == AVC_SMCCC_ARCH_WORKAROUND_1)
        return 1;
    if (fid == AVC_SMCCC_ARCH_WORKAROUND_2)
        return 2;
    return fid == AVC_SMCCC_ARCH_WORKAROUND_3 ? 3 : 0;
}

/*
 * WORKAROUND_2 switches a mitigation on and off. Firmware starts a CPU with it on and guests cannot
 * switch it off: that would cost a call to firmware at each exit, and leave EL2 open where it was
 * forgotten. "Always on" is said as 1, no call needed on this CPU (DEN0028, 7.6). The others share a row.
 */
static const int8_t workaround_offers[2][4] = {
#define OFFERS(call, not_required)                                                                                     \
    {                                                                                                                  \
        [AVC_WORKAROUND_UNKNOWN] = AVC_SMCCC_NOT_SUPPORTED, [AVC_WORKAROUND_CALL] = (call),                            \
        [AVC_WORKAROUND_NOT_HERE] = 1, [AVC_WORKAROUND_NOT_REQUIRED] = (not_required)                                  \
    }
    OFFERS(0, 1),
    OFFERS(1, AVC_SMCCC_NOT_REQUIRED),
};

static inline int64_t workaround_offer(const struct avc_vm *vm, unsigned n)
{
    return workaround_offers[n == 2][avc_workaround_of(vm->features.workarounds, n)];
}

static enum avc_result smccc_version(struct avc_vcpu *vcpu, uint64_t fid, const struct avc_call_row *row)
{
    (void)fid, (void)row;
    return avc_complete_call(vcpu, 0x10002); /* 1.2 */
}

static enum avc_result arch_features(struct avc_vcpu *vcpu, uint64_t fid, const struct avc_call_row *row)
{
    uint32_t asked = (uint32_t)vcpu->x[1];

    (void)fid, (void)row;
    if (asked == AVC_SMCCC_ARCH_WORKAROUND_1)
        return avc_complete_call(vcpu, workaround_offer(vcpu->vm, 1));
    if (asked == AVC_SMCCC_ARCH_WORKAROUND_2)
        return avc_complete_call(vcpu, workaround_offer(vcpu->vm, 2));
    if (asked == AVC_SMCCC_ARCH_WORKAROUND_3)
        return avc_complete_call(vcpu, workaround_offer(vcpu->vm, 3));
    return avc_complete_call(
        vcpu, asked == AVC_SMCCC_VERSION || asked == AVC_SMCCC_ARCH_FEATURES ? 0 : AVC_SMCCC_NOT_SUPPORTED);
}

static enum avc_result zero(struct avc_vcpu *vcpu, uint64_t fid, const struct avc_call_row *row)
{
    (void)fid, (void)row;
    return avc_complete_call(vcpu, 0);
}

static avc_call_fn *find_smccc(const struct avc_vm *vm, uint32_t fid)
{
    unsigned n = workaround_number(fid);
    int64_t offer;

    if (fid == AVC_SMCCC_VERSION)
        return smccc_version;
    if (fid == AVC_SMCCC_ARCH_FEATURES)
        return arch_features;
    offer = n ? workaround_offer(vm, n) : AVC_SMCCC_NOT_SUPPORTED;
    if (offer == 0)
        return FULL;                                       /* firmware's turn */
    return offer == AVC_SMCCC_NOT_SUPPORTED ? NONE : zero; /* harmless where it is not needed */
}

/* ---- TRNG (DEN0098) ---- */

static inline bool trng_offers(uint32_t fid)
{
    return fid - AVC_TRNG_VERSION <= AVC_TRNG_RND - AVC_TRNG_VERSION || fid == (AVC_TRNG_RND | AVC_SMC64);
}

static enum avc_result trng_version(struct avc_vcpu *vcpu, uint64_t fid, const struct avc_call_row *row)
{
    (void)fid, (void)row;
    return avc_complete_call(vcpu, 0x10000); /* 1.0 */
}

static enum avc_result trng_features(struct avc_vcpu *vcpu, uint64_t fid, const struct avc_call_row *row)
{
    (void)fid, (void)row;
    return avc_complete_call(vcpu, trng_offers((uint32_t)vcpu->x[1]) ? 0 : AVC_TRNG_NOT_SUPPORTED);
}

static avc_call_fn *find_trng(const struct avc_vm *vm, uint32_t fid)
{
    _Static_assert(AVC_TRNG_NOT_SUPPORTED == AVC_SMCCC_NOT_SUPPORTED, "the answer to unknown ids");
    if (!avc_has(&vm->features, AVC_FEAT_RNDR) || !trng_offers(fid))
        return NONE;
    if (fid == AVC_TRNG_VERSION)
        return trng_version;
    return fid == AVC_TRNG_FEATURES ? trng_features : FULL;
}

static avc_call_fn *find_psci32(const struct avc_vm *vm, uint32_t fid)
{
    (void)vm;
    return psci_rows[fid % PSCI_ROWS][0];
}

static avc_call_fn *find_psci64(const struct avc_vm *vm, uint32_t fid)
{
    (void)vm;
    return psci_rows[fid % PSCI_ROWS][1];
}

static const uint32_t smccc_ids[] = {
    AVC_SMCCC_VERSION,           AVC_SMCCC_ARCH_FEATURES,     AVC_SMCCC_ARCH_WORKAROUND_1,
    AVC_SMCCC_ARCH_WORKAROUND_2, AVC_SMCCC_ARCH_WORKAROUND_3, 0,
};

const struct avc_call avc_psci_calls32 = { .full = avc_psci_full, .find = find_psci32 };
const struct avc_call avc_psci_calls64 = { .full = avc_psci_full, .find = find_psci64 };
const struct avc_call avc_smccc_calls = { .full = avc_smccc_full, .find = find_smccc, .ids = smccc_ids };
const struct avc_call avc_trng_calls = { .full = avc_trng_full, .find = find_trng };
