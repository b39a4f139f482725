/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Linux's system calls by name, and an event of avc/syscall.h as a line of text. Values only: the same file runs on the build
 * host.
 */
#ifndef VMM_GUEST_SYSCALLS_H
#define VMM_GUEST_SYSCALLS_H

#include <avc/syscall.h>
#include <stdbool.h>
#include <stddef.h>

struct vmm_syscall {
    uint32_t number;
    const char *name;
    uint32_t args;
};

/** By number, NULL: none has it. */
const struct vmm_syscall *vmm_syscall(uint64_t number);

/** Takes "name,name,..." apart: one range for each name, those named twice once. Returns how many, or 0 when a name is
    none of Linux's or there are more than max; *wrong and *length then say which. */
uint32_t vmm_syscall_ranges(const char *names, struct avc_syscall_range *ranges, uint32_t max, const char **wrong,
                            size_t *length);

/** Whether it can come back behind its SVC. */
bool vmm_syscall_returns(const struct avc_syscall_event *event);

/**
 * "TABLE/ASID STACK NAME(ARGUMENT, ...) = RESULT". TABLE, in hexadecimal digits, is where the tables of the task's address
 * space are, STACK its kernel stack. Arguments and results: in decimal what fits into 16 bits or is an error number,
 * else hexadecimal with 0x; errors as -NAME. A result that is not known is ?, with what is known instead. For ENTRY,
 * which is for calls that do not return, too.
 */
void vmm_syscall_line(char *line, size_t size, const struct avc_syscall_event *event);

#endif
