/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* No API: the layout of struct avc_machine. */
#ifndef AVC_PRIV_MACHINE_H
#define AVC_PRIV_MACHINE_H

#include <avc/feature.h>
#include <avc/priv/lock.h>

struct avc_machine {
    uint64_t magic;
    struct avc_lock lock;         /* for the list of CPUs and the VMIDs; held with interrupts masked */
    struct avc_lock setup;        /* for features and fixed; held for long, with interrupts as the caller has them */
    struct avc_features features; /* what all enabled CPUs have in common */
    uint32_t enabled;             /* number of enabled CPUs */
    bool fixed;                   /* a VM is sealed: a CPU with less may not be enabled any more */
    struct avc_pcpu *pcpus;       /* list of the enabled CPUs */
    /* VMIDs: see src/core/mem/vmid.c */
    uint64_t vmid_generation;
    uint32_t vmid_next; /* the next one to be given out */
};

#endif
