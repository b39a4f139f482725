/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The probe of the indexes of a sealed VM, for any key and any multiplier: it stays in its table. */
#include "core/claim/index.h"

static struct avc_vm vm;
static struct avc_vcpu vcpu;

static void begin(void)
{
    vcpu.mmio = vm.mmio;
    vcpu.sysreg = vm.sysreg;
    vcpu.call = vm.call;
}

/* Which entry it is, is all that the seam's pair of loads has to know. */
const struct avc_mmio_entry *seen_mmio;
const struct avc_sysreg_entry *seen_sysreg;

void prove_mmio(void)
{
    avc_mmio_fn *fn;

    begin();
    (void)avc_mmio_find(&vcpu, &seen_mmio, &fn);
    /*@ assert in_table: \valid_read(seen_mmio) && &vm.mmio[0] <= seen_mmio <= &vm.mmio[AVC_INDEX_SIZE - 1]; */
    (void)avc_mmio_ipa(seen_mmio, vcpu.pc);
}

void prove_sysreg(uint64_t esr)
{
    avc_sysreg_fn *fn;

    begin();
    (void)avc_sysreg_find(&vcpu, esr, &seen_sysreg, &fn);
    /*@ assert in_table: \valid_read(seen_sysreg) &&
          &vm.sysreg[0] <= seen_sysreg <= &vm.sysreg[AVC_INDEX_SIZE - 1]; */
}

void prove_call(uint64_t fid)
{
    const struct avc_call_row *row;

    begin();
    (void)avc_call_find(&vcpu, fid, &row);
    (void)row;
}
