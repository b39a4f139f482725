/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Where the arrays of the guest's two flash banks are.
 *
 * In memory: in blocks of 2 MiB, each of which is there from the first time that something in it is erased. All others
 * read as zeros, from one block that they share: so does the `virt` machine's flash that nobody has filled. Firmware
 * that the loader has put into memory stays where it is, as far as it has whole blocks. What is programmed lasts as
 * long as the run, also when the guest resets itself.
 *
 * Or in a bank of the board's own flash, which the guest then reads itself; what it programs is there after the run.
 */
#ifndef VMM_GUEST_FLASH_H
#define VMM_GUEST_FLASH_H

#include <avc/stage2.h>

#include "board/board.h"
#include "dev/cfi.h"
#include "map.h"

#define VMM_FLASH_PIECE  UINT32_C(0x200000)
#define VMM_FLASH_PIECES (VMM_GUEST_FLASH_SIZE / VMM_FLASH_PIECE)

struct vmm_flash {
    struct vmm_cfi cfi;
    struct vmm_cfi_host host;
    struct avc_stage2 *stage2;
    struct vmm_nor *board;            /* NULL: it is in memory */
    uint8_t *piece[VMM_FLASH_PIECES]; /* NULL: all zeros */
    uint8_t *zeros;                   /* what these read */
};

/** Makes a bank in memory. `image`: what is at its beginning, of `bytes`; it is the bank's from now on. Returns NULL,
    or what is wrong. */
const char *vmm_flash_init(struct vmm_flash *flash, uint64_t base, struct avc_stage2 *stage2, uint8_t *image,
                           uint64_t bytes);

/** Puts a bank that has just been made on the board's flash, which is as big. */
void vmm_flash_use(struct vmm_flash *flash, struct vmm_nor *board);

#endif
