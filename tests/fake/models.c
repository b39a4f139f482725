/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* ID registers of real models of CPUs, as QEMU 10.0.2 gives them to EL2 of its virt machine with a GICv3. */
#include "models.h"

#define ID(crm, op2) [((crm)-1) * 8 + (op2)]

/* clang-format off */
const struct fake_model fake_a53 = {
    .name = "cortex-a53",
    .midr = 0x410fd034, .ctr = 0x84448004, .dczid = 0x4, .clidr = 0xa200023, .revidr = 0x100, .vtr = 0x90b80003,
    .ccsidr = { 0x700fe01a, 0x201fe00a, 0x707fe07a },
    .id = {
        ID(1, 0) = 0x131, ID(1, 1) = 0x10011001, ID(1, 2) = 0x3000006, ID(1, 4) = 0x10101105,
        ID(1, 5) = 0x40000000, ID(1, 6) = 0x1260000, ID(1, 7) = 0x2102211,
        ID(2, 0) = 0x2101110, ID(2, 1) = 0x13112111, ID(2, 2) = 0x21232042, ID(2, 3) = 0x1112131,
        ID(2, 4) = 0x11142, ID(2, 5) = 0x11121,
        ID(3, 0) = 0x10110222, ID(3, 1) = 0x12111111, ID(3, 2) = 0x43,
        ID(4, 0) = 0x1000222,
        ID(5, 0) = 0x10305106,
        ID(6, 0) = 0x11120,
        ID(7, 0) = 0x1122,
    },
};
const struct fake_model fake_a57 = {
    .name = "cortex-a57",
    .midr = 0x411fd070, .ctr = 0x8444c004, .dczid = 0x4, .clidr = 0xa200023, .revidr = 0x0, .vtr = 0x90b80003,
    .ccsidr = { 0x701fe00a, 0x201fe012, 0x70ffe07a },
    .id = {
        ID(1, 0) = 0x131, ID(1, 1) = 0x10011001, ID(1, 2) = 0x3000006, ID(1, 4) = 0x10101105,
        ID(1, 5) = 0x40000000, ID(1, 6) = 0x1260000, ID(1, 7) = 0x2102211,
        ID(2, 0) = 0x2101110, ID(2, 1) = 0x13112111, ID(2, 2) = 0x21232042, ID(2, 3) = 0x1112131,
        ID(2, 4) = 0x11142, ID(2, 5) = 0x11121,
        ID(3, 0) = 0x10110222, ID(3, 1) = 0x12111111, ID(3, 2) = 0x43,
        ID(4, 0) = 0x1000222,
        ID(5, 0) = 0x10305106,
        ID(6, 0) = 0x11120,
        ID(7, 0) = 0x1124,
    },
};
const struct fake_model fake_a72 = {
    .name = "cortex-a72",
    .midr = 0x410fd083, .ctr = 0x8444c004, .dczid = 0x4, .clidr = 0xa200023, .revidr = 0x0, .vtr = 0x90b80003,
    .ccsidr = { 0x701fe00a, 0x201fe012, 0x707fe07a },
    .id = {
        ID(1, 0) = 0x131, ID(1, 1) = 0x10011001, ID(1, 2) = 0x3000006, ID(1, 4) = 0x10201105,
        ID(1, 5) = 0x40000000, ID(1, 6) = 0x1260000, ID(1, 7) = 0x2102211,
        ID(2, 0) = 0x2101110, ID(2, 1) = 0x13112111, ID(2, 2) = 0x21232042, ID(2, 3) = 0x1112131,
        ID(2, 4) = 0x11142, ID(2, 5) = 0x11121,
        ID(3, 0) = 0x10110222, ID(3, 1) = 0x12111111, ID(3, 2) = 0x43,
        ID(4, 0) = 0x1000222,
        ID(5, 0) = 0x10305106,
        ID(6, 0) = 0x11120,
        ID(7, 0) = 0x1124,
    },
};
const struct fake_model fake_n1 = {
    .name = "neoverse-n1",
    .midr = 0x414fd0c1, .ctr = 0x8444c004, .dczid = 0x4, .clidr = 0x82000023, .revidr = 0x0, .vtr = 0x90b80003,
    .ccsidr = { 0x701fe01a, 0x201fe01a, 0x707fe03a },
    .id = {
        ID(1, 0) = 0x10010131, ID(1, 1) = 0x10010000, ID(1, 2) = 0x4000008, ID(1, 4) = 0x10201105,
        ID(1, 5) = 0x40000000, ID(1, 6) = 0x1260000, ID(1, 7) = 0x2122211,
        ID(2, 0) = 0x2101110, ID(2, 1) = 0x13112111, ID(2, 2) = 0x21232042, ID(2, 3) = 0x1112131,
        ID(2, 4) = 0x10142, ID(2, 5) = 0x1011121, ID(2, 6) = 0x21110, ID(2, 7) = 0x10,
        ID(3, 0) = 0x10110222, ID(3, 1) = 0x13211111, ID(3, 2) = 0x43, ID(3, 4) = 0x11,
        ID(4, 0) = 0x1100000011110112, ID(4, 1) = 0x20,
        ID(5, 0) = 0x10305408,
        ID(6, 0) = 0x100010211120, ID(6, 1) = 0x100001,
        ID(7, 0) = 0x101125, ID(7, 1) = 0x10212122, ID(7, 2) = 0x1011,
    },
};
const struct fake_model fake_max = {
    .name = "max",
    .midr = 0xf0510, .ctr = 0xb444c004, .dczid = 0x4, .clidr = 0x2000023, .revidr = 0x0, .vtr = 0x90b80003,
    .ccsidr = { 0x701fe00a, 0x201fe012, 0x70ffe07a },
    .id = {
        ID(1, 0) = 0x11020131, ID(1, 1) = 0x10011001, ID(1, 2) = 0x600000a, ID(1, 4) = 0x10101105,
        ID(1, 5) = 0x40000000, ID(1, 6) = 0x1260000, ID(1, 7) = 0x2122211,
        ID(2, 0) = 0x2101110, ID(2, 1) = 0x13112111, ID(2, 2) = 0x21232042, ID(2, 3) = 0x1112131,
        ID(2, 4) = 0x11142, ID(2, 5) = 0x11011121, ID(2, 6) = 0x20021110, ID(2, 7) = 0x1111111,
        ID(3, 0) = 0x10110222, ID(3, 1) = 0x13211111, ID(3, 2) = 0x43, ID(3, 4) = 0x11,
        ID(3, 5) = 0x10, ID(3, 6) = 0x2,
        ID(4, 0) = 0x1301001121110222, ID(4, 1) = 0x1001000121, ID(4, 4) = 0x110110100210021,
        ID(4, 5) = 0x80f100fd00000000,
        ID(5, 0) = 0x100000001030560a,
        ID(6, 0) = 0x1221111110212120, ID(6, 1) = 0x111211110211502, ID(6, 2) = 0x110012,
        ID(7, 0) = 0x2100032310201126, ID(7, 1) = 0x110112010312122, ID(7, 2) = 0x1221011112011011,
        ID(7, 3) = 0x1000000000000000,
    },
};
/* clang-format on */

const struct fake_model *const fake_models[FAKE_NR_MODELS] = { &fake_a53, &fake_a57, &fake_a72, &fake_n1, &fake_max };
