/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * A plugin for QEMU that keeps the longest stretches at EL2 in which no interrupt can be taken, with their paths; the
 * longest time that each lock is held; and which instructions at EL2 were ever executed.
 *
 *   -plugin FILE,out=FILE,library=FILE
 *
 * library= has the address ranges of the library's functions, a line each: BEGIN END, hexadecimal, in order.
 *
 * Instructions are counted by blocks, as QEMU translates them: a block ends where DAIF is written, and where an
 * exception returns. CPUs run in parallel, or there is one: with -icount and several CPUs QEMU does not tell which of
 * them calls.
 *
 * Two kinds of stretch are followed for each CPU:
 *   masked   from the instruction that masks IRQs, or the exception that does, until they are unmasked, EL2 waits in
 *            WFI, or a guest runs. All instructions count.
 *   library  from an exception that a guest causes, or where a function of the library masks, until the library gives
 *            back the DAIF that it has found, or a guest runs. The library's instructions count. A host that runs with
 *            interrupts masked does not make it longer: the library has ended when it would have unmasked.
 * A lock is taken by LDAXR and STXR of a word, and freed by STLR of WZR. What is executed while it waits counts for
 * nothing: not for the stretch either.
 *
 * The file has fields between tabs. Addresses are hexadecimal:
 *   masked, library  KIND PC LENGTH TIMES PATH   KIND: of exception (enum kind), or `mask': PC is then where
 *   irq              -    PC LENGTH TIMES PATH   an IRQ that EL2 itself has taken
 *   lock             -    PC LENGTH TIMES PATH   PC: where it was taken
 *   ran              PC INSTRUCTIONS             a block that was executed
 * LENGTH is the longest of so many TIMES. PATH has PC*INSTRUCTIONS of each block on it, in the order of the first time.
 */
#include "common.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define MAX_LOG      (1u << 20) /* blocks of a path; what comes later is not in it */
#define MAX_HELD     8
#define LONGEST_HOLD (1u << 26)
#define WAIT_LOOP    32 /* a CPU that waits for a lock tries again within so many instructions */

/* A block at EL2. */
struct block {
    struct block *next;
    uint64_t pc;
    unsigned length, index; /* index: scratch of write_path() */
    bool library, aligned, ran;
};

/* An instruction that takes or frees a lock, or writes DAIF. */
struct point {
    struct block *block;
    unsigned at; /* instructions of the block before it */
    bool masks;
};

struct longest {
    struct longest *next;
    const char *what;
    unsigned kind;
    uint64_t pc, length, times;
    unsigned steps;
    struct step {
        struct block *block;
        uint64_t count;
    } * path;
};

enum { KIND_MASK = KIND_NONE + 1, KIND_HERE };

struct stretch {
    bool open;
    unsigned kind;
    uint64_t pc, from;
    unsigned log;
};

/* Only the CPU itself writes its element. */
static struct cpu {
    bool below, unknown; /* a guest ran last; DAIF is to be read */
    bool is_masked;
    unsigned depth; /* how often the library has masked and not given back */
    struct stretch masked, library;
    uint64_t total, total_library, base; /* base: total before this block */
    unsigned logged;
    struct block **log;
    struct held {
        uint64_t at, from, library, last;
        struct block *block;
        unsigned log;
    } held[MAX_HELD];
} __attribute__((aligned(64))) cpus[MAX_CPUS];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards the two tables */
static struct block *blocks[NR_BUCKETS];
static struct longest *records[NR_BUCKETS];
static struct range {
    uint64_t begin, end;
} * ranges;
static unsigned nr_ranges;

/* ---- records ---- */

static int by_first(const void *a, const void *b)
{
    const struct block *x = *(struct block *const *)a, *y = *(struct block *const *)b;

    return x < y ? -1 : x > y;
}

/* The caller holds the lock. */
static void write_path(struct longest *r, struct block *const *log, unsigned nr)
{
    unsigned different = 0;
    struct block **sorted = allocate(nr * sizeof(*sorted) + 1);

    memcpy(sorted, log, nr * sizeof(*sorted));
    qsort(sorted, nr, sizeof(*sorted), by_first);
    for (unsigned n = 0; n < nr; n++) {
        sorted[n]->index = ~0u;
        different += !n || sorted[n] != sorted[n - 1];
    }
    free(sorted);
    free(r->path);
    r->path = allocate(different * sizeof(*r->path) + 1);
    r->steps = 0;
    for (unsigned n = 0; n < nr; n++) {
        if (log[n]->index == ~0u) {
            log[n]->index = r->steps;
            r->path[r->steps++].block = log[n];
        }
        r->path[log[n]->index].count += log[n]->length;
    }
}

static void record(struct cpu *cpu, const char *what, unsigned kind, uint64_t pc, uint64_t length, unsigned log)
{
    struct longest **list = &records[bucket(pc + kind + (uintptr_t)what)], *r;

    pthread_mutex_lock(&lock);
    for (r = *list; r && (r->pc != pc || r->kind != kind || r->what != what); r = r->next)
        ;
    if (!r) {
        r = allocate(sizeof(*r));
        *r = (struct longest){ .next = *list, .what = what, .kind = kind, .pc = pc };
        *list = r;
    }
    r->times++;
    if (length > r->length) {
        r->length = length;
        write_path(r, cpu->log + log, cpu->logged > log ? cpu->logged - log : 0);
    }
    pthread_mutex_unlock(&lock);
}

static const char masked_name[] = "masked", library_name[] = "library", lock_name[] = "lock";

/* A word that is never freed is no lock. */
static bool is_held(const struct cpu *cpu, const struct held *held)
{
    return held->at && cpu->total - held->from < LONGEST_HOLD;
}

static bool holds(const struct cpu *cpu)
{
    for (unsigned n = 0; n < MAX_HELD; n++)
        if (is_held(cpu, &cpu->held[n]))
            return true;
    return false;
}

static bool is_followed(const struct cpu *cpu)
{
    return cpu->masked.open || cpu->library.open;
}

/* Makes room for a path. A host that always runs with interrupts masked loses the beginning of its own. */
static void begin_path(struct cpu *cpu)
{
    if (cpu->library.open || holds(cpu) || (cpu->masked.open && cpu->logged < MAX_LOG / 2))
        return;
    cpu->logged = 0;
    cpu->masked.log = 0;
}

static void open_stretch(struct cpu *cpu, struct stretch *s, unsigned kind, uint64_t pc, uint64_t from)
{
    begin_path(cpu);
    *s = (struct stretch){ .open = true, .kind = kind, .pc = pc, .from = from, .log = cpu->logged };
}

static void close_stretch(struct cpu *cpu, struct stretch *s, uint64_t to)
{
    bool library = s == &cpu->library;

    if (s->open)
        record(cpu, library ? library_name : masked_name, s->kind, s->pc, to - s->from, s->log);
    s->open = false;
}

/* Begins it anew. */
static void go_on_from(struct cpu *cpu, struct stretch *s, uint64_t now)
{
    struct stretch was = *s;

    close_stretch(cpu, s, now);
    if (was.open)
        open_stretch(cpu, s, was.kind, was.pc, now);
}

static void close_all(struct cpu *cpu)
{
    close_stretch(cpu, &cpu->masked, cpu->total);
    close_stretch(cpu, &cpu->library, cpu->total_library);
}

/* ---- what happens ---- */

/* A block begins where control has not simply gone on. */
static void arrive(struct cpu *cpu, const struct block *block)
{
    uint64_t offset = block->aligned ? block->pc - read_register(REG_VBAR) : ~UINT64_C(0);
    enum kind kind = kind_at(offset);

    if (kind != KIND_NONE) { /* from a guest */
        close_all(cpu);
        open_stretch(cpu, &cpu->masked, kind, 0, cpu->total);
        open_stretch(cpu, &cpu->library, kind, 0, cpu->total_library);
        cpu->is_masked = true;
    } else if (offset == 0x80 || offset == 0x280) { /* an IRQ at EL2: they were not masked */
        close_all(cpu);
        cpu->depth = 0;
        open_stretch(cpu, &cpu->masked, KIND_HERE, block->pc, cpu->total);
        if (block->library)
            open_stretch(cpu, &cpu->library, KIND_HERE, block->pc, cpu->total_library);
        cpu->is_masked = true;
    } else if (cpu->unknown) {
        cpu->is_masked = read_register(REG_PSTATE) >> 7 & 1;
        if (!cpu->is_masked) { /* whoever has unmasked them: the host may, in its own functions */
            close_all(cpu);
            cpu->depth = 0;
        }
    }
    cpu->below = cpu->unknown = false;
}

static void block_at_el2(unsigned index, void *data)
{
    struct cpu *cpu = &cpus[index];
    struct block *block = data;

    block->ran = true;
    if (cpu->below || cpu->unknown || block->aligned)
        arrive(cpu, block);
    cpu->base = cpu->total;
    cpu->total += block->length;
    if (block->library)
        cpu->total_library += block->length;
    if (!is_followed(cpu) && !holds(cpu))
        return;
    if (!cpu->log)
        cpu->log = allocate(MAX_LOG * sizeof(*cpu->log));
    if (cpu->logged < MAX_LOG)
        cpu->log[cpu->logged++] = block;
}

static void block_below(unsigned index, void *data)
{
    struct cpu *cpu = &cpus[index];

    if (cpu->below)
        return;
    close_all(cpu);
    cpu->is_masked = cpu->unknown = false;
    cpu->below = true;
}

/* MSR DAIFSet of I. */
static void masks(unsigned index, void *data)
{
    struct point *p = data;
    struct cpu *cpu = &cpus[index];

    if (p->block->library && !cpu->depth++ && !cpu->library.open)
        open_stretch(cpu, &cpu->library, KIND_MASK, p->block->pc, cpu->total_library);
    if (!cpu->masked.open && !cpu->is_masked)
        open_stretch(cpu, &cpu->masked, KIND_MASK, p->block->pc, cpu->total);
    cpu->is_masked = true;
}

/* MSR DAIFClr of I, or MSR DAIF. The next block shows what it has written. */
static void restores(unsigned index, void *data)
{
    struct point *p = data;
    struct cpu *cpu = &cpus[index];

    cpu->unknown = true;
    if (p->block->library && cpu->depth && !--cpu->depth)
        close_stretch(cpu, &cpu->library, cpu->total_library);
}

static void returns(unsigned index, void *data)
{
    cpus[index].unknown = true;
}

/* The library looks whether an interrupt is pending, and goes on only if none is: so it goes on from here. */
static void looks_up(unsigned index, void *data)
{
    struct cpu *cpu = &cpus[index];

    go_on_from(cpu, &cpu->masked, cpu->total);
    go_on_from(cpu, &cpu->library, cpu->total_library);
}

static void waits(unsigned index, void *data)
{
    close_stretch(&cpus[index], &cpus[index].masked, cpus[index].total);
}

/* STXR of a word, after LDAXR: takes a lock, or finds it taken. Then it tries again. */
static void takes(unsigned index, uint32_t info, uint64_t at, void *data)
{
    struct point *p = data;
    struct cpu *cpu = &cpus[index];
    struct held *held = NULL;
    uint64_t now = cpu->base + p->at + 1, library = cpu->total_library;

    for (unsigned n = 0; n < MAX_HELD && (!held || held->at != at); n++)
        if (cpu->held[n].at == at || (!held && !is_held(cpu, &cpu->held[n])))
            held = &cpu->held[n];
    if (!held)
        die("too many locks are held", "");
    if (held->at == at && now - held->last < WAIT_LOOP) {
        uint64_t waited = now - held->from;

        cpu->total -= waited;
        cpu->base -= waited;
        if (p->block->library)
            cpu->total_library -= library - held->library;
        if (cpu->logged > held->log)
            cpu->logged = held->log;
        held->last = held->from;
        return;
    }
    begin_path(cpu);
    *held =
        (struct held){ .at = at, .from = now, .last = now, .library = library, .block = p->block, .log = cpu->logged };
}

/* LDAXR of a word, which may be a lock that this CPU waits for. */
static void looks(unsigned index, uint32_t info, uint64_t at, void *data)
{
    struct point *p = data;
    struct cpu *cpu = &cpus[index];
    uint64_t now = cpu->base + p->at + 1;

    for (unsigned n = 0; n < MAX_HELD; n++)
        if (cpu->held[n].at == at && now - cpu->held[n].last < WAIT_LOOP)
            cpu->held[n].last = now;
}

static void frees(unsigned index, uint32_t info, uint64_t at, void *data)
{
    struct point *p = data;
    struct cpu *cpu = &cpus[index];

    for (unsigned n = 0; n < MAX_HELD; n++)
        if (cpu->held[n].at == at) {
            struct held held = cpu->held[n];

            cpu->held[n].at = 0;
            record(cpu, lock_name, 0, held.block->pc, cpu->base + p->at + 1 - held.from, held.log);
            return;
        }
}

/* ---- what is translated ---- */

static bool is_library(uint64_t pc)
{
    for (unsigned low = 0, high = nr_ranges; low < high;) {
        unsigned middle = (low + high) / 2;

        if (pc < ranges[middle].begin)
            high = middle;
        else if (pc >= ranges[middle].end)
            low = middle + 1;
        else
            return true;
    }
    return false;
}

static struct block *block_at(uint64_t pc, unsigned length)
{
    struct block **list = &blocks[bucket(pc)], *block;

    pthread_mutex_lock(&lock);
    block = *list;
    while (block && (block->pc != pc || block->length != length))
        block = block->next;
    if (!block) {
        block = allocate(sizeof(*block));
        *block = (struct block){
            .next = *list, .pc = pc, .length = length, .library = is_library(pc), .aligned = !(pc & 0x7f)
        };
        *list = block;
    }
    pthread_mutex_unlock(&lock);
    return block;
}

static struct point *point(struct block *block, unsigned at)
{
    struct point *p = allocate(sizeof(*p));

    p->block = block;
    p->at = at;
    return p;
}

/* `next`: the instruction after it, or NULL. */
static void look(struct block *block, void *insn, void *next, unsigned at, bool *exclusive)
{
    uint32_t code = 0, test = 0;
    plugin_data_fn *fn = NULL;

    qemu_plugin_insn_data(insn, &code, sizeof code);
    if (next)
        qemu_plugin_insn_data(next, &test, sizeof test);
    if ((code & 0xfffff0ff) == 0xd50340df && code & 0x200) /* MSR DAIFSet; bit 1 of the immediate is I */
        fn = masks;
    else if (((code & 0xfffff0ff) == 0xd50340ff && code & 0x200) || (code & 0xffffffe0) == 0xd51b4220)
        fn = restores; /* MSR DAIFClr, MSR DAIF */
    else if (code == 0xd69f03e0)
        fn = returns; /* ERET */
    else if (code == 0xd503207f)
        fn = waits; /* WFI */
    else if ((code & 0xffffffe0) == 0xd538c100 && (test & 0xfff80000) != 0x37400000 && block->library)
        fn = looks_up;                            /* MRS of ISR_EL1; not if the next one tests bit 8, SError */
    else if ((code & 0xfffffc00) == 0x885ffc00) { /* LDAXR of a word */
        *exclusive = true;
        qemu_plugin_register_vcpu_mem_cb(insn, looks, PLUGIN_NO_REGISTERS, PLUGIN_READ, point(block, at));
    } else if ((code & 0xffe0fc00) == 0x88007c00 && *exclusive)
        qemu_plugin_register_vcpu_mem_cb(insn, takes, PLUGIN_NO_REGISTERS, PLUGIN_WRITE, point(block, at));
    else if ((code & 0xfffffc1f) == 0x889ffc1f) /* STLR of WZR */
        qemu_plugin_register_vcpu_mem_cb(insn, frees, PLUGIN_NO_REGISTERS, PLUGIN_WRITE, point(block, at));
    if (fn)
        qemu_plugin_register_vcpu_insn_exec_cb(insn, fn, PLUGIN_NO_REGISTERS, point(block, at));
}

static void translated(uint64_t id, void *tb)
{
    unsigned el = read_register(REG_PSTATE) >> 2 & 3, count = (unsigned)qemu_plugin_tb_n_insns(tb);
    bool exclusive = false;
    struct block *block;

    if (el == 3)
        return;
    if (el != 2) {
        qemu_plugin_register_vcpu_tb_exec_cb(tb, block_below, PLUGIN_NO_REGISTERS, NULL);
        return;
    }
    block = block_at(qemu_plugin_tb_vaddr(tb), count);
    qemu_plugin_register_vcpu_tb_exec_cb(tb, block_at_el2, PLUGIN_READS_REGISTERS, block);
    for (unsigned n = 0; n < count; n++)
        look(block, qemu_plugin_tb_get_insn(tb, n), n + 1 < count ? qemu_plugin_tb_get_insn(tb, n + 1) : NULL, n,
             &exclusive);
}

/* ---- begin and end ---- */

static void cpu_init(uint64_t id, unsigned index)
{
    find_registers(index);
    cpus[index].is_masked = true; /* after a reset */
}

static void write_record(const struct longest *r)
{
    fprintf(out, "%s\t", r->what);
    if (r->kind == KIND_MASK)
        fprintf(out, "mask");
    else if (r->kind == KIND_HERE)
        fprintf(out, "here");
    else
        fprintf(out, "%u", r->kind);
    fprintf(out, "\t%" PRIx64 "\t%" PRIu64 "\t%" PRIu64 "\t", r->pc, r->length, r->times);
    for (unsigned n = 0; n < r->steps; n++)
        fprintf(out, "%s%" PRIx64 "*%" PRIu64, n ? " " : "", r->path[n].block->pc, r->path[n].count);
    fputc('\n', out);
}

static void write_all(uint64_t id, void *data)
{
    for (unsigned n = 0; n < NR_BUCKETS; n++) {
        for (const struct longest *r = records[n]; r; r = r->next)
            write_record(r);
        for (const struct block *b = blocks[n]; b; b = b->next)
            if (b->ran)
                fprintf(out, "ran\t%" PRIx64 "\t%u\n", b->pc, b->length);
    }
    fprintf(out, "end\n");
    if (fclose(out))
        die("the file can't be written", "");
}

static void read_library(const char *name)
{
    FILE *file = fopen(name, "r");
    uint64_t begin, end;

    if (!file)
        die("can't read ", name);
    while (fscanf(file, "%" SCNx64 " %" SCNx64, &begin, &end) == 2) {
        ranges = realloc(ranges, (nr_ranges + 1) * sizeof(*ranges));
        if (!ranges)
            die("out of memory", "");
        ranges[nr_ranges++] = (struct range){ begin, end };
    }
    fclose(file);
}

static bool argument(const char *word)
{
    if (strncmp(word, "library=", 8))
        return false;
    read_library(word + 8);
    return true;
}

int qemu_plugin_install(uint64_t id, const struct plugin_info *info, int argc, char **argv)
{
    install("stretch", info, argc, argv, argument);
    qemu_plugin_register_vcpu_init_cb(id, cpu_init);
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_atexit_cb(id, write_all, NULL);
    return 0;
}
