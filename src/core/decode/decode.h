/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Loads and stores by their words. Functions of values alone: they read no register of the CPU, and no memory but their
 * arguments.
 *
 * An instruction is decoded to struct avc_access. That says which bytes of memory and which bytes of registers belong
 * together. The bytes of all elements are one array, in the order of their addresses. avc_access_gather() fills the
 * array from registers for a store, avc_access_scatter() fills registers from it after a load. What lies in between has
 * to know nothing of instructions.
 */
#ifndef AVC_DECODE_H
#define AVC_DECODE_H

#include <stdbool.h>
#include <stddef.h>

#include <avc/priv/decoder.h>
#include <avc/priv/vcpu.h>

enum avc_access_what {
    AVC_ACCESS_NONE,      /* a hint: it may be left out */
    AVC_ACCESS_LOAD,      /* memory to registers */
    AVC_ACCESS_STORE,     /* registers to memory */
    AVC_ACCESS_ZERO,      /* DC ZVA: the block around the address becomes zero */
    AVC_ACCESS_EXCLUSIVE, /* an exclusive, atomic, or compare-and-swap: what no device can answer by parts */
};

/* Where element i belongs. Registers are numbered modulo 32. */
enum avc_access_form {
    AVC_FORM_GPR,       /* general register reg[i] */
    AVC_FORM_LIST,      /* the i-th general register of `list` */
    AVC_FORM_VECTOR,    /* V register reg[i]; a load clears what is above */
    AVC_FORM_LANES,     /* element by element: structures of `regs` registers from reg[0] on */
    AVC_FORM_LANE,      /* lane `lane` of V register reg[0] + i */
    AVC_FORM_REPLICATE, /* all lanes of V register reg[0] + i */
    /* AArch32: parts of V registers. What is beside them stays. */
    AVC_FORM_BANK,       /* S or D register reg[0] + i */
    AVC_FORM_LANES32,    /* as LANES, LANE, and REPLICATE, of D registers, which are `step` apart in a structure; */
    AVC_FORM_LANE32,     /* ... */
    AVC_FORM_REPLICATE32 /* ... each element goes into `rounds` registers */
};

/* The values of A64's field `option`, and AArch32's shifts. Arm ARM, ExtendReg() and Shift_C(). */
enum avc_access_extend {
    AVC_EXTEND_UXTW = 2,
    AVC_EXTEND_LSL = 3, /* UXTX */
    AVC_EXTEND_SXTW = 6,
    AVC_EXTEND_SXTX = 7,
    AVC_SHIFT_LSL32 = 8, /* the AArch32 ones, in the order of their field `type` */
    AVC_SHIFT_LSR32,
    AVC_SHIFT_ASR32,
    AVC_SHIFT_ROR32,
    AVC_SHIFT_RRX32,
};

#define AVC_BASE_SP  31
#define AVC_BASE_PC  32
#define AVC_NO_INDEX 0xff

/* Decodes a word of A64. Returns false if it is no load or store, or none that is known here: then *a says nothing. */
bool avc_decode_a64(uint32_t word, struct avc_access *a);

/* The same of A32 and T32, as EL0 may execute them. T32's instructions of four bytes have their first halfword above,
   and those of two bytes have nothing there. The PC as a base is that of the instruction plus 8 or 4, and aligned to
   4. */
bool avc_decode_a32(uint32_t word, struct avc_access *a);
bool avc_decode_t32(uint32_t word, struct avc_access *a);

/* Advanced SIMD's structures, whose bits 23..0 are the same in A32 and T32. The caller has looked at the others. */
bool avc_decode_simd32(uint32_t word, struct avc_access *a);

/* Bytes of all elements. */
static inline unsigned avc_access_bytes(const struct avc_access *a)
{
    return (unsigned)a->size * a->nr;
}

/* Returns what is added to the base: offset and index. `index` is the value of that register; carry: PSTATE.C. */
uint64_t avc_access_distance(const struct avc_access *a, uint64_t index, bool carry);

/* Between registers and memory's bytes; `big`: the guest's data is big-endian. `x` has 31 registers. Both touch no more
   than avc_access_bytes() of `data`. Loads to register 31 of AVC_FORM_GPR are dropped. An element that is the PC is no
   register: its bytes stay as they are. */
void avc_access_gather(const struct avc_access *a, bool big, const uint64_t *x, const struct avc_fp *fp, uint8_t *data);
void avc_access_scatter(const struct avc_access *a, bool big, const uint8_t *data, uint64_t *x, struct avc_fp *fp);

/* The element that is the PC, of an access that has one; or the table's. */
uint32_t avc_access_pc_loaded(const struct avc_access *a, bool big, const uint8_t *data);
void avc_access_pc_stored(const struct avc_access *a, bool big, uint32_t pc, uint8_t *data);

/* Are the registers V registers? */
static inline bool avc_access_is_fp(const struct avc_access *a)
{
    return a->form >= AVC_FORM_VECTOR;
}

#endif
