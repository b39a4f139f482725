/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * How the decoder comes to the guest's memory: a virtual address goes through the guest's stage 1 by an AT instruction;
 * the host's function says where it has the memory of that IPA; stage 2 says whether the guest may have it.
 *
 * An AT instruction ends without an address when stage 2 does not map one of the guest's tables. The CPU does not say
 * which one: HPFAR_EL2 is for faults that are taken. So this looks itself. The guest may change its tables meanwhile,
 * and the result is then one that it could have had by a walk of its own.
 */
#include "core/exit/guest_memory.h"

#include <avc/priv/ctx.h>
#include <avc/priv/decoder.h>

#include "arch/walk.h"
#include "core/exit/abort.h"
#include "core/policy/sysreg.h"

uint64_t avc_guest_translate(const struct avc_vcpu *vcpu, uint64_t va, bool el0, bool write)
{
    return avc_translate(vcpu, va, el0, write);
}

bool avc_guest_is_cached(const struct avc_vcpu *vcpu, uint64_t par)
{
    const uint64_t write_back = UINT64_C(0xcc); /* outer and inner 0b11xx */

    return (PAR_ATTR(par) & write_back) == write_back && avc_sctlr(vcpu) & SCTLR_C;
}

enum avc_copied avc_guest_copy(const struct avc_vcpu *vcpu, struct avc_copy c)
{
    const struct avc_decoder *decoder = vcpu->vm->decoder;

    c.host = decoder->memory(decoder->ctx, c.ipa, c.size); /* before the lock is taken, because it is the host's */
    return avc_stage2_copy(vcpu->vm->stage2, &c);
}

/* A walk that sets access flags writes, too. */
static enum avc_copied read_table(const struct avc_vcpu *vcpu, avc_ipa_t at, uint64_t *desc)
{
    enum avc_copied copied = avc_guest_copy(
        vcpu, (struct avc_copy){ .ipa = at,
                                 .data = (uint8_t *)desc,
                                 .size = 8,
                                 .permitted = avc_ctx_get(vcpu, AVC_CTX_TCR_EL1) & TCR_HA ? AVC_W : AVC_R });

    if (avc_sctlr(vcpu) & SCTLR_EE)
        *desc = __builtin_bswap64(*desc);
    return copied;
}

enum avc_copied avc_guest_find_table(const struct avc_vcpu *vcpu, uint64_t va, avc_ipa_t *table, unsigned *level)
{
    uint64_t ttbr = avc_ctx_get(vcpu, AVC_CTX_TTBR0_EL1 + avc_walk_half(va));
    enum avc_copied copied;
    struct avc_walk walk;
    uint64_t desc = 0;

    *level = 3;
    if (!vcpu->vm->stage2->root) /* adopted tables that nobody here can read */
        return AVC_COPY_NEVER;
    if (!avc_walk_begin(&walk, va, avc_ctx_get(vcpu, AVC_CTX_TCR_EL1), ttbr))
        return AVC_COPIED;
    do {
        *table = walk.desc;
        *level = walk.level;
        copied = read_table(vcpu, walk.desc, &desc);
    } while (copied == AVC_COPIED && avc_walk_next(&walk, va, desc));
    return copied;
}
