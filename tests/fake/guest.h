/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * A guest made of the exceptions that it takes. When the library enters it, the test's function is asked what happens
 * next. The function may change the guest's registers: vcpu->x, and trap->elr and trap->spsr, which say where the guest
 * is. It says which exception the CPU takes to EL2.
 */
#ifndef FAKE_GUEST_H
#define FAKE_GUEST_H

#include <avc/priv/result.h>

#include "fake.h"

struct fake_trap {
    enum { FAKE_SYNC, FAKE_IRQ, FAKE_FIQ, FAKE_SERROR } kind;
    uint64_t esr, elr, spsr, far, hpfar;
};

/* Returns false when the script is over: run returns AVC_KICKED. */
typedef bool fake_guest_fn(struct avc_vcpu *vcpu, struct fake_trap *trap);
extern fake_guest_fn *fake_guest;

/* How often the guest was entered, and how often it went on after a trap, since fake_guest_reset(). */
extern unsigned fake_enters, fake_resumes;

/* V0..V31, FPCR and FPSR of each CPU. */
extern struct avc_fp fake_fp[FAKE_MAX_CPUS];

/* Asks the claim vcpu->asked, and does with its answer what the vectors do. */
enum avc_result fake_ask(struct avc_vcpu *vcpu);

/* Removes the script, and sets the counters to 0. */
void fake_guest_reset(void);

#endif
