/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Guest memory: the stage 2 tables that translate a guest's physical addresses (IPA) to the host's (PA). Arm ARM DDI
 * 0487, D8 "The AArch64 Virtual Memory System Architecture".
 *
 *     avc_stage2_init    makes empty tables, in pages of the embedder's; then map, unmap, protect, lookup, walk
 *     avc_stage2_adopt   uses tables that the embedder builds itself; then flush after each change
 *
 * Each VM has an avc_stage2 of its own, because the VMID, by which TLBs know the entries, belongs to it. The granule is
 * 4 KiB, and an IPA has at most 48 bits. All addresses and sizes are in bytes.
 *
 * Functions of context any may run on any CPU, also while vCPUs of the VM run. A lock in the object orders them. It is
 * held with interrupts masked, for a bounded time: some 60 instructions for a lookup, and 400 for TLB maintenance.
 *
 * map, unmap and protect may take long: some 20 instructions for each entry, and 3,000 for each table that they fill,
 * split or empty. They mask interrupts for TLB maintenance alone: once at the end of a call, and once for every 8
 * entries that need break-before-make. Changes of one object wait for each other. So they are not for
 * interrupt handlers, and a host whose threads can preempt each other puts a lock of its own around them.
 *
 * The library holds no lock and masks no interrupts when it calls get(), put() or the function of a walk. MMU and data
 * cache of the calling CPU are on.
 *
 * When a function returns, its changes hold for all vCPUs of the VM, on all CPUs.
 */
#ifndef AVC_STAGE2_H
#define AVC_STAGE2_H

#include <avc/avc.h>

