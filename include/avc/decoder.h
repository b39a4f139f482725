/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Loads and stores to devices that the CPU does not describe. For a load or store of one general register without
 * write-back, a data abort's syndrome names register, size and direction. For other instructions it names nothing:
 * pairs, write-back, SIMD and FP registers, structures, unprivileged accesses, DC ZVA. In a VM with a decoder the
 * library reads such an instruction, and makes MMIO events of ordinary sizes of it, in the order of their addresses.
 * Claims and the VMM answer each event as they answer any other. Registers change when all parts are done. Of AArch32
 * at EL0 the decoder knows all loads and stores but what is UNPREDICTABLE. A load of the PC branches, and so does the
 * load from a table of TBB and TBH.
 * docs/caveats.md says what it does not know.
 *
 * An instruction may begin again after some of its parts are done: when a part's answer is RETRY, or when the guest
 * takes the abort of a FAULT and repeats the instruction. A device then sees the first parts twice. On a bare machine
 * it is the same (Arm ARM B2.7.2, accesses to Device memory that an interrupt or an abort ends).
 *
 * An access of many parts is done in pieces of four parts: run returns AVC_KICKED between two of them, so that the host
 * can take its interrupts. It goes on when the vCPU runs again. If the PC was set elsewhere meanwhile, or the vCPU was
 * reset, the parts that are left are not done.
 *
 * A claim or the VMM may set PC and PSTATE at any part, as in any event. The other parts are done all the same, if the
 * answer is DONE. The PC then moves on from what was set last.
 *
 * An instruction that the decoder does not know becomes AVC_STAGE2, as it does without a decoder, and is counted
 * (`undecoded` of struct avc_counters). For an exclusive, an atomic or a compare-and-swap on a claimed address the
 * guest gets the data abort "unsupported exclusive or atomic access" (DFSC 0x35).
 *
 * An access may cross the end of a page: from memory to a device, or from a device to anything, if the guest maps the
 * device as Normal memory. Then each page gets its own part. For accesses that the syndrome describes this is so only
 * with `across_pages`. Otherwise the device that the CPU names gets the whole access.
 *
 * A program that does not call avc_decoder_attach() does not link the decoder. An access that the syndrome describes
 * costs the same with a decoder and without. With `across_pages` it costs four instructions more. An access of several
 * bytes to the first byte of a device's page then costs some twenty more: it may be the second half of an access, and
 * only the guest's attributes say that it is not.
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
    /*
     * Returns the host's address of guest memory: `size` bytes (1 to 8) at `ipa`, which lie in one page. Returns NULL
     * if the guest has no memory there. The library reads instructions there. For an access that lies in memory by
     * half, it also reads or writes that half there. The mapping is Normal, Inner Shareable, Write-Back. It stays until
     * the library calls the function for this vCPU again, or avc_vcpu_run() returns. The guest chooses the IPA, so it
     * may be any. The library calls the function as it calls a claim's, on any CPU, for several vCPUs at once.
     */
    void *(*memory)(void *ctx, avc_ipa_t ipa, size_t size);
    void *ctx;
    struct avc_decoder_cpu *cpus; /* storage, one for each vCPU of the VM; borrowed until avc_vm_destroy() */
    uint32_t max_vcpus;           /* entries in it, at least the VM's max_vcpus */
    /** Whether accesses that the syndrome describes are done page by page, too, if they cross the end of one. Default:
        no. */
    bool across_pages;
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
