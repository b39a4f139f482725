/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* See flash.h. */
#include "flash.h"

#include "vmm.h"

#define PIECE VMM_FLASH_PIECE
#define STEP  UINT32_C(0x1000) /* bytes that are filled or copied between two looks for interrupts */

static void look_if(void (*look)(void))
{
    if (look)
        look();
}

/* The guest may read or execute what was written with its caches off. */
static void written(void *p, size_t bytes)
{
    vmm_dcache_clean_invalidate(p, bytes);
    vmm_icache_invalidate(p, bytes);
}

static void fill(uint8_t *to, uint8_t value, uint32_t bytes, void (*look)(void))
{
    for (uint32_t done = 0; done < bytes; done += STEP) {
        memset(to + done, value, STEP);
        written(to + done, STEP);
        look_if(look);
    }
}

/* ---- in memory ---- */

static const uint8_t *at(const struct vmm_flash *f, uint32_t offset)
{
    const uint8_t *piece = f->piece[offset / PIECE];

    return (piece ? piece : f->zeros) + offset % PIECE;
}

static uint32_t read(void *ctx, uint32_t offset)
{
    uint32_t word;

    memcpy(&word, at(ctx, offset), sizeof(word));
    return word;
}

static enum vmm_cfi_result program(void *ctx, uint32_t offset, const uint32_t *data, uint32_t bytes, void (*look)(void))
{
    struct vmm_flash *f = ctx;
    uint8_t *piece = f->piece[offset / PIECE];

    (void)look;
    if (!piece)
        return VMM_CFI_DONE; /* no bit can be set, and none is left to be cleared */
    memcpy(piece + offset % PIECE, data, bytes);
    written(piece + offset % PIECE, bytes);
    return VMM_CFI_DONE;
}

static enum vmm_cfi_result erase(void *ctx, uint32_t offset, void (*look)(void))
{
    struct vmm_flash *f = ctx;
    uint8_t **piece = &f->piece[offset / PIECE];

    if (!*piece) {
        *piece = vmm_pages_alloc(PIECE, PIECE);
        if (!*piece)
            return VMM_CFI_FAILED; /* as a block that is worn out */
        fill(*piece, 0, PIECE, look);
    }
    fill(*piece + offset % PIECE, 0xFF, VMM_CFI_BLOCK, look);
    return VMM_CFI_DONE;
}

static void map_piece(struct vmm_flash *f, uint32_t offset, uint64_t pa, uint32_t attrs)
{
    uint64_t ipa = f->cfi.mmio.base + offset / PIECE * PIECE;
    enum avc_status status = avc_stage2_map(f->stage2, ipa, pa, PIECE, attrs);

    if (status)
        vmm_exit(VMM_EXIT_FAILURE, "the guest's flash at 0x%llx: %s", (unsigned long long)ipa, avc_status_text(status));
}

/* Nobody executes where nobody has stored anything: all of it would be UNDEFINED, also what a vector at 0 has. A guest
   that is lost there gets an abort instead, as where there is nothing, and is found out (nothing.c). */
static bool map(void *ctx, uint32_t offset, bool fetch)
{
    struct vmm_flash *f = ctx;
    bool filled = f->piece[offset / PIECE];

    if (fetch && !filled)
        return false;
    map_piece(f, offset, (uintptr_t)at(f, offset / PIECE * PIECE), AVC_R | (filled ? AVC_X : 0) | AVC_NORMAL);
    return true;
}

static void unmap(void *ctx)
{
    struct vmm_flash *f = ctx;
    enum avc_status status = avc_stage2_unmap(f->stage2, f->cfi.mmio.base, f->cfi.mmio.size);

    if (status)
        vmm_exit(VMM_EXIT_FAILURE, "the guest's flash: %s", avc_status_text(status));
}

/* Never asked: all operations are done when they return. */
static enum vmm_cfi_result poll(void *ctx)
{
    (void)ctx;
    return VMM_CFI_DONE;
}

/* The last piece of an image that does not fill it, or one that is not aligned, is copied. */
static bool take_image(struct vmm_flash *f, uint8_t *image, uint64_t bytes)
{
    for (uint64_t done = 0; done < bytes; done += PIECE) {
        uint8_t **piece = &f->piece[done / PIECE];
        uint64_t n = bytes - done < PIECE ? bytes - done : PIECE;

        *piece = image + done;
        if (n < PIECE || (uintptr_t)image % PIECE) {
            *piece = vmm_pages_alloc(PIECE, PIECE);
            if (!*piece)
                return false;
            memset(*piece, 0, PIECE);
            memcpy(*piece, image + done, n);
        }
        written(*piece, PIECE);
    }
    return true;
}

const char *vmm_flash_init(struct vmm_flash *f, uint64_t base, struct avc_stage2 *stage2, uint8_t *image,
                           uint64_t bytes)
{
    static uint8_t *zeros;

    *f = (struct vmm_flash){
        .host = { .read = read,
                  .program = program,
                  .erase = erase,
                  .poll = poll,
                  .map = map,
                  .unmap = unmap,
                  .ctx = f },
        .stage2 = stage2,
    };
    vmm_cfi_init(&f->cfi, base, VMM_GUEST_FLASH_SIZE, &f->host);
    if (bytes > VMM_GUEST_FLASH_SIZE)
        return "the firmware has more than the 64 MiB of the guest's flash";
    if (!zeros) {
        zeros = vmm_pages_alloc(PIECE, PIECE);
        if (!zeros)
            return "no memory for the guest's flash";
        fill(zeros, 0, PIECE, NULL);
    }
    f->zeros = zeros;
    return take_image(f, image, bytes) ? NULL : "no memory for the guest's firmware";
}

/* ---- on the board ---- */

static uint32_t board_read(void *ctx, uint32_t offset)
{
    return vmm_nor_read(((struct vmm_flash *)ctx)->board, offset);
}

static enum vmm_cfi_result result_of(enum vmm_nor_result result)
{
    static const enum vmm_cfi_result results[] = {
        [VMM_NOR_DONE] = VMM_CFI_DONE, [VMM_NOR_BUSY] = VMM_CFI_BUSY, [VMM_NOR_FAILED] = VMM_CFI_FAILED
    };

    return results[result];
}

static enum vmm_cfi_result board_program(void *ctx, uint32_t offset, const uint32_t *data, uint32_t bytes,
                                         void (*look)(void))
{
    (void)look;
    return result_of(vmm_nor_program(((struct vmm_flash *)ctx)->board, offset, data, bytes));
}

static enum vmm_cfi_result board_erase(void *ctx, uint32_t offset, void (*look)(void))
{
    (void)look;
    return result_of(vmm_nor_erase(((struct vmm_flash *)ctx)->board, offset, VMM_CFI_BLOCK));
}

static enum vmm_cfi_result board_poll(void *ctx)
{
    return result_of(vmm_nor_poll(((struct vmm_flash *)ctx)->board));
}

/* EL2 has the flash as a device, so the guest has it uncached. It cannot execute there: instruction caches would keep
   what was there before. */
static bool board_map(void *ctx, uint32_t offset, bool fetch)
{
    struct vmm_flash *f = ctx;

    if (!fetch)
        map_piece(f, offset, f->board->base + offset / PIECE * PIECE, AVC_R | AVC_NC);
    return !fetch;
}

void vmm_flash_use(struct vmm_flash *f, struct vmm_nor *board)
{
    f->board = board;
    f->host.read = board_read;
    f->host.program = board_program;
    f->host.erase = board_erase;
    f->host.poll = board_poll;
    f->host.map = board_map;
}
