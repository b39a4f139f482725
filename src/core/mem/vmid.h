/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* VMIDs, and what a TLB must forget when a vCPU is loaded: see vmid.c. */
#ifndef AVC_VMID_H
#define AVC_VMID_H

#include "core/core.h"

/* Makes the VM's VMID valid for this CPU, does the flushes that the move of a vCPU needs, and returns VTTBR_EL2.
   Interrupts are masked. */
uint64_t avc_vmid_load(struct avc_pcpu *pcpu, struct avc_vcpu *vcpu);
void avc_vmid_put(struct avc_pcpu *pcpu, struct avc_vcpu *vcpu);
/* The CPU is no longer in the machine's list. The caller has the machine's lock. */
void avc_vmid_leave(struct avc_pcpu *pcpu);

/* For TLB maintenance: returns generation and VMID of these tables, or 0 if there are none yet. It is called after
   the DSB that ends the store to the tables. */
#define AVC_VMID_OF(token) ((token)&0xffff)
uint64_t avc_vmid_token(struct avc_stage2 *s2);
/* Is a vCPU of it loaded on any CPU? */
bool avc_vmid_in_use(struct avc_stage2 *s2);

#endif
