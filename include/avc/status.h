/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The status that functions return, and the names that all headers share. */
#ifndef AVC_STATUS_H
#define AVC_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** On functions: the compiler warns when the caller ignores the status. */
#define AVC_MUST_USE __attribute__((warn_unused_result))

/** A guest's physical address ("intermediate", IPA), and a physical address of the host, in bytes. */
typedef uint64_t avc_ipa_t;
typedef uint64_t avc_pa_t;

struct avc_exit;
struct avc_machine;
struct avc_pcpu;
struct avc_stage2;
struct avc_vcpu;
struct avc_vm;

/** The status codes, each with its text. */
#define AVC_STATUS_LIST(X)                                                                                             \
    X(AVC_OK, "done")                                                                                                  \
    X(AVC_EINVAL, "an argument is null, or has a value that is never valid")                                           \
    X(AVC_EALIGN, "an address, a size or an object is not aligned as required")                                        \
    X(AVC_ERANGE, "an address or a number lies outside of what was configured")                                        \
    X(AVC_ENOMEM, "the caller's storage or page callback has nothing left")                                            \
    X(AVC_EBUSY, "in use: loaded on a CPU, or asked from another CPU while loaded")                                    \
    X(AVC_EEXIST, "there already: initialised twice, mapped, or claimed by someone else")                              \
    X(AVC_ENOENT, "not there: not initialised, not mapped, or an unknown id")                                          \
    X(AVC_ESTATE, "not now: the object is not in the state that this call needs")                                      \
    X(AVC_ESEALED, "too late: the VM is sealed")                                                                       \
    X(AVC_ENOTSUP, "this CPU, or this build of the library, cannot do that")                                           \
    X(AVC_ENOTRAP, "this CPU has no trap that would make the claim see anything")                                      \
    X(AVC_EHAL, "a member of struct avc_hal that this needs is missing")

enum avc_status {
#define AVC_STATUS_ENUM(code, text) code,
    AVC_STATUS_LIST(AVC_STATUS_ENUM)
#undef AVC_STATUS_ENUM
};

/** Return the text of a status code, and its name, such as "AVC_EINVAL"; never NULL. Context: any. */
const char *avc_status_text(enum avc_status status);
const char *avc_status_name(enum avc_status status);

#ifdef __cplusplus
}
#endif
#endif
