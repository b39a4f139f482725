/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Linux's system calls by name, and an event of avc/syscall.h as a line of text. It uses values only, so the same file
 * runs on the build host.
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

/** Finds a system call by number, or returns NULL. */
const struct vmm_syscall *vmm_syscall(uint64_t number);

/** Splits "name,name,..." into one range for each name. A name that is given twice counts once. Returns how many
    ranges there are. Returns 0 when Linux does not have a name, or when there are more than max: *wrong and *length
    then say which. */
uint32_t vmm_syscall_ranges(const char *names, struct avc_syscall_range *ranges, uint32_t max, const char **wrong,
                            size_t *length);

/** Can the call come back behind its SVC? */
bool vmm_syscall_returns(const struct avc_syscall_event *event);

/**
 * Writes "TABLE/ASID STACK NAME(ARGUMENT, ...) = RESULT". TABLE, in hexadecimal digits, is the address of the tables of
 * the task's address space. STACK is its kernel stack. Arguments and results are decimal if they fit into 16 bits,
 * otherwise hexadecimal with 0x. An error is -NAME. A result that is not known is ?, with what is known instead. It
 * also serves for ENTRY, of calls that do not return.
 */
void vmm_syscall_line(char *line, size_t size, const struct avc_syscall_event *event);

#endif
