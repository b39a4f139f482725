/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * A plugin for QEMU that counts what is executed at EL2: by exit, by instruction, and by where the guest was.
 *
 *   -plugin FILE,out=FILE[,left=ADDRESS][,marks=on][,serial=on]
 *
 * QEMU translates a block of instructions for one EL, the one that PSTATE has at that time. Each instruction calls the
 * plugin: at EL2 insn_at_el2(), below it insn_below(). The latter sets a flag, by which the next block at EL2 knows
 * that it may begin an exit. An exit lasts until the next one begins. So it has all that EL2 does until it returns to a
 * guest, whichever guest that is. An instruction below EL2 that traps counts as executed.
 *
 * QEMU can count without calls, but with several CPUs and -icount it counts in the wrong place, and breaks the emulated
 * program (10.0: gen_cpu_index() is a constant, which gen_plugin_u64_ptr() scales). Nor does it then tell which CPU
 * executes. With serial=on, for -icount, the plugin takes all CPUs for one. QEMU switches CPUs where they sleep, or
 * each 0.1 s. If a CPU goes on at EL2 after others were below, the block is not at a vector, so the plugin notices, and
 * counts it to no exit.
 *
 * Instructions are counted in groups. A group is a kind of exit (enum kind), or, with marks=on, a row of the bench.
 * Rows have numbers from 1 on, in the order of their MARK_ROW (marks.h); 0 is for what is in no row.
 *
 * The file has fields between tabs. Addresses and instructions are hexadecimal:
 *   total  EL2 BELOW                                 instructions of the whole run
 *   lap    NAME EL2 BELOW                            those up to the guest's first instruction at EL1 (NAME is
 *                                                    "el1") or EL0 ("el0"), or up to a MARK_LAP ("mark")
 *   exits  GROUP EXITS LEFT                          LEFT: the exits that executed the instruction at left=
 *   insn   PC INSTRUCTION CLASS GROUP COUNT ...      an instruction at EL2, and its count in each group that has one
 *   site   KIND PC EXITS LEFT INSTRUCTIONS           exits of the guest's instruction at PC, and what they took at EL2
 */
#include "classes.h"
#include "common.h"
#include "marks.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define NR_GROUPS  4096
#define NR_BLOCK   128 /* the counters of a block of groups are allocated when one of them counts */
#define NR_BUCKETS (1u << 16)

/* An instruction at EL2, and how often each group executed it. */
struct insn {
    struct insn *next;
    uint64_t pc, *count[NR_GROUPS / NR_BLOCK];
    uint32_t code;
    bool leaves;
};

/* An instruction of a guest that caused exits. */
struct site {
    struct site *next;
    uint64_t pc, exits, left, insns;
    unsigned kind;
};

/* Only the CPU itself writes its element. */
static struct cpu {
    struct site *site; /* where the current exit came from; NULL: none */
    unsigned kind;
    bool below, left;
    uint64_t insns, total, total_below; /* at EL2 in this exit; at EL2; below */
} __attribute__((aligned(64))) cpus[MAX_CPUS];

static struct exits {
    uint64_t exits, left;
} exits[NR_GROUPS];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards the two tables */
static struct insn *insns[NR_BUCKETS];
static struct site *sites[NR_BUCKETS];

static uint64_t left_at = 1; /* no instruction has address 1 */
static bool by_marks, serial;
static unsigned row = 1, group; /* with marks=on: the row, and the group that is counted now */
static bool seen[2];            /* whether EL0 and EL1 have executed anything */

/* ---- totals ---- */

static void write_totals(const char *what)
{
    uint64_t el2 = 0, below = 0;

    for (unsigned n = 0; n < MAX_CPUS; n++) {
        el2 += cpus[n].total;
        below += cpus[n].total_below;
    }
    fprintf(out, "%s\t%" PRIu64 "\t%" PRIu64 "\n", what, el2, below);
}

