/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Linux's system calls by name, and lines about them: see syscalls.h. */
#include <string.h>

#include "guest/syscalls.h"
#include "kern/log.h"

#define MAX_ERRNO 4095 /* Linux's largest: a result from -4095 to -1 is an error */

#define NR_EXIT         93
#define NR_EXIT_GROUP   94
#define NR_RT_SIGRETURN 139 /* it returns to where the signal came */

static const struct vmm_syscall syscalls[] = {
#define X(number, name, args) { number, #name, args },
#include "syscalls.def"
#undef X
};

static const struct {
    int number;
    const char *name;
} errnos[] = {
#define X(number, name) { number, #name },
#include "errnos.def"
#undef X
};

#define NR(array) (sizeof(array) / sizeof((array)[0]))

const struct vmm_syscall *vmm_syscall(uint64_t number)
{
    size_t lo = 0, hi = NR(syscalls);

    while (lo < hi) {
        size_t mid = (lo + hi) / 2;

        if (syscalls[mid].number == number)
            return &syscalls[mid];
        if (syscalls[mid].number < number)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}

static const struct vmm_syscall *by_name(const char *name, size_t length)
{
    for (size_t n = 0; n < NR(syscalls); n++)
        if (strlen(syscalls[n].name) == length && !strncmp(syscalls[n].name, name, length))
            return &syscalls[n];
    return NULL;
}

uint32_t vmm_syscall_ranges(const char *names, struct avc_syscall_range *ranges, uint32_t max, const char **wrong,
                            size_t *length)
{
    uint32_t nr = 0;

    for (;;) {
        const struct vmm_syscall *found;
        bool is_new = true;
        size_t n = 0;

        while (names[n] && names[n] != ',')
            n++;
        *wrong = names;
        *length = n;
        found = by_name(names, n);
        if (!found)
            return 0;
        for (uint32_t i = 0; i < nr; i++)
            is_new &= ranges[i].first != found->number;
        if (is_new && nr == max)
            return 0;
        if (is_new)
            ranges[nr++] = (struct avc_syscall_range){ found->number, found->number };
        if (!names[n])
            return nr;
        names += n + 1;
    }
}

bool vmm_syscall_returns(const struct avc_syscall_event *e)
{
    return e->aarch32 || (e->number != NR_EXIT && e->number != NR_EXIT_GROUP && e->number != NR_RT_SIGRETURN);
}

/* ---- lines ---- */

/* The free part of a line. */
struct rest {
    char *at;
    size_t size;
};

static void add(struct rest *r, const char *fmt, ...) VMM_PRINTF(2, 3);

static void add(struct rest *r, const char *fmt, ...)
{
    va_list args;
    int n;

    va_start(args, fmt);
    n = vmm_vsnprintf(r->at, r->size, fmt, args);
    va_end(args);
    if ((size_t)n >= r->size) /* full */
        n = r->size ? (int)r->size - 1 : 0;
    r->at += n;
    r->size -= (size_t)n;
}

static void add_value(struct rest *r, uint64_t value)
{
    if (value <= 0xffff || value >= (uint64_t)-MAX_ERRNO)
        add(r, "%ld", (long)value);
    else
        add(r, "0x%lx", (unsigned long)value);
}

static void add_result(struct rest *r, uint64_t value, bool aarch32)
{
    int64_t number = aarch32 ? (int32_t)value : (int64_t)value;

    for (size_t n = 0; n < NR(errnos); n++)
        if (number == -errnos[n].number) {
            add(r, "-%s", errnos[n].name);
            return;
        }
    add_value(r, aarch32 && number < 0 && number >= -MAX_ERRNO ? (uint64_t)number : value);
}

static void add_call(struct rest *r, const struct avc_syscall_event *e)
{
    const struct vmm_syscall *known = e->aarch32 ? NULL : vmm_syscall(e->number);
    unsigned args = known ? known->args : 6;

    if (known)
        add(r, "%s(", known->name);
    else
        add(r, "%s_%lu(", e->aarch32 ? "arm32" : "syscall", (unsigned long)e->number);
    for (unsigned n = 0; n < args; n++) {
        add(r, n ? ", " : "");
        add_value(r, e->args[n]);
    }
    add(r, ") = ");
}

void vmm_syscall_line(char *line, size_t size, const struct avc_syscall_event *e)
{
    struct rest r = { line, size };

    add(&r, "%lx/%u %lx ", (unsigned long)e->table, e->asid, (unsigned long)e->stack);
    add_call(&r, e);
    switch (e->what) {
    case AVC_SYSCALL_RETURN:
        add_result(&r, e->result, e->aarch32);
        break;
    case AVC_SYSCALL_RESTART:
        add(&r, "? restarted");
        break;
    case AVC_SYSCALL_ELSEWHERE:
        add(&r, "? goes on at 0x%lx", (unsigned long)e->to);
        break;
    case AVC_SYSCALL_REPLACED:
        add(&r, "0 goes on as %lx at 0x%lx", (unsigned long)e->to_table, (unsigned long)e->to);
        break;
    case AVC_SYSCALL_LOST:
        add(&r, "? its end was not seen");
        break;
    default:
        add(&r, "?");
        break;
    }
}
