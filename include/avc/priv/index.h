/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* No API: the indexes of a VM's claims, which are made when the VM is sealed. */
#ifndef AVC_PRIV_INDEX_H
#define AVC_PRIV_INDEX_H

#include <avc/event.h>
#include <avc/priv/result.h>

#ifdef __cplusplus
extern "C" {
#endif

/* All claims of one kind. Those with keys in bucket b are claims[bucket[b].first] to claims[bucket[b].end - 1]. */
#define AVC_BUCKETS 64
struct avc_claim_index {
    const struct avc_claim *claims; /* sorted, disjoint */
    uint32_t nr;
    struct {
        uint16_t first, end;
    } bucket[AVC_BUCKETS];
};

/* Tags in avc_claim.kind, beside the kind, of the library's own claims. */
#define AVC_CLAIM_BUILTIN 0x100u
#define AVC_CLAIM_FAST    0x200u /* ctx is a const union avc_fast *; see src/core/claim/index.h */
#define AVC_CLAIM_KIND    0xffu

struct avc_mmio_entry;
struct avc_sysreg_entry;
struct avc_call_row;
struct avc_call;
typedef enum avc_result avc_mmio_fn(struct avc_vcpu *vcpu, uint64_t esr, const struct avc_mmio_entry *entry);
typedef enum avc_result avc_sysreg_fn(struct avc_vcpu *vcpu, uint64_t esr, const struct avc_sysreg_entry *entry);
typedef enum avc_result avc_call_fn(struct avc_vcpu *vcpu, uint64_t fid, const struct avc_call_row *row); /* fid: W0 */
union avc_fast {
    avc_mmio_fn *mmio;
    avc_sysreg_fn *sysreg;
    const struct avc_call *call;
};

/* Index entries: who handles a page of device registers, and who one access to a system register. A hash finds them:
   see src/core/claim/index.c. */
#define AVC_INDEX_SIZE 256
struct avc_mmio_entry {
    uint64_t hpfar;  /* HPFAR_EL2 for this page, IPA / 4096 * 16; ~0: the entry is empty */
    avc_mmio_fn *fn; /* handles an access there */
    const struct avc_claim *claim;
} __attribute__((aligned(32))); /* so that an entry's address is a shift and a sum */
struct avc_sysreg_entry {
    uint32_t esr, key; /* the syndrome without the general register, 0: empty; and the register's key */
    avc_sysreg_fn *fn; /* handles the access */
    const struct avc_claim *claim;
    uint64_t value; /* of an ID register */
};

/* The same for function ids, 16 in a row. */
#define AVC_CALL_INDEX_SIZE 64
#define AVC_CALL_ROWS       48
#define AVC_CALL_WIDE       16
struct avc_call_entry {
    uint64_t ids; /* function id / 16; ~0: the entry is empty */
    const struct avc_call_row *row;
};
struct avc_call_row {
    avc_call_fn *fn[16];
    const struct avc_claim *claim[16];
};
struct avc_call_range {
    uint32_t first, span; /* span: the last one, less the first */
    avc_call_fn *fn;
    const struct avc_claim *claim;
};

#ifdef __cplusplus
}
#endif
#endif
