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
#include "core/exit/complete_access.h"
#include "core/exit/decoder_ops.h"
#include "core/exit/fp.h"
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

/* ---- the guest's translation ---- */

/* Has the guest's stage 1 as it is for a load or store with these rights. Returns PAR_EL1. */
static uint64_t stage1(const struct avc_vcpu *vcpu, uint64_t va, bool el0, bool write)
{
    uint64_t saved = avc_read_par(vcpu), par;

    if (el0 && write)
        avc_hw_at_s1e0w(va);
    else if (el0)
        avc_hw_at_s1e0r(va);
    else if (write)
        avc_hw_at_s1e1w(va);
    else
        avc_hw_at_s1e1r(va);
    avc_hw_isb(); /* PAR_EL1 is written indirectly (D8.15) */
    par = avc_read_par(vcpu);
    avc_hw_write_PAR_EL1(saved);
    return par;
}

/* Do the guest's accesses by this translation go through the caches as the host's do: Write-Back? If not, what the
   caches have of the memory may be older than what the guest has written, or it may never read what they have. */
static bool through_caches(const struct avc_vcpu *vcpu, uint64_t par)
{
    const uint64_t write_back = UINT64_C(0xcc); /* outer and inner 0b11xx */

    return (PAR_ATTR(par) & write_back) == write_back && avc_sctlr(vcpu) & SCTLR_C;
}

/* ---- memory ---- */

static void synchronise(const uint8_t *p, unsigned size)
{
    avc_hw_dc_civac((uintptr_t)p);
    avc_hw_dc_civac((uintptr_t)p + size - 1);
    avc_hw_dsb_sy();
}

/* Copies by one access if both are aligned: a guest's aligned access is single-copy atomic (Arm ARM B2.2.1). */
static void copy(void *to, const void *from, unsigned size)
{
    uintptr_t at = (uintptr_t)to | (uintptr_t)from | size;
    uint8_t *t = to;
    const uint8_t *f = from;

    if (!(at & 7)) {
        avc_store_relaxed((avc_word *)to, avc_load_relaxed((const avc_word *)from));
        return;
    }
    if (size == 4 && !(at & 3)) {
        typedef uint32_t __attribute__((may_alias)) word;

        avc_store_relaxed((word *)to, avc_load_relaxed((const word *)from));
        return;
    }
    if (size == 2 && !(at & 1)) {
        typedef uint16_t __attribute__((may_alias)) half;

        avc_store_relaxed((half *)to, avc_load_relaxed((const half *)from));
        return;
    }
    for (unsigned n = 0; n < size; n++)
        avc_store_relaxed(&t[n], avc_load_relaxed(&f[n]));
}

/* Moves bytes between the guest's memory and `data`. Returns false if the host knows no such memory. */
static bool memory(const struct avc_vcpu *vcpu, avc_ipa_t ipa, uint8_t *data, unsigned size, bool write, bool cached)
{
    const struct avc_decoder *decoder = vcpu->vm->decoder;
    uint8_t *p = decoder->memory(decoder->ctx, ipa, size);

    if (!p)
        return false;
    if (!cached)
        synchronise(p, size);
    if (!write)
        copy(data, p, size);
    else
        copy(p, data, size);
    if (write && !cached)
        synchronise(p, size);
    return true;
}

/* ---- parts ---- */

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
    e->va = d->va + d->done;
    if (d->write && d->access.what != AVC_ACCESS_ZERO)
        __builtin_memcpy(&e->value, d->data + d->done, size);
    return e;
}

static void take(struct avc_decoder_cpu *d, const struct avc_exit *e)
{
    if (!d->write)
        __builtin_memcpy(d->data + d->done, &e->value, e->size);
    d->done = (uint16_t)(d->done + e->size);
}

/* Does stage 2 permit this access now? */
static bool permitted(const struct avc_vcpu *vcpu, avc_ipa_t ipa, bool write, uint32_t *attrs)
{
    return avc_stage2_lookup(vcpu->vm->stage2, ipa, NULL, attrs, NULL) == AVC_OK && *attrs & (write ? AVC_W : AVC_R);
}

