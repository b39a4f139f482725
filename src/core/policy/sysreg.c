/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * What avc/sysreg.def is used for: names, reset values, get and set by id, and what a trapped access gets if nobody has
 * claimed it. A register that is in no row is UNDEFINED for the guest. A log line says so, in a form that can be pasted
 * into a claim.
 */
#include "core/policy/sysreg.h"

#include "core/log.h"
#include "arch/gic.h"
#include "arch/mmu.h"
#include "arch/timer.h"
#include "core/policy/ctx.h"
#include "core/policy/setway.h"

/* What a trapped access does. It is also what avc_vcpu_get() and avc_vcpu_set() do, where that makes sense without a
   guest. */
enum policy {
    STORED, /* read and written in ctx[], within the mask */
    CTL,    /* a timer's control: ENABLE and IMASK are stored, ISTATUS is computed */
    DEBUG,  /* stored; may switch the guest's debug registers into the CPU or out of it */
    OSLSR,  /* read-only for the guest */
    OSLAR,  /* write-only: sets the guest's OS lock */
    RAZWI,  /* reads as zero, writes are ignored */
    CONST,  /* reads as the row's value; read-only */
    SRE,    /* as CONST, but writes are ignored; only with an interrupt controller */
    ID,     /* from the VM's list; read-only */
    MIDR,
    MPIDR,
    REVIDR,
    CLIDR,
    CTR,
    DCZID,
    CNTFRQ, /* read-only, each read where it is kept */
    CNTPCT,
    CNTVCT, /* the counters; read-only */
    PTVAL,
    VTVAL,  /* a timer's compare value, as the time that is left */
    SETWAY, /* cache maintenance by set and way */
};

struct row {
    const char *name;
    uint64_t value, mask; /* CTX: the writable bits; REG: value */
    uint16_t key;
    uint8_t ctx, group, cond, policy;
};

#define NO_CTX 0xff
_Static_assert((int)AVC_NR_CTX_USED <= NO_CTX, "row.ctx");

