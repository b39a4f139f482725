/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Pages for tables, see pages.h. A page that is not given out holds ones, so that a walk into it finds nothing
 * sensible.
 */
#include "pages.h"

#include <stdlib.h>
#include <string.h>

static _Alignas(65536) unsigned char memory[FAKE_PAGES * 4096];
static bool out[FAKE_PAGES];
static unsigned next;

unsigned fake_pages_out, fake_pages_gets, fake_pages_fail;

static void *get(void *ctx, size_t bytes, avc_pa_t *pa)
{
    unsigned n = (unsigned)(bytes / 4096);

    (void)ctx;
    fake_pages_gets++;
    if (fake_pages_fail && !--fake_pages_fail)
        return NULL;
    /* Next fit: a freed page is not the next one given. */
    for (unsigned tries = 0; tries < FAKE_PAGES / n; tries++) {
        unsigned first = (next + n - 1) / n * n % FAKE_PAGES, used = 0;

        for (unsigned i = 0; i < n; i++)
            used += out[first + i];
        next = first + n;
        if (used)
            continue;
        memset(&out[first], 1, n);
        fake_pages_out += n;
        *pa = FAKE_PAGES_BASE + first * UINT64_C(4096);
        return &memory[first * 4096];
    }
    return NULL;
}

static void put(void *ctx, void *va, size_t bytes)
{
    size_t first = (size_t)((unsigned char *)va - memory) / 4096;

    (void)ctx;
    for (size_t i = 0; i < bytes / 4096; i++) {
        if (!out[first + i])
            abort(); /* freed twice */
        out[first + i] = false;
    }
    memset(va, 0xff, bytes);
    fake_pages_out -= (unsigned)(bytes / 4096);
}

static void *at(void *ctx, avc_pa_t pa)
{
    (void)ctx;
    if (pa < FAKE_PAGES_BASE || pa >= FAKE_PAGES_BASE + sizeof memory)
        abort();
    return &memory[pa - FAKE_PAGES_BASE];
}

const struct avc_mem fake_mem = { NULL, get, put, at };

uint64_t *fake_pages_at(avc_pa_t pa)
{
    if (pa < FAKE_PAGES_BASE || pa >= FAKE_PAGES_BASE + sizeof memory || pa % 4096 ||
        !out[(pa - FAKE_PAGES_BASE) / 4096])
        return NULL;
    return (uint64_t *)(void *)&memory[pa - FAKE_PAGES_BASE];
}

void fake_pages_reset(void)
{
    memset(memory, 0xff, sizeof memory);
    memset(out, 0, sizeof out);
    next = fake_pages_out = fake_pages_gets = fake_pages_fail = 0;
}
