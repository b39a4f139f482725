/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The seam between decisions (src/core, src/emul) and the machine. The include path and the linked files choose the
 * other side: src/hw on a CPU, tests/fake on the build host.
 *
 * hw_inline.h has avc_hw_read_NAME() and avc_hw_write_NAME() for each register of hwreg.def. It also has barriers, TLB,
 * cache and address-translation operations by their mnemonic: avc_hw_isb(), avc_hw_dsb_ish(), avc_hw_tlbi_ipas2e1is(x),
 * ...
 */
#ifndef AVC_HW_H
#define AVC_HW_H

#include <avc/avc.h>

#include "hw_inline.h"

/* Masks all of DAIF. The caller gives the old value to avc_hw_irq_restore(). */
static inline uint64_t avc_hw_irq_save(void)
{
    uint64_t daif = avc_hw_read_DAIF();

    avc_hw_irq_disable();
    return daif;
}

/* avc_hw_enter(), the entry into the guest, is in hw_enter.h. */

/* host_vectors.S: the table for a host that has none. It takes its struct avc_pcpu from TPIDR_EL2. */
extern const char avc_host_vectors[];

/* call_host.S: calls the host's function fn(a, b, c) in a trap, with the host's x18 and with x29 = 0. run_sp is
   vcpu->host_sp. */
void avc_hw_call_host(uintptr_t fn, uintptr_t a, uintptr_t b, uintptr_t c, uintptr_t run_sp);

/* vectors.S: the table that stands while a guest runs */
extern const char avc_vectors[];

/* vectors_harden.S: the same with a sequence against what a guest has taught the branch predictor */
extern const char avc_vectors_loop[], avc_vectors_clrbhb[], avc_vectors_firmware[];

/* regs.c: swaps the guest's and the host's EL1/EL0 state, at load and put. */
void avc_hw_load(struct avc_vcpu *vcpu);        /* the host's EL2 controls and EL1 state go out, the guest's come in */
void avc_hw_put(struct avc_vcpu *vcpu);         /* the guest's go out, the host's come in */
void avc_hw_traps_write(struct avc_vcpu *vcpu); /* writes trap registers from the VM, while the vCPU is loaded */

/* ctx.c: one register of a vCPU that is loaded on this CPU. The index is an enum avc_ctx. */
uint64_t avc_hw_ctx_read(const struct avc_vcpu *vcpu, unsigned ctx);
void avc_hw_ctx_write(struct avc_vcpu *vcpu, unsigned ctx, uint64_t value);

/* regs.c: swaps what the host uses itself (AVC_HOST_...), at each entry and return of run. Interrupts are masked. */
void avc_hw_host_swap_in(struct avc_vcpu *vcpu);  /* brings the guest's in */
void avc_hw_host_swap_out(struct avc_vcpu *vcpu); /* brings the host's in */

/* regs.c: the guest's breakpoint and watchpoint registers */
void avc_hw_debug_load(struct avc_vcpu *vcpu);
void avc_hw_debug_save(struct avc_vcpu *vcpu);

/* step.c: executes one instruction at the next entry with HFGITR_EL2.ERET off, then takes a Software Step exception
   to EL2. avc_hw_step_end() undoes it. */
void avc_hw_step_begin(struct avc_vcpu *vcpu);
void avc_hw_step_end(struct avc_vcpu *vcpu);

/* fp.S: V0..V31, FPCR, FPSR. The caller has switched off EL2's own FP trap. */
void avc_hw_fp_save(struct avc_fp *fp);
void avc_hw_fp_load(const struct avc_fp *fp);

/* probe.c: fills in `features` for this CPU, all ID registers included. */
void avc_hw_probe(struct avc_features *features);
/* probe.c: returns AVC_OK when this CPU is at EL2 and has what guests need. */
enum avc_status avc_hw_supported(void);

/* smc.S */
void avc_hw_smc(uint64_t x[18]);

/* rndr.S: 64 random bits from RNDRRS, with FEAT_RNG. Returns false when the CPU had none in time. */
bool avc_hw_rndrrs(uint64_t *value);

#endif
