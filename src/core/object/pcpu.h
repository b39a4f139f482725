/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The library's own view of a CPU: see pcpu.c. */
#ifndef AVC_PCPU_IN_H
#define AVC_PCPU_IN_H

#include "core/core.h"

/* Returns the object of the calling CPU, for callbacks that may be made anywhere. If that CPU has none, it returns
   another's. If no CPU is enabled, it returns NULL. */
const struct avc_pcpu *avc_pcpu_here(const struct avc_machine *machine);
/* Checks that the object is the calling CPU's and enabled, and that no vCPU is loaded on it. NULL is an error. */
enum avc_status avc_pcpu_check_idle(const struct avc_pcpu *pcpu);
/* Hands a fetched interrupt to this CPU's handler. Interrupts are masked. */
enum avc_answer avc_pcpu_handle(struct avc_pcpu *pcpu, avc_irq_t irq);
/* Gives VBAR_EL2, HCR_EL2.IMO and TPIDR_EL2 back, if the library's vectors stand. Interrupts are masked. */
void avc_vectors_out(struct avc_pcpu *pcpu);

#endif
