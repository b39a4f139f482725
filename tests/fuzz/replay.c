/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Runs inputs through a fuzz target without libFuzzer, and speaks TAP: fuzz_NAME_replay CORPUS [INPUTS LONGEST], where
 * CORPUS is a folder or one input, and INPUTS the number of random ones besides.
 */
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PER_ROUND 100

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t buffer[1 << 16];

static bool replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    size_t size;

    if (!file)
        return false;
    size = fread(buffer, 1, sizeof buffer, file);
    fclose(file);
    printf("# %s\n", path); /* the last path printed names the input that failed */
    fflush(stdout);
    LLVMFuzzerTestOneInput(buffer, size);
    return true;
}

static unsigned replay(const char *corpus)
{
    DIR *dir = opendir(corpus);
    struct dirent *entry;
    unsigned files = 0;

    if (!dir)
        return replay_file(corpus);
    while ((entry = readdir(dir))) {
        char path[4096];

        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", corpus, entry->d_name);
        files += replay_file(path);
    }
    closedir(dir);
    return files;
}

/* xorshift64*, so that each machine has the same inputs. */
static uint64_t next(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(0x2545f4914f6cdd1d);
}

int main(int argc, char **argv)
{
    uint64_t seed = 0x61726d5f76637075;
    unsigned inputs = argc > 2 ? (unsigned)atoi(argv[2]) : 0, longest = argc > 3 ? (unsigned)atoi(argv[3]) : 400, files;

    printf("1..2\n");
    files = argc > 1 ? replay(argv[1]) : 0;
    printf("%s 1 - %u inputs of the corpus\n", files ? "ok" : "not ok", files);
    for (unsigned n = 0; n < inputs; n++) {
        size_t size = 16 + next(&seed) % longest;

        if (n % PER_ROUND == 0) {
            printf("# seed %#llx\n", (unsigned long long)seed);
            fflush(stdout);
        }
        for (size_t i = 0; i < size; i++)
            buffer[i] = (uint8_t)(next(&seed) >> 32);
        LLVMFuzzerTestOneInput(buffer, size);
    }
    printf("ok 2 - %u random inputs\n", inputs);
    return files ? 0 : 1;
}
