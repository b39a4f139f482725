/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The least EL2 kernel: what an embedder has already. It boots on QEMU's virt machine by -kernel, turns on MMU and
 * caches with an identity map (first GiB devices, the rest memory), and calls host_main(). It uses no FP, no heap and
 * no threads. host.c and start.S are enough for a guest that needs no interrupts. gic.c adds a GICv3 and the EL2 timer.
 */
#ifndef HOST_H
#define HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <avc/avc.h>
#include <avc/stage2.h>

/* You write this. It is called on the boot CPU, at EL2h, with interrupts masked. */
int host_main(void);

/* Write to the first UART, by polling. */
void host_putc(char c);
void host_puts(const char *text);
/* Knows %s %c %d %u %x %lx %lu, with a width and 0. */
void host_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Powers the machine off. Prints the status first if it is not 0. */
_Noreturn void host_off(int status);

/* Says what failed and powers off, unless status is AVC_OK. */
void host_must(enum avc_status status);

/* Gives 4 KiB pages and more, naturally aligned, zeroed, from a pool of 16 MiB. Pages that are given back return to
   the pool. */
extern const struct avc_mem host_mem;
/* Returns memory for a guest: 2 MiB aligned, zeroed, no line of it in a cache. */
void *host_guest_ram(size_t bytes);
/* A program for a guest, in assembly, position-independent, as an array of that name. It may use these macros:
       print "text"   says it by a call that examples/host/host_vm.c answers, with x1, x2 ... for each %d or %x in it;
                      takes x0, x9 and the labels 8 and 9
       off            PSCI SYSTEM_OFF */
#define HOST_GUEST(name, text)                                                                                         \
    extern const char name[], name##_end[];                                                                            \
    __asm__(".pushsection .rodata." #name ", \"a\"\n.balign 8\n.global " #name ", " #name "_end\n" #name               \
            ":\n" HOST_GUEST_MACROS text "\n.ltorg\n" #name "_end:\n.purgem print\n.purgem off\n.popsection\n")
#define HOST_GUEST_MACROS                                                                                              \
    ".macro print text\n adr x9, 8f\n mov w0, #0x86000000\n hvc #0\n b 9f\n"                                           \
    "8: .asciz \"\\text\\n\"\n .balign 4\n 9:\n .endm\n"                                                               \
    ".macro off\n ldr w0, =0x84000008\n hvc #0\n .endm\n"
#define HOST_GUEST_SIZE(name) ((size_t)(name##_end - (name)))
/* Copies a program for a guest, cleans it to the point of coherency (guests start with caches off), and invalidates
   the instruction cache. */
void host_copy_code(void *to, const void *from, size_t bytes);

/* panic and wake for examples with one CPU. panic prints and powers off. There is never anything to wake. */
void host_panic(void *ctx, const char *why);
void host_wake(void *ctx, struct avc_vcpu *vcpu);
void host_log(void *ctx, enum avc_log_level level, const char *line);

/* Starts another CPU, n = 1..7: it calls fn(n), on a stack of its own, at EL2h as the boot CPU. */
void host_cpu_start(unsigned n, void (*fn)(unsigned n));
unsigned host_cpu(void);

/* Does this kernel run with HCR_EL2.E2H = TGE = 1? */
bool host_is_vhe(void);
uint64_t host_ticks(void); /* CNTPCT_EL0 */
void host_irq_unmask(void);
void host_irq_mask(void);
void host_wait(void); /* WFI */

/* Called for interrupts that are taken at EL2 outside of run. NULL until it is set. */
extern void (*host_on_irq)(void);

/* gic.c: a GICv3 with EOImode 1. Members for struct avc_hal, and host_gic_init(), which each CPU calls. */
void host_gic_init(void);
avc_irq_t host_irq_fetch(void *ctx);
void host_irq_end(void *ctx, avc_irq_t irq, bool deactivate);
void host_irq_mask_ppi(void *ctx, uint32_t intid, bool masked);
void host_sgi(unsigned cpu, unsigned intid);
/* Makes the EL2 physical timer (PPI 26) fire at this CNTPCT_EL0. ~0: never. */
void host_timer_set(uint64_t deadline);

#endif
