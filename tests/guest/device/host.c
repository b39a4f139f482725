/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Devices behind MMIO claims. There is one kind of device. Some of its devices are answered by claims, one by the VMM's
 * loop.
 */
#include "testvm.h"

#include "../device/device.h"

static struct test_vm vm;
static uint64_t exits, stage2_exits;

/* ---- a device, as a library of devices may have it ---- */

struct device;
struct device_ops {
    uint64_t (*read)(struct device *d, unsigned at, unsigned size);
    void (*write)(struct device *d, unsigned at, unsigned size, uint64_t value);
};

struct device {
    const struct device_ops *ops;
    uint64_t base, reads, writes, size, value;
    uint8_t bytes[16];
};

static uint64_t bytes_read(struct device *d, unsigned at, unsigned size)
{
    uint64_t value = 0;

    for (unsigned n = 0; n < size; n++)
        value |= (uint64_t)d->bytes[(at + n) % 16] << 8 * n;
    return value;
}

static void bytes_write(struct device *d, unsigned at, unsigned size, uint64_t value)
{
    for (unsigned n = 0; n < size; n++)
        d->bytes[(at + n) % 16] = (uint8_t)(value >> 8 * n);
}

static const struct device_ops bytes = { bytes_read, bytes_write };
static struct device devices[DEVICES + 1]; /* the last one is flash */

static enum avc_answer access(struct device *d, struct avc_exit *e)
{
    unsigned at = (unsigned)(e->key - d->base);

    d->size = e->size;
    if (!e->write) {
        d->reads++;
        return avc_done(e, d->ops->read(d, at, e->size));
    }
    d->writes++;
    d->value = e->value;
    d->ops->write(d, at, e->size, e->value);
    e->answer = AVC_DONE;
    return AVC_DONE;
}

static enum avc_answer on_device(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    return access(ctx, e);
}

/* ---- two registers in a page of the library's distributor ---- */

static enum avc_answer on_gicd(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    if (e->key < GUEST_DIST && !e->write)
        return avc_done(e, 0xb0);
    if (e->key == GICD_IIDR && !e->write)
        return avc_done(e, OUR_IIDR);
    return AVC_PASS;
}

/* ---- calls, the VMM's loop ---- */

static enum avc_answer on_call(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    const struct device *d = &devices[avc_vcpu_gpr(vcpu, 2) % (DEVICES + 1)];
    const uint64_t answers[] = {
        [ASK_READS] = d->reads,
        [ASK_WRITES] = d->writes,
        [ASK_SIZE] = d->size,
        [ASK_VALUE] = d->value,
        [ASK_EXITS] = exits,
        [ASK_STAGE2] = stage2_exits,
        [ASK_NOT_DECODED] = vcpu->nr_isv0,
    };
    uint64_t x1 = avc_vcpu_gpr(vcpu, 1);

    if (e->key == CALL_ASK)
        return x1 <= ASK_NOT_DECODED ? avc_done(e, answers[x1]) : AVC_FAULT;
    host_putc((char)x1);
    return avc_done(e, 0);
}

static bool on_exit(struct avc_vcpu *vcpu, struct avc_exit *e)
{
    stage2_exits += e->kind == AVC_STAGE2;
    if (e->kind == AVC_MMIO && e->key >= DEVICE(2) && e->key < DEVICE_GAP) {
        exits++;
        access(&devices[2], e);
        return true;
    }
    return e->kind == AVC_STAGE2; /* leaves the preset answer */
}

static void map(uint64_t at, uint32_t attrs)
{
    static const uint64_t pattern[2] = { PATTERN, PATTERN };
    avc_pa_t pa;
    void *page = host_mem.get(host_mem.ctx, 4096, &pa);

    host_must(page ? AVC_OK : AVC_ENOMEM);
    host_copy_code(page, pattern, sizeof pattern);
    host_must(avc_stage2_map(&vm.stage2, at, pa, 4096, attrs));
}

static void expect(enum avc_status want, uint64_t first, uint64_t last)
{
    const struct avc_claim claim = { AVC_MMIO, first, last, on_device, &devices[0] };
    enum avc_status status = avc_vm_claim(&vm.vm, &claim);

    if (status != want) {
        host_printf("Bail out! a claim on %lx..%lx: %s\n", first, last, avc_status_name(status));
        host_off(1);
    }
}

int host_main(void)
{
    static const struct avc_claim claims[] = {
        { AVC_MMIO, DEVICE(0), DEVICE(1) - 1, on_device, &devices[0] },
        { AVC_MMIO, DEVICE(1), DEVICE(2) - 1, on_device, &devices[1] },
        { AVC_MMIO, DEVICE(2), DEVICE(3) - 1, avc_to_vmm, NULL },
        { AVC_MMIO, MEMORY_RW, MEMORY_RO + 0xfff, on_device, &devices[3] },
        { AVC_MMIO, BELOW_GICD, GUEST_DIST + 0xfff, on_gicd, NULL },
        { AVC_CALL, CALL_ASK, CALL_ASK, on_call, NULL },
    };
    const struct test_config config = {
        .claims = claims, .nr_claims = sizeof claims / sizeof claims[0], .putc = on_call, .on_exit = on_exit
    };

    for (unsigned n = 0; n <= DEVICES; n++)
        devices[n] = (struct device){ .ops = &bytes, .base = n < DEVICES ? DEVICE(n) : MEMORY_RW };
    test_cpu_init(0);
    test_vm_init(&vm, &config);
    expect(AVC_EEXIST, DEVICE(1) - 1, DEVICE(1) - 1);
    expect(AVC_EEXIST, DEVICE(0) - 1, DEVICE_GAP);
    expect(AVC_EEXIST, GUEST_DIST + 4, GUEST_DIST + 7); /* the embedder's; the library's own may be covered */
    expect(AVC_ERANGE, 0, UINT64_C(1) << vm.stage2.ipa_bits);
    expect(AVC_ERANGE, DEVICE_GAP + 1, DEVICE_GAP);
    map(MEMORY_RW, AVC_RWX);
    map(MEMORY_RO, AVC_R);
    host_must(avc_vcpu_load(&vm.vcpu[0], &test_pcpu[0]));
    while (!vm.off)
        test_vcpu_step(&vm, 0, &config);
    return 0;
}
