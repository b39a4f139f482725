/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Completes a load or store that the decoder has decoded. It belongs to complete.c, and stands apart so that only a
   program with a decoder links it. */
#ifndef AVC_COMPLETE_ACCESS_H
#define AVC_COMPLETE_ACCESS_H

#include <avc/priv/decoder.h>

#include "core/exit/complete.h"

/* Writes the registers of a load, and the base of a write-back; moves the PC behind the instruction. */
enum avc_result avc_complete_access(struct avc_vcpu *vcpu, const struct avc_decoder_cpu *d);

/* Makes the guest take a data abort of its stage 1. status: PAR_EL1.FST. */
enum avc_result avc_complete_stage1(struct avc_vcpu *vcpu, unsigned status, bool write, uint64_t va);

/* A claim has been asked about a part. If that was not in a trap, it has left PC and PSTATE in the vCPU: takes them to
   where they are in a trap. */
void avc_complete_hear(const struct avc_vcpu *vcpu);

/* Calls `fn` with PC and PSTATE where they are in a trap. Afterwards they are in the vCPU again. */
enum avc_result avc_complete_as_in_trap(struct avc_vcpu *vcpu, struct avc_decoder_cpu *d,
                                        enum avc_result (*fn)(struct avc_vcpu *vcpu, struct avc_decoder_cpu *d));

#endif
