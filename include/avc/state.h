/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Saved state: a stream of records. Each record has an id, a size, a class and a value. docs/state.md has the format
 * byte by byte, and the rules for records that are unknown or missing.
 *
 * A model (a device, for example) has two functions of its own, besides a plain struct of values: one that copies its
 * state into the struct, and one that checks such a struct and takes it over. A table says which members are records.
 * Who saves a machine lists its objects, each with its model's table and a struct, and calls avc_state_write(). Who
 * restores it lists the same objects and calls avc_state_read(); then each model takes its struct over.
 *
 * The library does not know what is in the records. It reads and writes nothing but the buffer and the structs.
 */
#ifndef AVC_STATE_H
#define AVC_STATE_H

#include <avc/status.h>

#ifdef __cplusplus
extern "C" {
#endif

#define AVC_STATE_MAGIC   0x53435641u /* "AVCS", the first bytes of a stream */
#define AVC_STATE_VERSION 1u
#define AVC_STATE_HEAD    16u /* bytes of the stream's head, and of each record's */

/** What a reader does with a record. */
enum avc_state_class {
    AVC_STATE_FIXED = 1,  /* how the object was made: the reader's object must have the same value */
    AVC_STATE_NEEDED = 2, /* state: a stream without it is refused, and so is a reader that does not know it */
    AVC_STATE_OPTIONAL =
        3, /* state: who does not know it leaves it out; where it is missing the reader's value stays */
};

/** One member of a model's struct of values: `count` numbers of `width` bytes, which are a record's value. */
struct avc_state_field {
    uint32_t id;     /* the model's number for it: for ever, and never used for anything else */
    uint32_t offset; /* in the struct; a multiple of `width` */
    uint32_t count;  /* 1 or more */
    uint8_t width;   /* 1, 2, 4 or 8 */
    uint8_t cls;     /* enum avc_state_class */
};

/** A row of a model's table. `type` is its struct of values; `count` numbers begin at `member`, of its type's size. */
#define AVC_STATE_ROW(id, cls, type, member, count)                                                                    \
    {                                                                                                                  \
        (id), (uint32_t)offsetof(type, member), (count), (uint8_t)(sizeof(((type *)0)->member) / (count)), (cls)       \
    }

struct avc_state_model {
    uint32_t id;                         /* which kind of object; less than 65536 */
    uint32_t nr;                         /* of fields */
    const struct avc_state_field *field; /* with ascending ids */
};

/** One object of a machine: a model, which of that kind it is, and the values. */
struct avc_state_object {
    const struct avc_state_model *model;
    uint32_t nr;  /* chosen by who lists the machine's objects; less than 65536 */
    void *values; /* the model's struct */
};

/** A record's id in the stream: the object's number, the model's, the field's. The records of a stream ascend. */
#define AVC_STATE_ID(object, model, field) ((uint64_t)(object) << 48 | (uint64_t)(model) << 32 | (uint32_t)(field))

/**
 * Writes a stream of all records of the objects, which are listed by ascending number, then model. `buffer` has `room`
 * bytes and no alignment. *bytes: how many the stream takes, also when there is not so much room; then nothing is
 * written.
 * Errors: EINVAL (also: a table or the list is not as described), ENOMEM (room). Context: any; it takes as long as the
 * stream is.
 */
AVC_MUST_USE enum avc_status avc_state_write(void *buffer, size_t room, const struct avc_state_object *object,
                                             uint32_t nr, size_t *bytes);

/**
 * Reads a stream into the values of the objects, which are listed as for avc_state_write(). The stream is checked to
 * its end first: after an error no value has changed. `values` come with what the objects are now, for FIXED records to
 * be compared, and for OPTIONAL ones that are missing. Nobody else writes to `buffer` meanwhile: a guest's memory is
 * copied first. *at, unless `at` is NULL, is written after each error: the id of the record that it is about, and 0
 * if it is about the stream itself or an argument.
 * Errors: EINVAL (not a stream, damaged, or cut off; a record that is out of order, has another size or class than the
 * table says, or an unknown class; also: a table or the list is not as described), ENOTSUP (another version; a FIXED or
 * NEEDED record that no table has), ENOENT (a FIXED or NEEDED record is missing), ERANGE (a FIXED record has another
 * value). Context: any; it takes as long as the stream is.
 */
AVC_MUST_USE enum avc_status avc_state_read(const void *buffer, size_t bytes, const struct avc_state_object *object,
                                            uint32_t nr, uint64_t *at);

#ifdef __cplusplus
}
#endif
#endif
