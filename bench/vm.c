/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The VM that is measured: four vCPUs, 32 claims, and the PL011 of vmm/. */
#include "bench_host.h"

#include "dev/pl011.h"
#include "rows.h"

static struct vmm_pl011 uart;

static enum avc_answer status_register(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    return e->write ? AVC_DONE : avc_done(e, 0x90);
}

/* An embedder's function that counts, or looks at, what goes to the VMM's loop. */
static enum avc_answer wrapped(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    return avc_to_vmm(vcpu, e, ctx);
}

#define MMIO(n)                                                                                                        \
    {                                                                                                                  \
        AVC_MMIO, 0x0c000000 + (n)*0x10000ul, 0x0c000fff + (n)*0x10000ul, status_register, NULL                        \
    }
#define CALL(id)                                                                                                       \
    {                                                                                                                  \
        AVC_CALL, (id), (id) + 15, avc_deny, NULL                                                                      \
    }
#define IMPDEF(op2)                                                                                                    \
    {                                                                                                                  \
        AVC_SYSREG, AVC_SYSREG_KEY(3, 0, 15, 0, op2), AVC_SYSREG_KEY(3, 0, 15, 0, op2), avc_deny, NULL                 \
    }

/* The test host's own claim, on CALL_PUTC and CALL_ADD, makes them 32: 17 devices, 9 of calls, 6 of registers. */
/* clang-format off: a table */
static const struct avc_claim claims[] = {
    { AVC_MMIO, BENCH_DEVICE, BENCH_DEVICE + 0xfff, status_register, NULL },
    { AVC_MMIO, BENCH_LOOP_DEVICE, BENCH_LOOP_DEVICE + 0xfff, NULL, NULL },
    { AVC_MMIO, BENCH_PL011, BENCH_PL011 + VMM_PL011_SIZE - 1, vmm_pl011_access, &uart },
    MMIO(0),
    MMIO(1),
    MMIO(2),
    MMIO(3),
    MMIO(4),
    MMIO(5),
    MMIO(6),
    MMIO(7),
    MMIO(8),
    MMIO(9),
    MMIO(10),
    MMIO(11),
    MMIO(12),
    MMIO(13),
    { AVC_CALL, BENCH_CALLS, BENCH_CALLS + 15, NULL, NULL },
    { AVC_CALL, BENCH_ADD_ONE, BENCH_ADD_ONE, NULL, NULL },
    { AVC_CALL, BENCH_ADD_WIDE, BENCH_ADD_WIDE + 0x10000, NULL, NULL },
    { AVC_CALL, BENCH_ADD_WRAPPED, BENCH_ADD_WRAPPED, wrapped, NULL },
    CALL(0x86000010),
    CALL(0x86000060),
    CALL(0xc6000010),
    IMPDEF(0),
    IMPDEF(1),
    IMPDEF(2),
    IMPDEF(3),
    IMPDEF(4),
    IMPDEF(5),
    { AVC_CALL, BENCH_ADD_LAST, BENCH_ADD_LAST, NULL, NULL },
};
/* clang-format on */
_Static_assert(sizeof claims / sizeof claims[0] == 31, "one is the test host's");

/* ---- vmm/'s PL011, with nobody at the other end ---- */

static void put_byte(void *ctx, uint8_t byte)
{
}

static int get_byte(void *ctx)
{
    return -1;
}

static void no_more(void *ctx)
{
}

static const struct vmm_pl011_host nobody = { .put = put_byte, .get = get_byte, .resume = no_more };

void bench_vm_init(struct test_vm *t, uint32_t flags)
{
    const struct test_config config = {
        .vcpus = 4,
        .flags = flags,
        .claims = claims,
        .nr_claims = sizeof claims / sizeof claims[0],
    };

    test_vm_init(t, &config);
    vmm_pl011_init(&uart, BENCH_PL011, &nobody);
}
