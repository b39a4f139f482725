/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Before each source that is proved: what Frama-C 25 does not parse. The compilers check these assertions. */
#ifndef PROOF_H
#define PROOF_H

#define _Static_assert(condition, text) extern int proof_static_assert

#endif