static const struct row rows[] = {
#define CTX(name, op0, op1, crn, crm, op2, group, cond, reset, mask, policy)                                           \
    { #name,                                                                                                           \
      0,                                                                                                               \
      (uint64_t)(mask),                                                                                                \
      AVC_SYSREG_KEY(op0, op1, crn, crm, op2),                                                                         \
      AVC_CTX_##name,                                                                                                  \
      AVC_GROUP_##group,                                                                                               \
      AVC_COND_##cond,                                                                                                 \
      policy },
#define REG(name, op0, op1, crn, crm, op2, cond, policy, value)                                                        \
    { #name, value, 0, AVC_SYSREG_KEY(op0, op1, crn, crm, op2), NO_CTX, AVC_GROUP_SHADOW, AVC_COND_##cond, policy },
#include <avc/sysreg.def>
#undef CTX
#undef REG
};

enum place {
#define CTX(name, op0, op1, crn, crm, op2, group, cond, reset, mask, policy) AT_##name,
#define REG(name, op0, op1, crn, crm, op2, cond, policy, value)              AT_##name,
#include <avc/sysreg.def>
#undef CTX
#undef REG
};

/* The place of a register's row, by a hash of its encoding. No two rows may share a place. If two do, or if two have
   one encoding, the table does not compile. Then the multiplier must be changed. */
#define PLACE(key) ((uint32_t)(key)*0x8712b8bdu >> 22)

static const uint8_t places[1024] = {
#define CTX(name, op0, op1, crn, crm, op2, group, cond, reset, mask, policy)                                           \
    [PLACE(AVC_SYSREG_KEY(op0, op1, crn, crm, op2))] = AT_##name,
#define REG(name, op0, op1, crn, crm, op2, cond, policy, value)                                                        \
    [PLACE(AVC_SYSREG_KEY(op0, op1, crn, crm, op2))] = AT_##name,
#include <avc/sysreg.def>
#undef CTX
#undef REG
};
_Static_assert(AVC_ARRAY_SIZE(rows) <= 256, "places[]");

static const struct row *find(uint32_t key)
{
    const struct row *row = &rows[places[PLACE(key)]];

    return row->key == key ? row : NULL;
}

/* Is it an ID register, allocated or not? Those are op0=3, op1=0, CRn=0, CRm=1..7. An unallocated one reads as zero. */
static bool is_id(uint32_t key)
{
    return key >= AVC_SYSREG_KEY(3, 0, 0, 1, 0) && key <= AVC_SYSREG_KEY(3, 0, 0, 7, 7);
}

static uint64_t id_value(const struct avc_vm *vm, uint32_t key)
{
    return vm->id_regs[key - AVC_SYSREG_KEY(3, 0, 0, 1, 0)];
}

const char *avc_sysreg_name(uint32_t key)
{
    const struct row *row = find(key);

    return row ? row->name : NULL;
}

/* ---- ctx[] ---- */

/* The group by index of ctx[]. The rows with storage are in the order of enum avc_ctx, but not next to each other. */
static const uint8_t groups[] = {
#define CTX(name, op0, op1, crn, crm, op2, group, cond, reset, mask, policy) [AVC_CTX_##name] = AVC_GROUP_##group,
#define REG(name, op0, op1, crn, crm, op2, cond, policy, value)
#include <avc/sysreg.def>
#undef CTX
#undef REG
};

uint64_t avc_ctx_get(const struct avc_vcpu *vcpu, unsigned ctx)
{
    return vcpu->live >> groups[ctx] & 1 ? avc_hw_ctx_read(vcpu, ctx) : vcpu->ctx[ctx];
}

void avc_ctx_set(struct avc_vcpu *vcpu, unsigned ctx, uint64_t value)
{
    if (vcpu->live >> groups[ctx] & 1)
        avc_hw_ctx_write(vcpu, ctx, value);
    else
        vcpu->ctx[ctx] = value;
}

/* CPU_ON does this with interrupts masked, so the values stand next to each other here. */
void avc_sysreg_reset(struct avc_vcpu *vcpu)
{
    static const uint64_t values[AVC_NR_CTX_USED] = {
#define CTX(name, op0, op1, crn, crm, op2, group, cond, reset, mask, policy) [AVC_CTX_##name] = reset,
#define REG(name, op0, op1, crn, crm, op2, cond, policy, value)
#include <avc/sysreg.def>
#undef CTX
#undef REG
    };

    __builtin_memcpy(vcpu->ctx, values, sizeof values);
}

/* ---- debug ---- */

/* After a change to MDSCR_EL1 or the OS lock: makes the CPU hold the breakpoint registers if it must. */
static void update_debug(struct avc_vcpu *vcpu)
{
    if (!(vcpu->live >> AVC_GROUP_XLAT & 1))
        return; /* not loaded: load looks */
    if (avc_debug_wanted(vcpu) && !vcpu->debug_live)
        avc_hw_debug_load(vcpu);
    else if (!avc_debug_wanted(vcpu) && vcpu->debug_live)
        avc_hw_debug_save(vcpu);
    else
        avc_hw_write_MDSCR_EL1(avc_debug_mdscr(vcpu));
}

/* The bits of a breakpoint's BAS come in pairs, one for each halfword (DDI 0487, DBGBCR<n>_EL1.BAS: other values are
   reserved). This makes them so: a register then reads the same whether the CPU holds it or not. */
static uint64_t pair_bas(uint64_t bcr)
{
    uint64_t bas = bcr & DBGBCR_BAS_LOW;

    return (bcr & ~DBGBCR_BAS) | bas | bas << 1;
}

static void set_debug(struct avc_vcpu *vcpu, const struct row *row, uint64_t value)
{
    if (row->group == AVC_GROUP_DEBUG && (row->key & 7) == 5)
        value = pair_bas(value);
    avc_ctx_set(vcpu, row->ctx, value & row->mask);
    if (row->group == AVC_GROUP_SHADOW)
        update_debug(vcpu);
}

static void set_os_lock(struct avc_vcpu *vcpu, bool locked)
{
    uint64_t oslsr = vcpu->ctx[AVC_CTX_OSLSR_EL1] & ~OSLSR_OSLK;

    vcpu->ctx[AVC_CTX_OSLSR_EL1] = oslsr | (locked ? OSLSR_OSLK : 0);
    update_debug(vcpu);
}

/* ---- timers ---- */

static uint64_t virtual_count(const struct avc_vcpu *vcpu)
{
    return avc_hw_read_CNTPCT_EL0() - vcpu->vm->cntvoff;
}

static uint64_t timer_control(const struct avc_vcpu *vcpu, unsigned ctx)
{
    bool phys = ctx == AVC_CTX_CNTP_CTL_EL0;
    uint64_t ctl = avc_ctx_get(vcpu, ctx) & CNT_CTL_WRITABLE;
    uint64_t now = phys ? avc_hw_read_CNTPCT_EL0() : virtual_count(vcpu);
    uint64_t cval = avc_ctx_get(vcpu, phys ? AVC_CTX_CNTP_CVAL_EL0 : AVC_CTX_CNTV_CVAL_EL0);

    return ctl | (ctl & CNT_CTL_ENABLE && now >= cval ? CNT_CTL_ISTATUS : 0);
}

/* ---- read and write, for guests and callers ---- */

/* Who may use a register of this policy, and how. */
static const struct {
    bool read, write; /* the guest may; otherwise the access is UNDEFINED */
    bool get, set;    /* avc_vcpu_get() and avc_vcpu_set() may */
} may[] = {
    [STORED] = { 1, 1, 1, 1 }, [CTL] = { 1, 1, 1, 1 },    [DEBUG] = { 1, 1, 1, 1 }, [OSLSR] = { 1, 0, 1, 1 },
    [OSLAR] = { 0, 1, 0, 0 },  [RAZWI] = { 1, 1, 1, 0 },  [CONST] = { 1, 0, 1, 0 }, [SRE] = { 1, 1, 1, 0 },
    [ID] = { 1, 0, 1, 0 },     [MIDR] = { 1, 0, 1, 0 },   [MPIDR] = { 1, 0, 1, 0 }, [REVIDR] = { 1, 0, 1, 0 },
    [CLIDR] = { 1, 0, 1, 0 },  [CTR] = { 1, 0, 1, 0 },    [DCZID] = { 1, 0, 1, 0 }, [CNTFRQ] = { 1, 0, 1, 0 },
    [CNTPCT] = { 1, 0, 1, 0 }, [CNTVCT] = { 1, 0, 1, 0 }, [PTVAL] = { 1, 1, 1, 1 }, [VTVAL] = { 1, 1, 1, 1 },
    [SETWAY] = { 0, 1, 0, 0 },
};

static uint64_t read(const struct avc_vcpu *vcpu, const struct row *row)
{
    const struct avc_features *f = &vcpu->vm->features;

    switch (row->policy) {
    case STORED:
    case DEBUG:
    case OSLSR:
        return avc_ctx_get(vcpu, row->ctx);
    case CTL:
        return timer_control(vcpu, row->ctx);
    case CONST:
    case SRE:
        return row->value;
    case ID:
        return id_value(vcpu->vm, row->key);
    case MIDR:
        return f->midr;
    case MPIDR:
        return vcpu->mpidr;
    case REVIDR:
        return avc_hw_read_REVIDR_EL1();
    case CLIDR:
        return f->clidr;
    case CTR:
        return f->ctr;
    case DCZID:
        return f->dczid;
    case CNTFRQ:
        return f->cntfrq;
    case CNTPCT:
        return avc_hw_read_CNTPCT_EL0();
    case CNTVCT:
        return virtual_count(vcpu);
    case PTVAL:
        return (uint32_t)(avc_ctx_get(vcpu, AVC_CTX_CNTP_CVAL_EL0) - avc_hw_read_CNTPCT_EL0());
    case VTVAL:
        return (uint32_t)(avc_ctx_get(vcpu, AVC_CTX_CNTV_CVAL_EL0) - virtual_count(vcpu));
    default:
        return 0;
    }
}

/*
 * Set and way name a place in this CPU's caches, and no memory (DDI 0487, D7.5.9.5). The guest means "all that I ever
 * wrote", which no set or way can give a vCPU that moves. This cleans and invalidates, whichever instruction it was
 * (HCR_EL2.SWIO says so too). A clean alone would leave lines that hide what a device writes. An invalidate alone would
 * lose other guests' data. A line that this CPU does not have needs nothing (setway.c). One instruction is done for
 * each trap, so the time at EL2 is bounded. The guest's DSB waits for it, and avc_leave has one before a vCPU can move.
 *
 * It is enough for software that switches its caches off before other vCPUs run and stays on its CPU meanwhile. A host
 * that moves vCPUs at that moment claims these three keys and cleans the VM's memory by address.
 */
static void write(struct avc_vcpu *vcpu, const struct row *row, uint64_t value)
{
    switch (row->policy) {
    case STORED:
    case CTL:
        avc_ctx_set(vcpu, row->ctx, value & row->mask);
        break;
    case DEBUG:
        set_debug(vcpu, row, value);
        break;
    case OSLSR: /* only avc_vcpu_set() gets here */
        set_os_lock(vcpu, value & OSLSR_OSLK);
        break;
    case OSLAR:
        set_os_lock(vcpu, value & OSLAR_OSLK);
        break;
    case PTVAL:
        avc_ctx_set(vcpu, AVC_CTX_CNTP_CVAL_EL0, avc_hw_read_CNTPCT_EL0() + (uint64_t)(int32_t)value);
        break;
    case VTVAL:
        avc_ctx_set(vcpu, AVC_CTX_CNTV_CVAL_EL0, virtual_count(vcpu) + (uint64_t)(int32_t)value);
        break;
    case SETWAY:
        if (avc_setway_operand(vcpu->pcpu, &value))
            avc_hw_dc_cisw(value);
        break;
    default:
        break;
    }
}

/* Does the register exist for this VM's guests? Before the VM is sealed, its features are what the machine has. */
static bool exists(const struct avc_vcpu *vcpu, const struct row *row)
{
    const struct avc_vm *vm = vcpu->vm;
    const struct avc_features *f = vm->sealed ? &vm->features : &vm->machine->features;

    return avc_cond_met(f, row->cond) && (row->policy != SRE || vm->irqc);
}

enum avc_status avc_sysreg_get(struct avc_vcpu *vcpu, uint32_t key, uint64_t *value)
{
    const struct row *row = find(key);

    if (!row && is_id(key)) {
        *value = id_value(vcpu->vm, key);
        return AVC_OK;
    }
    if (!row || !may[row->policy].get || !exists(vcpu, row))
        return AVC_ENOENT;
    *value = read(vcpu, row);
    return AVC_OK;
}

enum avc_status avc_sysreg_set(struct avc_vcpu *vcpu, uint32_t key, uint64_t value)
{
    const struct row *row = find(key);

    if (!row && is_id(key))
        return AVC_ERANGE;
    if (!row || !(may[row->policy].get || may[row->policy].set) || !exists(vcpu, row))
        return AVC_ENOENT;
    if (!may[row->policy].set)
        return AVC_ERANGE;
    write(vcpu, row, value);
    return AVC_OK;
}

/* ---- trapped and not claimed ---- */

/* The assembler's mnemonics, for system registers and for system instructions. */
static const char *const mnemonics[2][2] = { { "MRS", "MSR" }, { "SYSL", "SYS" } };

/* Logs the first sixteen of a vCPU, then one at each power of two, so that a guest cannot flood the log. */
static void log_unknown(struct avc_vcpu *vcpu, const struct avc_exit *e)
{
    uint32_t k = (uint32_t)e->key;
    uint64_t n = vcpu->nr_unclaimed + 1;

    avc_count(&vcpu->nr_unclaimed);
    if (!vcpu->pcpu || (n > 16 && (n & (n - 1))))
        return;
    avc_log(vcpu->pcpu->hal, AVC_LOG_WARN,
            "vCPU %u, PC %lx: %s S%u_%u_C%u_C%u_%u: UNDEFINED; to claim it: AVC_SYSREG_KEY(%u, %u, %u, %u, %u)",
            vcpu->index, (unsigned long)e->pc, mnemonics[k >> 14 == 1][e->write], k >> 14, k >> 11 & 7, k >> 7 & 15,
            k >> 3 & 15, k & 7, k >> 14, k >> 11 & 7, k >> 7 & 15, k >> 3 & 15, k & 7);
}

void avc_sysreg_emulate(struct avc_vcpu *vcpu, struct avc_exit *e)
{
    uint32_t key = (uint32_t)e->key;
    const struct row *row;

    if (is_id(key) && !e->write) { /* first, because guests read these most */
        avc_done(e, id_value(vcpu->vm, key));
        return;
    }
    row = find(key);
    if (!row || !exists(vcpu, row) || !(e->write ? may[row->policy].write : may[row->policy].read)) {
        e->answer = AVC_FAULT;
        log_unknown(vcpu, e);
        return;
    }
    e->answer = AVC_DONE;
    if (e->write)
        write(vcpu, row, e->value);
    else
        e->value = read(vcpu, row);
}
