/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Handles data and instruction aborts that stage 2 sends to EL2. It finds out what was accessed, and whether that is
 * MMIO, memory that another CPU is moving just now, memory that the VMM has to provide, or a mistake of the guest.
 *
 * RETRY cannot go on for ever. It is the answer only when the tables, read under their lock, permit what has just
 * faulted. Faulting entries are not cached (Arm ARM D8.14.1). A CPU that takes permission away or gives it holds the
 * lock until all TLBs have forgotten the old entry. So the fault was taken before that change, and the same instruction
 * can fault again only after the VMM has made another change. Guests cannot make one. Each repetition goes through the
 * guest with interrupts unmasked for EL2, so a kick ends it as it ends any other stretch of guest code.
 */
#include <avc/stage2.h>
#include <avc/sysreg.h>

#include "arch/mmu.h"
#include "core/exit/abort.h"
#include "core/policy/errata.h"

static bool is_fetch(uint64_t esr)
{
    return ESR_EC(esr) == AVC_EC_IABT_LOWER;
}

static enum avc_result retry(void)
{
    return AVC_RESUME;
}

/* HPFAR_EL2.FIPA is the page. The offset in it is the virtual address's. For a table walk the offset is not known. */
static avc_ipa_t hpfar_ipa(uint64_t esr)
{
    avc_ipa_t page = HPFAR_IPA(avc_hw_read_HPFAR_EL2());

    return esr & ISS_S1PTW ? page : page | (avc_hw_read_FAR_EL2() & 0xfff);
}

/* The AT instructions, once. */
avc_small static __attribute__((noinline)) uint64_t at(const struct avc_vcpu *vcpu, uint64_t va, bool el0, bool write)
{
    return avc_translate(vcpu, va, el0, write);
}

/*
 * HPFAR_EL2 is not valid for a permission fault outside of a table walk (D24.2.66). So this asks the guest's stage 1.
 * AT with EL1's rights serves EL0 too: EL1 can read what EL0 can only execute, and the output address is the same.
 * Returns false when the guest is changing its tables meanwhile, or when the walk itself faults now. Then the guest
 * must do the instruction again. It either succeeds, or takes a fault that says more.
 */
static bool translate(const struct avc_vcpu *vcpu, uint64_t va, avc_ipa_t *ipa)
{
    uint64_t par = at(vcpu, va, false, false);

    *ipa = (par & PAR_PA) | (va & 0xfff);
    return !(par & PAR_F);
}

/* Says what the tables have for an address now. */
static bool mapped(struct avc_vcpu *vcpu, avc_ipa_t ipa, uint32_t *attrs)
{
    return avc_stage2_lookup(vcpu->vm->stage2, ipa, NULL, attrs, NULL) == AVC_OK;
}

/* Leaves the fault to the VMM, which may map the memory and answer RETRY. The architecture's answer is an external
   abort. */
static enum avc_result to_vmm(struct avc_vcpu *vcpu, uint64_t esr, avc_ipa_t ipa)
{
    struct avc_exit *e = avc_exit_begin(vcpu, AVC_STAGE2, ipa, esr);

    e->fetch = is_fetch(esr);
    e->write = !e->fetch && esr & ISS_WNR;
    e->va = avc_hw_read_FAR_EL2();
    if (esr & ISS_S1PTW)
        e->value = avc_inject_walk_level(vcpu, e->va, ipa);
    return avc_exit_end(vcpu, e, AVC_EXIT);
}

/* ---- MMIO ---- */

static inline struct avc_exit *begin_mmio(struct avc_vcpu *vcpu, uint64_t esr, avc_ipa_t ipa)
{
    return avc_mmio_begin(vcpu, esr, ipa, avc_hw_read_FAR_EL2(), esr & ISS_WNR ? avc_mmio_stored(vcpu, esr) : 0);
}

/* ---- an access to an index entry whose claim is the embedder's: they begin its event, and return `result` ---- */

static inline enum avc_result begin_entry(struct avc_vcpu *vcpu, uint64_t esr, const struct avc_mmio_entry *entry,
                                          uint64_t stored, enum avc_result result)
{
    uint64_t va = avc_hw_read_FAR_EL2();

    vcpu->asked = entry->claim;
    avc_mmio_begin(vcpu, esr, avc_mmio_ipa(entry, va), va, stored);
    return avc_begun(result);
}

/* A store of a guest in AArch32. */
static __attribute__((noinline)) enum avc_result begin_odd(struct avc_vcpu *vcpu, uint64_t esr,
                                                           const struct avc_mmio_entry *entry, enum avc_result result)
{
    return begin_entry(vcpu, esr, entry, avc_mmio_stored(vcpu, esr), result);
}

