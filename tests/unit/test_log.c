/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Log lines, panics, and an exception at EL2 in a guest's vectors; and a lock that another CPU holds. */
#include "world.h"

#include <cmocka.h>

#include "core/exit/dump.h"
#include "core/log.h"
#include "hw/offsets.h"

static char said[1024];
static jmp_buf out;

static void keep(void *context, enum avc_log_level level, const char *line)
{
    (void)context, (void)level;
    strcat(strcat(said, line), "\n");
}

static void stop(void *context, const char *why)
{
    (void)context;
    strcat(said, why);
    longjmp(out, 1);
}

/* Called by a pointer, so that the compiler does not check the formats, which are wrong on purpose. */
static void (*const any_log)(const struct avc_hal *, enum avc_log_level, const char *, ...) = avc_log;

static const struct avc_hal hal = { .log = keep, .panic = stop };

#define SAYS(text, ...)                                                                                                \
    do {                                                                                                               \
        said[0] = '\0';                                                                                                \
        any_log(&hal, AVC_LOG_INFO, __VA_ARGS__);                                                                      \
        assert_string_equal(said, text "\n");                                                                          \
    } while (0)

static void lines(void **state)
{
    char longer[512], all[161];

    (void)state;
    SAYS("", "%s", "");
    SAYS("a 1 b ff c", "a %u %s %x %s", 1u, "b", 0xffu, "c");
    SAYS("0", "%u", 0u);
    SAYS("4294967295 ffffffff", "%u %x", ~0u, ~0u);
    SAYS("18446744073709551615 ffffffffffffffff", "%lu %lx", ~0ul, ~0ul);
    SAYS("123456789012345678", "%llu", 123456789012345678ull);
    SAYS("   7 0007 12345 00ff", "%4u %04u %2u %04x", 7u, 7u, 12345u, 0xffu);
    SAYS("100%", "100%%");
    SAYS("?", "%?");        /* an unknown conversion is shown */
    SAYS("end ", "end %");  /* a format may end too early, */
    SAYS("end ", "end %0"); /* at any place */
    SAYS("end ", "end %12l");
    memset(longer, 'x', sizeof longer);
    longer[sizeof longer - 1] = '\0';
    memset(all, 'x', sizeof all);
    all[159] = '\n';
    all[160] = '\0';
    said[0] = '\0';
    avc_log(&hal, AVC_LOG_INFO, "%s", longer); /* too long, so it is cut off */
    assert_string_equal(said, all);
    avc_log(NULL, AVC_LOG_INFO, "nobody");
    avc_log(&(struct avc_hal){ .panic = stop }, AVC_LOG_INFO, "nobody listens");
}

/* If the panic function returns, or is missing, the CPU must stay here for good. */
static unsigned relaxed;

static void stays(enum fake_op op, uint64_t value)
{
    (void)value;
    if (op == FAKE_OP_relax && ++relaxed == 3)
        longjmp(out, 1);
}

static void returns(void *context, const char *why)
{
    (void)context;
    strcat(said, why);
}

static __attribute__((noinline)) void panic_stays(const struct avc_hal *of)
{
    fake_reset();
    fake_on_op = stays;
    said[0] = '\0';
    relaxed = 0;
    if (!setjmp(out))
        avc_panic(of, "reason");
    assert_int_equal(relaxed, 3);
}

static void panics(void **state)
{
    (void)state;
    panic_stays(&(struct avc_hal){ .panic = returns });
    assert_string_equal(said, "reason");
    panic_stays(&(struct avc_hal){ .log = keep });
    assert_string_equal(said, "");
    panic_stays(NULL);
    assert_string_equal(said, "");
}

/* ---- an exception at EL2 while a guest runs: the vCPU is found on the stack ---- */

static uint64_t stack[4096] __attribute__((aligned(16)));

static void trap_host(void)
{
    said[0] = '\0';
    if (!setjmp(out))
        avc_trap_host(5, (uintptr_t)&stack[8], UINT64_C(0x96000045), 0x1000, 0x2000);
}

static void in_the_guests_vectors(void **state)
{
    struct avc_vcpu *vcpu;

    (void)state;
    world_make();
    world.hal.log = keep;
    world.hal.panic = stop;
    vcpu = world_load();
    vcpu->pc = 0x40001234;
    memset(stack, 0, sizeof stack);
    stack[100] = (uintptr_t)vcpu;
    stack[101] = (uintptr_t)&stack[100] - FRAME_VCPU;
    trap_host();
    assert_non_null(strstr(said, "arm_vcpu: IRQ at EL2\n"));
    assert_non_null(strstr(said, "vCPU 0 is here, last known PC 0000000040001234"));
    assert_non_null(strstr(said, "an exception at EL2 while a guest was running"));
    assert_int_equal(world.pcpu.dumps, 1);
    trap_host(); /* the log has failed, so it is not called again */
    assert_string_equal(said, "an exception at EL2 while a guest was running");
    fake_on_op = stays; /* the panic function has failed, too: the CPU stays here */
    relaxed = 0;
    trap_host();
    assert_string_equal(said, "");
    assert_int_equal(relaxed, 3);
}

/* Pairs on the stack that only look like the right one. Without a vCPU there is no HAL, and so no output. */
static void no_vcpu(void **state)
{
    (void)state;
    world_make();
    fake_on_op = stays;
    memset(stack, 0, sizeof stack);
    stack[11] = (uintptr_t)&stack[10] - FRAME_VCPU; /* null */
    stack[20] = 0x1001;                             /* not aligned */
    stack[21] = (uintptr_t)&stack[20] - FRAME_VCPU;
    relaxed = 0;
    trap_host();
    assert_string_equal(said, "");
    assert_int_equal(relaxed, 3);
}

/* TPIDR_EL2 holds a value of the host's. */
static __attribute__((noinline)) void host_trap_stays(struct avc_pcpu *p)
{
    world_make();
    fake_on_op = stays;
    relaxed = 0;
    said[0] = '\0';
    if (!setjmp(out))
        avc_host_trap(4, 0x1000, UINT64_C(0x96000045), 0x1000, 0x2000, p);
    assert_string_equal(said, "");
    assert_int_equal(relaxed, 3);
}

static void not_a_pcpu(void **state)
{
    (void)state;
    host_trap_stays(NULL);
    host_trap_stays(&(struct avc_pcpu){ .magic = 1 });
}

/* ---- a lock ---- */

static struct avc_lock lock;
static unsigned waits;

static void frees(enum fake_op op, uint64_t value)
{
    if (op != FAKE_OP_wait_while_set)
        return;
    assert_ptr_equal((void *)(uintptr_t)value, &lock.held);
    if (++waits == 2) /* the first event was another's */
        lock.held = 0;
}

static void locked(void **state)
{
    (void)state;
    fake_reset();
    fake_on_op = frees;
    avc_lock(&lock);
    assert_int_equal(waits, 0);
    avc_lock(&lock);
    assert_int_equal(waits, 2);
    assert_int_equal(lock.held, 1);
    avc_unlock(&lock);
    assert_int_equal(lock.held, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines),   cmocka_unit_test(panics),     cmocka_unit_test(in_the_guests_vectors),
        cmocka_unit_test(no_vcpu), cmocka_unit_test(not_a_pcpu), cmocka_unit_test(locked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
