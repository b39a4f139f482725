/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* A CPU on the inside: see pcpu.c. */
#ifndef AVC_PCPU_IN_H
#define AVC_PCPU_IN_H

#include "core/core.h"

/* The object of the calling CPU, for callbacks that may be made anywhere; any, where the CPU has none; NULL where no CPU is
   enabled. */
const struct avc_pcpu *avc_pcpu_here(const struct avc_machine *machine);
/* Hands a fetched interrupt to this CPU's handler. Masked. */
enum avc_answer avc_pcpu_handle(struct avc_pcpu *pcpu, avc_irq_t irq);
/* Gives VBAR_EL2, HCR_EL2.IMO and TPIDR_EL2 back, where the library's vectors stand. Masked. */
void avc_vectors_out(struct avc_pcpu *pcpu);

#endif