static inline enum avc_result begin_store(struct avc_vcpu *vcpu, uint64_t esr, const struct avc_mmio_entry *entry,
                                          enum avc_result result)
{
    uint64_t sctlr = avc_sctlr(vcpu), pstate = avc_hw_read_SPSR_EL2();
    unsigned unused = -(8u << ISS_SAS(esr)) & 63;
    uint64_t value;

    if (avc_unlikely(pstate & SPSR_NRW))
        return begin_odd(vcpu, esr, entry, result);
    value = avc_gpr(vcpu, ISS_SRT(esr)) << unused;
    if (avc_unlikely(sctlr & (SCTLR_E0E | SCTLR_EE)) && avc_big_endian_64(sctlr, pstate))
        value = __builtin_bswap64(value);
    else
        value >>= unused;
    return begin_entry(vcpu, esr, entry, value, result);
}

static inline enum avc_result begin(struct avc_vcpu *vcpu, uint64_t esr, const struct avc_mmio_entry *entry,
                                    enum avc_result result)
{
    return esr & ISS_WNR ? begin_store(vcpu, esr, entry, result) : begin_entry(vcpu, esr, entry, 0, result);
}

enum avc_result avc_mmio_ask(struct avc_vcpu *vcpu, uint64_t esr, const struct avc_mmio_entry *entry)
{
    return begin(vcpu, esr, entry, AVC_ASK);
}

enum avc_result avc_mmio_leave(struct avc_vcpu *vcpu, uint64_t esr, const struct avc_mmio_entry *entry)
{
    return begin(vcpu, esr, entry, AVC_LEAVE);
}

/*
 * Nothing was mapped, and no claim has handled the access. For a load or store of one register, `e` is its event. The
 * claim was asked before the tables are: a claimed address is no memory, so no other CPU can be moving it, and emulated
 * devices need no walk. For any other address, memory that is there now means RETRY.
 */
static enum avc_result data_unmapped(struct avc_vcpu *vcpu, uint64_t esr, avc_ipa_t ipa, struct avc_exit *e)
{
    if (mapped(vcpu, ipa, NULL))
        return retry();
    if (esr & ISS_CM) { /* cache maintenance of what no cache can hold */
        e = avc_exit_begin(vcpu, AVC_MMIO, ipa, esr);
        e->step = true;
        e->write = true; /* no result */
        return avc_exit_end(vcpu, e, AVC_DONE);
    }
    if (e) /* the event is not begun again: a claim that passed may have changed the value */
        return avc_exit_end(vcpu, e, AVC_EXIT);
    /*
     * For pairs, exclusives, atomics, SIMD and write-back the syndrome does not say what to do. The VMM is asked. The
     * architecture's answer is an external abort. A VM with a decoder does not come here for what that knows
     * (decoder.c).
     */
    avc_count(&vcpu->nr_isv0);
    return to_vmm(vcpu, esr, ipa);
}

enum avc_result avc_mmio_end(struct avc_vcpu *vcpu, struct avc_exit *e, enum avc_answer answer)
{
    return answer == AVC_PASS ? data_unmapped(vcpu, e->esr, e->key, e) : avc_exit_end(vcpu, e, answer);
}

/* ---- by fault status ---- */

/* The slow path of a load or store of one register, as the syndrome has decoded it, where nothing was mapped. */
static enum avc_result device(struct avc_vcpu *vcpu, uint64_t esr)
{
    struct avc_exit *e = begin_mmio(vcpu, esr, hpfar_ipa(esr));

    return avc_mmio_end(vcpu, e, avc_claim_offer(vcpu, e));
}

/* A translation fault: HPFAR_EL2 is valid, and nothing was mapped when the CPU looked. */
static enum avc_result translation(struct avc_vcpu *vcpu, uint64_t esr)
{
    avc_ipa_t ipa = hpfar_ipa(esr);

    if (!is_fetch(esr) && !(esr & ISS_S1PTW))
        return esr & ISS_ISV ? device(vcpu, esr) : data_unmapped(vcpu, esr, ipa, NULL);
    if (mapped(vcpu, ipa, NULL))
        return retry();
    return to_vmm(vcpu, esr, ipa);
}

/* Access flag and address size faults. Our own tables never cause them (AF is always set, PAs are checked). An
   embedder's tables may. */
static enum avc_result odd_tables(struct avc_vcpu *vcpu, uint64_t esr)
{
    return to_vmm(vcpu, esr, hpfar_ipa(esr));
}

