/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The guest machine. It is made once from the options and the images, started, and started again when the guest resets
 * itself. map.h says where its parts are.
 */
#include <avc/psci.h>

#include "dma.h"
#include "guest.h"
#include "stat.h"
#include "virtio.h"

struct vmm_guest vmm_guest;

static void must(enum avc_status status, const char *what)
{
    if (status)
        vmm_exit(VMM_EXIT_FAILURE, "%s: %s", what, avc_status_text(status));
}

static void must_not(const char *error)
{
    if (error)
        vmm_exit(VMM_EXIT_FAILURE, "%s", error);
}

/* ---- stage 2's pages: EL2 sees all memory at its physical address ---- */

static void *page_get(void *ctx, size_t bytes, avc_pa_t *pa)
{
    void *p = vmm_pages_alloc(bytes, bytes);

    (void)ctx;
    *pa = (uintptr_t)p;
    return p;
}

static void page_put(void *ctx, void *va, size_t bytes)
{
    (void)ctx;
    vmm_pages_free(va, bytes);
}

static void *page_at(void *ctx, avc_pa_t pa)
{
    (void)ctx;
    return (void *)pa;
}

static const struct avc_mem pages = { .get = page_get, .put = page_put, .at = page_at };

/* ---- devices ---- */

static void drive(uint32_t spi, bool level)
{
    must(avc_vm_set_irq(&vmm_guest.vm, VMM_GUEST_SPI(spi), level), "a device's interrupt");
}

static void uart_irq(void *ctx, bool level)
{
    (void)ctx;
    drive(VMM_GUEST_UART_SPI, level);
}

static void rtc_irq(void *ctx, bool level)
{
    (void)ctx;
    drive(VMM_GUEST_RTC_SPI, level);
}

static void virtio_irq(void *ctx, bool level)
{
    drive(VMM_GUEST_VIRTIO_SPI + (uint32_t)(uintptr_t)ctx, level);
}

static void gpio_irq(void *ctx, bool level)
{
    (void)ctx;
    drive(VMM_GUEST_GPIO_SPI, level);
}

/* The board's power button is the guest's. */
static void button(void *ctx, bool down)
{
    vmm_pl061_pin(ctx, VMM_GUEST_BUTTON_PIN, down);
}

/* Runs in a claim. It never waits: the board's driver has a queue. */
static void console_put(void *ctx, uint8_t byte)
{
    (void)ctx;
    vmm_console_putc(byte);
}

static int console_get(void *ctx)
{
    (void)ctx;
    return vmm_console_getc();
}

static void console_resume(void *ctx)
{
    (void)ctx;
    vmm_console_rx_resume();
}

static void console_ready(void *ctx)
{
    vmm_pl011_ready(ctx);
}

static const struct vmm_pl011_host console = { .put = console_put, .get = console_get, .resume = console_resume };

static uint64_t seconds(void *ctx)
{
    (void)ctx;
    return vmm_time_now() / vmm_time_hz();
}

/* A store may have moved the alarm, so its task looks at it. */
static enum avc_answer rtc_access(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    enum avc_answer answer = vmm_mmio_access(vcpu, e, ctx);

    if (e->write)
        vmm_sched_wake(&vmm_guest.alarm);
    return answer;
}

static enum vmm_step look_at_alarm(struct vmm_task *task, uint64_t *deadline)
{
    uint64_t next = vmm_pl031_poll(&vmm_guest.rtc);

    (void)task;
    *deadline = next >= UINT64_MAX / vmm_time_hz() ? VMM_NEVER : next * vmm_time_hz();
    return VMM_STEP_BLOCK;
}

static void claim(enum avc_kind kind, uint64_t first, uint64_t size, avc_claim_fn *fn, void *ctx)
{
    struct avc_claim c = { .kind = kind, .first = first, .last = first + size - 1, .fn = fn, .ctx = ctx };

    must(avc_vm_claim(&vmm_guest.vm, &c), "a claim");
}

