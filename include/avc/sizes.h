/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * How big the library's structs are, for languages that cannot read its headers. A C program takes sizeof instead.
 *
 * For each NAME of the list there are two functions:
 *
 *     size_t avc_sizeof_NAME(void)     sizeof(struct avc_NAME), in bytes
 *     size_t avc_alignof_NAME(void)    the alignment that such an object needs, in bytes
 *
 * For example, avc_sizeof_vcpu() and avc_alignof_vcpu().
 *
 * Objects are storage that the caller gives and the library fills: allocate this many zeroed bytes, so aligned. The
 * other structs are read and written by both sides. Their layout is the one that AAPCS64 gives to the declaration in
 * the header: declare the same struct in your language, and compare its size with this one when the program starts.
 *
 * The sizes hold for one build of the library. Context: any.
 */
#ifndef AVC_SIZES_H
#define AVC_SIZES_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define AVC_SIZES_LIST(X)                                                                                              \
    /* objects: avc/avc.h, avc/stage2.h, avc/vgic.h, avc/syscall.h, avc/decoder.h */                                   \
    X(machine)                                                                                                         \
    X(pcpu)                                                                                                            \
    X(stage2)                                                                                                          \
    X(vm)                                                                                                              \
    X(vcpu)                                                                                                            \
    X(vgic)                                                                                                            \
    X(vgic_cpu)                                                                                                        \
    X(vgic_spis)                                                                                                       \
    X(syscalls)                                                                                                        \
    X(syscall_call)                                                                                                    \
    X(decoder)                                                                                                         \
    X(decoder_cpu)                                                                                                     \
    /* the others */                                                                                                   \
    X(claim)                                                                                                           \
    X(counters)                                                                                                        \
    X(decoder_config)                                                                                                  \
    X(exit)                                                                                                            \
    X(firmware_audit)                                                                                                  \
    X(hal)                                                                                                             \
    X(histogram)                                                                                                       \
    X(irq_handler)                                                                                                     \
    X(irqc_ops)                                                                                                        \
    X(mem)                                                                                                             \
    X(observer)                                                                                                        \
    X(stage2_leaf)                                                                                                     \
    X(state_field)                                                                                                     \
    X(state_model)                                                                                                     \
    X(state_object)                                                                                                    \
    X(syscall_event)                                                                                                   \
    X(syscall_range)                                                                                                   \
    X(syscalls_config)                                                                                                 \
    X(trace)                                                                                                           \
    X(vcpu_config)                                                                                                     \
    X(vgic_config)                                                                                                     \
    X(vm_config)

#define AVC_SIZES_DECLARE(name)                                                                                        \
    size_t avc_sizeof_##name(void);                                                                                    \
    size_t avc_alignof_##name(void);
AVC_SIZES_LIST(AVC_SIZES_DECLARE)
#undef AVC_SIZES_DECLARE

#ifdef __cplusplus
}
#endif
#endif
