/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Finds the handler of a function id in a VM, by avc/psci.def. Its claims bring the guest's calls to the handlers. */
#include "emul/psci/firmware.h"

/* Handles a workaround that this machine does not need: the call is harmless. */
static enum avc_result nothing(struct avc_vcpu *vcpu, uint64_t fid, const struct avc_call_row *row)
{
    return avc_complete_call(vcpu, 0);
}

static avc_call_fn *choose(int64_t offer, avc_call_fn *handler)
{
    if (offer == AVC_SMCCC_NOT_SUPPORTED)
        return avc_call_unknown;
    return offer == 0 ? handler : nothing;
}

#define CASE_SMC32(id) case (id):
#define CASE_SMC64(id) case (id) | AVC_SMC64:
#define CASE_BOTH(id)  CASE_SMC32(id) CASE_SMC64(id)

static avc_call_fn *find(const struct avc_vm *vm, uint32_t fid)
{
    switch (fid) {
#define AVC_FUNCTION(family, name, id, widths, offered, path, handler)                                                 \
    CASE_##widths(name) return choose(OFFER_##offered(vm), avc_##handler);
#include <avc/psci.def>
#undef AVC_FUNCTION
    default:
        return avc_call_unknown;
    }
}

/* Does the slow path call the handler? */
static bool is_slow(uint32_t fid)
{
    switch (fid) {
#define PATH_FAST                                                      false
#define PATH_SLOW                                                      true
#define AVC_FUNCTION(family, name, id, widths, offered, path, handler) CASE_##widths(name) return PATH_##path;
#include <avc/psci.def>
#undef AVC_FUNCTION
    default:
        return false;
    }
}

static avc_call_fn *find_fast(const struct avc_vm *vm, uint32_t fid)
{
    return is_slow(fid) ? avc_call_slow : find(vm, fid);
}

/* The claim's function. The slow path calls it, and an embedder's claim that passes leads here. The handler has
   written the result registers. The event's completion writes x0 again. A handler that began an exit has made it
   from this event. */
static enum avc_answer claim(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    avc_call_fn *handler = find(vcpu->vm, (uint32_t)e->key);

    return handler(vcpu, e->key, NULL) == AVC_RESUME ? avc_done(e, vcpu->x[0]) : AVC_EXIT;
}

/* SMCCC's range is wide. These are the ids in it that have a handler. */
static const uint32_t smccc_ids[] = {
#define PSCI_ID(name)
#define SMCCC_ID(name) name,
#define TRNG_ID(name)
#define AVC_FUNCTION(family, name, id, widths, offered, path, handler) family##_ID(name)
#include <avc/psci.def>
#undef AVC_FUNCTION
    0,
};

static const struct avc_call calls = { .find = find_fast };
static const struct avc_call smccc_calls = { .find = find_fast, .ids = smccc_ids };

static const struct {
    uint32_t first, last;
    union avc_fast calls;
} ranges[] = {
    { AVC_SMCCC_VERSION, AVC_SMCCC_ARCH_LAST, { .call = &smccc_calls } },
    { AVC_PSCI_VERSION, AVC_PSCI_LAST, { .call = &calls } },
    { AVC_TRNG_VERSION, AVC_TRNG_LAST, { .call = &calls } },
    { AVC_PSCI_VERSION | AVC_SMC64, AVC_PSCI_LAST | AVC_SMC64, { .call = &calls } },
    { AVC_TRNG_VERSION | AVC_SMC64, AVC_TRNG_LAST | AVC_SMC64, { .call = &calls } },
};

enum avc_status avc_psci_attach(struct avc_vm *vm)
{
    uint32_t before;

    if (!vm)
        return AVC_EINVAL;
    if (vm->magic != AVC_MAGIC_VM)
        return AVC_ENOENT;
    if (vm->sealed)
        return AVC_ESEALED;
    if (vm->psci)
        return AVC_EEXIST;
    before = vm->nr_builtin;
    for (unsigned n = 0; n < AVC_ARRAY_SIZE(ranges); n++) {
        enum avc_status status = avc_vm_claim_builtin(
            vm, &(struct avc_claim){ .kind = AVC_CALL | AVC_CLAIM_FAST,
                                     .first = ranges[n].first,
                                     .last = ranges[n].last,
                                     .fn = claim,
                                     .ctx = (void *)(uintptr_t)&ranges[n].calls }); /* claims make it const again */

        if (status) {
            vm->nr_builtin = before;
            return status;
        }
    }
    vm->psci = true;
    return AVC_OK;
}
