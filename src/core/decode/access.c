/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Moves bytes between the registers of an access and the array of its bytes in memory: see decode.h. */
#include "arch/bits.h"
#include "core/decode/decode.h"

/* ---- the address ---- */

static uint32_t shifted32(unsigned how, uint32_t value, unsigned by, bool carry)
{
    switch (how) {
    case AVC_SHIFT_LSR32:
        return by < 32 ? value >> by : 0;
    case AVC_SHIFT_ASR32:
        return (uint32_t)((int32_t)value >> (by < 32 ? by : 31));
    case AVC_SHIFT_ROR32:
        return value >> (by & 31) | value << (-by & 31);
    case AVC_SHIFT_RRX32:
        return value >> 1 | (uint32_t)carry << 31;
    default:
        return by < 32 ? value << by : 0;
    }
}

uint64_t avc_access_distance(const struct avc_access *a, uint64_t index, bool carry)
{
    if (a->index == AVC_NO_INDEX)
        index = 0;
    else if (a->extend >= AVC_SHIFT_LSL32)
        index = shifted32(a->extend, (uint32_t)index, a->shift, carry);
    else if (a->extend == AVC_EXTEND_UXTW)
        index = (uint64_t)(uint32_t)index << (a->shift & 7);
    else if (a->extend == AVC_EXTEND_SXTW)
        index = (uint64_t)(int64_t)(int32_t)index << (a->shift & 7);
    else
        index <<= a->shift & 7;
    return (uint64_t)(int64_t)a->offset + (a->subtract ? -index : index);
}

/* ---- the bytes ---- */

/* The place of an element: a register, and the first byte in it. move_many() knows the other forms. */
struct place {
    unsigned reg, at;
};

/* Takes the lowest register out of a list. */
static unsigned listed(unsigned *list)
{
    unsigned reg = *list ? (unsigned)__builtin_ctz(*list) : 31;

    *list &= *list - 1;
    return reg;
}

/* D registers are the halves of V0 to V15. */
static struct place in_d(unsigned d, unsigned at)
{
    return (struct place){ d / 2 & 31, (d & 1) * 8 + at };
}

/* list: the registers of AVC_FORM_LIST that are left. */
static struct place place(const struct avc_access *a, unsigned n, unsigned *list)
{
    unsigned bank = a->reg[0] + n;

    switch (a->form) {
    case AVC_FORM_LIST:
        return (struct place){ listed(list), 0 };
    case AVC_FORM_LANE:
        return (struct place){ bank & 31, (unsigned)a->lane * a->size & 15 };
    case AVC_FORM_REPLICATE:
        return (struct place){ bank & 31, 0 };
    case AVC_FORM_LANE32:
        return in_d(a->reg[0] + n * a->step, (unsigned)a->lane * a->size & 7);
    case AVC_FORM_REPLICATE32:
        return in_d(a->reg[0] + n * a->step, 0);
    default:
        return (struct place){ a->reg[n & 1] & 31, 0 };
    }
}

static void copy_bytes(uint8_t *to, const uint8_t *from, unsigned size, bool turn)
{
    for (unsigned n = 0; n < size; n++)
        to[turn ? size - 1 - n : n] = from[n];
}

/* Copies an element, with its bytes in reverse if memory has the highest byte first. */
static inline __attribute__((always_inline)) void copy(uint8_t *to, const uint8_t *from, unsigned size, bool turn)
{
    if (size == 1)
        *to = *from;
    else
        copy_bytes(to, from, size, turn);
}

static uint8_t *bytes_of(struct avc_fp *fp, unsigned reg)
{
    return (uint8_t *)fp->v[reg];
}

#define FILE_BYTES (sizeof((struct avc_fp *)0)->v)

static inline __attribute__((always_inline)) void move(uint8_t *v, uint8_t *data, unsigned size, bool big, bool load)
{
    copy(load ? v : data, load ? data : v, size, big);
}

/* Structures, of registers that are `stride` bytes apart in the register file. What the loops need of *a is in
   registers: for the compiler, each store of a byte may change *a. */
static inline void move_lanes(const struct avc_access *a, bool big, uint8_t *file, uint8_t *data, bool load,
                              unsigned stride, unsigned step)
{
    unsigned size = a->size, width = a->width, regs = a->regs, first = a->reg[0], behind = first + a->rounds;

    for (; first < behind; first++)
        for (unsigned at = 0; at < width; at += size)
            for (unsigned n = 0, reg = first; n < regs; n++, reg += step, data += size)
                move(file + (reg & 31) * stride + at, data, size, big, load);
}

/* S or D registers, which follow each other in the register file. A load of a halfword clears the rest. */
static void move_bank(const struct avc_access *a, bool big, uint8_t *file, uint8_t *data, bool load)
{
    unsigned at = (unsigned)a->reg[0] * a->width;

    for (unsigned n = 0; n < a->nr; n++, at += a->width, data += a->size) {
        uint8_t *v = file + (at & (FILE_BYTES - 1));

        if (load && a->size < a->width)
            __builtin_memset(v, 0, a->width);
        move(v, data, a->size, big, load);
    }
}

