/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Copies between guest memory and the library, as stage 2 permits it: see stage2_copy.c. */
#ifndef AVC_STAGE2_COPY_H
#define AVC_STAGE2_COPY_H

#include <avc/stage2.h>

struct avc_copy {
    avc_ipa_t ipa;
    uint8_t *host;     /* where the host has this memory, or NULL: it has none */
    uint8_t *data;     /* where it is copied to, or from */
    uint8_t size;      /* 1 to 8; host and IPA are in one page */
    uint8_t permitted; /* of AVC_R, AVC_W, AVC_X: stage 2 must permit one of these */
    bool write;        /* to guest memory */
    bool cached;       /* the guest's accesses by its stage 1 go through the caches as EL2's do */
};

enum avc_copied {
    AVC_COPIED,
    AVC_COPY_REFUSED, /* stage 2 does not permit it now */
    AVC_COPY_NEVER,   /* stage 2 permits it, but this is a device, or no memory that the host knows */
};
enum avc_copied avc_stage2_copy(struct avc_stage2 *s2, const struct avc_copy *c);

#endif
