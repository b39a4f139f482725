/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The least EL2 kernel: see host.h. */
#include "host.h"

#include "format.h"

#define UART   ((volatile uint32_t *)0x09000000)
#define UARTFR (0x18 / 4)
#define TXFF   (1u << 5)

void (*host_on_irq)(void);

/* gcc and clang call these even in freestanding code. Without `used`, link-time optimisation drops them before the
   compiler makes the calls. */
#define USED __attribute__((used))
USED void *memcpy(void *to, const void *from, size_t n);
USED void *memmove(void *to, const void *from, size_t n);
USED void *memset(void *to, int c, size_t n);
USED int memcmp(const void *a, const void *b, size_t n);

/* The library clears and copies whole structs, with interrupts masked at times: by words, where that can be. */
typedef uint64_t __attribute__((may_alias)) word;

void *memcpy(void *to, const void *from, size_t n)
{
    unsigned char *t = to;
    const unsigned char *f = from;

    if (!(((uintptr_t)t | (uintptr_t)f) & 7))
        for (; n >= 8; n -= 8, t += 8, f += 8)
            *(word *)(void *)t = *(const word *)(const void *)f;
    while (n--)
        *t++ = *f++;
    return to;
}

void *memmove(void *to, const void *from, size_t n)
{
    unsigned char *t = to;
    const unsigned char *f = from;

    if (t <= f)
        return memcpy(to, from, n);
    while (n--)
        t[n] = f[n];
    return to;
}

void *memset(void *to, int c, size_t n)
{
    unsigned char *t = to;
    word pattern = (unsigned char)c * UINT64_C(0x0101010101010101);

    if (!((uintptr_t)t & 7))
        for (; n >= 8; n -= 8, t += 8)
            *(word *)(void *)t = pattern;
    while (n--)
        *t++ = (unsigned char)c;
    return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const unsigned char *x = a, *y = b;

    for (; n--; x++, y++)
        if (*x != *y)
            return *x - *y;
    return 0;
}

void host_putc(char c)
{
    while (UART[UARTFR] & TXFF)
        ;
    UART[0] = (unsigned char)c;
}

void host_puts(const char *text)
{
    while (*text)
        host_putc(*text++);
}

void host_printf(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    format(host_putc, fmt, args);
    va_end(args);
}

/* PSCI 1.1, 5.10 SYSTEM_OFF and 5.6 CPU_ON. */
#define PSCI_SYSTEM_OFF UINT64_C(0x84000008)
#define PSCI_CPU_ON     UINT64_C(0xc4000003)

_Noreturn void host_off(int status)
{
    uint64_t x[18] = { PSCI_SYSTEM_OFF };

    if (status)
        host_printf("host: failed (%d)\n", status);
    avc_smc(x);
    for (;;)
        host_wait();
}

void host_must(enum avc_status status)
{
    if (status == AVC_OK)
        return;
    host_printf("host: %s: %s\n", avc_status_name(status), avc_status_text(status));
    host_off(1);
}

void host_panic(void *ctx, const char *why)
{
    host_printf("host: panic: %s\n", why);
    host_off(1);
}

void host_wake(void *ctx, struct avc_vcpu *vcpu)
{
}

void host_log(void *ctx, enum avc_log_level level, const char *line)
{
    host_printf("avc: %s\n", line);
}

void host_fatal(uint64_t vector, uint64_t esr, uint64_t elr, uint64_t far);
void host_fatal(uint64_t vector, uint64_t esr, uint64_t elr, uint64_t far)
{
    host_printf("host: exception at EL2, vector %lu: esr %lx elr %lx far %lx\n", vector, esr, elr, far);
    host_off(1);
}

void host_interrupt(void);
void host_interrupt(void)
{
    if (host_on_irq)
        host_on_irq();
}

/* ---- memory ---- */

#define PAGE       4096
#define POOL_PAGES 4096

static uint8_t pool[POOL_PAGES][PAGE] __attribute__((aligned(PAGE), section(".noinit")));
static uint8_t pool_used[POOL_PAGES];

