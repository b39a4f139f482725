/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Marks for the plugin that profiles, for C code. They are instructions, so they stand outside of what is measured. */
#ifndef MARK_H
#define MARK_H

#include "marks.h"

#define MARK(what) __asm__ volatile("hint %0" ::"i"(MARK_##what) : "memory")

#endif