static void make_flash(void)
{
    struct vmm_guest *g = &vmm_guest;
    const struct vmm_range *firmware = &vmm_board.firmware;

    must_not(vmm_flash_init(&g->flash[0], VMM_GUEST_FLASH, &g->stage2, (uint8_t *)(uintptr_t)firmware->base,
                            firmware->size));
    must_not(vmm_flash_init(&g->flash[1], VMM_GUEST_FLASH + VMM_GUEST_FLASH_SIZE, &g->stage2, NULL, 0));
    if (vmm_options.flash_vars) {
        if (vmm_board.flash[1].size != VMM_GUEST_FLASH_SIZE)
            vmm_exit(VMM_EXIT_FAILURE, "flash-vars: the board has no second flash bank of 64 MiB");
        must_not(vmm_nor_init(&g->vars, &vmm_board.flash[1]));
        vmm_flash_use(&g->flash[1], &g->vars);
    }
    for (unsigned i = 0; i < 2; i++)
        claim(AVC_MMIO, g->flash[i].cfi.mmio.base, VMM_GUEST_FLASH_SIZE, vmm_cfi_access, &g->flash[i].cfi);
}

static bool dma_load(void *ctx, uint64_t from, void *to, uint32_t bytes, void (*look)(void))
{
    return vmm_dma_load(ctx, from, to, bytes, look);
}

static bool dma_store(void *ctx, uint64_t to, const void *from, uint32_t bytes, void (*look)(void))
{
    return vmm_dma_store(ctx, to, from, bytes, look);
}

/* What firmware finds there, as on the `virt` machine. There is no etc/table-loader, so edk2 makes no ACPI tables, and
   hands the device tree on. */
static void make_fwcfg(void)
{
    static const struct vmm_fwcfg_host host = { .load = dma_load, .store = dma_store, .ctx = &vmm_guest.ram };
    static const uint8_t uuid[16];
    const struct vmm_module *kernel = &vmm_board.kernel, *initrd = &vmm_board.ramdisk;
    struct vmm_fwcfg *c = &vmm_guest.fwcfg;
    const char *args = kernel->bootargs;

    vmm_fwcfg_init(c, VMM_GUEST_FWCFG, &host);
    vmm_assert(vmm_fwcfg_add(c, VMM_FWCFG_UUID, uuid, sizeof(uuid)) &&
               vmm_fwcfg_add_number(c, VMM_FWCFG_RAM_SIZE, vmm_guest.ram.size, 8) &&
               vmm_fwcfg_add_number(c, VMM_FWCFG_NOGRAPHIC, 1, 2) &&
               vmm_fwcfg_add_number(c, VMM_FWCFG_NB_CPUS, vmm_guest.nr_vcpus, 2) &&
               vmm_fwcfg_add_number(c, VMM_FWCFG_BOOT_MENU, 0, 2));
    if (kernel->size)
        vmm_assert(vmm_fwcfg_add_number(c, VMM_FWCFG_KERNEL_SIZE, (uint32_t)kernel->size, 4) &&
                   vmm_fwcfg_add(c, VMM_FWCFG_KERNEL_DATA, (const void *)kernel->base, (uint32_t)kernel->size) &&
                   vmm_fwcfg_add_number(c, VMM_FWCFG_CMDLINE_SIZE, strlen(args) + 1, 4) &&
                   vmm_fwcfg_add(c, VMM_FWCFG_CMDLINE_DATA, args, (uint32_t)strlen(args) + 1));
    if (initrd->size)
        vmm_assert(vmm_fwcfg_add_number(c, VMM_FWCFG_INITRD_SIZE, (uint32_t)initrd->size, 4) &&
                   vmm_fwcfg_add(c, VMM_FWCFG_INITRD_DATA, (const void *)initrd->base, (uint32_t)initrd->size));
    claim(AVC_MMIO, VMM_GUEST_FWCFG, VMM_FWCFG_SIZE, vmm_fwcfg_access, c);
}

/* The page is the hypervisor's. The guest reads it. */
static void make_pvtime(void)
{
    struct vmm_guest *g = &vmm_guest;
    void *page = vmm_pages_alloc(VMM_PAGE_SIZE, VMM_PAGE_SIZE);

    if (!page)
        vmm_exit(VMM_EXIT_FAILURE, "no memory for the guest's stolen time");
    vmm_zero_out(page, VMM_PAGE_SIZE);
    vmm_pvtime_init(&g->pvtime, VMM_GUEST_PVTIME, page, g->nr_vcpus, vmm_time_hz());
    must(avc_stage2_map(&g->stage2, VMM_GUEST_PVTIME, (uintptr_t)page, VMM_PAGE_SIZE, AVC_R | AVC_NORMAL),
         "the guest's stolen time");
    claim(AVC_CALL, VMM_PVTIME_FEATURES, 2, vmm_pvtime_call, &g->pvtime);
    claim(AVC_CALL, VMM_ARCH_FEATURES, 1, vmm_pvtime_call, &g->pvtime);
}

