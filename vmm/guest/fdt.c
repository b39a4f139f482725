/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The guest's device tree. It is written with libfdt's sequential calls, node by node in the order of the file.
 * Bindings: Devicetree Specification 0.4, and Linux's Documentation/devicetree/bindings.
 *
 * This runs before any vCPU is loaded. libfdt, as distributions build it, may use SIMD registers, which may be a
 * guest's later.
 */
#include "fdt.h"

#include <libfdt.h>
#include <string.h>

#include "map.h"

#define PHANDLE_GIC   1
#define PHANDLE_CLOCK 2
#define PHANDLE_GPIO  3

/* Interrupt specifiers of the GIC's binding: type, number, flags. */
#define SPI   0
#define PPI   1
#define EDGE  1 /* rising */
#define LEVEL 4 /* high */

struct writer {
    void *buf;
    int error; /* the first one */
};

static void note(struct writer *w, int error)
{
    if (!w->error)
        w->error = error;
}

static void begin(struct writer *w, const char *name)
{
    note(w, fdt_begin_node(w->buf, name));
}

static void end(struct writer *w)
{
    note(w, fdt_end_node(w->buf));
}

static void text(struct writer *w, const char *name, const char *value)
{
    note(w, fdt_property_string(w->buf, name, value));
}

/* A string list: its strings with their terminators, one after the other. */
#define texts(w, name, list) note(w, fdt_property((w)->buf, name, list, sizeof(list)))

static void empty(struct writer *w, const char *name)
{
    note(w, fdt_property(w->buf, name, NULL, 0));
}

static void cell(struct writer *w, const char *name, uint32_t value)
{
    note(w, fdt_property_u32(w->buf, name, value));
}

static void cells(struct writer *w, const char *name, const uint32_t *values, unsigned n)
{
    uint32_t *p;
    void *place;

    note(w, fdt_property_placeholder(w->buf, name, (int)(n * sizeof(*p)), &place));
    if (w->error)
        return;
    p = place;
    while (n--)
        fdt32_st(p++, *values++);
}

