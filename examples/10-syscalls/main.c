/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * System calls of a guest that knows nothing of it: each SVC of its programs at EL0, with its arguments, and what its
 * kernel answered. The traps are FEAT_FGT's; they are switched off while the guest runs, and cost nothing from then on.
 */
#include <avc/avc.h>
#include <avc/syscall.h>

#include "host_vm.h"

/* A kernel of four system calls, and a program: number in x8, as on Linux. */
HOST_GUEST(guest, "    adr x0, vectors                  \n"
                  "    msr vbar_el1, x0                 \n"
                  "    mov x0, #0x40100000              \n"
                  "    mov sp, x0                       \n" /* the one thread's kernel stack */
                  "    msr spsr_el1, xzr                \n" /* EL0 */
                  "    adr x0, program                  \n"
                  "    msr elr_el1, x0                  \n"
                  "    eret                             \n"

                  "program:                             \n"
                  "    mov x0, #0                       \n"
                  "    mov x8, #172                     \n" /* getpid() */
                  "    svc #0                           \n"
                  "    mov x0, #57                      \n"
                  "    mov x8, #57                      \n" /* close(57) */
                  "    svc #0                           \n"
                  "    mov x8, #999                     \n" /* nobody asked for this one */
                  "    svc #0                           \n"
                  "    mov x0, #1                       \n"
                  "    mov x1, #0x40000000              \n"
                  "    mov x2, #13                      \n"
                  "    mov x8, #64                      \n" /* write(1, 0x40000000, 13) */
                  "    svc #0                           \n"
                  "    mov x8, #172                     \n" /* the host has stopped watching */
                  "    svc #0                           \n"
                  "    mov x8, #93                      \n" /* exit() */
                  "    svc #0                           \n"

                  "    .balign 2048                     \n"
                  "vectors:                             \n"
                  "    .skip 0x400                      \n"
                  "    add x19, x19, #1                 \n" /* an SVC of EL0 */
                  "    cmp x8, #93                      \n"
                  "    b.eq 1f                          \n"
                  "    cmp x8, #64                      \n"
                  "    csinv x0, x2, xzr, eq            \n" /* write: all of it; others: -1 */
                  "    cmp x8, #172                     \n"
                  "    mov x9, #4711                    \n"
                  "    csel x0, x9, x0, eq              \n"
                  "    eret                             \n"
                  "1:  mov x1, x19                      \n"
                  "    print \"guest: %d system calls\" \n"
                  "    off                              \n");

/* A claim's function: short, and it must not wait. A real one would keep the event, and avc_vcpu_kick(). */
static bool trace(struct avc_vcpu *vcpu, const struct avc_syscall_event *e, void *ctx)
{
    if (e->what == AVC_SYSCALL_ENTRY)
        return true; /* its end, too */
    host_printf("trace: %s of call %lu(%lx, %lx, %lx)", avc_syscall_what_name(e->what), e->number, e->args[0],
                e->args[1], e->args[2]);
    host_printf(" = %d\n", (int)e->result);
    if (e->number == 64)
        host_must(avc_vm_trap_svc(avc_vcpu_vm(vcpu), false));
    return false;
}

int host_main(void)
{
    static struct host_vm vm;
    static struct avc_syscalls syscalls;
    static struct avc_syscall_call calls[AVC_SYSCALL_SET];
    static const struct avc_syscall_range up_to_500 = { 0, 500 };
    const struct avc_syscalls_config config = {
        .fn = trace,
        .ranges = &up_to_500,
        .nr_ranges = 1,
        .calls = calls,
        .max_calls = AVC_SYSCALL_SET,
    };
    enum avc_status status;

    host_vm_cpu(&host_hal);
    host_vm_make(&vm, guest, HOST_GUEST_SIZE(guest));
    status = avc_syscalls_attach(&syscalls, &vm.vm, &config);
    if (status) /* AVC_ENOTRAP: the guest runs all the same */
        host_printf("host: no trace: %s\n", avc_status_text(status));
    host_vm_start(&vm);
    while (host_vm_run(&vm)) /* what the architecture would do */
        ;
    return 0;
}