/* ---- what happens ---- */

static struct site *site_at(unsigned kind, uint64_t pc)
{
    struct site **list = &sites[bucket(pc + kind)], *site = *list;

    while (site && (site->pc != pc || site->kind != kind))
        site = site->next;
    if (!site) {
        site = allocate(sizeof *site);
        *site = (struct site){ .next = *list, .pc = pc, .kind = kind };
        *list = site;
    }
    return site;
}

/* The caller holds the lock. */
static void end_exit(struct cpu *cpu)
{
    struct site *site = cpu->site;

    if (!site)
        return;
    site->exits++;
    site->left += cpu->left;
    site->insns += cpu->insns;
    cpu->site = NULL;
}

static struct cpu *cpu_at(unsigned index)
{
    return &cpus[serial ? 0 : index];
}

/* A block at EL2 begins. at: its address. If the last block was below EL2, it is a vector's address. */
static void block_at_el2(unsigned index, void *at)
{
    struct cpu *cpu = cpu_at(index);

    if (!cpu->below)
        return;
    cpu->below = false;
    cpu->kind = kind_at((uintptr_t)at - read_register(REG_VBAR));
    pthread_mutex_lock(&lock);
    end_exit(cpu);
    if (cpu->kind != KIND_NONE) {
        cpu->site = site_at(cpu->kind, read_register(REG_ELR));
        cpu->insns = 0;
        cpu->left = false;
        exits[by_marks ? group : cpu->kind].exits++;
    }
    pthread_mutex_unlock(&lock);
}

static void insn_below(unsigned index, void *data)
{
    struct cpu *cpu = cpu_at(index);

    cpu->below = true;
    cpu->total_below++;
}

static uint64_t *count_of(struct insn *insn, unsigned to)
{
    uint64_t **block = &insn->count[to / NR_BLOCK];

    if (!__atomic_load_n(block, __ATOMIC_ACQUIRE)) {
        pthread_mutex_lock(&lock);
        if (!*block)
            __atomic_store_n(block, allocate(NR_BLOCK * sizeof **block), __ATOMIC_RELEASE);
        pthread_mutex_unlock(&lock);
    }
    return &(*block)[to % NR_BLOCK];
}

static void insn_at_el2(unsigned index, void *data)
{
    struct insn *insn = data;
    struct cpu *cpu = cpu_at(index);
    unsigned to = by_marks ? group : cpu->kind;

    cpu->insns++;
    cpu->total++;
    __atomic_fetch_add(count_of(insn, to), 1, __ATOMIC_RELAXED);
    if (insn->leaves && !cpu->left) {
        cpu->left = true;
        __atomic_fetch_add(&exits[to].left, 1, __ATOMIC_RELAXED);
    }
}

static void mark(unsigned index, void *data)
{
    switch ((uintptr_t)data) {
    case MARK_COUNT:
        group = row;
        break;
    case MARK_PAUSE:
        group = 0;
        break;
    case MARK_ROW:
        if (++row == NR_GROUPS)
            die("too many rows", "");
        break;
    case MARK_LAP:
        write_totals("lap\tmark");
        break;
    }
}

/* ---- what is translated ---- */

static struct insn *insn_at(uint64_t pc, uint32_t code)
{
    struct insn **list = &insns[bucket(pc)], *insn;

    pthread_mutex_lock(&lock);
    insn = *list;
    while (insn && (insn->pc != pc || insn->code != code))
        insn = insn->next;
    if (!insn) {
        insn = allocate(sizeof *insn);
        insn->pc = pc;
        insn->code = code;
        insn->leaves = pc == left_at;
        insn->next = *list;
        *list = insn;
    }
    pthread_mutex_unlock(&lock);
    return insn;
}

