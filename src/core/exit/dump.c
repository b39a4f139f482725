/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * What happens when a CPU takes an exception at EL2 that nobody expects. It writes what is known to the HAL's log, line
 * by line, and calls hal->panic. Both vector tables come here: the one that stands while a guest runs, and the one that
 * stands for good.
 */
#include "core/exit/dump.h"

#include <avc/observe.h>

#include "arch/esr.h"
#include "core/core.h"
#include "core/log.h"

/*
 * Finds on the stack which vCPU this CPU was running. avc_hw_enter() has left the pair {vCPU, frame} in its frame,
 * above all that C has pushed since. No other pair there holds its own address. While the vectors themselves execute,
 * the vCPU is the stack, and such a pair is one of its members.
 */
struct avc_vcpu *avc_dump_find_vcpu(uint64_t sp)
{
    const uint64_t *at = (const uint64_t *)(uintptr_t)(sp & ~UINT64_C(15));

    for (unsigned n = 0; n < 16384 / sizeof *at; n += 2)
        if (at[n + 1] == (uintptr_t)&at[n] - FRAME_VCPU && at[n] && at[n] % _Alignof(struct avc_vcpu) == 0)
            return (struct avc_vcpu *)(uintptr_t)at[n];
    return NULL;
}

/* A vector's number is its index among the table's 16 entries. Interrupts have no syndrome: their ESR_EL2 belongs to
   an older exception. */
static _Noreturn void dump(struct avc_pcpu *p, const struct avc_vcpu *vcpu, const struct avc_dump *d, const char *why)
{
    static const char *const kinds[4] = { "synchronous exception", "IRQ", "FIQ", "SError" };
    static const char *const from[4] = { "at EL2, on SP_EL0", "at EL2", "from AArch64 below EL2",
                                         "from AArch32 below EL2" };
    const struct avc_hal *hal = p ? p->hal : NULL;
    unsigned before = p ? p->dumps++ : 0;

    if (before > 1) /* the panic has failed: stay here */
        hal = NULL;
    if (!before) { /* otherwise it was the log that has failed */
        avc_log(hal, AVC_LOG_ERROR, "arm_vcpu: %s %s%s%s", kinds[d->vector & 3], from[d->vector >> 2 & 3],
                d->vector & 3 ? "" : ": ", d->vector & 3 ? "" : avc_trap_name(ESR_EC(d->esr)));
        avc_log(hal, AVC_LOG_ERROR, "arm_vcpu: ESR_EL2 %08lx ELR_EL2 %016lx FAR_EL2 %016lx SP %016lx",
                (unsigned long)d->esr, (unsigned long)d->elr, (unsigned long)d->far, (unsigned long)d->sp);
        if (vcpu)
            avc_log(hal, AVC_LOG_ERROR, "arm_vcpu: vCPU %u is here, last known PC %016lx PSTATE %08lx", vcpu->index,
                    (unsigned long)vcpu->pc, (unsigned long)vcpu->pstate);
    }
    avc_panic(hal, why);
}

_Noreturn void avc_trap_host(uint64_t vector, uint64_t sp, uint64_t esr, uint64_t elr, uint64_t far)
{
    struct avc_vcpu *vcpu = avc_dump_find_vcpu(sp);

    dump(vcpu ? vcpu->pcpu : NULL, vcpu, &(struct avc_dump){ vector, sp, esr, elr, far },
         "an exception at EL2 while a guest was running");
}

_Noreturn void avc_host_trap(uint64_t vector, uint64_t sp, uint64_t esr, uint64_t elr, uint64_t far, struct avc_pcpu *p)
{
    if (p && p->magic != AVC_MAGIC_PCPU) /* the host has used TPIDR_EL2 for something else */
        p = NULL;
    dump(p, p ? p->current : NULL, &(struct avc_dump){ vector, sp, esr, elr, far }, "an exception at EL2");
}
