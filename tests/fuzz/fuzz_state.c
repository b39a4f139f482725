/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The reader of saved state, given a good stream with changes, or any bytes. What must hold: after an error no value
 * has changed. When a stream was read and the values are written again, each record that is in both is the same. ASan
 * sees what lies behind the stream's end, because it is a block of its own.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <avc/state.h>

#include "input.h"

struct thing {
    uint64_t base;
    uint8_t bytes[5];
    uint16_t half[3];
    uint32_t word;
    uint64_t wide[2];
};

static const struct avc_state_field fields[] = {
    AVC_STATE_ROW(0, AVC_STATE_FIXED, struct thing, base, 1),
    AVC_STATE_ROW(2, AVC_STATE_NEEDED, struct thing, bytes, 5),
    AVC_STATE_ROW(3, AVC_STATE_OPTIONAL, struct thing, half, 3),
    AVC_STATE_ROW(6, AVC_STATE_NEEDED, struct thing, word, 1),
    AVC_STATE_ROW(7, AVC_STATE_OPTIONAL, struct thing, wide, 2),
};
static const struct avc_state_model a = { .id = 1, .nr = 5, .field = fields };
static const struct avc_state_model b = { .id = 2, .nr = 2, .field = fields + 3 };

#define UNWRITTEN UINT64_C(0x6e6f7768657265)

/* Objects 1 and 2 of the models a, b and a. */
#define OBJECTS 3
static void list(struct avc_state_object *object, struct thing *values)
{
    object[0] = (struct avc_state_object){ &a, 1, &values[0] };
    object[1] = (struct avc_state_object){ &b, 1, &values[1] };
    object[2] = (struct avc_state_object){ &a, 2, &values[2] };
}

static void must(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "state: %s\n", what);
        abort();
    }
}

/* 0 to 3 changes: a byte, a record that goes, a record twice, the end cut off. */
static size_t change(uint8_t *stream, size_t bytes)
{
    for (unsigned n = one_of(4); n > 0 && bytes; n--) {
        size_t at = one_of((uint32_t)bytes), piece = 24 + one_of(3) * 8;

        switch (one_of(4)) {
        case 0:
            stream[at] = byte();
            break;
        case 1:
            at = at / 8 * 8;
            piece = piece < bytes - at ? piece : bytes - at;
            memmove(stream + at, stream + at + piece, bytes - at - piece);
            bytes -= piece;
            break;
        case 2:
            at = at / 8 * 8;
            piece = piece < bytes - at ? piece : bytes - at;
            memmove(stream + at + piece, stream + at, bytes - at);
            bytes += piece;
            break;
        default:
            bytes = at;
        }
    }
    if (bytes >= 16 && byte() & 1) /* it is as long as it says */
        for (unsigned i = 0; i < 8; i++)
            stream[8 + i] = (uint8_t)((uint64_t)bytes >> 8 * i);
    return bytes;
}

static uint64_t number(const uint8_t *p, unsigned bytes)
{
    uint64_t value = 0;

    while (bytes--)
        value = value << 8 | p[bytes];
    return value;
}

/* Both streams are sound. */
static void compare(const uint8_t *p, const uint8_t *end, const uint8_t *q, const uint8_t *other_end)
{
    for (p += 16, q += 16; p != end;) {
        size_t size = 16 + ((number(p + 12, 4) + 7) & ~UINT64_C(7));

        while (q != other_end && number(q, 8) < number(p, 8))
            q += 16 + ((number(q + 12, 4) + 7) & ~UINT64_C(7));
        if (q != other_end && number(q, 8) == number(p, 8))
            must(!memcmp(p, q, size), "what was read is not what was written");
        p += size;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct thing there[OBJECTS], here[OBJECTS], before[OBJECTS];
    struct avc_state_object object[OBJECTS];
    static uint8_t stream[4096];
    uint8_t *copy, again[1024];
    size_t bytes, same;
    uint64_t at = UNWRITTEN;

    input_is(data, size);
    memset(there, 0, sizeof(there));
    for (size_t i = 0; i < sizeof(there); i++)
        ((uint8_t *)there)[i] = (uint8_t)(i * 5);
    list(object, there);
    memset(stream, 0, sizeof(stream));
    must(!avc_state_write(stream, 1024, object, OBJECTS, &bytes), "writing");
    if (byte() % 8) {
        bytes = change(stream, bytes);
    } else {
        bytes = input_left < 1024 ? input_left : 1024;
        for (size_t i = 0; i < bytes; i++)
            stream[i] = byte();
    }
    copy = malloc(bytes + !bytes);
    memcpy(copy, stream, bytes);
    memset(here, 0x5a, sizeof(here));
    for (unsigned i = 0; i < OBJECTS; i++)
        here[i].base = there[i].base;
    memcpy(before, here, sizeof(here));
    list(object, here);
    if (avc_state_read(copy, bytes, object, OBJECTS, &at)) {
        must(!memcmp(before, here, sizeof(here)), "a value has changed after an error");
        if (at == UNWRITTEN) { /* or the stream has a record of this id */
            at = ~UNWRITTEN;
            must(avc_state_read(copy, bytes, object, OBJECTS, &at), "the same stream is good now");
            must(at == UNWRITTEN, "an error does not say where it is");
        }
    } else {
        must(at == UNWRITTEN, "there is no error, and it says where it is");
        must(here[0].base == there[0].base && here[2].base == there[2].base, "a fixed value is another");
        must(!avc_state_write(again, sizeof(again), object, OBJECTS, &same), "writing again");
        compare(copy, copy + bytes, again, again + same);
    }
    free(copy);
    return 0;
}
