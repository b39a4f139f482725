/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Two vCPUs that take turns on one CPU, each put before the other is loaded. */
#include "testvm.h"

const struct test_config test_config = { .vcpus = 2, .cpus = 1 };
