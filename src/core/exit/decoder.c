/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * A VM's decoder. It stands in front of abort.c: the VM has a row for data aborts of its own. An abort that the
 * syndrome does not describe is decoded by its instruction. With `across_pages` this is so, too, for one that may cross
 * the end of a page. Any other goes the way that it goes without a decoder.
 *
 * The access is then done part by part. A part lies in one page and has the size of an ordinary access. It is an MMIO
 * event, offered like any other; or, in the page that has not faulted, an access to memory by the host's mapping. The
 * values are kept in struct avc_decoder_cpu, which nobody but the CPU where the vCPU is loaded looks at.
 *
 * A part may be the VMM's: run returns it. When the VMM has answered, run finds AVC_OWN_PART in the event, takes its
 * value, and requests AVC_REQUEST_PART. That is served before the guest is entered, and does the parts that are left.
 * All that needs the guest's translation was found before the first part, because the host's regime may be in place
 * then.
 *
 * An access of many parts is done in pieces, so that EL2 does not mask interrupts for all of them: run returns
 * AVC_KICKED between two pieces, with AVC_REQUEST_PART requested.
 *
 * The guest may change the instruction and its tables while this looks at them. The word is read once, and what it says
 * is checked against the fault: direction, and address. So the guest can make the library do no access but the one it
 * has executed, or another of its own at the same address.
 */
#include <avc/decoder.h>
#include <avc/priv/ctx.h>
#include <avc/stage2.h>

#include "core/claim/claim.h"
#include "core/decode/decode.h"
#include "core/exit/abort.h"
#include "core/exit/across.h"
#include "core/exit/complete_access.h"
#include "core/exit/decoder_ops.h"
#include "core/exit/fp.h"
#include "core/exit/guest_memory.h"
#include "core/exit/trap.h"
#include "core/policy/sysreg.h"

#define PAGE UINT64_C(0x1000)

static const struct avc_decoder_ops ops_across;

static inline uint64_t offset_in_page(uint64_t va)
{
    return va & (PAGE - 1);
}

static struct avc_decoder_cpu *mine(const struct avc_vcpu *vcpu)
{
    return &vcpu->vm->decoder->cpus[vcpu->index];
}

/* ---- parts ---- */

/* The address of a byte of the access. In AArch32 addresses wrap. */
static uint64_t va_of(const struct avc_decoder_cpu *d, uint64_t n)
{
    return d->aarch32 ? (uint32_t)(d->va + n) : d->va + n;
}

/* Bytes of the next part: an element, or a doubleword of it. If the page ends within it, the largest power of two that
   is aligned and fits. */
static unsigned next_part(const struct avc_decoder_cpu *d)
{
    uint64_t at = d->va + d->done, room = PAGE - offset_in_page(at);
    unsigned whole = d->access.size < 8 ? d->access.size : 8, left = whole - d->done % whole, size = 8;

    if (left == whole && whole <= room)
        return whole;
    while (size > left || size > room || at & (size - 1))
        size /= 2;
    return size;
}

static avc_ipa_t ipa_of(const struct avc_decoder_cpu *d, unsigned *page)
{
    uint64_t at = offset_in_page(d->va) + d->done;

    *page = at >= PAGE;
    return d->page[*page] | offset_in_page(at);
}

static struct avc_exit *begin_part(struct avc_vcpu *vcpu, struct avc_decoder_cpu *d, avc_ipa_t ipa, unsigned size)
{
    struct avc_exit *e = avc_exit_begin(vcpu, AVC_MMIO, ipa, d->esr);

    e->size = (uint8_t)size;
    e->write = d->write;
    e->own = AVC_OWN_PART;
    e->va = va_of(d, d->done);
    d->part = (uint8_t)size;
    if (d->write && d->access.what != AVC_ACCESS_ZERO)
        __builtin_memcpy(&e->value, d->data + d->done, size);
    return e;
}