bool vmm_guest_device_exit(struct avc_exit *e)
{
    if (vmm_fwcfg_has(&vmm_guest.fwcfg, e->key))
        return vmm_fwcfg_exit(&vmm_guest.fwcfg, e, vmm_irq_window);
    for (unsigned i = 0; i < 2; i++) {
        struct vmm_cfi *cfi = &vmm_guest.flash[i].cfi;

        if (vmm_cfi_has(cfi, e->key))
            return vmm_cfi_exit(cfi, e, vmm_irq_window);
    }
    return vmm_slots_exit(&vmm_guest.slots, e, vmm_irq_window);
}

static void make_devices(void)
{
    struct vmm_guest *g = &vmm_guest;

    make_flash();
    make_fwcfg();
    make_pvtime();
    vmm_pl061_init(&g->gpio, VMM_GUEST_GPIO);
    g->gpio.mmio.irq = gpio_irq;
    claim(AVC_MMIO, VMM_GUEST_GPIO, VMM_PL061_SIZE, vmm_mmio_access, &g->gpio.mmio);

    vmm_pl011_init(&g->uart, VMM_GUEST_UART, &console);
    g->uart.mmio.irq = uart_irq;
    claim(AVC_MMIO, VMM_GUEST_UART, VMM_PL011_SIZE, vmm_pl011_access, &g->uart);

    vmm_pl031_init(&g->rtc, VMM_GUEST_RTC, (uint32_t)vmm_rtc_now(), seconds, NULL);
    g->rtc.mmio.irq = rtc_irq;
    vmm_task_init(&g->alarm);
    g->alarm.step = look_at_alarm;
    claim(AVC_MMIO, VMM_GUEST_RTC, VMM_PL031_SIZE, rtc_access, &g->rtc.mmio);

    vmm_slots_init(&g->slots, VMM_GUEST_VIRTIO);
    vmm_guest_virtio_init(&g->slots, &g->ram, virtio_irq);
    claim(AVC_MMIO, VMM_GUEST_VIRTIO, VMM_SLOTS_SIZE, vmm_slots_access, &g->slots);
}

/* ---- the machine ---- */

static void *guest_memory(void *ctx, avc_ipa_t ipa, size_t size)
{
    (void)ctx;
    return vmm_ram_at(&vmm_guest.ram, ipa, size);
}

static void make_vm(void)
{
    struct vmm_guest *g = &vmm_guest;
    struct avc_vm_config vm = {
        .stage2 = &g->stage2,
        .vcpus = g->vcpu_list,
        .max_vcpus = g->nr_vcpus,
        .claims = g->claim,
        .max_claims = sizeof(g->claim) / sizeof(g->claim[0]),
        /* A vCPU that waits for another one that does not run would spin its slice away. */
        .flags = g->nr_vcpus > vmm_nr_cpus ? AVC_VM_TRAP_WFE : 0,
    };
    struct avc_vgic_config gic = {
        .dist_base = VMM_GUEST_GICD,
        .redist_base = VMM_GUEST_GICR,
        .nr_spis = VMM_GUEST_SPIS,
        .max_vcpus = g->nr_vcpus,
        .spis = g->vgic_spis,
        .cpus = g->vgic_cpu,
    };

    struct avc_decoder_config decoder = {
        .memory = guest_memory,
        .cpus = g->decoder_cpu,
        .max_vcpus = VMM_MAX_VCPUS,
        .across_pages = true,
    };

    must(avc_stage2_init(&g->stage2, &vmm_machine, &pages, 0), "stage 2");
    must(avc_vm_init(&g->vm, &vmm_machine, &vm), "the VM");
    must(avc_psci_attach(&g->vm), "the guest's firmware");
    must(avc_vgic_attach(&g->vgic, &g->vm, &gic), "the guest's interrupt controller");
    must(avc_decoder_attach(&g->decoder, &g->vm, &decoder), "the guest's decoder");
    claim(AVC_CALL, VMM_CALL_ADD, 1, NULL, NULL);
    make_devices();
    vmm_strace_init(&g->vm);
    for (unsigned i = 0; i < g->nr_vcpus; i++) {
        struct avc_vcpu_config vcpu = { .mpidr = i, .user = &g->vcpu[i] };

        vmm_task_init(&g->vcpu[i].task);
        g->vcpu[i].ready = VMM_NEVER;
        must(avc_vcpu_init(&g->vcpu[i].vcpu, &g->vm, &vcpu), "a vCPU");
    }
    vmm_stat_init();
    must(avc_vm_seal(&g->vm), "sealing"); /* before any CPU has interrupts to look for */
}

