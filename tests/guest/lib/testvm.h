/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The EL2 half of a test: a VM with vGIC and PSCI on the smallest host. The vCPUs are dealt out to the CPUs. A test
 * that needs nothing special only defines `test_config`. Another test defines host_main() itself, and uses the
 * functions below.
 */
#ifndef TESTVM_H
#define TESTVM_H

#include <avc/decoder.h>
#include <avc/psci.h>
#include <avc/vgic.h>

#include "calls.h"
#include "host.h"

#define TEST_MAX_VCPUS  8
#define TEST_MAX_CLAIMS 32
#define TEST_RAM        (8u << 20)

struct test_config {
    unsigned vcpus, cpus; /* default 1 */
    bool no_vgic, decoder;
    uint32_t uses;                  /* as in struct avc_hal */
    uint32_t flags;                 /* as in struct avc_vm_config */
    const struct avc_claim *claims; /* the test's own, up to TEST_MAX_CLAIMS - 1 */
    unsigned nr_claims;
    /* Handles CALL_PUTC instead of the loop. CALL_ADD is then not claimed. */
    avc_claim_fn *putc;
    /* Sees each exit before the loop does. Returns whether it has answered. */
    bool (*on_exit)(struct avc_vcpu *vcpu, struct avc_exit *e);
    /* Called before and after each run, on the CPU that runs. */
    void (*before_run)(struct avc_vcpu *vcpu);
    void (*after_run)(struct avc_vcpu *vcpu);
};
extern const struct test_config test_config;

struct test_vm {
    struct avc_stage2 stage2;
    struct avc_vm vm;
    struct avc_vcpu vcpu[TEST_MAX_VCPUS], *vcpus[TEST_MAX_VCPUS];
    struct avc_claim claims[AVC_CLAIM_SLOTS(TEST_MAX_CLAIMS)];
    struct avc_vgic vgic;
    struct avc_vgic_spis spis[2];
    struct avc_vgic_cpu gic_cpus[TEST_MAX_VCPUS];
    struct avc_decoder decoder;
    struct avc_decoder_cpu decoder_cpus[TEST_MAX_VCPUS];
    uint8_t *ram;
    bool off;
};

/* Set before test_cpu_init(): no CPU is hardened. */
extern bool test_trusts_guests;
/* vCPU n always runs on CPU n % test_nr_cpus. */
extern unsigned test_nr_cpus;
extern struct avc_machine test_machine;
extern struct avc_pcpu test_pcpu[8];

/* Sets up the GIC and enables the pcpu. Called on each CPU, on the boot CPU first. */
void test_cpu_init(uint32_t uses);
void test_uses(uint32_t uses); /* changes it, while no vCPU is loaded */
/* Makes a VM with the guest program that is linked in, and starts its first vCPU. */
void test_vm_init(struct test_vm *t, const struct test_config *config);
/* Runs vCPU n once and handles the exit. Returns false if the vCPU has nothing to do for now. */
bool test_vcpu_step(struct test_vm *t, unsigned n, const struct test_config *config);

#endif
