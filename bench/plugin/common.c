/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
#include "common.h"

#include <stdlib.h>
#include <string.h>

PLUGIN_EXPORT int qemu_plugin_version = PLUGIN_VERSION;
FILE *out;
static const char *plugin = "plugin";

void die(const char *what, const char *which)
{
    fprintf(stderr, "%s: %s%s\n", plugin, what, which);
    exit(1);
}

void *allocate(size_t size)
{
    void *p = calloc(1, size);

    if (!p)
        die("out of memory", "");
    return p;
}

unsigned bucket(uint64_t key)
{
    return (unsigned)(key * UINT64_C(0x9e3779b97f4a7c15) >> 48);
}

/* ---- registers ---- */

static const char *const names[NR_REGS] = {
    [REG_PSTATE] = "cpsr", [REG_ESR] = "ESR_EL2", [REG_ELR] = "ELR_EL2", [REG_VBAR] = "VBAR_EL2"
};
static void *handles[NR_REGS];

void find_registers(unsigned cpu)
{
    struct plugin_array *array = qemu_plugin_get_registers();
    const struct plugin_register *registers = array->data;

    if (cpu >= MAX_CPUS)
        die("too many CPUs", "");
    for (unsigned n = 0; n < array->len; n++)
        for (unsigned reg = 0; reg < NR_REGS; reg++)
            if (!strcmp(registers[n].name, names[reg]))
                handles[reg] = registers[n].handle;
    g_array_free(array, 1);
    for (unsigned reg = 0; reg < NR_REGS; reg++)
        if (!handles[reg])
            die("this QEMU does not show ", names[reg]);
}

uint64_t read_register(enum reg reg)
{
    static __thread struct plugin_bytes *bytes;
    uint64_t value = 0;

    bytes = g_byte_array_set_size(bytes ? bytes : g_byte_array_new(), 0);
    if (qemu_plugin_read_register(handles[reg], bytes) <= 0)
        die("a register can't be read: ", names[reg]);
    memcpy(&value, bytes->data, bytes->len < sizeof value ? bytes->len : sizeof value);
    return value;
}

enum kind kind_at(uint64_t offset)
{
    static const enum kind kinds[] = { 0, KIND_IRQ, KIND_FIQ, KIND_SERROR };

    if (offset < 0x400 || offset >= 0x800 || offset & 0x7f)
        return KIND_NONE;
    return offset & 0x180 ? kinds[offset >> 7 & 3] : read_register(REG_ESR) >> 26 & 0x3f;
}

/* ---- begin ---- */

void install(const char *name, const struct plugin_info *info, int argc, char **argv, bool (*argument)(const char *))
{
    plugin = name;
    if (!info->system || strcmp(info->target, "aarch64"))
        die("only for qemu-system-aarch64", "");
    for (int n = 0; n < argc; n++) {
        if (!strncmp(argv[n], "out=", 4))
            out = fopen(argv[n] + 4, "w");
        else if (!argument(argv[n]))
            die("unknown argument: ", argv[n]);
    }
    if (!out)
        die("out= names no file that can be written", "");
}