/* The event is in the hands of claims and of the VMM: of what they leave in it the value alone counts. */
static void take(struct avc_decoder_cpu *d, const struct avc_exit *e)
{
    if (!d->write)
        __builtin_memcpy(d->data + d->done, &e->value, d->part);
    d->done = (uint16_t)(d->done + d->part);
}

/* Does stage 2 permit this access now? */
static bool permitted(const struct avc_vcpu *vcpu, avc_ipa_t ipa, bool write, uint32_t *attrs)
{
    return avc_stage2_lookup(vcpu->vm->stage2, ipa, NULL, attrs, NULL) == AVC_OK && *attrs & (write ? AVC_W : AVC_R);
}

/* Does a part that lies in memory, in the page that has not faulted. REFUSED also stands for the other page. */
static enum avc_copied in_memory(struct avc_vcpu *vcpu, struct avc_decoder_cpu *d, unsigned page, avc_ipa_t ipa,
                                 unsigned size)
{
    static const uint8_t zero[8] __attribute__((aligned(8)));
    struct avc_copy c = { .ipa = ipa,
                          .data = d->access.what == AVC_ACCESS_ZERO ? (uint8_t *)(uintptr_t)zero : d->data + d->done,
                          .size = (uint8_t)size,
                          .permitted = d->write ? AVC_W : AVC_R,
                          .write = d->write,
                          .cached = d->cached >> page & 1 };
    enum avc_copied copied = page == d->faulted ? AVC_COPY_REFUSED : avc_guest_copy(vcpu, c);

    if (copied == AVC_COPIED)
        d->done = (uint16_t)(d->done + size);
    return copied;
}

/* No claim has answered the part: as for an ordinary access (abort.c). */
static enum avc_answer unclaimed(const struct avc_vcpu *vcpu, const struct avc_decoder_cpu *d, struct avc_exit *e,
                                 avc_ipa_t ipa, enum avc_copied copied)
{
    uint32_t attrs = 0;

    if (copied == AVC_COPY_NEVER)
        return AVC_FAULT;
    if (permitted(vcpu, ipa, d->write, &attrs)) /* another CPU has just mapped it */
        return AVC_RETRY;
    if (attrs)
        e->kind = AVC_STAGE2;
    return AVC_EXIT;
}

/* Parts that are done before run returns. For a part the library executes some 300 instructions; for what comes before
   the first one some 1,000; to move the elements between registers and memory's bytes up to 1,500. */
#define PIECE 4

/* Ends a piece. DONE of a part moves the PC on from where the event has found it, so what counts is where it is now. */
static enum avc_result pause(struct avc_vcpu *vcpu, struct avc_decoder_cpu *d)
{
    struct avc_exit *e = avc_exit_begin(vcpu, AVC_KICKED, 0, 0);

    e->answer = AVC_DONE; /* there is nothing to complete */
    d->at_pc = e->pc;
    avc_fetch_or(&vcpu->requests, (uint64_t)AVC_REQUEST_PART);
    return AVC_LEAVE;
}

/* Does the parts that are left, or the first ones of them. */
static enum avc_result parts(struct avc_vcpu *vcpu, struct avc_decoder_cpu *d)
{
    for (unsigned left = PIECE; d->done < d->size; left--) {
        unsigned page, size = next_part(d);
        avc_ipa_t ipa = ipa_of(d, &page);
        enum avc_copied copied;
        struct avc_exit *e;
        enum avc_answer answer;

        if (!left)
            return pause(vcpu, d);
        copied = in_memory(vcpu, d, page, ipa, size);
        if (copied == AVC_COPIED)
            continue;
        e = begin_part(vcpu, d, ipa, size);
        answer = avc_claim_offer(vcpu, e);
        avc_complete_hear(vcpu);
        if (answer == AVC_PASS)
            answer = unclaimed(vcpu, d, e, ipa, copied);
        if (answer != AVC_DONE)
            return avc_exit_end(vcpu, e, answer);
        take(d, e);
    }
    return avc_complete_access(vcpu, d);
}