/* A permission fault: the address is mapped, but not for this access. */
static enum avc_result permission(struct avc_vcpu *vcpu, uint64_t esr)
{
    bool walk = esr & ISS_S1PTW;
    uint32_t attrs, need;
    struct avc_exit *e;
    enum avc_answer answer;
    avc_ipa_t ipa;

    if (walk)
        ipa = hpfar_ipa(esr);
    else if (!translate(vcpu, avc_hw_read_FAR_EL2(), &ipa))
        return retry();

    if (mapped(vcpu, ipa, &attrs)) {
        /* Tables in Device memory (HCR_EL2.PTW), and code there: no permission will help. */
        if (attrs & AVC_DEVICE && (walk || is_fetch(esr)))
            return avc_complete_own(vcpu, esr, AVC_OWN_ABORT);
        /* A walk may have wanted to write, for the hardware's update of the access flag or dirty state. */
        need = walk ? AVC_RW : is_fetch(esr) ? AVC_X : esr & ISS_WNR ? AVC_W : AVC_R;
        if ((attrs & need) == need)
            return retry();
    }
    if (!walk && !is_fetch(esr) &&
        esr & ISS_CM) { /* DC IVAC wants to write; dropping its lines does not change read-only memory */
        e = avc_exit_begin(vcpu, AVC_MMIO, ipa, esr);
        e->step = true;
        e->write = true;
        return avc_exit_end(vcpu, e, AVC_DONE);
    }
    /* Flash is memory with registers behind its writes. It has a claim on its address. */
    if (!walk && !is_fetch(esr) && esr & ISS_ISV) {
        e = begin_mmio(vcpu, esr, ipa);
        answer = avc_claim_offer(vcpu, e);
        if (answer == AVC_PASS) {
            e->kind = AVC_STAGE2;
            answer = AVC_EXIT;
        }
        return avc_exit_end(vcpu, e, answer);
    }
    return to_vmm(vcpu, esr, ipa);
}

/* TLB conflict: two entries for one address. The guest's own stage 1 has caused it, or an embedder's tables have
   left an entry behind. The flush removes both. The guest can make another conflict, but only by executing further. */
static enum avc_result conflict(struct avc_vcpu *vcpu, uint64_t esr)
{
    (void)vcpu;
    (void)esr;
    avc_hw_tlbi_vmalls12e1();
    avc_hw_dsb_nsh();
    avc_hw_isb();
    return retry();
}

/* By DFSC or IFSC (D24.2.40, "ISS encoding for an exception from a Data Abort"). A status that has no function here
   is an abort of the guest's own, or reserved: it is reflected. */
static avc_trap_fn *const by_status[64] = {
    [0x00] = odd_tables,  [0x01] = odd_tables,  [0x02] = odd_tables,  [0x03] = odd_tables, /* size */
    [0x29] = odd_tables,  [0x2c] = odd_tables,                                             /* size, levels -1 and -2 */
    [0x04] = translation, [0x05] = translation, [0x06] = translation, [0x07] = translation, [0x2a] = translation,
    [0x2b] = translation,                                                                  /* levels -2 and -1 */
    [0x08] = odd_tables,  [0x09] = odd_tables,  [0x0a] = odd_tables,  [0x0b] = odd_tables, /* AF */
    [0x0c] = permission,  [0x0d] = permission,  [0x0e] = permission,  [0x0f] = permission,  [0x30] = conflict,
};

avc_small bool avc_stage1_faults(const struct avc_vcpu *vcpu, uint64_t esr)
{
    if (is_fetch(esr) || esr & (ISS_S1PTW | ISS_CM))
        return false;
    return at(vcpu, avc_hw_read_FAR_EL2(), avc_at_el0(avc_hw_read_SPSR_EL2()), esr & ISS_WNR) & PAR_F;
}

/* The slow path of data aborts, and the only path of instruction aborts. */
enum avc_result avc_trap_abort(struct avc_vcpu *vcpu, uint64_t esr)
{
    avc_trap_fn *fn = by_status[ISS_FSC(esr)];

    if (avc_is_stage1(vcpu, esr))
        return retry();
    return fn ? fn(vcpu, esr) : avc_complete_own(vcpu, esr, AVC_OWN_ABORT);
}

enum avc_result avc_trap_dabt(struct avc_vcpu *vcpu, uint64_t esr)
{
    const struct avc_mmio_entry *entry;
    avc_mmio_fn *fn;

    avc_count(&vcpu->nr_traps[AVC_EC_DABT_LOWER]);
    if (esr & ISS_ISV && avc_likely(avc_mmio_find(vcpu, &entry, &fn) & avc_is_translation(esr)))
        return AVC_LAST(fn, vcpu, esr, entry);
    return AVC_SLOW;
}
