/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* What the plugins that look at EL2 share: registers of the CPU that calls, kinds of exceptions, memory. */
#ifndef COMMON_H
#define COMMON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "qemu_plugin.h"

#define MAX_CPUS   64
#define NR_BUCKETS (1u << 16)

/* How an exception came from below EL2. Values up to 63 are exception classes. */
enum kind { KIND_IRQ = 64, KIND_FIQ, KIND_SERROR, KIND_NONE };

/* Ends the emulator with a message that begins with the plugin's name. */
void die(const char *what, const char *which);
void *allocate(size_t size); /* zeroed */
unsigned bucket(uint64_t key);

enum reg { REG_PSTATE, REG_ESR, REG_ELR, REG_VBAR, NR_REGS };
/* Finds the registers. It is called when a CPU is made. */
void find_registers(unsigned cpu);
uint64_t read_register(enum reg reg);

/* The kind of exception that has a vector at this offset from VBAR_EL2, or KIND_NONE if none from below EL2 has. */
enum kind kind_at(uint64_t offset);

extern FILE *out;
/* Begins qemu_plugin_install(). argument() gets what is not out=FILE, and returns whether it knows it. */
void install(const char *name, const struct plugin_info *info, int argc, char **argv, bool (*argument)(const char *));

#endif