#define CELLS(w, name, ...)                                                                                            \
    cells(w, name, (const uint32_t[]){ __VA_ARGS__ }, sizeof((const uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t))

#define U64(v) (uint32_t)((v) >> 32), (uint32_t)(v) /* two cells */

static void cpus(struct writer *w, const struct vmm_fdt_info *info)
{
    static const char names[VMM_MAX_VCPUS][6] = {
        "cpu@0", "cpu@1", "cpu@2", "cpu@3", "cpu@4", "cpu@5", "cpu@6", "cpu@7"
    };

    begin(w, "cpus");
    cell(w, "#address-cells", 1);
    cell(w, "#size-cells", 0);
    for (unsigned i = 0; i < info->cpus; i++) {
        begin(w, names[i]);
        text(w, "device_type", "cpu");
        text(w, "compatible", "arm,armv8");
        cell(w, "reg", (uint32_t)info->mpidr[i]);
        text(w, "enable-method", "psci");
        end(w);
    }
    end(w);
}

static void psci(struct writer *w)
{
    begin(w, "psci");
    texts(w, "compatible", "arm,psci-1.0\0arm,psci-0.2");
    text(w, "method", "hvc");
    end(w);
}

/* Programs that ask what they run under look here. Only "xen", "kvm" and "vmware" in the name mean anything to them. */
static void hypervisor(struct writer *w)
{
    begin(w, "hypervisor");
    text(w, "compatible", "arm-vcpu,vmm");
    end(w);
}

static void timer(struct writer *w)
{
    begin(w, "timer");
    text(w, "compatible", "arm,armv8-timer");
    /* The secure and non-secure physical, the virtual, and the hypervisor timer. */
    CELLS(w, "interrupts", PPI, VMM_GUEST_PTIMER_S_PPI, LEVEL, PPI, VMM_GUEST_PTIMER_PPI, LEVEL, PPI,
          VMM_GUEST_VTIMER_PPI, LEVEL, PPI, VMM_GUEST_HTIMER_PPI, LEVEL);
    empty(w, "always-on"); /* it wakes a waiting vCPU */
    end(w);
}

static void gic(struct writer *w, const struct vmm_fdt_info *info)
{
    begin(w, "intc@8000000");
    text(w, "compatible", "arm,gic-v3");
    cell(w, "#interrupt-cells", 3);
    empty(w, "interrupt-controller");
    cell(w, "#address-cells", 2);
    cell(w, "#size-cells", 2);
    empty(w, "ranges");
    cell(w, "#redistributor-regions", 1);
    CELLS(w, "reg", U64(VMM_GUEST_GICD), U64(VMM_GUEST_GICD_SIZE), U64(VMM_GUEST_GICR),
          U64(VMM_GUEST_GICR_SIZE * info->cpus));
    cell(w, "phandle", PHANDLE_GIC);
    end(w);
}

static void devices(struct writer *w)
{
    begin(w, "apb-pclk");
    text(w, "compatible", "fixed-clock");
    cell(w, "#clock-cells", 0);
    cell(w, "clock-frequency", 24000000);
    text(w, "clock-output-names", "clk24mhz");
    cell(w, "phandle", PHANDLE_CLOCK);
    end(w);

    begin(w, "pl011@9000000");
    texts(w, "compatible", "arm,pl011\0arm,primecell");
    CELLS(w, "reg", U64(VMM_GUEST_UART), U64(VMM_GUEST_DEV_SIZE));
    CELLS(w, "interrupts", SPI, VMM_GUEST_UART_SPI, LEVEL);
    CELLS(w, "clocks", PHANDLE_CLOCK, PHANDLE_CLOCK);
    texts(w, "clock-names", "uartclk\0apb_pclk");
    end(w);

    begin(w, "pl031@9010000");
    texts(w, "compatible", "arm,pl031\0arm,primecell");
    CELLS(w, "reg", U64(VMM_GUEST_RTC), U64(VMM_GUEST_DEV_SIZE));
    CELLS(w, "interrupts", SPI, VMM_GUEST_RTC_SPI, LEVEL);
    CELLS(w, "clocks", PHANDLE_CLOCK);
    text(w, "clock-names", "apb_pclk");
    end(w);

    begin(w, "fw-cfg@9020000");
    text(w, "compatible", "qemu,fw-cfg-mmio");
    CELLS(w, "reg", U64(VMM_GUEST_FWCFG), 0, 0x18);
    empty(w, "dma-coherent");
    end(w);
}

/* The power button is a key on one of the pins; active high. */
static void button(struct writer *w)
{
    begin(w, "pl061@9030000");
    texts(w, "compatible", "arm,pl061\0arm,primecell");
    CELLS(w, "reg", U64(VMM_GUEST_GPIO), U64(VMM_GUEST_DEV_SIZE));
    CELLS(w, "interrupts", SPI, VMM_GUEST_GPIO_SPI, LEVEL);
    empty(w, "gpio-controller");
    cell(w, "#gpio-cells", 2);
    CELLS(w, "clocks", PHANDLE_CLOCK);
    text(w, "clock-names", "apb_pclk");
    cell(w, "phandle", PHANDLE_GPIO);
    end(w);

    begin(w, "gpio-keys");
    text(w, "compatible", "gpio-keys");
    begin(w, "poweroff");
    CELLS(w, "gpios", PHANDLE_GPIO, VMM_GUEST_BUTTON_PIN, 0);
    cell(w, "linux,code", 116); /* KEY_POWER */
    text(w, "label", "GPIO Key Poweroff");
    end(w);
    end(w);
}

/* Two chips in parallel. */
static void flash(struct writer *w)
{
    begin(w, "flash@0");
    text(w, "compatible", "cfi-flash");
    CELLS(w, "reg", U64(VMM_GUEST_FLASH), U64((uint64_t)VMM_GUEST_FLASH_SIZE),
          U64(VMM_GUEST_FLASH + VMM_GUEST_FLASH_SIZE), U64((uint64_t)VMM_GUEST_FLASH_SIZE));
    cell(w, "bank-width", 4);
    end(w);
}

/* As QEMU's `virt` has them: with edges, by ascending address. */
static void transports(struct writer *w)
{
    static const char digits[] = "0123456789abcdef";
    char name[] = "virtio_mmio@a000000";

    for (uint32_t i = 0; i < VMM_GUEST_VIRTIO_SLOTS; i++) {
        uint64_t at = VMM_GUEST_VIRTIO + i * VMM_GUEST_VIRTIO_SIZE;

        for (unsigned digit = 0; digit < 4; digit++)
            name[sizeof(name) - 2 - digit] = digits[at >> 4 * digit & 15];
        begin(w, name);
        text(w, "compatible", "virtio,mmio");
        CELLS(w, "reg", U64(at), U64(VMM_GUEST_VIRTIO_SIZE));
        CELLS(w, "interrupts", SPI, VMM_GUEST_VIRTIO_SPI + i, EDGE);
        empty(w, "dma-coherent");
        end(w);
    }
}

/*
 * Hands on the randomness that the loader made. The hypervisor has no use for it, and there is only one guest. A loader
 * that wants runs to repeat gives none.
 */
static void seed(struct writer *w, const void *host, const char *name)
{
    int length, chosen = host ? fdt_path_offset(host, "/chosen") : -1;
    const void *value = chosen < 0 ? NULL : fdt_getprop(host, chosen, name, &length);

    if (value && length > 0 && length <= 256)
        note(w, fdt_property(w->buf, name, value, length));
}

static void chosen(struct writer *w, const struct vmm_fdt_info *info)
{
    begin(w, "chosen");
    text(w, "stdout-path", "/pl011@9000000");
    if (info->bootargs && *info->bootargs)
        text(w, "bootargs", info->bootargs);
    if (info->initrd_end) {
        CELLS(w, "linux,initrd-start", U64(info->initrd));
        CELLS(w, "linux,initrd-end", U64(info->initrd_end));
    }
    seed(w, info->host, "rng-seed");
    seed(w, info->host, "kaslr-seed");
    end(w);
}

const char *vmm_fdt_make(void *buf, size_t bytes, const struct vmm_fdt_info *info)
{
    struct writer w = { .buf = buf };

    note(&w, fdt_create(buf, (int)bytes));
    note(&w, fdt_finish_reservemap(buf));
    begin(&w, "");
    text(&w, "compatible", "linux,dummy-virt");
    text(&w, "model", "linux,dummy-virt");
    cell(&w, "#address-cells", 2);
    cell(&w, "#size-cells", 2);
    cell(&w, "interrupt-parent", PHANDLE_GIC);
    begin(&w, "aliases");
    text(&w, "serial0", "/pl011@9000000");
    end(&w);
    chosen(&w, info);
    begin(&w, "memory@40000000");
    text(&w, "device_type", "memory");
    CELLS(&w, "reg", U64(info->ram), U64(info->ram_size));
    end(&w);
    cpus(&w, info);
    psci(&w);
    hypervisor(&w);
    timer(&w);
    gic(&w, info);
    devices(&w);
    button(&w);
    flash(&w);
    transports(&w);
    end(&w);
    note(&w, fdt_finish(buf));
    if (!w.error)
        note(&w, fdt_open_into(buf, buf, (int)bytes));
    if (w.error == -FDT_ERR_NOSPACE)
        return "the device tree is too big: is the kernel's command line?";
    return w.error ? fdt_strerror(w.error) : NULL;
}
