/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Which version of the library this is. Before 1.0 a new minor version may change the API; from then on a new major
 * version may.
 */
#ifndef AVC_VERSION_H
#define AVC_VERSION_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The version of these headers: three numbers, each below 1000. */
#define AVC_VERSION_MAJOR 0
#define AVC_VERSION_MINOR 1
#define AVC_VERSION_PATCH 0

/** The same as one number, for comparisons: `#if AVC_VERSION_NUMBER >= AVC_VERSION_OF(0, 2, 0)`. */
#define AVC_VERSION_OF(major, minor, patch) ((major)*1000000 + (minor)*1000 + (patch))
#define AVC_VERSION_NUMBER                  AVC_VERSION_OF(AVC_VERSION_MAJOR, AVC_VERSION_MINOR, AVC_VERSION_PATCH)

/** The same as text: "0.1.0". */
#define AVC_VERSION                    AVC_TEXT_(AVC_VERSION_MAJOR, AVC_VERSION_MINOR, AVC_VERSION_PATCH)
#define AVC_TEXT_(...)                 AVC_JOIN_(__VA_ARGS__)
#define AVC_JOIN_(major, minor, patch) #major "." #minor "." #patch

/** The AVC_VERSION_NUMBER that the library was compiled with. If it is not the caller's own, headers and archive are
    of two versions, and the layouts of the structs may differ. Context: any. */
uint32_t avc_version(void);

#ifdef __cplusplus
}
#endif
#endif
