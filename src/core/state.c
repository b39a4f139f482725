/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Streams of records: see avc/state.h, and docs/state.md for the format. */
#include <avc/state.h>

/* Offsets in the head of the stream, and in that of a record. */
enum { HEAD_MAGIC = 0, HEAD_VERSION = 4, HEAD_BYTES = 8 };
enum { RECORD_ID = 0, RECORD_CLASS = 8, RECORD_SIZE = 12 };

/* Values begin at multiples of 8, and what is between two records is 0. */
#define PADDED(size) (((size_t)(size) + 7) & ~(size_t)7)

static uint64_t get(const uint8_t *p, unsigned width)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < width; i++)
        value |= (uint64_t)p[i] << 8 * i;
    return value;
}

static void put(uint8_t *p, uint64_t value, unsigned width)
{
    for (unsigned i = 0; i < width; i++)
        p[i] = (uint8_t)(value >> 8 * i);
}

/* Numbers of a struct, in the byte order of this CPU. */
static uint64_t number(const void *p, unsigned width)
{
    switch (width) {
    case 1:
        return *(const uint8_t *)p;
    case 2:
        return *(const uint16_t *)p;
    case 4:
        return *(const uint32_t *)p;
    default:
        return *(const uint64_t *)p;
    }
}

static void set_number(void *p, uint64_t value, unsigned width)
{
    switch (width) {
    case 1:
        *(uint8_t *)p = (uint8_t)value;
        break;
    case 2:
        *(uint16_t *)p = (uint16_t)value;
        break;
    case 4:
        *(uint32_t *)p = (uint32_t)value;
        break;
    default:
        *(uint64_t *)p = value;
        break;
    }
}

/* ---- the list of objects, field by field ---- */

/* One field of one object. Beyond the last one `object` is the end of the list. */
struct place {
    const struct avc_state_object *object, *end;
    uint32_t field;
};

static const struct avc_state_field *field_of(const struct place *at)
{
    return &at->object->model->field[at->field];
}

static uint64_t id_of(const struct place *at)
{
    return AVC_STATE_ID(at->object->nr, at->object->model->id, field_of(at)->id);
}

static uint8_t *values_of(const struct place *at)
{
    return (uint8_t *)at->object->values + field_of(at)->offset;
}

static uint32_t size_of(const struct avc_state_field *f)
{
    return f->count * f->width;
}

static void skip_empty(struct place *at)
{
    while (at->object != at->end && at->field == at->object->model->nr) {
        at->object++;
        at->field = 0;
    }
}

static struct place first(const struct avc_state_object *object, uint32_t nr)
{
    struct place at = { object, nr ? object + nr : object, 0 };

    skip_empty(&at);
    return at;
}

static void next(struct place *at)
{
    at->field++;
    skip_empty(at);
}

static bool field_is_sound(const struct avc_state_field *f)
{
    return (f->width == 1 || f->width == 2 || f->width == 4 || f->width == 8) && f->offset % f->width == 0 &&
           f->count && f->count <= UINT32_MAX / 16 && f->cls >= AVC_STATE_FIXED && f->cls <= AVC_STATE_OPTIONAL;
}

static bool object_is_sound(const struct avc_state_object *o)
{
    return o->model && o->values && o->nr <= UINT16_MAX && o->model->id <= UINT16_MAX &&
           (o->model->field || !o->model->nr);
}

/* Are all ids valid, and do they ascend? */
static bool list_is_sound(const struct avc_state_object *object, uint32_t nr)
{
    uint64_t last = 0;
    bool any = false;

    if (!object && nr)
        return false;
    for (uint32_t i = 0; i < nr; i++)
        if (!object_is_sound(&object[i]))
            return false;
    for (struct place at = first(object, nr); at.object != at.end; next(&at)) {
        if (!field_is_sound(field_of(&at)) || (any && id_of(&at) <= last))
            return false;
        last = id_of(&at);
        any = true;
    }
    return true;
}

/* ---- writing ---- */

static void write_record(uint8_t *p, const struct place *at)
{
    const struct avc_state_field *f = field_of(at);
    const uint8_t *from = values_of(at);
    uint32_t size = size_of(f);

    put(p + RECORD_ID, id_of(at), 8);
    put(p + RECORD_CLASS, f->cls, 4);
    put(p + RECORD_SIZE, size, 4);
    p += AVC_STATE_HEAD;
    for (uint32_t done = 0; done < size; done += f->width)
        put(p + done, number(from + done, f->width), f->width);
    for (size_t i = size; i < PADDED(size); i++)
        p[i] = 0;
}

enum avc_status avc_state_write(void *buffer, size_t room, const struct avc_state_object *object, uint32_t nr,
                                size_t *bytes)
{
    uint8_t *p = buffer;
    size_t total = AVC_STATE_HEAD;

    if (!bytes || (!buffer && room) || !list_is_sound(object, nr))
        return AVC_EINVAL;
    for (struct place at = first(object, nr); at.object != at.end; next(&at))
        total += AVC_STATE_HEAD + PADDED(size_of(field_of(&at)));
    *bytes = total;
    if (!buffer || total > room)
        return AVC_ENOMEM;
    put(p + HEAD_MAGIC, AVC_STATE_MAGIC, 4);
    put(p + HEAD_VERSION, AVC_STATE_VERSION, 4);
    put(p + HEAD_BYTES, total, 8);
    p += AVC_STATE_HEAD;
    for (struct place at = first(object, nr); at.object != at.end; next(&at)) {
        write_record(p, &at);
        p += AVC_STATE_HEAD + PADDED(size_of(field_of(&at)));
    }
    return AVC_OK;
}

