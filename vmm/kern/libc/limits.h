/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The part of limits.h that libfdt needs. The compiler's own header would look for a C library's after it. */
#ifndef VMM_LIBC_LIMITS_H
#define VMM_LIBC_LIMITS_H

#define INT_MAX  __INT_MAX__
#define INT_MIN  (-__INT_MAX__ - 1)
#define UINT_MAX (__INT_MAX__ * 2u + 1)

#endif
