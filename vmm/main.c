/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The reference hypervisor: what happens, in order.
 */
#include "boot/boot.h"
#include "kern/hal.h"
#include "kern/options.h"
#include "kern/selftest.h"
#include "virtio/regs.h"
#include "vmm.h"

static void greet(void)
{
    uint64_t memory = 0;
    unsigned up = 0;

    for (unsigned i = 0; i < vmm_board.nr_memory; i++)
        memory += vmm_board.memory[i].size;
    for (unsigned i = 0; i < vmm_nr_cpus; i++)
        up += vmm_cpus[i].up;
    vmm_log(VMM_INFO, "arm_vcpu %s, MIDR %lx, E2H=%d", AVC_VERSION, vmm_read_MIDR_EL1(), vmm_host_vhe());
    vmm_log(VMM_INFO, "%u of %u CPUs, %lu MiB of memory, %lu MiB free, counter at %lu Hz", up, vmm_board.nr_cpus_seen,
            memory >> 20, vmm_pages_free_bytes() >> 20, vmm_time_hz());
}

static void map_data(uint64_t base, uint64_t size)
{
    vmm_map(base, size, VMM_MAP_DATA);
}

/* The image has its own permissions and holes. What the tree says is not to be mapped, a CPU may not even speculate
   into. */
static void map_memory(void)
{
    struct vmm_range hole[1 + VMM_MAX_RESERVED] = { { (uintptr_t)_start, (uint64_t)(vmm_image_end - _start) } };

    for (unsigned i = 0; i < vmm_board.nr_no_map; i++)
        hole[1 + i] = vmm_board.no_map[i];
    for (unsigned i = 0; i < vmm_board.nr_memory; i++)
        vmm_board_pieces(&vmm_board.memory[i], hole, 1 + vmm_board.nr_no_map, map_data);
}

static void map_board(void)
{
    map_memory();
    if (vmm_board.rtc)
        vmm_map(vmm_board.rtc, VMM_PAGE_SIZE, VMM_MAP_DEVICE);
    /* Several share a page. */
    for (unsigned i = 0; i < vmm_board.nr_virtio; i++)
        if (!i || vmm_board.virtio[i].base / VMM_PAGE_SIZE != vmm_board.virtio[i - 1].base / VMM_PAGE_SIZE)
            vmm_map(vmm_board.virtio[i].base, VMM_VIRTIO_MMIO_SIZE, VMM_MAP_DEVICE);
    vmm_map(vmm_board.gicd.base, vmm_board.gicd.size, VMM_MAP_DEVICE);
    for (unsigned i = 0; i < vmm_board.nr_gicr; i++)
        vmm_map(vmm_board.gicr[i].base, vmm_board.gicr[i].size, VMM_MAP_DEVICE);
}

_Noreturn void vmm_main(uint64_t fdt)
{
    vmm_board_discover(fdt);
    vmm_map(vmm_board.guest_uart.base, VMM_PAGE_SIZE, VMM_MAP_DEVICE);
    if (vmm_board.log_uart.base)
        vmm_map(vmm_board.log_uart.base, VMM_PAGE_SIZE, VMM_MAP_DEVICE);
    vmm_log_out_init();
    vmm_options_parse(vmm_board.bootargs);
    if (!vmm_mmu_set_vhe(vmm_options.host_vhe))
        vmm_log(VMM_WARN, "host-vhe=%s: this CPU cannot do that", vmm_options.host_vhe ? "on" : "off");

    map_board();
    vmm_pages_init();
    vmm_gic_init();
    vmm_hal_init();
    vmm_sched_init(vmm_board.nr_cpus, vmm_time_from_ms(VMM_SLICE_MS));
    vmm_cpu_init(vmm_cpu_self());
    vmm_smp_start();
    greet();

    if (vmm_options.selftest)
        vmm_selftest();
    else
        vmm_guest_init();
    vmm_log_start();
    vmm_sched_loop();
}
