/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* What the library says about itself: its version, and the sizes of its structs. */
#include <avc/observe.h>
#include <avc/sizes.h>
#include <avc/stage2.h>
#include <avc/state.h>
#include <avc/decoder.h>
#include <avc/syscall.h>
#include <avc/version.h>
#include <avc/vgic.h>

uint32_t avc_version(void)
{
    return AVC_VERSION_NUMBER;
}

#define SIZES(name)                                                                                                    \
    size_t avc_sizeof_##name(void)                                                                                     \
    {                                                                                                                  \
        return sizeof(struct avc_##name);                                                                              \
    }                                                                                                                  \
    size_t avc_alignof_##name(void)                                                                                    \
    {                                                                                                                  \
        return _Alignof(struct avc_##name);                                                                            \
    }
AVC_SIZES_LIST(SIZES)
