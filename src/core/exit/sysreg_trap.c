/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Makes one kind of event of trapped accesses to system registers: MSR, MRS and system instructions of AArch64, and the
 * few registers that AArch32 EL0 reaches by MCR, MRC, MCRR and MRRC. Those have the names that AArch64 gives them.
 */
#include "core/exit/sysreg_trap.h"

#include "arch/debug.h"
#include "core/policy/sysreg.h"

enum avc_result avc_sysreg_id(struct avc_vcpu *vcpu, uint64_t esr, const struct avc_sysreg_entry *entry)
{
    return avc_complete_mrs(vcpu, esr, entry->value);
}

static uint64_t written(const struct avc_vcpu *vcpu, uint64_t esr)
{
    return esr & ISS_READ ? 0 : avc_gpr(vcpu, ISS_RT(esr));
}

enum avc_result avc_sysreg_ask(struct avc_vcpu *vcpu, uint64_t esr, const struct avc_sysreg_entry *entry)
{
    avc_sysreg_begin(vcpu, entry->key, esr, written(vcpu, esr));
    vcpu->asked = entry->claim;
    return avc_begun(AVC_ASK);
}

enum avc_result avc_sysreg_leave(struct avc_vcpu *vcpu, uint64_t esr, const struct avc_sysreg_entry *entry)
{
    avc_sysreg_begin(vcpu, entry->key, esr, written(vcpu, esr));
    return avc_begun(AVC_LEAVE);
}

enum avc_result avc_trap_sysreg(struct avc_vcpu *vcpu, uint64_t esr)
{
    const struct avc_sysreg_entry *entry;
    avc_sysreg_fn *fn;

    avc_count(&vcpu->nr_traps[AVC_EC_SYSREG]);
    return avc_sysreg_find(vcpu, esr, &entry, &fn) ? AVC_LAST(fn, vcpu, esr, entry) : AVC_SLOW;
}

/* Ends the access as the claim answered. If there is none, or if it passed, the register table's policy decides. */
enum avc_result avc_sysreg_end(struct avc_vcpu *vcpu, struct avc_exit *e, enum avc_answer answer)
{
    if (answer == AVC_PASS) {
        avc_sysreg_emulate(vcpu, e);
        answer = e->answer;
    }
    return avc_exit_end(vcpu, e, answer);
}

/* Handles a register that nobody has claimed, or whose claim has no index entry. */
enum avc_result avc_trap_sysreg_slow(struct avc_vcpu *vcpu, uint64_t esr)
{
    struct avc_exit *e = avc_sysreg_begin(vcpu, avc_sysreg_key(esr), esr, written(vcpu, esr));

    return avc_sysreg_end(vcpu, e, avc_claim_offer(vcpu, e));
}

/* ---- AArch32 EL0 ---- */

struct cp {
    uint16_t first, last; /* CRn << 7 | CRm << 3 | opc2, all with opc1 = 0; for MRRC: CRm << 4 | opc1 */
    uint16_t key;         /* of `first`; the other keys follow */
};
struct cps {
    const struct cp *words, *pairs;
    uint8_t nr_words, nr_pairs;
};

#define CP(crn, crm, opc2) ((crn) << 7 | (crm) << 3 | (opc2))
#define K(crn, crm, op2)   AVC_SYSREG_KEY(3, 3, crn, crm, op2)

/* Registers of 32 bits. Their numbers are the AArch64 ones (Arm ARM G8.1.2 and D24). */
static const struct cp words15[] = {
    { CP(9, 12, 0), CP(9, 14, 7), K(9, 12, 0) },  /* PMCR .. PMOVSSET */
    { CP(13, 0, 2), CP(13, 0, 3), K(13, 0, 2) },  /* TPIDRURW, TPIDRURO: TPIDR_EL0, TPIDRRO_EL0 */
    { CP(14, 0, 0), CP(14, 0, 0), K(14, 0, 0) },  /* CNTFRQ */
    { CP(14, 2, 0), CP(14, 3, 1), K(14, 2, 0) },  /* CNTP_TVAL, CNTP_CTL, CNTV_TVAL, CNTV_CTL */
    { CP(14, 8, 0), CP(14, 15, 7), K(14, 8, 0) }, /* PMEVCNTR<n>, PMEVTYPER<n> */
};

/* Registers of 64 bits. */
static const struct cp pairs15[] = {
    { 9 << 4 | 0, 9 << 4 | 0, K(9, 13, 0) },   /* PMCCNTR */
    { 14 << 4 | 0, 14 << 4 | 0, K(14, 0, 1) }, /* CNTPCT */
    { 14 << 4 | 1, 14 << 4 | 1, K(14, 0, 2) }, /* CNTVCT */
    { 14 << 4 | 2, 14 << 4 | 2, K(14, 2, 2) }, /* CNTP_CVAL */
    { 14 << 4 | 3, 14 << 4 | 3, K(14, 3, 2) }, /* CNTV_CVAL */
    { 14 << 4 | 8, 14 << 4 | 8, K(14, 0, 5) }, /* CNTPCTSS */
    { 14 << 4 | 9, 14 << 4 | 9, K(14, 0, 6) }, /* CNTVCTSS */
};

/* Debug registers that EL0 may reach where MDSCR_EL1.TDCC lets it, which the CPU looks at first (G8.3). AArch64 has no
   names for DBGDIDR and DBGDSAR: their keys are their own numbers. */
