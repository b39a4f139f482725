/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The filter of calls to firmware on each of the 2^32 function ids: none passes that would make firmware act for EL2,
 * whatever bits a guest sets that firmware may ignore (the width, the hint, the reserved ones), and no other is kept.
 */
#include <stdio.h>

#include "core/claim/forward.c"

/* From DEN0022, DEN0054, DEN0113 and DEN0028, 7.6. */
static bool acts_for_el2(uint32_t fid)
{
    uint32_t owner = fid >> 24 & 0x3f, number = fid & 0xffff;

    if (!(fid >> 31)) /* a yielding call */
        return false;
    return (owner == 4 && (number <= 0x3f || (number >= 0x110 && number <= 0x12f))) || (owner == 0 && number == 0x7fff);
}

int main(void)
{
    unsigned long kept = 0;
    uint32_t fid = 0;

    do {
        if (is_withheld(fid) != acts_for_el2(fid)) {
            printf("not ok - function %08x\n", fid);
            return 1;
        }
        kept += is_withheld(fid);
    } while (++fid);
    printf("4294967296 ids, %lu of them withheld\n", kept);
    return 0;
}
