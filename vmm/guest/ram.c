/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Guest memory from the page allocator, mapped on demand; see ram.h. */
#include "ram.h"

#include "vmm.h"

static void give_back(struct vmm_ram *ram)
{
    while (ram->nr) {
        ram->nr--;
        vmm_pages_free(ram->piece[ram->nr].at, ram->piece[ram->nr].size);
    }
}

/*
 * Takes the largest pieces first, and halves the size until it gets one. All pieces but the last are whole blocks, and
 * all begin at a multiple of a block, so stage 2 maps each block by one entry.
 */
bool vmm_ram_init(struct vmm_ram *ram, avc_ipa_t base, uint64_t size, struct avc_stage2 *stage2)
{
    uint64_t left = size, want = size;

    memset(ram, 0, sizeof(*ram));
    ram->base = base;
    ram->size = size;
    ram->stage2 = stage2;
    if (size > VMM_RAM_MAX)
        return false;
    while (left) {
        uint8_t *at = ram->nr < VMM_RAM_PIECES ? vmm_pages_alloc(want, VMM_RAM_BLOCK) : NULL;

        if (at) {
            ram->piece[ram->nr].at = at;
            ram->piece[ram->nr++].size = want;
            left -= want;
            want = want < left ? want : left;
        } else if (want > VMM_RAM_BLOCK && ram->nr < VMM_RAM_PIECES) {
            want = (want / 2 + VMM_RAM_BLOCK - 1) & ~(VMM_RAM_BLOCK - 1);
        } else {
            give_back(ram);
            return false;
        }
    }
    return true;
}

/* Returns the memory behind an address that is in it, and how many bytes of its block are left from there on. */
static uint8_t *find(const struct vmm_ram *ram, avc_ipa_t at, uint64_t *left)
{
    uint64_t offset = at - ram->base;

    for (unsigned i = 0; i < ram->nr; i++) {
        if (offset < ram->piece[i].size) {
            uint64_t block = VMM_RAM_BLOCK - offset % VMM_RAM_BLOCK, piece = ram->piece[i].size - offset;

            *left = block < piece ? block : piece;
            return ram->piece[i].at + offset;
        }
        offset -= ram->piece[i].size;
    }
    vmm_panic("guest address 0x%llx is in no piece", (unsigned long long)at);
}

static bool has(const struct vmm_ram *ram, avc_ipa_t at, uint64_t bytes)
{
    return at >= ram->base && bytes <= ram->size && at - ram->base <= ram->size - bytes;
}

/* The block's place in a map: the word, and its bit. */
static uint64_t word_of(const struct vmm_ram *ram, avc_ipa_t at, uint64_t *bit)
{
    uint64_t block = (at - ram->base) / VMM_RAM_BLOCK;

    *bit = UINT64_C(1) << block % 64;
    return block / 64;
}

/* Is the block there? Then what it is filled with is, too. */
static bool is_there(struct vmm_ram *ram, avc_ipa_t at)
{
    uint64_t bit, word = word_of(ram, at, &bit);

    return __atomic_load_n(&ram->there[word], __ATOMIC_ACQUIRE) & bit;
}

/* Clears in pieces of 32 KiB, and copies in pieces of 4 KiB: between two looks for interrupts are some 2,000
   instructions. */
#define CLEAR_PIECE (UINT64_C(32) << 10)
#define COPY_PIECE  (UINT64_C(4) << 10)

static void look_if(void (*look)(void))
{
    if (look)
        look();
}

/*
 * The memory is cleaned, because a guest may have its caches off and read memory itself. A dirty line with older data
 * could also be written over the guest's data later. It is invalidated, because the guest may write past the caches,
 * and must find that data when it has switched them on (Arm ARM B2.8, "Mismatched memory attributes"). Instruction
 * caches may still have code that was at these addresses before: another guest's, or this one's before a reset. The
 * guest may execute the memory as it is, so they forget it.
 *
 * The lock is not held meanwhile: the bit in `filling` keeps others away.
 */
static void fill(struct vmm_ram *ram, avc_ipa_t at, void (*look)(void))
{
    avc_ipa_t block = at - (at - ram->base) % VMM_RAM_BLOCK;
    enum avc_status status;
    uint64_t bytes, bit, word = word_of(ram, at, &bit);
    uint8_t *p = find(ram, block, &bytes);

    for (uint64_t done = 0, n; done < bytes; done += n) {
        n = bytes - done < CLEAR_PIECE ? bytes - done : CLEAR_PIECE;
        vmm_zero_out(p + done, n);
        look_if(look);
    }
    vmm_icache_invalidate(p, bytes);
    vmm_lock(&ram->lock);
    ram->filling[word] &= ~bit;
    __atomic_store_n(&ram->there[word], ram->there[word] | bit,
                     __ATOMIC_RELEASE); /* before a guest can have it: EL2 may be asked for it then */
    vmm_unlock(&ram->lock);
    status = avc_stage2_map(ram->stage2, block, (uintptr_t)p, bytes, AVC_RWX | AVC_NORMAL);
    if (status)
        vmm_exit(VMM_EXIT_FAILURE, "guest memory at 0x%llx: %s", (unsigned long long)block, avc_status_text(status));
}

bool vmm_ram_touch(struct vmm_ram *ram, avc_ipa_t at, void (*look)(void))
{
    uint64_t bit, word;
    bool mine;

    if (!has(ram, at, 1))
        return false;
    word = word_of(ram, at, &bit);
    vmm_lock(&ram->lock);
    mine = !((ram->there[word] | ram->filling[word]) & bit); /* otherwise another vCPU was faster */
    if (mine)
        ram->filling[word] |= bit;
    vmm_unlock(&ram->lock);
    if (mine)
        fill(ram, at, look);
    return true;
}