static void *pages_get(void *ctx, size_t bytes, avc_pa_t *pa)
{
    size_t n = (bytes + PAGE - 1) / PAGE;

    for (size_t i = 0; i + n <= POOL_PAGES; i += n) {
        size_t used = 0;

        if (((uintptr_t)pool[i] & (n * PAGE - 1)) != 0) { /* naturally aligned */
            i += 1 - n;
            continue;
        }
        for (size_t j = 0; j < n; j++)
            used += pool_used[i + j];
        if (used)
            continue;
        memset(&pool_used[i], 1, n);
        memset(pool[i], 0, n * PAGE);
        if (pa)
            *pa = (uintptr_t)pool[i];
        return pool[i];
    }
    return NULL;
}

static void pages_put(void *ctx, void *va, size_t bytes)
{
    memset(&pool_used[((uintptr_t)va - (uintptr_t)pool) / PAGE], 0, (bytes + PAGE - 1) / PAGE);
}

static void *pages_at(void *ctx, avc_pa_t pa)
{
    return (void *)(uintptr_t)pa; /* identity map */
}

const struct avc_mem host_mem = { .get = pages_get, .put = pages_put, .at = pages_at };

/* Cleans the memory to the point of coherency, and out of the caches. The guest starts with its caches off. A line
   left dirty here could be written over what the guest has stored. */
static void clean(const void *from, size_t bytes);

static uint8_t guest_ram[32 << 20] __attribute__((aligned(2 << 20), section(".noinit")));

void *host_guest_ram(size_t bytes)
{
    static size_t used;
    void *ram = guest_ram + used;

    bytes = (bytes + (2 << 20) - 1) & ~(size_t)((2 << 20) - 1);
    if (used + bytes > sizeof guest_ram) {
        host_puts("host: no memory left for guests\n");
        host_off(1);
    }
    used += bytes;
    memset(ram, 0, bytes);
    clean(ram, bytes);
    return ram;
}

/* ---- the CPU: the few instructions that C cannot express ---- */

static void clean(const void *from, size_t bytes)
{
    uint64_t ctr, line;

    __asm__("mrs %0, ctr_el0" : "=r"(ctr));
    line = 4u << (ctr >> 16 & 15); /* CTR_EL0.DminLine */
    for (uintptr_t a = (uintptr_t)from & ~(line - 1); a < (uintptr_t)from + bytes; a += line)
        __asm__ volatile("dc civac, %0" ::"r"(a) : "memory");
    __asm__ volatile("dsb sy" ::: "memory");
}

void host_copy_code(void *to, const void *from, size_t bytes)
{
    memcpy(to, from, bytes);
    clean(to, bytes);
    __asm__ volatile("ic ialluis; dsb ish; isb" ::: "memory");
}

bool host_is_vhe(void)
{
    uint64_t hcr;

    __asm__ volatile("mrs %0, hcr_el2" : "=r"(hcr));
    return hcr >> 34 & 1;
}

uint64_t host_ticks(void)
{
    uint64_t ticks;

    __asm__ volatile("isb; mrs %0, cntpct_el0" : "=r"(ticks)::"memory");
    return ticks;
}

void host_irq_unmask(void)
{
    __asm__ volatile("msr daifclr, #2; isb" ::: "memory");
}

void host_irq_mask(void)
{
    __asm__ volatile("msr daifset, #2" ::: "memory");
}

void host_wait(void)
{
    __asm__ volatile("dsb sy; wfi" ::: "memory");
}

unsigned host_cpu(void)
{
    uint64_t mpidr;

    __asm__("mrs %0, mpidr_el1" : "=r"(mpidr));
    return mpidr & 7;
}

void host_secondary(void);

void host_cpu_start(unsigned n, void (*fn)(unsigned n))
{
    uint64_t x[18] = { PSCI_CPU_ON, n, (uintptr_t)host_secondary, (uintptr_t)fn };

    avc_smc(x);
    if (x[0]) {
        host_printf("host: CPU %u does not start: %ld\n", n, (long)x[0]);
        host_off(1);
    }
}
