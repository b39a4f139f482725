/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* What the way of an exit calls of a decoder. vm->decoder points to it, so that a program without one does not link
   it: see decoder.c. */
#ifndef AVC_DECODER_OPS_H
#define AVC_DECODER_OPS_H

#include <avc/priv/decoder.h>

#include "core/core.h"

struct avc_decoder_ops {
    avc_trap_fn *dabt, *abort; /* the row of data aborts in the VM's dispatch table: its function, and its slow one */
    /* The VMM has answered DONE to a part (AVC_OWN_PART). Takes the part's value, and requests AVC_REQUEST_PART. */
    void (*done)(struct avc_vcpu *vcpu, const struct avc_exit *e);
    /* Serves AVC_REQUEST_PART: does the parts that are left. Returns false when run has to return. */
    bool (*go_on)(struct avc_vcpu *vcpu);
};

#endif