/* Moves all elements of a form that may have many of them. Nothing is done for each that can be done once: there may be
   64, and interrupts are masked. Returns false for another form. */
static bool move_many(const struct avc_access *a, bool big, struct avc_fp *fp, uint8_t *data, bool load)
{
    uint8_t *file = (uint8_t *)fp->v;

    switch (a->form) {
    case AVC_FORM_LANES:
        for (unsigned n = 0; load && a->width == 8 && n < a->rounds + a->regs - 1u; n++)
            fp->v[(a->reg[0] + n) & 31][1] = 0;
        move_lanes(a, big, file, data, load, 16, 1);
        return true;
    case AVC_FORM_LANES32:
        move_lanes(a, big, file, data, load, 8, a->step);
        return true;
    case AVC_FORM_BANK:
        move_bank(a, big, file, data, load);
        return true;
    default:
        return false;
    }
}

/* Is the element no register, but the PC? */
static bool is_pc(const struct avc_access *a, unsigned n)
{
    return a->r15 && n + 1u == a->nr;
}

void avc_access_gather(const struct avc_access *a, bool big, const uint64_t *x, const struct avc_fp *fp, uint8_t *data)
{
    unsigned list = a->list;

    if (move_many(a, big, (struct avc_fp *)(uintptr_t)fp, data, false)) /* fp is only read */
        return;
    for (unsigned n = 0; n < a->nr; n++, data += a->size) {
        struct place p = place(a, n, &list);
        uint64_t value;

        if (avc_access_is_fp(a)) {
            copy(data, (const uint8_t *)fp->v[p.reg] + p.at, a->size, big);
        } else if (!is_pc(a, n)) {
            value = p.reg == 31 ? 0 : x[p.reg];
            copy(data, (const uint8_t *)&value, a->size, big);
        }
    }
}

static uint64_t extended(const struct avc_access *a, uint64_t value)
{
    unsigned unused = 64 - 8u * a->size;

    if (!a->sign)
        return value;
    value = (uint64_t)((int64_t)(value << unused) >> unused);
    return a->wide ? value : (uint32_t)value;
}

static void to_gpr(const struct avc_access *a, bool big, const uint8_t *data, uint64_t *x, unsigned reg)
{
    uint64_t value = 0;

    copy((uint8_t *)&value, data, a->size, big);
    if (reg != 31)
        x[reg] = extended(a, value);
}

static void replicate(const struct avc_access *a, bool big, const uint8_t *data, uint8_t *v, unsigned width)
{
    for (unsigned at = 0; at < width; at += a->size)
        copy(v + at, data, a->size, big);
}

static void to_fp(const struct avc_access *a, bool big, const uint8_t *data, struct avc_fp *fp, struct place p)
{
    uint8_t *v = bytes_of(fp, p.reg);
    unsigned width = a->width < 16 ? 8 : 16;

    switch (a->form) {
    case AVC_FORM_VECTOR:
        fp->v[p.reg][0] = fp->v[p.reg][1] = 0;
        break;
    case AVC_FORM_REPLICATE:
        fp->v[p.reg][0] = fp->v[p.reg][1] = 0;
        replicate(a, big, data, v, width);
        return;
    case AVC_FORM_REPLICATE32:
        replicate(a, big, data, v + p.at, 8);
        if (a->rounds > 1) { /* VLD1 alone: the register behind it, which may be in another V register */
            p = in_d(p.reg * 2 + p.at / 8 + 1, 0);
            replicate(a, big, data, bytes_of(fp, p.reg) + p.at, 8);
        }
        return;
    default:
        break;
    }
    copy(v + p.at, data, a->size, big);
}

void avc_access_scatter(const struct avc_access *a, bool big, const uint8_t *data, uint64_t *x, struct avc_fp *fp)
{
    unsigned list = a->list;

    if (move_many(a, big, fp, (uint8_t *)(uintptr_t)data, true)) /* data is only read */
        return;
    for (unsigned n = 0; n < a->nr; n++, data += a->size) {
        struct place p = place(a, n, &list);

        if (avc_access_is_fp(a))
            to_fp(a, big, data, fp, p);
        else if (!is_pc(a, n))
            to_gpr(a, big, data, x, p.reg);
    }
}

uint32_t avc_access_pc_loaded(const struct avc_access *a, bool big, const uint8_t *data)
{
    uint32_t pc = 0;

    copy((uint8_t *)&pc, data + avc_access_bytes(a) - a->size, a->size, big);
    return pc;
}

void avc_access_pc_stored(const struct avc_access *a, bool big, uint32_t pc, uint8_t *data)
{
    copy(data + avc_access_bytes(a) - 4, (const uint8_t *)&pc, 4, big);
}
