/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Memory for tables: an embedder's struct avc_mem that can run out when asked to, and that notices misuse. */
#ifndef FAKE_PAGES_H
#define FAKE_PAGES_H

#include <avc/stage2.h>

#define FAKE_PAGES_BASE UINT64_C(0x80000000)
#define FAKE_PAGES      1024

extern const struct avc_mem fake_mem;
extern unsigned fake_pages_out;  /* pages given and not taken back */
extern unsigned fake_pages_gets; /* calls of get() since reset */
extern unsigned fake_pages_fail; /* which call of get() from now on fails: 1, 2, ...; 0: none */

void fake_pages_reset(void);
/* Returns the table at a PA. NULL: that page is not given out, or it is not a page's start. */
uint64_t *fake_pages_at(avc_pa_t pa);

#endif
