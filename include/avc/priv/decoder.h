/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* No API: the layouts of struct avc_decoder and struct avc_decoder_cpu. */
#ifndef AVC_PRIV_DECODER_H
#define AVC_PRIV_DECODER_H

#include <avc/event.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The most that one instruction loads or stores: VLDM and VSTM of sixteen doublewords. DC ZVA clears more, and needs
   no data. */
#define AVC_ACCESS_MAX 128

/* What a load or store says of itself, by its word alone: see src/core/decode/decode.h. It moves `nr` elements of
   `size` bytes between memory and registers. The elements are one behind the other in memory. */
struct avc_access {
    uint8_t what; /* enum avc_access_what */
    uint8_t form; /* enum avc_access_form */
    uint8_t size; /* bytes of an element: 1, 2, 4, 8, 16 */
    uint8_t nr;
    uint8_t reg[2];   /* the first two registers, or the first one of those that follow each other */
    uint16_t list;    /* AVC_FORM_LIST: bit n for Rn */
    uint8_t regs;     /* structures: registers of one structure */
    uint8_t rounds;   /* ... how many times the registers are gone through, each time from the next one on */
    uint8_t lane;     /* ... the lane of a single structure */
    uint8_t width;    /* ... bytes of each register, 8 or 16; of a register of AVC_FORM_BANK */
    uint8_t step;     /* structures of AArch32: how far apart their registers are */
    uint8_t base;     /* register 0..30, AVC_BASE_SP, or AVC_BASE_PC */
    uint8_t index;    /* the register that is added to the base, or AVC_NO_INDEX */
    uint8_t extend;   /* enum avc_access_extend: what is done to it before */
    uint8_t shift;    /* ... and how far it is shifted */
    int32_t offset;   /* what is added besides, in bytes */
    int32_t further;  /* the write-back goes so much further: LDM, STM */
    bool subtract;    /* the index is subtracted */
    bool sign;        /* loads extend by the sign */
    bool wide;        /* ... to 64 bits; otherwise to 32, with zeros above */
    bool post;        /* the address is the base alone; offset and index are for the write-back */
    bool write_back;  /* the base becomes base + offset + index */
    bool user;        /* executed with the rights of EL0 */
    bool signed_base; /* the base is authenticated first: LDRAA, LDRAB */
    bool r15;         /* AArch32: the last element is the PC. A load branches there; a store gives the PC + 8 */
    bool table;       /* T32, TBB and TBH: the element goes to no register; the PC goes ahead by twice its value */
};

/* An access that is being done, part by part. */
struct avc_decoder_cpu {
    struct avc_access access;
    bool write;
    uint8_t faulted; /* which of the two pages has faulted, 0 or 1 */
    uint8_t part;    /* bytes of the part that is offered */
    bool aarch32;
    uint16_t size; /* bytes of all parts */
    uint16_t done; /* ... that are done */
    uint64_t at_pc, esr, va;
    uint64_t length;  /* ESR_IL: the instruction has 4 bytes; 0: 2 */
    uint64_t page[2]; /* the IPA of the page with the first byte, and of the page behind it */
    uint64_t cached;  /* bit n: the guest's accesses to page n go through the caches as EL2's do */
    uint64_t written; /* what the base becomes */
    uint8_t data[AVC_ACCESS_MAX] __attribute__((aligned(8)));
};

struct avc_decoder_ops;
struct avc_decoder {
    const struct avc_decoder_ops *ops;
    void *(*memory)(void *ctx, avc_ipa_t ipa, size_t size);
    void *ctx;
    struct avc_decoder_cpu *cpus;
    uint32_t max_vcpus;
};

#ifdef __cplusplus
}
#endif
#endif
