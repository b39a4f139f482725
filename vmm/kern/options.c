/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The hypervisor's own command line: words in /chosen/bootargs.
 */
#include <stdlib.h>
#include <string.h>

#include "kern/options.h"
#include "vmm.h"

struct vmm_options vmm_options = {
    .cpus = 1,
    .memory = 512ull << 20,
};

/* Returns the value of the word `name=value`, or NULL. */
static const char *value_of(const char *word, const char *name)
{
    size_t n = strlen(name);

    return !strncmp(word, name, n) && word[n] == '=' ? word + n + 1 : NULL;
}

static bool number(const char *text, unsigned long *value)
{
    char *end;

    *value = strtoul(text, &end, 10);
    return *text && !*end;
}

static bool address(const char *text, uint64_t *value)
{
    char *end;

    *value = strtoul(text, &end, 0);
    return *text && !*end && *value;
}

/* ADDRESS,BYTES */
static bool range(const char *text, struct vmm_range *value)
{
    char *end;

    value->base = strtoul(text, &end, 0);
    return *end == ',' && address(end + 1, &value->size) && value->base < UINT64_MAX - value->size;
}

#define MAX_WORD 1024

static bool take(const char *word)
{
    static char selftest[32], strace[MAX_WORD];
    const char *value;
    unsigned long n;

    if ((value = value_of(word, "cpus")) && number(value, &n) && n) {
        vmm_options.cpus = n < UINT32_MAX ? (unsigned)n : UINT32_MAX; /* the guest side knows how many are too many */
        return true;
    }
    if ((value = value_of(word, "memory")) && number(value, &n) && n && n < 1ul << 32) {
        vmm_options.memory = (uint64_t)n << 20;
        return true;
    }
    if ((value = value_of(word, "kernel-at")) && address(value, &vmm_options.kernel_at))
        return true;
    if ((value = value_of(word, "firmware")) && range(value, &vmm_board.firmware))
        return true;
    if (!strcmp(word, "flash-vars")) {
        vmm_options.flash_vars = true;
        return true;
    }
    if ((value = value_of(word, "host-vhe")) && (!strcmp(value, "on") || !strcmp(value, "off"))) {
        vmm_options.host_vhe = !strcmp(value, "on");
        return true;
    }
    if (!strcmp(word, "debug")) {
        vmm_options.debug = true;
        vmm_log_set_level(VMM_DEBUG);
        return true;
    }
    value = strcmp(word, "strace") ? value_of(word, "strace") : "";
    if (value) {
        vmm_snprintf(strace, sizeof(strace), "%s", value);
        vmm_options.strace = strace;
        return true;
    }
    if (!strcmp(word, "prefault")) {
        vmm_options.prefault = true;
        return true;
    }
    if (!strcmp(word, "stat")) {
        vmm_options.stat = true;
        return true;
    }
    value = strcmp(word, "selftest") ? value_of(word, "selftest") : "sched";
    if (value) {
        vmm_snprintf(selftest, sizeof(selftest), "%s", value);
        vmm_options.selftest = selftest;
        return true;
    }
    return false;
}

void vmm_options_parse(const char *args)
{
    while (*args) {
        static char word[MAX_WORD];
        size_t n = 0;

        while (*args == ' ')
            args++;
        while (args[n] && args[n] != ' ')
            n++;
        if (n) {
            vmm_snprintf(word, sizeof(word), "%.*s", (int)n, args);
            if (n >= sizeof(word) || !take(word))
                vmm_log(VMM_WARN,
                        "unknown option \"%.*s\"; known are cpus=N memory=MIB kernel-at=ADDRESS host-vhe=on|off "
                        "firmware=ADDRESS,BYTES flash-vars debug prefault stat selftest strace[=NAME,NAME...]",
                        (int)n, args);
        }
        args += n;
    }
}