#ifdef __cplusplus
extern "C" {
#endif

#define AVC_PAGE_SIZE UINT64_C(4096)

/** Where the memory for tables comes from. init copies the struct; ctx is borrowed until destroy. */
struct avc_mem {
    /** Yours; the first argument of each function. */
    void *ctx;
    /** Gives memory for tables: `bytes` long, which is 4 KiB, or up to 64 KiB for a root, and a power of two. VA and
        PA are aligned to that size. The host maps it Normal, Inner Shareable, Write-Back. It need not be zeroed.
        *pa: its PA. Returns its VA, or NULL when there is none. */
    void *(*get)(void *ctx, size_t bytes, avc_pa_t *pa);
    /** Takes back what get() gave. */
    void (*put)(void *ctx, void *va, size_t bytes);
    /** Returns the VA for the PA of memory that get() gave. The library holds its lock: compute, and do no more. */
    void *(*at)(void *ctx, avc_pa_t pa);
};

/** Attributes of a mapping: the permissions, and one memory type. X needs R. Without any permission every access
    faults. */
#define AVC_R      (1u << 0)
#define AVC_W      (1u << 1)
#define AVC_X      (1u << 2) /* at EL1 and at EL0 */
#define AVC_RW     (AVC_R | AVC_W)
#define AVC_RWX    (AVC_R | AVC_W | AVC_X)
#define AVC_NORMAL 0u        /* Normal, Write-Back, where the guest's stage 1 does not ask for a weaker type */
#define AVC_DEVICE (1u << 4) /* Device-nGnRE, whatever the guest's stage 1 says; not with X */
#define AVC_NC     (1u << 5) /* Normal, Non-cacheable, where the guest's stage 1 does not ask for a weaker type */

/**
 * Makes empty tables for 2^ipa_bits bytes. ipa_bits: 32 to the least of 48 and the machine's PA bits; 0 stands for the
 * least of 40 and the PA bits.
 * Errors: EINVAL (also: a function of `mem` is missing), ENOENT (the machine is not initialised), EEXIST (initialised
 * before), ESTATE (no CPU is enabled yet, so the library does not know the PA size), ERANGE (ipa_bits), ENOMEM; EALIGN
 * or ERANGE (get() gave memory that is not aligned, or beyond the PA size). Context: setup.
 */
AVC_MUST_USE enum avc_status avc_stage2_init(struct avc_stage2 *s2, struct avc_machine *machine,
                                             const struct avc_mem *mem, unsigned ipa_bits);

/**
 * Uses tables that the embedder builds and keeps. avc_stage2_root_layout(ipa_bits) says how the root looks. map, unmap
 * and protect return ENOTSUP. lookup and walk work if `mem` is given; the library calls only its at(), for any of the
 * tables.
 *
 * Break-before-make is up to the embedder: write the invalid entry, call avc_stage2_flush(), write the new entry, flush
 * again. A fault that a vCPU takes in between goes to the VMM: as MMIO, unless lookup works and finds memory. Errors:
 * as init; EALIGN (root_pa), ERANGE (root_pa is beyond the PA size). Context: setup.
 */
AVC_MUST_USE enum avc_status avc_stage2_adopt(struct avc_stage2 *s2, struct avc_machine *machine,
                                              const struct avc_mem *mem, avc_pa_t root_pa, unsigned ipa_bits);

/**
 * Tells adopters at which level the walk starts (0 to 2), and how many bytes the root takes; it is aligned to as many.
 * This is the layout with the fewest levels: up to 16 tables are concatenated (Arm ARM D8.2, "Concatenated translation
 * tables").
 * Errors: EINVAL, ERANGE (ipa_bits is not 32 to 48). Context: any.
 */
AVC_MUST_USE enum avc_status avc_stage2_root_layout(unsigned ipa_bits, unsigned *start_level, size_t *bytes);

/**
 * Removes all mappings and gives all pages back by put().
 * Errors: EINVAL, ENOENT, EBUSY (a VM uses it, or a vCPU of it is loaded). Context: setup.
 */
AVC_MUST_USE enum avc_status avc_stage2_destroy(struct avc_stage2 *s2);

/**
 * Maps [ipa, ipa + size) to [pa, pa + size), by the largest blocks that both alignments allow: 1 GiB (with 35 IPA bits
 * or more, where the walk starts above level 2), 2 MiB, or 4 KiB. What is mapped there already, to the same PA with the
 * same attributes, may stay. After an error the map is as before.
 * Errors: EINVAL (also: size 0, or attrs), ENOENT, EALIGN (4 KiB), ERANGE (beyond the IPA or PA size, or the range
 * wraps), EEXIST (mapped otherwise), ENOMEM, ENOTSUP (adopted); EALIGN or ERANGE for what get() gave, as init. Context:
 * thread.
 */
AVC_MUST_USE enum avc_status avc_stage2_map(struct avc_stage2 *s2, avc_ipa_t ipa, avc_pa_t pa, uint64_t size,
                                            uint32_t attrs);

/**
 * Unmaps whatever is mapped in [ipa, ipa + size). It splits blocks that reach beyond the range, and gives tables back
 * that become empty. When it returns no CPU uses the old mapping. After an error the map is as before. It calls get()
 * only to split a block.
 * Errors: as map, without EEXIST; ENOENT also when nothing is mapped in the range. Context: thread.
 */
AVC_MUST_USE enum avc_status avc_stage2_unmap(struct avc_stage2 *s2, avc_ipa_t ipa, uint64_t size);

/**
 * Gives [ipa, ipa + size) new attributes. While the memory type changes or a block is split, guests on other CPUs may
 * take a stage 2 fault; the library repeats these accesses. Cache maintenance for a new memory type is the caller's.
 * Errors: as map, without EEXIST; ENOENT also when a part of the range is not mapped. Context: thread.
 */
AVC_MUST_USE enum avc_status avc_stage2_protect(struct avc_stage2 *s2, avc_ipa_t ipa, uint64_t size, uint32_t attrs);

/**
 * Tells where an IPA is mapped: *pa its PA, with the offset in the page; *attrs the attributes; *size the size of the
 * block or page that contains it. Each of the three pointers may be NULL.
 * Errors: EINVAL, ENOENT (also: not mapped), ERANGE, ENOTSUP (adopted without `mem`). Context: any.
 */
AVC_MUST_USE enum avc_status avc_stage2_lookup(struct avc_stage2 *s2, avc_ipa_t ipa, avc_pa_t *pa, uint32_t *attrs,
                                               uint64_t *size);

/** One block or page, as a walk finds it. */
struct avc_stage2_leaf {
    avc_ipa_t ipa;
    avc_pa_t pa;
    uint64_t size;
    uint32_t attrs;
};

/**
 * Calls fn for each block or page with a part in [ipa, ipa + size), in the order of addresses. It stops when fn returns
 * something else than AVC_OK, and returns that. fn may change the map: the walk reads each entry just before it calls
 * fn. Errors: EINVAL, ENOENT, EALIGN, ERANGE, ENOTSUP (adopted without `mem`), and what fn returns. Context: any, but
 * not in a claim.
 */
AVC_MUST_USE enum avc_status avc_stage2_walk(struct avc_stage2 *s2, avc_ipa_t ipa, uint64_t size,
                                             enum avc_status (*fn)(void *ctx, const struct avc_stage2_leaf *leaf),
                                             void *ctx);

/**
 * Makes all CPUs forget what they have cached of these tables, after the embedder has changed adopted ones. All later
 * walks see the stores to the tables that the caller made before.
 * Errors: EINVAL, ENOENT. Context: any.
 */
AVC_MUST_USE enum avc_status avc_stage2_flush(struct avc_stage2 *s2);

#ifdef __cplusplus
}
#endif

#include <avc/priv/stage2.h>

#endif