/* QEMU translates a block for the CPU that is about to execute it. */
static void translated(uint64_t id, void *block)
{
    uint64_t state = read_register(REG_PSTATE);
    unsigned el = state >> 2 & 3;
    size_t count = qemu_plugin_tb_n_insns(block);

    if (el == 3)
        return;
    if (el == 2)
        qemu_plugin_register_vcpu_tb_exec_cb(block, block_at_el2, PLUGIN_READS_REGISTERS,
                                             (void *)(uintptr_t)qemu_plugin_tb_vaddr(block));
    else if (!seen[el]) {
        seen[el] = true;
        write_totals(el ? "lap\tel1" : "lap\tel0");
    }
    for (size_t n = 0; n < count; n++) {
        void *insn = qemu_plugin_tb_get_insn(block, n);
        uint32_t code = 0;
        unsigned hint;

        qemu_plugin_insn_data(insn, &code, sizeof code);
        hint = code >> 5 & 0x7f;
        if ((code & ~(0x7fu << 5)) == MARK_INSN && hint >= MARK_FIRST && hint <= MARK_LAST && !(state & 0x10))
            qemu_plugin_register_vcpu_insn_exec_cb(insn, mark, PLUGIN_NO_REGISTERS, (void *)(uintptr_t)hint);
        else if (el == 2)
            qemu_plugin_register_vcpu_insn_exec_cb(insn, insn_at_el2, PLUGIN_NO_REGISTERS,
                                                   insn_at(qemu_plugin_insn_vaddr(insn), code));
        else
            qemu_plugin_register_vcpu_insn_exec_cb(insn, insn_below, PLUGIN_NO_REGISTERS, NULL);
    }
}

/* ---- begin and end ---- */

static void cpu_init(uint64_t id, unsigned index)
{
    find_registers(index);
    cpus[index].kind = by_marks ? 0 : KIND_NONE;
}

static void write_insn(const struct insn *insn)
{
    static const char *const names[] = {
#define CLASS_NAME(id, name) name,
        CLASSES(CLASS_NAME)
    };

    fprintf(out, "insn\t%" PRIx64 "\t%" PRIx32 "\t%s", insn->pc, insn->code, names[classify(insn->code)]);
    for (unsigned n = 0; n < NR_GROUPS; n++)
        if (insn->count[n / NR_BLOCK] && insn->count[n / NR_BLOCK][n % NR_BLOCK])
            fprintf(out, "\t%u\t%" PRIu64, n, insn->count[n / NR_BLOCK][n % NR_BLOCK]);
    fputc('\n', out);
}

static void write_all(uint64_t id, void *data)
{
    write_totals("total");
    for (unsigned n = 0; n < MAX_CPUS; n++)
        end_exit(&cpus[n]);
    for (unsigned n = 0; n < NR_GROUPS; n++)
        if (exits[n].exits)
            fprintf(out, "exits\t%u\t%" PRIu64 "\t%" PRIu64 "\n", n, exits[n].exits, exits[n].left);
    for (unsigned n = 0; n < NR_BUCKETS; n++) {
        for (const struct insn *insn = insns[n]; insn; insn = insn->next)
            write_insn(insn);
        for (const struct site *site = sites[n]; site; site = site->next)
            fprintf(out, "site\t%u\t%" PRIx64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\n", site->kind, site->pc,
                    site->exits, site->left, site->insns);
    }
    if (fclose(out))
        die("the file can't be written", "");
}

static bool argument(const char *word)
{
    if (!strncmp(word, "left=", 5))
        left_at = strtoull(word + 5, NULL, 16);
    else if (!strcmp(word, "marks=on"))
        by_marks = true;
    else if (!strcmp(word, "serial=on"))
        serial = true;
    else
        return false;
    return true;
}

int qemu_plugin_install(uint64_t id, const struct plugin_info *info, int argc, char **argv)
{
    install("profile", info, argc, argv, argument);
    qemu_plugin_register_vcpu_init_cb(id, cpu_init);
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_atexit_cb(id, write_all, NULL);
    return 0;
}
