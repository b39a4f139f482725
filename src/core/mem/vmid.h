/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* VMIDs, and what a TLB must forget when a vCPU comes: see vmid.c. */
#ifndef AVC_VMID_H
#define AVC_VMID_H

#include "core/core.h"

/* Makes the VM's VMID valid for this CPU, does the flushes that the move of a vCPU needs, returns VTTBR_EL2. Masked. */
uint64_t avc_vmid_load(struct avc_pcpu *pcpu, struct avc_vcpu *vcpu);
void avc_vmid_put(struct avc_pcpu *pcpu, struct avc_vcpu *vcpu);

/* For TLB maintenance. Generation and VMID of these tables, 0: none yet. Called after the DSB that ends the store to them. */
#define AVC_VMID_OF(token) ((token)&0xffff)
uint64_t avc_vmid_token(struct avc_stage2 *s2);
/* Whether a vCPU of it is loaded somewhere. */
bool avc_vmid_in_use(struct avc_stage2 *s2);

#endif
