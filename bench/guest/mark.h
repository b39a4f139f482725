/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Marks for the plugin that profiles, from C: outside of what is measured, for they are instructions. */
#ifndef MARK_H
#define MARK_H

#include "marks.h"

#define MARK(what) __asm__ volatile("hint %0" ::"i"(MARK_##what) : "memory")

#endif
