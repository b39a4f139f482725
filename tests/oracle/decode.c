/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* What the decoder says of each word on stdin, one line each, for decode.py to compare with a disassembler. The
   argument is the instruction set: a64, a32 or t32. A word of T32 has the first halfword above, or an instruction of
   two bytes below and nothing above. */
#include <stdio.h>
#include <string.h>

#include "core/decode/decode.h"

static void form(const struct avc_access *a)
{
    static const char *const names[] = {
        [AVC_FORM_GPR] = "gpr",
        [AVC_FORM_LIST] = "list",
        [AVC_FORM_VECTOR] = "vector",
        [AVC_FORM_LANES] = "lanes",
        [AVC_FORM_LANE] = "lane",
        [AVC_FORM_BANK] = "bank",
        [AVC_FORM_REPLICATE] = "replicate",
        [AVC_FORM_LANES32] = "lanes32",
        [AVC_FORM_LANE32] = "lane32",
        [AVC_FORM_REPLICATE32] = "replicate32",
    };

    printf(" %s size=%u n=%u", names[a->form], a->size, a->nr);
    if (a->form == AVC_FORM_LANES || a->form == AVC_FORM_REPLICATE || a->form >= AVC_FORM_BANK)
        printf(" width=%u", a->width);
    if (a->form == AVC_FORM_LANES || a->form == AVC_FORM_LANES32)
        printf(" regs=%u", a->regs);
    if (a->form == AVC_FORM_LANES || a->form == AVC_FORM_LANES32 || a->form == AVC_FORM_REPLICATE32)
        printf(" rounds=%u", a->rounds);
    if (a->form > AVC_FORM_BANK && a->regs > 1)
        printf(" step=%u", a->step);
    if (a->form == AVC_FORM_LANE || a->form == AVC_FORM_LANE32)
        printf(" lane=%u", a->lane);
    if (a->form == AVC_FORM_LIST)
        printf(" list=%x", a->list);
    else
        printf(" r=%u", a->reg[0]);
    if (a->form <= AVC_FORM_VECTOR && a->form != AVC_FORM_LIST && a->nr == 2)
        printf(",%u", a->reg[1]);
    if (a->form == AVC_FORM_GPR && a->sign)
        printf(" sign%u", a->wide ? 64 : 32);
}

static void address(const struct avc_access *a)
{
    printf(" base=%u", a->base);
    if (a->index != AVC_NO_INDEX)
        printf(" index=%c%u,%u,%u", a->subtract ? '-' : '+', a->index, a->extend, a->shift);
    if (a->offset)
        printf(" offset=%d", a->offset);
    if (a->further)
        printf(" further=%d", a->further);
    printf("%s%s%s%s%s", a->post ? " post" : "", a->write_back ? " wb" : "", a->user ? " user" : "",
           a->signed_base ? " auth" : "",
           a->r15     ? " pc"
           : a->table ? " table"
                      : "");
}

int main(int argc, char **argv)
{
    bool (*decode)(uint32_t, struct avc_access *) = argc < 2 || !strcmp(argv[1], "a64") ? avc_decode_a64
                                                    : !strcmp(argv[1], "a32")           ? avc_decode_a32
                                                                                        : avc_decode_t32;
    static const char *const whats[] = {
        [AVC_ACCESS_NONE] = "none", [AVC_ACCESS_LOAD] = "load",           [AVC_ACCESS_STORE] = "store",
        [AVC_ACCESS_ZERO] = "zero", [AVC_ACCESS_EXCLUSIVE] = "exclusive",
    };
    struct avc_access a;
    uint32_t word;

    while (fread(&word, sizeof word, 1, stdin) == 1) {
        if (!decode(word, &a)) {
            puts("-");
            continue;
        }
        fputs(whats[a.what], stdout);
        if (a.what == AVC_ACCESS_LOAD || a.what == AVC_ACCESS_STORE) {
            form(&a);
            address(&a);
        } else if (a.what == AVC_ACCESS_ZERO) {
            printf(" base=%u", a.base);
        }
        putchar('\n');
    }
    return 0;
}
