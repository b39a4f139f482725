/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Runs the corpus and a fixed number of random inputs through the fuzz target, without libFuzzer. Prints TAP. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS    200
#define PER_ROUND 100

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t buffer[1 << 16];

static unsigned replay(const char *folder)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    unsigned files = 0;

    if (!dir)
        return 0;
    while ((entry = readdir(dir))) {
        char path[4096];
        size_t size;
        FILE *file;

        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        file = fopen(path, "rb");
        if (!file)
            continue;
        size = fread(buffer, 1, sizeof buffer, file);
        fclose(file);
        printf("# %s\n", path); /* the last path printed names the input that failed */
        fflush(stdout);
        LLVMFuzzerTestOneInput(buffer, size);
        files++;
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
    unsigned files;

    printf("1..2\n");
    files = argc > 1 ? replay(argv[1]) : 0;
    printf("%s 1 - %u inputs of the corpus\n", files ? "ok" : "not ok", files);
    for (unsigned round = 0; round < ROUNDS; round++) {
        printf("# seed %#llx\n", (unsigned long long)seed);
        fflush(stdout);
        for (unsigned n = 0; n < PER_ROUND; n++) {
            size_t size = 16 + next(&seed) % 400;

            for (size_t i = 0; i < size; i++)
                buffer[i] = (uint8_t)(next(&seed) >> 32);
            LLVMFuzzerTestOneInput(buffer, size);
        }
    }
    printf("ok 2 - %u random inputs\n", ROUNDS * PER_ROUND);
    return files ? 0 : 1;
}
