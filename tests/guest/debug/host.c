/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Runs two vCPUs in turn on one CPU. The host has a breakpoint of its own, which no guest may hit or change. */
#include "testvm.h"

#define HOST_BVR 0x40000000 /* where the guest starts: both vCPUs execute this address */
#define HOST_BCR 0x1e7      /* EL1 and EL0, enabled */

static unsigned runs;

static void before(struct avc_vcpu *vcpu)
{
    uint64_t bvr, bcr, mdscr;

    if (runs++ == 0) {
        host_must(avc_vcpu_put(vcpu));
        __asm__ volatile("msr oslar_el1, xzr" ::: "memory");
        __asm__ volatile("msr dbgbvr5_el1, %0; msr dbgbcr5_el1, %1; isb" ::"r"((uint64_t)HOST_BVR),
                         "r"((uint64_t)HOST_BCR)
                         : "memory");
        __asm__ volatile("msr mdscr_el1, %0; isb" ::"r"(UINT64_C(0xa000)) : "memory"); /* MDE, KDE */
        host_must(avc_vcpu_load(vcpu, &test_pcpu[0]));
    }
    if (runs % 16 != 0)
        return;
    /* Put must give the debug registers back as they were, whatever the guest has in them. */
    host_must(avc_vcpu_put(vcpu));
    __asm__ volatile("mrs %0, dbgbvr5_el1; mrs %1, dbgbcr5_el1; mrs %2, mdscr_el1" : "=r"(bvr), "=r"(bcr), "=r"(mdscr));
    host_must(avc_vcpu_load(vcpu, &test_pcpu[0]));
    if (bvr != HOST_BVR || bcr != HOST_BCR || (mdscr & 0xa001) != 0xa000) {
        host_printf("Bail out! the host's breakpoint is %lx, %lx, %lx\n", bvr, bcr, mdscr);
        host_off(1);
    }
}

const struct test_config test_config = { .vcpus = 2, .cpus = 1, .before_run = before };
