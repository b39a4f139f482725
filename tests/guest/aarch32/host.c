/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
#include "testvm.h"

const struct test_config test_config = { .vcpus = 1 };
