/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Names and texts of numbers. */
#include "core/core.h"

const char *avc_status_text(enum avc_status status)
{
    static const char *const texts[] = {
#define X(code, text) [code] = text,
        AVC_STATUS_LIST(X)
#undef X
    };

    return (unsigned)status < AVC_ARRAY_SIZE(texts) ? texts[status] : "not a status code";
}

const char *avc_status_name(enum avc_status status)
{
    static const char *const names[] = {
#define X(code, text) [code] = #code,
        AVC_STATUS_LIST(X)
#undef X
    };

    return (unsigned)status < AVC_ARRAY_SIZE(names) ? names[status] : "?";
}

const char *avc_kind_name(enum avc_kind kind)
{
    static const char *const names[AVC_NR_KINDS] = {
        [AVC_CLASS] = "AVC_CLASS",
        [AVC_CALL] = "AVC_CALL",
        [AVC_SYSREG] = "AVC_SYSREG",
        [AVC_MMIO] = "AVC_MMIO",
        [AVC_SVC] = "AVC_SVC",
        [AVC_STAGE2] = "AVC_STAGE2",
        [AVC_IRQ] = "AVC_IRQ",
        [AVC_KICKED] = "AVC_KICKED",
        [AVC_WFI] = "AVC_WFI",
        [AVC_WFE] = "AVC_WFE",
        [AVC_CPU_OFF] = "AVC_CPU_OFF",
        [AVC_CPU_SUSPEND] = "AVC_CPU_SUSPEND",
        [AVC_SYSTEM_OFF] = "AVC_SYSTEM_OFF",
        [AVC_SYSTEM_RESET] = "AVC_SYSTEM_RESET",
        [AVC_SERROR] = "AVC_SERROR",
        [AVC_FAIL] = "AVC_FAIL",
    };

    return (unsigned)kind < AVC_NR_KINDS ? names[kind] : "?";
}
