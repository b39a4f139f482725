/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Two vCPUs on one CPU, so that each is off the CPU every few exits, with its timers in whatever state they are. */
#include "testvm.h"

const struct test_config test_config = { .vcpus = 2, .cpus = 1 };
