/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The relay translates the addresses of buffers, and looks at no byte of what is in them. So it carries every type of
 * device whose requests have no addresses of memory in them, and no other. A type that is not in the table is not
 * carried: nobody has looked at what its requests have.
 */
#include "virtio/types.h"

#include <stddef.h>

#include "virtio/regs.h"

static const char has_addresses[] = "its requests have addresses of memory in them";
static const char has_memory[] = "its transport has memory of its own";

static const struct {
    uint32_t id;
    const char *name, *why;
} types[] = {
    { 1, "network card", NULL },
    { 2, "disk", NULL },
    { 3, "console", NULL },
    { 4, "source of entropy", NULL },
    { 5, "memory balloon", has_addresses },
    { 8, "SCSI host", NULL },
    { 9, "9P share", NULL },
    { 13, "memory balloon", has_addresses },
    { 16, "GPU", has_addresses },
    { 18, "input device", NULL },
    { 19, "socket", NULL },
    { 20, "crypto device", NULL },
    { 23, "IOMMU", has_addresses },
    { 24, "memory device", has_addresses },
    { 25, "sound device", NULL },
    { 26, "file system", NULL },
    { 27, "persistent memory", has_memory },
};

const char *vmm_virtio_type(uint32_t id, const char **why)
{
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (types[i].id == id) {
            *why = types[i].why;
            return types[i].name;
        }
    *why = "the relay does not know this type";
    return "device";
}

/*
 * Bits 24 to 49 are the transport's and the ring's. Of these the relay knows:
 *   INDIRECT_DESC, EVENT_IDX, VERSION_1   it does these itself
 * and not: RING_PACKED, IN_ORDER, NOTIFICATION_DATA, NOTIF_CONFIG_DATA, RING_RESET, ADMIN_VQ, SR_IOV; legacy's
 * NOTIFY_ON_EMPTY and ANY_LAYOUT. ACCESS_PLATFORM and ORDER_PLATFORM say how the board's device accesses memory, which
 * is between the device and the relay: its addresses are the board's, and its barriers are for devices.
 */
uint64_t vmm_virtio_offered(uint64_t features)
{
    return features & (VIRTIO_F_OF_TYPE | VIRTIO_F_OF_TYPE_HIGH | VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX |
                       VIRTIO_F_VERSION_1);
}

uint64_t vmm_virtio_own(uint64_t features)
{
    return features & (VIRTIO_F_EVENT_IDX | VIRTIO_F_VERSION_1 | VIRTIO_F_ACCESS_PLATFORM | VIRTIO_F_ORDER_PLATFORM);
}