/* Page sizes that EL1 of this CPU has (Arm ARM, ID_AA64MMFR0_EL1: TGran4, TGran64, TGran16). */
static uint32_t granules(void)
{
    uint64_t mmfr0 = vmm_read_ID_AA64MMFR0_EL1();

    return ((mmfr0 >> 28 & 15) != 15 ? VMM_GRANULE_4K : 0) | ((mmfr0 >> 24 & 15) != 15 ? VMM_GRANULE_64K : 0) |
           ((mmfr0 >> 20 & 15) != 0 ? VMM_GRANULE_16K : 0);
}

static uint8_t *make_dtb(const void *seeds)
{
    struct vmm_guest *g = &vmm_guest;
    uint64_t mpidr[VMM_MAX_VCPUS];
    struct vmm_fdt_info info = {
        .cpus = g->nr_vcpus,
        .mpidr = mpidr,
        .ram = g->ram.base,
        .ram_size = g->ram.size,
        .initrd = g->layout.initrd,
        .initrd_end = g->layout.initrd_end,
        .bootargs = vmm_board.kernel.bootargs,
        .host = seeds,
    };
    uint8_t *dtb = vmm_pages_alloc(VMM_DTB_ROOM, VMM_PAGE_SIZE);

    if (!dtb)
        vmm_exit(VMM_EXIT_FAILURE, "no memory for the guest's device tree");
    for (unsigned i = 0; i < g->nr_vcpus; i++)
        mpidr[i] = i;
    must_not(vmm_fdt_make(dtb, VMM_DTB_ROOM, &info));
    return dtb;
}

static void load(avc_ipa_t to, const void *from, uint64_t bytes, void (*look)(void))
{
    vmm_assert(vmm_ram_write(&vmm_guest.ram, to, from, bytes, look)); /* vmm_image_place() has looked */
}

/* Puts the images into memory and switches the first vCPU on, which wakes its task. look: looks for interrupts. */
static void start(const uint8_t *dtb, void (*look)(void))
{
    struct vmm_guest *g = &vmm_guest;

    if (vmm_options.prefault)
        vmm_ram_touch_all(&g->ram, look);
    if (vmm_board.firmware.size) {
        /* As on the `virt` machine: firmware begins at the first flash bank, and finds the tree where memory begins. */
        load(VMM_GUEST_RAM, dtb, VMM_DTB_ROOM, look);
        must(avc_vcpu_start(&g->vcpu[0].vcpu, VMM_GUEST_FLASH, 0), "the first vCPU");
        return;
    }
    load(g->layout.dtb, dtb, VMM_DTB_ROOM, look);
    if (g->layout.dtb_copy)
        load(g->layout.dtb_copy, dtb, VMM_DTB_ROOM, look);
    for (unsigned i = 0; i < g->image.nr; i++) {
        const struct vmm_image_part *p = &g->image.part[i];

        load(p->at, (const uint8_t *)vmm_board.kernel.base + p->from, p->bytes, look);
    }
    if (g->layout.initrd)
        load(g->layout.initrd, (const void *)vmm_board.ramdisk.base, vmm_board.ramdisk.size, look);
    must(avc_vcpu_start(&g->vcpu[0].vcpu, g->image.entry, g->layout.dtb), "the first vCPU");
}

/* Names the places, which the kernel's file says and not its user. */
static _Noreturn void refuse_place(const char *error)
{
    const struct vmm_image *image = &vmm_guest.image;
    uint64_t low = UINT64_MAX, high = 0;

    for (unsigned i = 0; i < image->nr; i++) {
        const struct vmm_image_part *p = &image->part[i];
        uint64_t end = p->size < UINT64_MAX - p->at ? p->at + p->size : UINT64_MAX;

        low = p->at < low ? p->at : low;
        high = end > high ? end : high;
    }
    vmm_exit(VMM_EXIT_FAILURE, "%s: it goes to 0x%llx..0x%llx, memory is 0x%llx..0x%llx", error,
             (unsigned long long)low, (unsigned long long)high, (unsigned long long)VMM_GUEST_RAM,
             (unsigned long long)(VMM_GUEST_RAM + vmm_options.memory));
}

