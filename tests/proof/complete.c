/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The completion of an access, for any vCPU, syndrome, answer and value: no run-time error, and the parts that are
 * functions of values do what their contracts say. Registers of the CPU are unknown at each read.
 */
#include "core/exit/complete.h"
#include "core/exit/decoder_ops.h"

static struct avc_vm vm;
static struct avc_vcpu vcpu;
static struct avc_decoder decoder; /* attached; what it does is its own proof */
void decoder_done(struct avc_vcpu *v, const struct avc_exit *e);
static const struct avc_decoder_ops ops = { .done = decoder_done };
static uint64_t values[31];
static uint8_t any[2];

#include "core/exit/complete.c"

/* Any contents, of which only the bytes of a bool are known to be 0 or 1. */
static void begin(void)
{
    vcpu.vm = &vm;
    vm.decoder = &decoder;
    decoder.ops = &ops;
    vcpu.exit.write = any[0] & 1;
    vcpu.exit.step = any[1] & 1;
}

void prove_parts(uint64_t esr, uint64_t value)
{
    (void)avc_mmio_loaded(value, esr, false);
    (void)avc_mmio_loaded(value, esr, true);
}

void prove_gpr(uint64_t esr, uint64_t value)
{
    avc_complete_gpr(&vcpu, ISS_SRT(esr), value);
    avc_complete_gpr(&vcpu, ISS_RT(esr), value);
}

/* As they are called: forward.c, trng.c. */
void prove_gprs(void)
{
    avc_complete_gprs(&vcpu, 0, 18, values);
    avc_complete_gprs(&vcpu, 1, 3, values);
}

void prove_load(uint64_t esr, uint64_t value)
{
    begin();
    avc_complete_load(&vcpu, esr, value);
}

void prove_store(uint64_t esr)
{
    begin();
    (void)avc_mmio_stored(&vcpu, esr);
    avc_complete_store(esr);
}

void prove_mrs(uint64_t esr, uint64_t value)
{
    begin();
    avc_complete_mrs(&vcpu, esr, value);
    avc_complete_msr(esr);
}

/* By any answer, in a trap and before run. */
void prove_live(void)
{
    begin();
    avc_complete_live(&vcpu, &vcpu.exit);
}

void prove_done(void)
{
    begin();
    avc_complete_done(&vcpu, &vcpu.exit);
}

void prove_saved(void)
{
    begin();
    avc_complete_saved(&vcpu, &vcpu.exit);
}