void vmm_ram_touch_all(struct vmm_ram *ram, void (*look)(void))
{
    for (uint64_t offset = 0; offset < ram->size; offset += VMM_RAM_BLOCK)
        vmm_ram_touch(ram, ram->base + offset, look);
}

bool vmm_ram_write(struct vmm_ram *ram, avc_ipa_t to, const void *from, uint64_t bytes, void (*look)(void))
{
    const uint8_t *p = from;

    if (!has(ram, to, bytes))
        return false;
    while (bytes) {
        uint64_t n;
        uint8_t *at = find(ram, to, &n);

        n = n < bytes ? n : bytes;
        n = n < COPY_PIECE ? n : COPY_PIECE;
        vmm_ram_touch(ram, to, look);
        memcpy(at, p, n);
        vmm_dcache_clean_invalidate(at, n);
        vmm_icache_invalidate(at, n);
        look_if(look);
        to += n;
        p += n;
        bytes -= n;
    }
    return true;
}

bool vmm_ram_read(struct vmm_ram *ram, void *to, avc_ipa_t from, uint64_t bytes)
{
    uint8_t *p = to;

    if (!has(ram, from, bytes))
        return false;
    while (bytes) {
        uint64_t n;
        const uint8_t *at = find(ram, from, &n);

        if (!is_there(ram, from))
            return false; /* the page is still another owner's */
        n = n < bytes ? n : bytes;
        memcpy(p, at, n);
        from += n;
        p += n;
        bytes -= n;
    }
    return true;
}

void *vmm_ram_at(struct vmm_ram *ram, avc_ipa_t at, uint64_t bytes)
{
    uint64_t left;

    if (!has(ram, at, bytes) || !is_there(ram, at))
        return NULL;
    return find(ram, at, &left);
}

bool vmm_ram_reset(struct vmm_ram *ram)
{
    enum avc_status status;

    if (atomic_load_explicit(&ram->pinned, memory_order_acquire))
        return false;
    status = avc_stage2_unmap(ram->stage2, ram->base, ram->size);
    if (status != AVC_OK && status != AVC_ENOENT)
        vmm_exit(VMM_EXIT_FAILURE, "guest memory: %s", avc_status_text(status));
    memset(ram->there, 0, sizeof(ram->there));
    return true;
}

/* ---- memory for devices ---- */

/* Returns the first block of [block, end) that is not there, or end. A step for each word of the map: a pin has less
   than 4 GiB, so 33 at most. */
static uint64_t first_absent(struct vmm_ram *ram, uint64_t block, uint64_t end)
{
    while (block < end) {
        uint64_t absent = ~__atomic_load_n(&ram->there[block / 64], __ATOMIC_ACQUIRE) >> block % 64;

        if (absent) {
            block += (unsigned)__builtin_ctzll(absent);
            return block < end ? block : end;
        }
        block += 64 - block % 64;
    }
    return end;
}

/* Maps the block, or waits until the CPU that is at it has done so. That CPU is in vmm_ram_touch(), and holds nothing
   that this one could have. */
static void bring(struct vmm_ram *ram, avc_ipa_t at, void (*look)(void))
{
    vmm_ram_touch(ram, at, look);
    while (!is_there(ram, at)) {
        vmm_cpu_relax();
        look();
    }
}

/* Returns how many pieces the range is in, or 0 if there are more than `room`. Neighbours are one piece. */
static unsigned cut(const struct vmm_ram *ram, uint64_t offset, uint64_t bytes, struct vmm_piece *piece, unsigned room)
{
    unsigned i = 0, nr = 0;

    for (; offset >= ram->piece[i].size; i++)
        offset -= ram->piece[i].size;
    for (; bytes; i++, offset = 0) {
        avc_pa_t pa = (uintptr_t)ram->piece[i].at + offset;
        uint64_t left = ram->piece[i].size - offset, n = left < bytes ? left : bytes;

        if (nr && piece[nr - 1].pa + piece[nr - 1].bytes == pa) {
            piece[nr - 1].bytes += (uint32_t)n;
        } else if (nr < room) {
            piece[nr++] = (struct vmm_piece){ pa, (uint32_t)n };
        } else {
            return 0;
        }
        bytes -= n;
    }
    return nr;
}

enum vmm_pinned vmm_ram_pin(struct vmm_ram *ram, const struct vmm_pin *pin, void (*look)(void), struct vmm_piece *piece,
                            unsigned *nr, avc_ipa_t *at)
{
    uint64_t offset = pin->from - ram->base, end, block; /* an address below the memory has a huge offset */

    if (offset >= ram->size || !pin->bytes) {
        *at = pin->from;
        return VMM_PIN_OUTSIDE;
    }
    if (pin->bytes > ram->size - offset) {
        *at = ram->base + ram->size;
        return VMM_PIN_OUTSIDE;
    }
    end = (offset + pin->bytes - 1) / VMM_RAM_BLOCK + 1;
    for (block = offset / VMM_RAM_BLOCK; (block = first_absent(ram, block, end)) < end;) {
        uint64_t from = block * VMM_RAM_BLOCK;

        *at = ram->base + (from > offset ? from : offset);
        if (!look)
            return VMM_PIN_ABSENT;
        bring(ram, *at, look);
    }
    *nr = cut(ram, offset, pin->bytes, piece, *nr);
    if (!*nr)
        return VMM_PIN_SCATTERED;
    atomic_fetch_add_explicit(&ram->pinned, 1, memory_order_relaxed);
    return VMM_PIN_DONE;
}
