/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Reading the hypervisor's options; what they are stands in vmm.h.
 */
#ifndef VMM_KERN_OPTIONS_H
#define VMM_KERN_OPTIONS_H

/** Takes the words of a command line; one it does not know, or whose value is none, is logged and ignored. */
void vmm_options_parse(const char *args);

#endif
