/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The register table: see sysreg.c. */
#ifndef AVC_SYSREG_IN_H
#define AVC_SYSREG_IN_H

#include "core/core.h"

/* Guest registers that load and put swap. The functions reach the CPU's if the vCPU is loaded on this CPU. index:
   enum avc_ctx */
uint64_t avc_ctx_get(const struct avc_vcpu *vcpu, unsigned ctx);
void avc_ctx_set(struct avc_vcpu *vcpu, unsigned ctx, uint64_t value);
void avc_sysreg_reset(struct avc_vcpu *vcpu); /* sets ctx[] to reset values */
enum avc_status avc_sysreg_get(struct avc_vcpu *vcpu, uint32_t key, uint64_t *value);
enum avc_status avc_sysreg_set(struct avc_vcpu *vcpu, uint32_t key, uint64_t value);
const char *avc_sysreg_name(uint32_t key); /* NULL: none */
/* Does what the table says for a trapped access: sets e->answer and, for reads, e->value. */
void avc_sysreg_emulate(struct avc_vcpu *vcpu, struct avc_exit *e);

#endif
