/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Loads and stores to devices that the CPU does not describe. A data abort's syndrome names register, size and
 * direction for a load or store of one general register without write-back, and for nothing else. A VM with a decoder
 * has the rest, too: pairs, write-back, SIMD and FP registers, structures, unprivileged ones, DC ZVA. The library reads
 * the instruction, and makes MMIO events of ordinary sizes of it, in the order of their addresses. Claims and the VMM
 * answer each event as they answer any other. Registers change when all parts are done.
 *
 * An instruction may begin again after some of its parts are done: when a part's answer is RETRY, or when the guest
 * takes the abort of a FAULT and repeats it. A device then sees the first parts twice. On a bare machine it is the same
 * (Arm ARM B2.7.2, accesses to Device memory that an interrupt or an abort ends).
 *
 * What a decoder does not decode becomes AVC_STAGE2, as it does without one, and is counted (`undecoded` of struct
 * avc_counters). An exclusive, an atomic or a compare-and-swap on a claimed address is the guest's data abort
 * "unsupported exclusive or atomic access" (DFSC 0x35).
 *
 * An access may cross the end of a page: from memory to a device, or from a device to anything, if the guest maps the
 * device as Normal memory. With a decoder each page gets its own part. Without one the device that the CPU names is
 * asked about the whole access.
 *
 * A program that does not call avc_decoder_attach() does not link the decoder. In a VM with a decoder an ordinary
 * access to a device costs ten instructions more, and one of several bytes to the first byte of a device's page some
 * forty: it may be the second half of an access, and only the guest's attributes or its instruction say so.
 */
#ifndef AVC_DECODER_H
#define AVC_DECODER_H

#include <avc/avc.h>

#ifdef __cplusplus
extern "C" {
#endif

struct avc_decoder;
struct avc_decoder_cpu;

/** How a VM's instructions and its memory are read. */
struct avc_decoder_config {
    /**
     * Returns where the host sees guest memory: `size` bytes (1 to 8) at `ipa`, which lie in one page; NULL if that is
     * no memory of the guest's. Instructions are read there, and the half of an access that lies in memory is done
     * there. The mapping is Normal, Inner Shareable, Write-Back; it stays until the function is called for this vCPU
     * again, or avc_vcpu_run() returns. Any IPA may be asked for: the guest chooses it. Called as a claim is, on any
     * CPU, for several vCPUs at once.
     */
    void *(*memory)(void *ctx, avc_ipa_t ipa, size_t size);
    void *ctx;
    struct avc_decoder_cpu *cpus; /* storage, one for each vCPU of the VM; borrowed until avc_vm_destroy() */
    uint32_t max_vcpus;           /* entries in it, at least the VM's max_vcpus */
};

/**
 * Gives the VM a decoder. `decoder` is storage for it, and lives as long as the VM.
 * Errors: EINVAL, ENOENT, ESEALED, ERANGE (max_vcpus), EEXIST (the VM has one).
 * Context: setup, before the VM is sealed.
 */
AVC_MUST_USE enum avc_status avc_decoder_attach(struct avc_decoder *decoder, struct avc_vm *vm,
                                                const struct avc_decoder_config *config);

#ifdef __cplusplus
}
#endif

#include <avc/priv/decoder.h>

#endif