/* ---- reading ---- */

/* The record that begins at `p`. */
struct record {
    uint64_t id;
    uint32_t cls, size;
    const uint8_t *value;
};

static struct record record_at(const uint8_t *p)
{
    return (struct record){
        .id = get(p + RECORD_ID, 8),
        .cls = (uint32_t)get(p + RECORD_CLASS, 4),
        .size = (uint32_t)get(p + RECORD_SIZE, 4),
        .value = p + AVC_STATE_HEAD,
    };
}

static const uint8_t *behind(const struct record *r)
{
    return r->value + PADDED(r->size);
}

static enum avc_status check_head(const uint8_t *p, size_t bytes)
{
    if (bytes < AVC_STATE_HEAD || get(p + HEAD_MAGIC, 4) != AVC_STATE_MAGIC)
        return AVC_EINVAL;
    if (get(p + HEAD_VERSION, 4) != AVC_STATE_VERSION)
        return AVC_ENOTSUP;
    return get(p + HEAD_BYTES, 8) == bytes ? AVC_OK : AVC_EINVAL;
}

/* Does the record lie in what is left, with a known class and zeros behind its value? */
static bool record_is_sound(const struct record *r, size_t left)
{
    if (!r->size || r->size > left || PADDED(r->size) > left || r->cls < AVC_STATE_FIXED || r->cls > AVC_STATE_OPTIONAL)
        return false;
    for (const uint8_t *p = r->value + r->size; p != behind(r); p++)
        if (*p)
            return false;
    return true;
}

/* A record of the stream and the field that has its id. */
static enum avc_status check_match(const struct record *r, const struct place *at)
{
    const struct avc_state_field *f = field_of(at);

    if (r->size != size_of(f) || r->cls != f->cls)
        return AVC_EINVAL;
    if (f->cls == AVC_STATE_FIXED)
        for (uint32_t done = 0; done < r->size; done += f->width)
            if (get(r->value + done, f->width) != number(values_of(at) + done, f->width))
                return AVC_ERANGE;
    return AVC_OK;
}

/* Fields that the stream has passed by, or that are left at its end. Stops at a field with this id or a higher one. */
static enum avc_status check_missing(struct place *at, const struct record *r, uint64_t *id)
{
    for (; at->object != at->end && (!r || id_of(at) < r->id); next(at)) {
        if (field_of(at)->cls != AVC_STATE_OPTIONAL) {
            *id = id_of(at);
            return AVC_ENOENT;
        }
    }
    return AVC_OK;
}

/* Stream and list both ascend, so one pass over both finds what is in one of them alone. *id: see avc_state_read(). */
static enum avc_status check(const uint8_t *p, size_t bytes, struct place at, uint64_t *id)
{
    const uint8_t *end = p + bytes;
    enum avc_status status = check_head(p, bytes);
    uint64_t last = 0;
    bool any = false;

    *id = 0;
    if (status)
        return status;
    for (p += AVC_STATE_HEAD; p != end;) {
        struct record r;

        *id = 0;
        if ((size_t)(end - p) < AVC_STATE_HEAD)
            return AVC_EINVAL;
        r = record_at(p);
        *id = r.id;
        if (!record_is_sound(&r, (size_t)(end - p) - AVC_STATE_HEAD) || (any && r.id <= last))
            return AVC_EINVAL;
        last = r.id;
        any = true;
        status = check_missing(&at, &r, id);
        if (!status && at.object != at.end && id_of(&at) == r.id) {
            status = check_match(&r, &at);
            next(&at);
        } else if (!status && r.cls != AVC_STATE_OPTIONAL) {
            status = AVC_ENOTSUP;
        }
        if (status)
            return status;
        p = behind(&r);
    }
    return check_missing(&at, NULL, id);
}

/* The stream is sound. FIXED values are the same anyway. */
static void take(const uint8_t *p, size_t bytes, struct place at)
{
    const uint8_t *end = p + bytes;

    for (p += AVC_STATE_HEAD; p != end;) {
        struct record r = record_at(p);

        while (at.object != at.end && id_of(&at) < r.id)
            next(&at);
        if (at.object != at.end && id_of(&at) == r.id) {
            const struct avc_state_field *f = field_of(&at);

            for (uint32_t done = 0; done < r.size; done += f->width)
                set_number(values_of(&at) + done, get(r.value + done, f->width), f->width);
        }
        p = behind(&r);
    }
}

enum avc_status avc_state_read(const void *buffer, size_t bytes, const struct avc_state_object *object, uint32_t nr,
                               uint64_t *at)
{
    enum avc_status status = AVC_EINVAL;
    uint64_t id = 0;

    if (buffer && list_is_sound(object, nr))
        status = check(buffer, bytes, first(object, nr), &id);
    if (!status)
        take(buffer, bytes, first(object, nr));
    else if (at)
        *at = id;
    return status;
}
