/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * EL2's own translation. It is an identity map with a 4 KiB granule and 48 bits, write-back memory and nGnRE devices.
 * No page is both writable and executable. If the host is to run with E2H=1, it is built twice, because the same bits
 * of a descriptor then mean other things (DDI 0487, D8.4: AP[1] and PXN exist in the EL2&0 regime, and are RES1 and
 * RES0 in EL2's).
 *
 * vmm_mmu_early() runs with the MMU off. It touches only its own aligned data, and calls only functions of this file.
 */
#include "arch/cptr.h"
#include "arch/idreg.h"
#include "board/board.h"
#include "boot/boot.h"
#include "boot/cpu.h"
#include "kern/log.h"
#include "kern/pages.h"
#include "kern/percpu.h"

#define DESC_VALID   (1ull << 0)
#define DESC_TABLE   (1ull << 1) /* levels 0-2: a table; level 3: a page */
#define DESC_DEVICE  (0ull << 2) /* AttrIndx 0 */
#define DESC_NORMAL  (1ull << 2) /* AttrIndx 1 */
#define DESC_AP1     (1ull << 6) /* EL2: RES1; EL2&0: EL0 has access */
#define DESC_RO      (1ull << 7) /* AP[2] */
#define DESC_INNER   (3ull << 8) /* SH: inner shareable */
#define DESC_AF      (1ull << 10)
#define DESC_PXN     (1ull << 53) /* EL2&0 */
#define DESC_XN      (1ull << 54) /* EL2: XN; EL2&0: UXN */
#define DESC_ADDRESS 0x0000fffffffff000ull

#define TCR_WALK_WB (TCR_IRGN0_WB | TCR_ORGN0_WB | TCR_SH0_IS) /* as the memory is mapped */
#define TSZ_48      16u

/* FP and SIMD do not trap, because libfdt may use them. SVE and SME, which nothing here uses, trap. */
#define CPTR_HOST     (CPTR_RES1 | CPTR_TZ | CPTR_TSM)
#define CPTR_VHE_HOST CPTR_VHE_FPEN

#define NR_TABLES  48
#define NR_REGIONS 64
#define ENTRIES    512

struct vmm_mmu_regs vmm_mmu_regs;

static uint64_t tables[NR_TABLES][ENTRIES] __attribute__((aligned(4096)));
static uint64_t tables_used;
static uint64_t *root;
static uint64_t vhe; /* the layout in which root is built */

/* What was mapped, in order, so that it can be built again in the other layout. */
static struct {
    uint64_t base, end, kind;
} regions[NR_REGIONS];
static uint64_t nr_regions;

static uint64_t *new_table(void)
{
    vmm_assert(tables_used < NR_TABLES);
    return tables[tables_used++]; /* .bss, so it is clear */
}

static uint64_t leaf_bits(uint64_t kind)
{
    uint64_t normal = DESC_VALID | DESC_AF | DESC_NORMAL | DESC_INNER;
    uint64_t never = vhe ? DESC_XN | DESC_PXN : DESC_XN;
    uint64_t always = vhe ? 0 : DESC_AP1;

    if (kind == VMM_MAP_TEXT)
        return always | normal | DESC_RO | (vhe ? DESC_XN : 0);
    if (kind == VMM_MAP_RODATA)
        return always | normal | DESC_RO | never;
    if (kind == VMM_MAP_DATA)
        return always | normal | never;
    return always | DESC_VALID | DESC_AF | DESC_DEVICE | never;
}

/* Maps [base, end), which lies within `table`'s reach. It uses the largest leaves that fit, and leaves alone what
   is mapped already. */
static void map_in(uint64_t *table, unsigned level, uint64_t base, uint64_t end, uint64_t leaf)
{
    unsigned shift = 39 - 9 * level;
    uint64_t size = 1ull << shift;

    while (base < end) {
        uint64_t next = (base & ~(size - 1)) + size;
        uint64_t stop = next < end ? next : end;
        uint64_t *entry = &table[base >> shift & (ENTRIES - 1)];

        if (!(*entry & DESC_VALID)) {
            if (level > 0 && stop - base == size) {
                *entry = base | leaf | (level == 3 ? DESC_TABLE : 0);
                base = stop;
                continue;
            }
            *entry = (uint64_t)(uintptr_t)new_table() | DESC_TABLE | DESC_VALID;
        }
        if (level < 3 && *entry & DESC_TABLE)
            map_in((uint64_t *)(uintptr_t)(*entry & DESC_ADDRESS), level + 1, base, stop, leaf);
        base = stop;
    }
}

void vmm_map(uint64_t base, uint64_t size, enum vmm_map_kind kind)
{
    uint64_t end = (base + size + VMM_PAGE_SIZE - 1) & ~(uint64_t)(VMM_PAGE_SIZE - 1);

    base &= ~(uint64_t)(VMM_PAGE_SIZE - 1);
    vmm_assert(nr_regions < NR_REGIONS);
    vmm_assert(end > base && end <= 1ull << 48);
    regions[nr_regions].base = base;
    regions[nr_regions].end = end;
    regions[nr_regions].kind = kind;
    nr_regions++;
    map_in(root, 0, base, end, leaf_bits(kind));
    /* Entries only go from invalid to valid. That needs no TLB invalidation, but the entries must reach the walkers
       before the first access (D8.16, "TLB maintenance requirements": DSB, and ISB here for this CPU). */
    vmm_dsb_ishst();
    vmm_isb();
}

static void fill_regs(void)
{
    unsigned pa_range = avc_id_value(vmm_read_ID_AA64MMFR0_EL1(), ID_AA64MMFR0_PARange);

    if (pa_range > 5)
        pa_range = 5; /* 48 bits: 52 would need another descriptor format */
    vmm_mmu_regs.hcr = HCR_RW | HCR_AMO | HCR_IMO | HCR_FMO | (vhe ? HCR_E2H | HCR_TGE : 0);
    vmm_mmu_regs.cptr = vhe ? CPTR_VHE_HOST : CPTR_HOST;
    vmm_mmu_regs.mair = MAIR_DEVICE_NGNRE | MAIR_WRITE_BACK << 8;
    vmm_mmu_regs.tcr = TCR_T0SZ_PUT(TSZ_48) | TCR_WALK_WB |
                       (vhe ? TCR_EPD1 /* no upper half */ | TCR_T1SZ_PUT(TSZ_48) | TCR_TG1_4K | TCR_IPS_PUT(pa_range)
                            : TCR_EL2_RES1 | TCR_EL2_PS_PUT(pa_range));
    vmm_mmu_regs.ttbr = (uint64_t)(uintptr_t)root;
    vmm_mmu_regs.sctlr = SCTLR_EL2_RES1 | SCTLR_M | SCTLR_C | SCTLR_SA | SCTLR_I | SCTLR_WXN;
}

static void map_image(const char *from, const char *to, enum vmm_map_kind kind)
{
    if (to > from)
        vmm_map((uintptr_t)from, (uint64_t)(to - from), kind);
}

void vmm_mmu_early(uint64_t fdt)
{
    const uint32_t *header = (const uint32_t *)(uintptr_t)fdt; /* big-endian: magic, total size */

    vhe = vmm_host_vhe(); /* 1 only if it cannot be 0 */
    root = new_table();
    map_image(_start, vmm_text_end, VMM_MAP_TEXT);
    map_image(vmm_rodata_start, vmm_rodata_end, VMM_MAP_RODATA);
    map_image(vmm_data_start, vmm_stacks_start, VMM_MAP_DATA);
    for (unsigned i = 0; i < VMM_MAX_CPUS; i++) {
        char *slot = vmm_stacks_start + i * VMM_STACK_STRIDE;

        map_image(slot + VMM_CRASH_STACK_BASE, slot + VMM_CRASH_STACK_TOP, VMM_MAP_DATA);
        map_image(slot + VMM_STACK_BASE, slot + VMM_STACK_STRIDE, VMM_MAP_DATA);
    }
    vmm_map(VMM_EARLY_UART, VMM_PAGE_SIZE, VMM_MAP_DEVICE);
    /* The tree is at most 2 MiB, and 8-byte aligned (Linux, Documentation/arch/arm64/booting). Anything else is not
       mapped, and vmm_board_discover() complains about it. */
    if (fdt && !(fdt & 7) && header[0] == __builtin_bswap32(0xd00dfeed) && __builtin_bswap32(header[1]) <= 0x200000) {
        vmm_board.fdt_size = __builtin_bswap32(header[1]);
        vmm_map(fdt, vmm_board.fdt_size, VMM_MAP_RODATA);
    }
    fill_regs();
}

bool vmm_mmu_set_vhe(bool on)
{
    bool has_vhe = avc_id_value(vmm_read_ID_AA64MMFR1_EL1(), ID_AA64MMFR1_VH);

    if (on == (vhe != 0))
        return true;
    if (!on || !has_vhe)
        return false;
    vhe = on;
    root = new_table();
    for (unsigned i = 0; i < nr_regions; i++)
        map_in(root, 0, regions[i].base, regions[i].end, leaf_bits(regions[i].kind));
    fill_regs();
    vmm_mmu_switch(&vmm_mmu_regs);
    return true;
}
