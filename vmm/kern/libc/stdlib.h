/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The part of stdlib.h that libfdt needs; kern/string.c has it. */
#ifndef VMM_LIBC_STDLIB_H
#define VMM_LIBC_STDLIB_H

unsigned long strtoul(const char *restrict s, char **restrict end, int base);

#endif