/* DONE moves the PC on from what the VMM has set meanwhile, as in any event. */
static void done(struct avc_vcpu *vcpu, const struct avc_exit *e)
{
    struct avc_decoder_cpu *d = mine(vcpu);

    take(d, e);
    d->at_pc = vcpu->pc;
    avc_fetch_or(&vcpu->requests, (uint64_t)AVC_REQUEST_PART);
}

/* The vCPU may have been sent elsewhere since the part was answered. Then the instruction begins again when the guest
   comes back to it. */
static bool go_on(struct avc_vcpu *vcpu)
{
    struct avc_decoder_cpu *d = mine(vcpu);

    if (d->at_pc != vcpu->pc)
        return true;
    return avc_complete_as_in_trap(vcpu, d, parts) != AVC_LEAVE;
}

/* ---- the instruction ---- */

/* What is known of an abort before its instruction is. */
struct fault {
    uint64_t esr, far, pstate;
    avc_ipa_t ipa;
};

enum looked { NOT_OURS, AGAIN, OURS };

/* Reads a part of the instruction, once, where the guest's stage 1 says that it is. */
static enum looked fetch(const struct avc_vcpu *vcpu, uint64_t pc, void *to, unsigned size)
{
    static const enum looked by_copied[] = {
        [AVC_COPIED] = OURS, [AVC_COPY_REFUSED] = AGAIN, [AVC_COPY_NEVER] = NOT_OURS
    };
    uint64_t par = avc_guest_translate(vcpu, pc, false, false); /* EL1 can read what EL0 executes */

    /* The guest is changing its tables, or another CPU those of stage 2. What the CPU finds now is the guest's answer:
       it fetches before it does anything else. */
    if (par & PAR_F)
        return AGAIN;
    return by_copied[avc_guest_copy(vcpu, (struct avc_copy){ .ipa = (par & PAR_PA) | offset_in_page(pc),
                                                             .data = to,
                                                             .size = (uint8_t)size,
                                                             .permitted = AVC_R | AVC_X,
                                                             .cached = avc_guest_is_cached(vcpu, par) })];
}

/* T32's instructions have one halfword or two. Two may lie in two pages. */
static enum looked fetch_t32(const struct avc_vcpu *vcpu, struct avc_decoder_cpu *d, uint64_t pc, uint32_t *word)
{
    uint16_t first, second;
    enum looked looked = fetch(vcpu, pc, &first, sizeof first);

    if (looked != OURS)
        return looked;
    *word = first;
    d->length = 0;
    if (first < 0xe800)
        return OURS;
    looked = fetch(vcpu, pc + 2, &second, sizeof second);
    if (looked == OURS)
        *word = (uint32_t)first << 16 | second;
    d->length = ESR_IL;
    return looked;
}

/* May the guest execute this? Traps of CPACR_EL1 and SCTLR_EL1.DZE come before an abort of stage 2 (D1.3.5.2). If they
   are set, it is not this instruction that has faulted: the word has changed since. */
static bool is_allowed(const struct avc_vcpu *vcpu, const struct avc_access *a, uint64_t pstate)
{
    bool el0 = avc_at_el0(pstate);
    uint64_t fpen;

    if (a->what == AVC_ACCESS_ZERO)
        return !el0 || avc_sctlr(vcpu) & SCTLR_DZE;
    if (!avc_access_is_fp(a))
        return true;
    fpen = AVC_FIELD(avc_ctx_get(vcpu, AVC_CTX_CPACR_EL1), 21, 20);
    return avc_has(&vcpu->vm->features, AVC_FEAT_FP) && (el0 ? fpen == 3 : fpen & 1);
}

