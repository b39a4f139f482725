/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Two vCPUs on one CPU, whose slices end by a timer that does not outrank the maintenance interrupt. */
#include "testvm.h"

const struct test_config test_config = { .vcpus = 2 };