#define DBGDIDR AVC_SYSREG_KEY(2, 0, 0, 0, 0)
#define DBGDSAR AVC_SYSREG_KEY(2, 0, 2, 0, 0)
static const struct cp words14[] = {
    { CP(0, 0, 0), CP(0, 0, 0), DBGDIDR },
    { CP(0, 1, 0), CP(0, 1, 0), AVC_SYSREG_KEY(2, 3, 0, 1, 0) }, /* DBGDSCRint: MDCCSR_EL0 */
    { CP(0, 5, 0), CP(0, 5, 0), AVC_SYSREG_KEY(2, 3, 0, 5, 0) }, /* DBGDTRRXint, DBGDTRTXint: DBGDTRRX_EL0, TX */
    { CP(1, 0, 0), CP(1, 0, 0), AVC_SYSREG_KEY(2, 0, 1, 0, 0) }, /* DBGDRAR: MDRAR_EL1 */
    { CP(2, 0, 0), CP(2, 0, 0), DBGDSAR },
};
static const struct cp pairs14[] = {
    { 1 << 4 | 0, 1 << 4 | 0, AVC_SYSREG_KEY(2, 0, 1, 0, 0) }, /* DBGDRAR */
    { 2 << 4 | 0, 2 << 4 | 0, DBGDSAR },
};

static const struct cps cp15 = { words15, pairs15, AVC_ARRAY_SIZE(words15), AVC_ARRAY_SIZE(pairs15) };
static const struct cps cp14 = { words14, pairs14, AVC_ARRAY_SIZE(words14), AVC_ARRAY_SIZE(pairs14) };

/* Returns the key, or 0 for a register that EL0 does not have. */
avc_small static uint32_t find(const struct cp *rows, unsigned n, unsigned number)
{
    for (unsigned i = 0; i < n; i++)
        if (number >= rows[i].first && number <= rows[i].last)
            return rows[i].key + (number - rows[i].first);
    return 0;
}

avc_small static uint32_t key_of(const struct cps *cp, uint64_t esr, bool two)
{
    if (two)
        return find(cp->pairs, cp->nr_pairs, (unsigned)(AVC_FIELD(esr, 4, 1) << 4 | AVC_FIELD(esr, 19, 16)));
    if (AVC_FIELD(esr, 16, 14))
        return 0;
    return find(cp->words, cp->nr_words,
                (unsigned)CP(AVC_FIELD(esr, 13, 10), AVC_FIELD(esr, 4, 1), AVC_FIELD(esr, 19, 17)));
}

/* What AArch64 has no name for. DBGDIDR says what ID_AA64DFR0_EL1 says (G8.3.13); DBGDSAR is not valid. */
avc_small static bool read_unnamed(const struct avc_vcpu *vcpu, struct avc_exit *e)
{
    const uint64_t *id = vcpu->vm->id_regs;

    if (e->write || (e->key != DBGDIDR && e->key != DBGDSAR))
        return false;
    if (e->key == DBGDIDR)
        e->value = DBGDIDR_WRPS(avc_id_field(id, ID_AA64DFR0_WRPs)) | DBGDIDR_BRPS(avc_id_field(id, ID_AA64DFR0_BRPs)) |
                   DBGDIDR_CTX_CMPS(avc_id_field(id, ID_AA64DFR0_CTX_CMPs)) |
                   DBGDIDR_VERSION(avc_id_field(id, ID_AA64DFR0_DebugVer)) | DBGDIDR_RES1;
    return true;
}

avc_small static enum avc_result trap_cp(struct avc_vcpu *vcpu, uint64_t esr, const struct cps *cp, bool two)
{
    uint32_t key = avc_condition_passed(esr, avc_hw_read_SPSR_EL2()) ? key_of(cp, esr, two) : 0;
    enum avc_answer answer;
    struct avc_exit *e;

    /* Of a condition that failed this makes a step over the instruction. R15 as a target is UNPREDICTABLE. R0..R14 of
       EL0 are X0..X14. */
    if (!key || ISS_RT(esr) > 14 || (two && ISS_RT2(esr) > 14))
        return avc_exit_undefined(vcpu, esr);

    e = avc_exit_begin(vcpu, AVC_SYSREG, key, esr);
    e->write = !(esr & ISS_READ);
    e->size = two ? 8 : 4;
    e->step = true;
    if (e->write)
        e->value = (uint32_t)avc_gpr(vcpu, ISS_RT(esr)) | (two ? avc_gpr(vcpu, ISS_RT2(esr)) << 32 : 0);
    answer = avc_claim_offer(vcpu, e);
    if (answer == AVC_PASS && read_unnamed(vcpu, e))
        answer = AVC_DONE;
    return avc_sysreg_end(vcpu, e, answer);
}

enum avc_result avc_trap_cp15(struct avc_vcpu *vcpu, uint64_t esr)
{
    return trap_cp(vcpu, esr, &cp15, ESR_EC(esr) == AVC_EC_CP15_64);
}

enum avc_result avc_trap_cp14(struct avc_vcpu *vcpu, uint64_t esr)
{
    return trap_cp(vcpu, esr, &cp14, ESR_EC(esr) == AVC_EC_CP14_64);
}