/* Reads the instruction at the PC, and decodes it. */
static enum looked decode(const struct avc_vcpu *vcpu, struct avc_decoder_cpu *d, const struct fault *f)
{
    bool aarch32 = f->pstate & SPSR_NRW, t32 = aarch32 && f->pstate & SPSR_T32, known;
    uint64_t pc = avc_hw_read_ELR_EL2();
    enum looked looked;
    uint32_t word;

    d->length = ESR_IL;
    looked = t32 ? fetch_t32(vcpu, d, pc, &word) : fetch(vcpu, pc, &word, sizeof word);
    if (looked != OURS)
        return looked;
    known = t32       ? avc_decode_t32(word, &d->access)
            : aarch32 ? avc_decode_a32(word, &d->access)
                      : avc_decode_a64(word, &d->access);
    if (!known || d->access.what == AVC_ACCESS_NONE)
        return NOT_OURS;
    return is_allowed(vcpu, &d->access, f->pstate) ? OURS : AGAIN;
}

static uint64_t base_of(const struct avc_vcpu *vcpu, const struct avc_access *a, const struct fault *f)
{
    if (a->base == AVC_BASE_PC && a->table)
        return avc_hw_read_ELR_EL2() + 4;
    if (a->base == AVC_BASE_PC && f->pstate & SPSR_NRW) /* Align(PC, 4), and the PC is ahead (E1.2.3) */
        return (avc_hw_read_ELR_EL2() + (f->pstate & SPSR_T32 ? 4 : 8)) & ~UINT64_C(3);
    if (a->base == AVC_BASE_PC)
        return avc_hw_read_ELR_EL2();
    if (a->base == AVC_BASE_SP && a->what != AVC_ACCESS_ZERO)
        return avc_ctx_get(vcpu, (f->pstate & SPSR_M) == SPSR_EL1H ? AVC_CTX_SP_EL1 : AVC_CTX_SP_EL0);
    return avc_vcpu_gpr(vcpu, a->base);
}

/* Sets the bytes of the access, and what the base becomes. */
static void locate(const struct avc_vcpu *vcpu, struct avc_decoder_cpu *d, const struct fault *f)
{
    const struct avc_access *a = &d->access;
    uint64_t base = base_of(vcpu, a, f), index = a->index == AVC_NO_INDEX ? 0 : avc_vcpu_gpr(vcpu, a->index);

    d->size = (uint16_t)avc_access_bytes(a);
    d->aarch32 = f->pstate & SPSR_NRW;
    if (a->what == AVC_ACCESS_ZERO) {
        d->size = (uint16_t)(4u << DCZID_BS(avc_hw_read_DCZID_EL0()));
        d->va = base & ~((uint64_t)d->size - 1);
        return;
    }
    d->written = base + avc_access_distance(a, index, f->pstate & SPSR_C);
    if (a->signed_base) /* only the CPU can authenticate, and it has: what it changes is in the upper half */
        d->written = (f->far & ~(uint64_t)UINT32_MAX) | (uint32_t)d->written;
    d->va = a->post ? base : d->written;
    d->written += (uint64_t)(int64_t)a->further;
    if (d->aarch32) {
        d->va = (uint32_t)d->va;
        d->written = (uint32_t)d->written;
    }
}

/* Is the fault one that this access can cause? The top byte may be a tag, which FAR_EL2 need not have. */
static bool agrees(struct avc_decoder_cpu *d, const struct fault *f)
{
    uint64_t into = d->aarch32 ? (uint32_t)(f->far - d->va) : (f->far - d->va) << 8 >> 8;

    d->write = d->access.what != AVC_ACCESS_LOAD;
    d->faulted = offset_in_page(d->va) + into >= PAGE;
    return d->write == !!(f->esr & ISS_WNR) && into < d->size;
}

/* Stage 2 does not map a table that the walk for the other page needs. It is the VMM's then, as when the CPU finds
   this (abort.c). If nothing can be done, the guest takes the abort of its walk. */