/* Does a part that lies in memory, in the page that has not faulted. */
static bool in_memory(struct avc_vcpu *vcpu, struct avc_decoder_cpu *d, unsigned page, avc_ipa_t ipa, unsigned size)
{
    static const uint8_t zero[8] __attribute__((aligned(8)));
    uint8_t *data = d->access.what == AVC_ACCESS_ZERO ? (uint8_t *)(uintptr_t)zero : d->data + d->done;
    uint32_t attrs;

    if (page == d->faulted || !permitted(vcpu, ipa, d->write, &attrs) || attrs & AVC_DEVICE)
        return false;
    if (!memory(vcpu, ipa, data, size, d->write, d->cached >> page & 1 && !(attrs & AVC_NC)))
        return false;
    d->done = (uint16_t)(d->done + size);
    return true;
}

/* No claim has answered the part: as for an ordinary access (abort.c). */
static enum avc_answer unclaimed(const struct avc_vcpu *vcpu, const struct avc_decoder_cpu *d, struct avc_exit *e,
                                 unsigned page)
{
    uint32_t attrs = 0;

    if (permitted(vcpu, e->key, d->write, &attrs)) /* the host's function does not know what stage 2 maps there */
        return page == d->faulted ? AVC_RETRY : AVC_FAULT;
    if (attrs)
        e->kind = AVC_STAGE2;
    return AVC_EXIT;
}

/* Does the parts that are left. */
static enum avc_result parts(struct avc_vcpu *vcpu, struct avc_decoder_cpu *d)
{
    while (d->done < d->size) {
        unsigned page, size = next_part(d);
        avc_ipa_t ipa = ipa_of(d, &page);
        struct avc_exit *e;
        enum avc_answer answer;

        if (in_memory(vcpu, d, page, ipa, size))
            continue;
        e = begin_part(vcpu, d, ipa, size);
        answer = avc_claim_offer(vcpu, e);
        if (answer == AVC_PASS)
            answer = unclaimed(vcpu, d, e, page);
        if (answer != AVC_DONE)
            return avc_exit_end(vcpu, e, answer);
        take(d, e);
    }
    return avc_complete_access(vcpu, d);
}

static void done(struct avc_vcpu *vcpu, const struct avc_exit *e)
{
    take(mine(vcpu), e);
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
    uint64_t par = stage1(vcpu, pc, false, false); /* EL1 can read what EL0 executes */

    if (par & PAR_F) /* the guest is changing its tables */
        return AGAIN;
    return memory(vcpu, (par & PAR_PA) | offset_in_page(pc), to, size, false, through_caches(vcpu, par)) ? OURS
                                                                                                         : NOT_OURS;
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
    return known && d->access.what != AVC_ACCESS_NONE ? OURS : NOT_OURS;
}

static uint64_t base_of(const struct avc_vcpu *vcpu, const struct avc_access *a, const struct fault *f)
{
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
    if (f->pstate & SPSR_NRW) {
        d->va = (uint32_t)d->va;
        d->written = (uint32_t)d->written;
    }
}

/* Is the fault one that this access can cause? The top byte may be a tag, which FAR_EL2 need not have. */
static bool agrees(struct avc_decoder_cpu *d, const struct fault *f)
{
    uint64_t into = (f->far - d->va) << 8 >> 8;

    d->write = d->access.what != AVC_ACCESS_LOAD;
    d->faulted = offset_in_page(d->va) + into >= PAGE;
    return d->write == !!(f->esr & ISS_WNR) && into < d->size;
}

/* Finds the page that has not faulted, if the access reaches into it. Returns false when the guest takes an abort of
   its stage 1 instead. */
static bool other_page(struct avc_vcpu *vcpu, struct avc_decoder_cpu *d, const struct fault *f, bool el0,
                       enum avc_result *result)
{
    uint64_t behind = d->va + PAGE - offset_in_page(d->va), va = d->faulted ? d->va : behind, par;

