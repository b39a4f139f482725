/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* No API: the layout of struct avc_machine. */
#ifndef AVC_PRIV_MACHINE_H
#define AVC_PRIV_MACHINE_H

#include <avc/feature.h>
#include <avc/priv/lock.h>

/* What the CPUs and VMs of a host share. */
struct avc_machine {
    uint64_t magic;
    struct avc_lock lock;
    struct avc_features features; /* common to all enabled CPUs */
    uint32_t enabled;             /* CPUs enabled now */
    bool fixed;                   /* a VM was sealed: features may not shrink any more */
    struct avc_pcpu *pcpus;       /* list of the enabled ones */
    /* VMIDs: see vmid.c */
    uint64_t vmid_generation;
    uint64_t vmid_map[65536 / 64]; /* those given out in this generation */
    uint32_t vmid_next;            /* where the search goes on */
};

#endif