static enum avc_result no_table(struct avc_vcpu *vcpu, const struct avc_decoder_cpu *d, const struct fault *f,
                                uint64_t va)
{
    uint64_t esr = ESR_MAKE(AVC_EC_DABT_LOWER, f->esr & ESR_IL, ISS_S1PTW | (f->esr & ISS_WNR) | FSC_TRANSLATION | 3);
    unsigned level;
    avc_ipa_t table;
    struct avc_exit *e;

    switch (avc_guest_find_table(vcpu, va, &table, &level)) {
    case AVC_COPIED: /* it is there now */
        return AVC_RESUME;
    case AVC_COPY_REFUSED:
        e = avc_exit_begin(vcpu, AVC_STAGE2, table & ~(PAGE - 1), esr);
        e->write = d->write;
        e->va = va;
        e->value = level;
        return avc_exit_end(vcpu, e, AVC_EXIT);
    default:
        return avc_complete_stage1(vcpu, FSC_EXTERNAL_WALK + level, d->write, va);
    }
}

/* Finds the page that has not faulted, if the access reaches into it. Returns false when the guest takes an abort of
   its stage 1 instead, or when the VMM has to give it a table. */
static bool other_page(struct avc_vcpu *vcpu, struct avc_decoder_cpu *d, const struct fault *f, bool el0,
                       enum avc_result *result)
{
    uint64_t va = va_of(d, d->faulted ? 0 : PAGE - offset_in_page(d->va)), par;

    d->page[d->faulted] = f->ipa & ~(PAGE - 1);
    if (offset_in_page(d->va) + d->size <= PAGE)
        return true;
    par = avc_guest_translate(vcpu, va, el0, d->write);
    if (par & PAR_F) {
        *result =
            par & PAR_S ? no_table(vcpu, d, f, va) : avc_complete_stage1(vcpu, (unsigned)PAR_FST(par), d->write, va);
        return false;
    }
    d->page[!d->faulted] = par & PAR_PA;
    d->cached = avc_guest_is_cached(vcpu, par) ? AVC_BIT(!d->faulted) : 0;
    return true;
}

static void gather(struct avc_vcpu *vcpu, struct avc_decoder_cpu *d, const struct fault *f)
{
    if (d->access.what != AVC_ACCESS_STORE)
        return;
    if (avc_access_is_fp(&d->access))
        avc_fp_leave_guest(vcpu, true);
    avc_access_gather(&d->access, avc_big_endian(avc_sctlr(vcpu), f->pstate), vcpu->x, vcpu->fp, d->data);
    if (d->access.r15) /* a store of A32 */
        avc_access_pc_stored(&d->access, f->pstate & SPSR_E, (uint32_t)avc_hw_read_ELR_EL2() + 8, d->data);
}

static enum avc_result begin(struct avc_vcpu *vcpu, struct avc_decoder_cpu *d, const struct fault *f)
{
    bool el0 = avc_at_el0(f->pstate) || (d->access.user && !(f->pstate & SPSR_UAO));
    enum avc_result result;

    d->esr = f->esr;
    d->at_pc = avc_hw_read_ELR_EL2();
    d->done = 0;
    if (!other_page(vcpu, d, f, el0, &result))
        return result;
    gather(vcpu, d, f);
    if (d->access.what == AVC_ACCESS_STORE && d->access.nr > PIECE) /* to gather them is a piece of its own */
        return pause(vcpu, d);
    return parts(vcpu, d);
}

/* ---- the abort ---- */

static bool is_candidate(const struct avc_vcpu *vcpu, uint64_t esr, uint64_t far)
{
    unsigned kind = ISS_FSC(esr) & FSC_KIND;

    if (esr & (ISS_S1PTW | ISS_CM))
        return false;
    if (kind != FSC_TRANSLATION && kind != FSC_PERMISSION && ISS_FSC(esr) != 0x2a && ISS_FSC(esr) != 0x2b)
        return false;
    if (!(esr & ISS_ISV))
        return true;
    return vcpu->vm->decoder->ops == &ops_across && avc_access_may_cross(vcpu, esr, far);
}

