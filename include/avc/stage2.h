/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Guest memory: the stage 2 tables that turn a guest's physical addresses (IPA) into the host's (PA). Arm ARM DDI 0487,
 * D8 "The AArch64 Virtual Memory System Architecture".
 *
 *     avc_stage2_init    builds empty tables from the embedder's pages; then map, unmap, protect, lookup, walk
 *     avc_stage2_adopt   takes tables the embedder builds itself; then flush after each change
 *
 * One of them per VM: its TLB entries are told apart by a VMID that belongs to the tables, so two VMs must not share
 * one. 4 KiB granule, at most 48 bits. All sizes and addresses are in bytes.
 *
 * Calls may be made from any CPU, also while vCPUs of the VM run; a lock in the object orders them. They mask
 * interrupts for a time that grows with the number of entries they touch: a caller that cares for latency and maps with
 * 4 KiB pages asks for at most some MiB at a time. Neither get() nor put() nor a walker's function is called with the
 * lock held or interrupts masked by the library. The host's MMU and data cache must be on.
 *
 * Changes hold for all vCPUs of the VM, on all CPUs, when the call returns.
 */
#ifndef AVC_STAGE2_H
#define AVC_STAGE2_H

#include <avc/avc.h>

#ifdef __cplusplus
extern "C" {
#endif

#define AVC_PAGE_SIZE UINT64_C(4096)

/** Where tables come from. Copied by init; ctx is borrowed until destroy. */
struct avc_mem {
    void *ctx;
    /** Gives `bytes` (a power of two, 4 KiB to 64 KiB; more than 4 KiB for a root only) of memory, aligned to its size
       in PA and VA, that the host maps Normal, Inner Shareable, Write-Back; need not be zeroed. Its PA goes to *pa.
        NULL: there is none. */
    void *(*get)(void *ctx, size_t bytes, avc_pa_t *pa);
    /** Takes back what get() gave. */
    void (*put)(void *ctx, void *va, size_t bytes);
    /** Where the host sees the memory that get() said is at this PA. Called with locks held: it computes, no more. */
    void *(*at)(void *ctx, avc_pa_t pa);
};

/** What a mapping permits, and its memory type. X needs R; no permission at all is allowed: every access faults. */
#define AVC_R      (1u << 0)
#define AVC_W      (1u << 1)
#define AVC_X      (1u << 2) /* at EL1 and EL0 */
#define AVC_RW     (AVC_R | AVC_W)
#define AVC_RWX    (AVC_R | AVC_W | AVC_X)
#define AVC_NORMAL 0u        /* Normal, Write-Back: the guest's own stage 1 may make it weaker */
#define AVC_DEVICE (1u << 4) /* Device-nGnRE whatever stage 1 says; not with X */
#define AVC_NC     (1u << 5) /* Normal, Non-cacheable, or weaker */

/** Makes an empty map of 2^ipa_bits bytes: 32 .. min(PA bits of the machine, 48); 0: min(PA bits, 40). `s2` is zeroed
    storage. Errors: EINVAL (null, a member of mem missing), ENOENT (machine not initialised), EEXIST (initialised
    before), ESTATE (no CPU is enabled, so that the PA size is not known), ERANGE (ipa_bits), ENOMEM, EALIGN or
    ERANGE (get() gave memory that is not aligned, or beyond the PA size). Context: setup. */
AVC_MUST_USE enum avc_status avc_stage2_init(struct avc_stage2 *s2, struct avc_machine *machine,
                                             const struct avc_mem *mem, unsigned ipa_bits);

/** Takes tables that the embedder builds and keeps, with avc_stage2_root_layout() of ipa_bits. map, unmap and protect
    answer ENOTSUP; lookup and walk too unless `mem` is given, of which only at() is used (for any table of them).
    Break-before-make is the embedder's duty: write the invalid entry, avc_stage2_flush(), write the new one. A fault
    that a vCPU takes in between reaches the VMM: as MMIO, if lookup cannot say better.
    Errors: as init; EALIGN (root), ERANGE (root beyond the PA size). Context: setup. */
AVC_MUST_USE enum avc_status avc_stage2_adopt(struct avc_stage2 *s2, struct avc_machine *machine,
                                              const struct avc_mem *mem, avc_pa_t root_pa, unsigned ipa_bits);

/** For adopters: level at which the walk starts (0..2) and how many bytes of root that takes, which is also its
    alignment: the fewest levels, with up to 16 tables concatenated (Arm ARM D8.2, "Concatenated translation tables").
    Errors: EINVAL (null), ERANGE (ipa_bits not 32..48). Context: any. */
AVC_MUST_USE enum avc_status avc_stage2_root_layout(unsigned ipa_bits, unsigned *start_level, size_t *bytes);

/** Drops all mappings and gives all pages back. Errors: EINVAL, ENOENT, EBUSY (a VM has it, or a vCPU of it is loaded).
    Context: setup. */
AVC_MUST_USE enum avc_status avc_stage2_destroy(struct avc_stage2 *s2);

/** Maps [ipa, ipa + size) to [pa, pa + size) with the largest blocks both alignments allow: 1 GiB (from 35 IPA bits on,
    where the walk starts above level 2), 2 MiB, 4 KiB. What is mapped there to the same PA with the same attributes
    already may stay. All or nothing: after an error the map is as it was.
    Errors: EINVAL (null, size 0, attrs), ENOENT (not initialised), EALIGN (4 KiB), ERANGE (beyond IPA or PA size, or
    wrapping around), EEXIST (mapped, and not so), ENOMEM, ENOTSUP (adopted); as init for what get() gave. Context: any
    but a claim. */
AVC_MUST_USE enum avc_status avc_stage2_map(struct avc_stage2 *s2, avc_ipa_t ipa, avc_pa_t pa, uint64_t size,
                                            uint32_t attrs);

/** Unmaps what is mapped in [ipa, ipa + size), splits blocks that lie across its ends, and gives back tables that
    become empty. Afterwards no CPU uses the old mapping. All or nothing: pages are needed for a split only.
    Errors: as map, but ENOENT also when nothing at all is mapped there; no EEXIST. Context: any but a claim. */
AVC_MUST_USE enum avc_status avc_stage2_unmap(struct avc_stage2 *s2, avc_ipa_t ipa, uint64_t size);

/** Gives new permissions and memory type to [ipa, ipa + size). Guests on other CPUs may take a stage 2 fault while the
    memory type changes or a block is split; the library repeats those by itself. Cache maintenance for a new memory
    type is the caller's.
    Errors: as map, but ENOENT also when any part is not mapped; no EEXIST. Context: any but a claim. */
AVC_MUST_USE enum avc_status avc_stage2_protect(struct avc_stage2 *s2, avc_ipa_t ipa, uint64_t size, uint32_t attrs);

/** Where an IPA is mapped: its PA (with the offset into the page), attributes, and the size of the block or page that
    holds it; each pointer may be NULL. Errors: EINVAL, ENOENT (not mapped, not initialised), ERANGE, ENOTSUP (adopted
    without mem). Context: any, claims too. */
AVC_MUST_USE enum avc_status avc_stage2_lookup(struct avc_stage2 *s2, avc_ipa_t ipa, avc_pa_t *pa, uint32_t *attrs,
                                               uint64_t *size);

/** One block or page of a walk. */
struct avc_stage2_leaf {
    avc_ipa_t ipa;
    avc_pa_t pa;
    uint64_t size;
    uint32_t attrs;
};

/** Calls fn for each block or page that has a part in [ipa, ipa + size), in order of address, until it answers
    something else than AVC_OK, which walk then returns. fn may change the map; each leaf is as it was found right
    before. Errors: EINVAL, ENOENT (not initialised), EALIGN, ERANGE, ENOTSUP (adopted without mem), and fn's. Context:
    any but a claim. */
AVC_MUST_USE enum avc_status avc_stage2_walk(struct avc_stage2 *s2, avc_ipa_t ipa, uint64_t size,
                                             enum avc_status (*fn)(void *ctx, const struct avc_stage2_leaf *leaf),
                                             void *ctx);

/** Makes all CPUs forget what they have cached of these tables, as the embedder needs it after changing adopted ones.
    Earlier stores to the tables are seen by all walks from then on. Errors: EINVAL, ENOENT. Context: any. */
AVC_MUST_USE enum avc_status avc_stage2_flush(struct avc_stage2 *s2);

#ifdef __cplusplus
}
#endif

#include <avc/priv/stage2.h>

#endif
