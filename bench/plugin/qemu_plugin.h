/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * What the plugin uses of QEMU's plugin interface, version 3 (from QEMU 9.2 on), and of GLib, which QEMU links. Debian
 * packages no header for the interface, so this one follows QEMU's documentation. It declares only what is used.
 */
#ifndef QEMU_PLUGIN_H
#define QEMU_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#define PLUGIN_VERSION 3

/* ---- what QEMU looks for ---- */
struct plugin_info {
    const char *target;
    int version_min, version;
    _Bool system;
    int cpus, max_cpus;
};

#define PLUGIN_EXPORT __attribute__((visibility("default")))
extern PLUGIN_EXPORT int qemu_plugin_version;
PLUGIN_EXPORT int qemu_plugin_install(uint64_t id, const struct plugin_info *info, int argc, char **argv);

/* ---- GLib ---- */
struct plugin_bytes { /* GByteArray */
    uint8_t *data;
    unsigned len;
};
struct plugin_array { /* GArray */
    void *data;
    unsigned len;
};
struct plugin_bytes *g_byte_array_new(void);
struct plugin_bytes *g_byte_array_set_size(struct plugin_bytes *bytes, unsigned size);
char *g_array_free(struct plugin_array *array, int free_data);

/* ---- registers ---- */
struct plugin_register {
    void *handle;
    const char *name, *feature;
};
enum plugin_flags { PLUGIN_NO_REGISTERS, PLUGIN_READS_REGISTERS };
struct plugin_array *qemu_plugin_get_registers(void); /* its elements are struct plugin_register */
int qemu_plugin_read_register(void *handle, struct plugin_bytes *to);

/* ---- callbacks ---- */

enum plugin_access { PLUGIN_READ = 1, PLUGIN_WRITE };
typedef void plugin_cpu_fn(uint64_t id, unsigned cpu);
typedef void plugin_data_fn(unsigned cpu, void *data);
typedef void plugin_mem_fn(unsigned cpu, uint32_t info, uint64_t va, void *data);
typedef void plugin_exit_fn(uint64_t id, void *data);
typedef void plugin_block_fn(uint64_t id, void *block);
void qemu_plugin_register_vcpu_init_cb(uint64_t id, plugin_cpu_fn *fn);
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, plugin_block_fn *fn);
void qemu_plugin_register_atexit_cb(uint64_t id, plugin_exit_fn *fn, void *data);
void qemu_plugin_register_vcpu_tb_exec_cb(void *block, plugin_data_fn *fn, enum plugin_flags flags, void *data);
/* fn is called after the instruction's access. */
void qemu_plugin_register_vcpu_mem_cb(void *insn, plugin_mem_fn *fn, enum plugin_flags flags, enum plugin_access access,
                                      void *data);
void qemu_plugin_register_vcpu_insn_exec_cb(void *insn, plugin_data_fn *fn, enum plugin_flags flags, void *data);

/* ---- a block of instructions, while it is translated ---- */
size_t qemu_plugin_tb_n_insns(const void *block);
uint64_t qemu_plugin_tb_vaddr(const void *block);
void *qemu_plugin_tb_get_insn(const void *block, size_t n);
size_t qemu_plugin_insn_data(const void *insn, void *to, size_t size);
uint64_t qemu_plugin_insn_vaddr(const void *insn);

#endif