/* HPFAR_EL2 is not valid for a permission fault: see abort.c. */
static bool find_ipa(const struct avc_vcpu *vcpu, struct fault *f)
{
    uint64_t par;

    if ((ISS_FSC(f->esr) & FSC_KIND) != FSC_PERMISSION) {
        f->ipa = HPFAR_IPA(avc_hw_read_HPFAR_EL2()) | offset_in_page(f->far);
        return true;
    }
    par = avc_guest_translate(vcpu, f->far, false, false);
    f->ipa = (par & PAR_PA) | offset_in_page(f->far);
    return !(par & PAR_F);
}

/* Decodes the instruction. OURS: *d has an access that agrees with the fault. */
static enum looked look(struct avc_vcpu *vcpu, struct avc_decoder_cpu *d, struct fault *f)
{
    enum looked looked;
    uint32_t attrs;

    if (!find_ipa(vcpu, f) || permitted(vcpu, f->ipa, f->esr & ISS_WNR, &attrs)) /* another CPU has just mapped it */
        return AGAIN;
    looked = decode(vcpu, d, f);
    if (looked != OURS)
        return looked;
    if (d->access.what == AVC_ACCESS_EXCLUSIVE)
        return avc_claim_find(vcpu->vm, AVC_MMIO, f->ipa) ? OURS : NOT_OURS;
    locate(vcpu, d, f);
    if (!agrees(d, f))
        return NOT_OURS;
    /* What the syndrome describes, and lies in one page, is ordinary after all. */
    return f->esr & ISS_ISV && offset_in_page(d->va) + d->size <= PAGE ? NOT_OURS : OURS;
}

static enum avc_result slow(struct avc_vcpu *vcpu, uint64_t esr)
{
    struct fault f = { .esr = esr, .far = avc_hw_read_FAR_EL2(), .pstate = avc_hw_read_SPSR_EL2() };
    struct avc_decoder_cpu *d = mine(vcpu);

    if (!is_candidate(vcpu, esr, f.far))
        return avc_trap_abort(vcpu, esr);
    if (avc_is_stage1(vcpu, esr))
        return AVC_RESUME;
    switch (look(vcpu, d, &f)) {
    case AGAIN:
        return AVC_RESUME;
    case OURS:
        if (d->access.what == AVC_ACCESS_EXCLUSIVE)
            return avc_complete_own(vcpu, (esr & ~UINT64_C(0x3f)) | FSC_EXCLUSIVE, AVC_OWN_ABORT);
        return begin(vcpu, d, &f);
    default:
        return avc_trap_abort(vcpu, esr);
    }
}

static const struct avc_decoder_ops ops = { .dabt = avc_trap_dabt, .abort = slow, .done = done, .go_on = go_on };
static const struct avc_decoder_ops ops_across = {
    .dabt = avc_trap_dabt_across, .abort = slow, .done = done, .go_on = go_on
};

enum avc_status avc_decoder_attach(struct avc_decoder *decoder, struct avc_vm *vm,
                                   const struct avc_decoder_config *config)
{
    if (!decoder || !vm || !config || !config->memory || !config->cpus)
        return AVC_EINVAL;
    if (vm->magic != AVC_MAGIC_VM)
        return AVC_ENOENT;
    if (vm->sealed)
        return AVC_ESEALED;
    if (vm->decoder)
        return AVC_EEXIST;
    if (config->max_vcpus < vm->max_vcpus)
        return AVC_ERANGE;
    *decoder = (struct avc_decoder){ .ops = config->across_pages ? &ops_across : &ops,
                                     .memory = config->memory,
                                     .ctx = config->ctx,
                                     .cpus = config->cpus,
                                     .max_vcpus = config->max_vcpus };
    vm->decoder = decoder;
    return AVC_OK;
}
