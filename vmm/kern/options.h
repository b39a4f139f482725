/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Reads the hypervisor's options. vmm.h says what they are. */
#ifndef VMM_KERN_OPTIONS_H
#define VMM_KERN_OPTIONS_H

/** Takes the words of a command line. A word that it does not know, or one with a bad value, is logged and ignored. */
void vmm_options_parse(const char *args);

#endif