static void place_kernel(void)
{
    struct vmm_guest *g = &vmm_guest;
    const char *error;

    if (!vmm_board.kernel.size)
        vmm_exit(VMM_EXIT_FAILURE, "no kernel was loaded: /chosen has no multiboot,kernel module");
    must_not(vmm_image_check((const void *)vmm_board.kernel.base, vmm_board.kernel.size, granules(),
                             vmm_options.kernel_at, &g->image));
    error = vmm_image_place(VMM_GUEST_RAM, vmm_options.memory, &g->image, vmm_board.ramdisk.size, &g->layout);
    if (error && g->image.fixed)
        refuse_place(error);
    must_not(error);
}

static void say_what(void)
{
    const struct vmm_guest *g = &vmm_guest;
    const struct vmm_layout *l = &g->layout;
    char what[80];

    if (vmm_board.firmware.size)
        vmm_snprintf(what, sizeof(what), "firmware of %llu KiB", (unsigned long long)vmm_board.firmware.size >> 10);
    else
        vmm_snprintf(what, sizeof(what), "kernel at 0x%llx, %s0x%llx", (unsigned long long)g->image.entry,
                     l->initrd ? "initrd at " : "device tree at ",
                     (unsigned long long)(l->initrd ? l->initrd : l->dtb));
    vmm_log(VMM_INFO, "guest: %u vCPU%s, %llu MiB in %u piece%s, %s", g->nr_vcpus, g->nr_vcpus == 1 ? "" : "s",
            (unsigned long long)g->ram.size >> 20, g->ram.nr, g->ram.nr == 1 ? "" : "s", what);
}

void vmm_guest_init(void)
{
    struct vmm_guest *g = &vmm_guest;

    g->nr_vcpus = vmm_options.cpus;
    if (g->nr_vcpus < 1 || g->nr_vcpus > VMM_MAX_VCPUS)
        vmm_exit(VMM_EXIT_FAILURE, "a guest has 1 to %d vCPUs, not %u", VMM_MAX_VCPUS, g->nr_vcpus);
    if (!vmm_board.firmware.size)
        place_kernel();
    if (!vmm_ram_init(&g->ram, VMM_GUEST_RAM, vmm_options.memory, &g->stage2))
        vmm_exit(VMM_EXIT_FAILURE, "no memory for the guest: %llu MiB wanted, %llu MiB free",
                 (unsigned long long)vmm_options.memory >> 20, (unsigned long long)vmm_pages_free_bytes() >> 20);
    /* Makes both trees now: libfdt may use SIMD registers, which are a guest's later. The second tree has no random
       seeds, because seeds are used once. */
    g->first_dtb = make_dtb((const void *)vmm_board.fdt);
    g->dtb = make_dtb(NULL);
    make_vm();
    vmm_console_init(console_ready, &g->uart);
    vmm_button_init(button, &g->gpio);
    say_what();
    start(g->first_dtb, NULL);
}

bool vmm_guest_reset(void)
{
    struct vmm_guest *g = &vmm_guest;

    if (!vmm_sched_stop())
        return false; /* another vCPU was faster and is doing it */
    if (++g->resets > VMM_MAX_RESETS) {
        vmm_stat_print();
        vmm_exit(VMM_EXIT_CRASH, "the guest reset itself %u times", g->resets);
    }
    vmm_log(VMM_INFO, "guest: reset %u", g->resets);
    for (unsigned i = 0; i < g->nr_vcpus; i++) {
        vmm_task_park(&g->vcpu[i].task);
        g->vcpu[i].ready = VMM_NEVER;
        must(avc_vcpu_reset(&g->vcpu[i].vcpu), "a vCPU's reset");
    }
    vmm_pl011_reset(&g->uart);
    vmm_pl031_reset(&g->rtc);
    vmm_pl061_reset(&g->gpio);
    vmm_fwcfg_reset(&g->fwcfg);
    vmm_pvtime_reset(&g->pvtime);
    for (unsigned i = 0; i < 2; i++)
        vmm_cfi_reset(&g->flash[i].cfi, vmm_irq_window);
    vmm_guest_virtio_reset(&g->slots);
    must(avc_vgic_reset(&g->vgic), "the interrupt controller's reset");
    vmm_assert(vmm_ram_reset(&g->ram)); /* the devices are reset: none has memory of the guest's */
    vmm_strace_reset();
    /* A guest may rely on the TLBs that a real reset leaves empty. */
    must(avc_stage2_flush(&g->stage2), "the TLBs' flush");
    start(g->dtb, vmm_irq_window);
    vmm_sched_resume();
    return true;
}