    d->page[d->faulted] = f->ipa & ~(PAGE - 1);
    if (offset_in_page(d->va) + d->size <= PAGE)
        return true;
    par = stage1(vcpu, va, el0, d->write);
    if (par & PAR_F) {
        *result = avc_complete_stage1(vcpu, par & PAR_S ? FSC_EXTERNAL_WALK + 3 : (unsigned)PAR_FST(par), d->write, va);
        return false;
    }
    d->page[!d->faulted] = par & PAR_PA;
    d->cached = through_caches(vcpu, par) ? AVC_BIT(!d->faulted) : 0;
    return true;
}

static void gather(struct avc_vcpu *vcpu, struct avc_decoder_cpu *d, const struct fault *f)
{
    if (d->access.what != AVC_ACCESS_STORE)
        return;
    if (avc_access_is_fp(&d->access))
        avc_fp_leave_guest(vcpu, true);
    avc_access_gather(&d->access, avc_big_endian(vcpu, f->pstate), vcpu->x, vcpu->fp, d->data);
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
    return parts(vcpu, d);
}

/* ---- the abort ---- */

static unsigned described_size(uint64_t esr)
{
    return esr & ISS_ISV ? 1u << ISS_SAS(esr) : 0;
}

static bool crosses(uint64_t esr, uint64_t far)
{
    return offset_in_page(far) + described_size(esr) > PAGE;
}

/* May this be the second half of an access that began in the page before? That has faulted at the first byte of its
   page. A guest that maps the device as Device gets an alignment fault instead (Arm ARM B2.5). */
static bool may_be_second(const struct avc_vcpu *vcpu, uint64_t esr, uint64_t far)
{
    return !offset_in_page(far) && described_size(esr) > 1 && PAR_ATTR(stage1(vcpu, far, false, false)) & 0xf0;
}

static bool is_candidate(const struct avc_vcpu *vcpu, uint64_t esr, uint64_t far)
{
    unsigned kind = ISS_FSC(esr) & FSC_KIND;

    if (esr & (ISS_S1PTW | ISS_CM))
        return false;
    if (kind != FSC_TRANSLATION && kind != FSC_PERMISSION && ISS_FSC(esr) != 0x2a && ISS_FSC(esr) != 0x2b)
        return false;
    if (!(esr & ISS_ISV))
        return true;
    return vcpu->vm->decoder->ops == &ops_across && (crosses(esr, far) || may_be_second(vcpu, esr, far));
}

/* HPFAR_EL2 is not valid for a permission fault: see abort.c. */
static bool find_ipa(const struct avc_vcpu *vcpu, struct fault *f)
{
    uint64_t par;

    if ((ISS_FSC(f->esr) & FSC_KIND) != FSC_PERMISSION) {
        f->ipa = HPFAR_IPA(avc_hw_read_HPFAR_EL2()) | offset_in_page(f->far);
        return true;
    }
    par = stage1(vcpu, f->far, false, false);
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

/* An access at the first byte of a page, or one that reaches beyond its end. */
static __attribute__((noinline)) enum avc_result at_edge(struct avc_vcpu *vcpu, uint64_t esr)
{
    uint64_t far = avc_hw_read_FAR_EL2();

    return crosses(esr, far) || may_be_second(vcpu, esr, far) ? avc_trap_slow(vcpu, esr) : avc_trap_dabt(vcpu, esr);
}

/* The row's function with `across_pages`. An access that crosses begins in the last seven bytes of a page, and its
   second half at the first byte. All others go the ordinary way at once. */
static enum avc_result dabt(struct avc_vcpu *vcpu, uint64_t esr)
{
    return avc_unlikely(!(offset_in_page(avc_hw_read_FAR_EL2() + 7) & ~UINT64_C(7))) ? at_edge(vcpu, esr)
                                                                                     : avc_trap_dabt(vcpu, esr);
}

static const struct avc_decoder_ops ops = { .dabt = avc_trap_dabt, .abort = slow, .done = done, .go_on = go_on };
static const struct avc_decoder_ops ops_across = { .dabt = dabt, .abort = slow, .done = done, .go_on = go_on };

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
