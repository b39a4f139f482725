/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The guest machine's device tree. It uses values only, so the same file runs on the build host. */
#ifndef VMM_GUEST_FDT_H
#define VMM_GUEST_FDT_H

#include <stddef.h>
#include <stdint.h>

struct vmm_fdt_info {
    unsigned cpus;
    const uint64_t *mpidr; /* of each */
    uint64_t ram, ram_size;
    uint64_t initrd, initrd_end; /* both 0: none */
    const char *bootargs;        /* "" or NULL: none */
    const void *host;            /* the host's tree, for its random seeds; NULL: none */
};

/** Writes the tree into `bytes` of buf, and pads it to that size, so that a boot loader in the guest has room for
    what it adds. Returns NULL, or what went wrong. */
const char *vmm_fdt_make(void *buf, size_t bytes, const struct vmm_fdt_info *info);

#endif
