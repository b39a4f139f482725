/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Two vCPUs on one CPU. Each is taken off the CPU every few exits, whatever state its timers are in. */
#include "testvm.h"

const struct test_config test_config = { .vcpus = 2, .cpus = 1 };
