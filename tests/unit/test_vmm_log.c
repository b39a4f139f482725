/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The reference hypervisor's log: who logs never waits for the device, and nothing is lost that fits into the ring. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "boot/cpu.h" /* the fake */

#include "kern/log.c"

static struct vmm_cpu cpus[2];
static struct vmm_cpu *self = cpus;

/* The device: what it has taken, and how many bytes it takes before it is full. */
static char taken[1u << 20];
static size_t nr_taken, room, most_at_once;
static unsigned sgis, notified, windows;
static bool has_interrupt;
static uint64_t now;

struct vmm_cpu *vmm_cpu_self(void)
{
    return self;
}

/* Whoever has waited for as long as any device may take waits for ever. */
static unsigned long patience;
static jmp_buf waits;

void vmm_cpu_relax(void)
{
    if (patience && !--patience)
        longjmp(waits, 1);
}

uint64_t vmm_time_now(void)
{
    return now++;
}

uint64_t vmm_time_from_ms(uint64_t ms)
{
    return ms;
}

void vmm_gic_send_sgi(const struct vmm_cpu *target, unsigned sgi)
{
    assert_ptr_equal(target, self);
    assert_int_equal(sgi, VMM_SGI_LOG);
    assert_int_equal(out.lock.taken, 0);
    sgis++;
}

static void accept(char c)
{
    assert_true(nr_taken < sizeof(taken));
    assert_int_not_equal(c, '\0');
    taken[nr_taken++] = c;
}

/* By polling: the device always has room in the end. */
void vmm_log_out_write(const char *s, size_t n)
{
    while (n--)
        accept(*s++);
}

size_t vmm_log_out_try(const char *s, size_t n)
{
    size_t done = 0;

    most_at_once = n > most_at_once ? n : most_at_once;
    for (; done < n; done++) {
        if (!s[done])
            continue;
        if (!room)
            break;
        room--;
        accept(s[done]);
    }
    return done;
}

void vmm_log_out_start(void)
{
}

bool vmm_log_out_notify(void)
{
    notified++;
    return has_interrupt;
}

/* Interrupts are taken: the one that was sent. */
void vmm_irq_window(void)
{
    windows++;
    if (sgis) {
        sgis--;
        vmm_log_send();
    }
}

static int begin(void **state)
{
    (void)state;
    memset(&out, 0, sizeof(out));
    atomic_store(&stopping, NULL);
    self = cpus;
    patience = 0;
    nr_taken = most_at_once = 0;
    sgis = notified = windows = 0;
    room = ~(size_t)0;
    has_interrupt = true;
    vmm_log_set_level(VMM_INFO);
    return 0;
}

static void interrupts(unsigned most)
{
    for (unsigned n = 0; sgis; n++) {
        assert_true(n < most);
        sgis--;
        vmm_log_send();
    }
}

static void check(const char *text)
{
    assert_int_equal(nr_taken, strlen(text));
    assert_memory_equal(taken, text, nr_taken);
}

static void test_boot(void **state)
{
    (void)state;
    vmm_log(VMM_INFO, "one %u", 1u);
    vmm_log(VMM_DEBUG, "not shown");
    check("vmm: one 1\n");
    assert_int_equal(sgis, 0);
}

/* Nobody touches the device who logs. Interrupts write all of it, some bytes each, and then no more come. */
static void test_ring(void **state)
{
    (void)state;
    vmm_log_start();
    for (unsigned n = 0; n < 10; n++)
        vmm_log(VMM_WARN, "line %u", n);
    assert_int_equal(nr_taken, 0);
    assert_int_equal(sgis, 1); /* one interrupt serves all lines */
    interrupts(10);
    check("vmm: line 0\nvmm: line 1\nvmm: line 2\nvmm: line 3\nvmm: line 4\n"
          "vmm: line 5\nvmm: line 6\nvmm: line 7\nvmm: line 8\nvmm: line 9\n");
    assert_in_range(most_at_once, 1, AT_ONCE);
    vmm_log_look();
    assert_int_equal(sgis, 0);
    vmm_log(VMM_INFO, "again");
    assert_int_equal(sgis, 1);
}

/* A device that is full says when it is not, or the CPU's loop looks. */
static void test_full(void **state)
{
    (void)state;
    for (unsigned with = 0; with < 2; with++) {
        begin(NULL);
        has_interrupt = with;
        vmm_log_start();
        room = 7;
        vmm_log(VMM_INFO, "hello");
        interrupts(1);
        check("vmm: he");
        assert_int_equal(notified, 1);
        room = 2;
        vmm_log_look();
        if (with)
            vmm_log_send(); /* the device's interrupt */
        check("vmm: hell");
        assert_int_equal(notified, 2);
        vmm_log(VMM_INFO, "x");
        assert_int_equal(sgis, !with); /* a device that tells needs nothing else */
        room = 100;
        vmm_log_send();
        interrupts(2);
        check("vmm: hello\nvmm: x\n");
    }
}

/* A guest floods the log. Lines are lost as a whole, and counted where they are missing. */
static void test_flood(void **state)
{
    unsigned seen = 0, lost = 0, next = 0, number;
    int length;

    (void)state;
    vmm_log_start();
    room = 0;
    for (unsigned n = 0; n < 5000; n++) {
        vmm_log(VMM_INFO, "%05u %.*s", n, (int)(n % 300), "................................................");
        if (n % 1000 == 999) { /* the device has room for a while */
            room = 20000;
            vmm_log_send();
            interrupts(2000);
            room = 0;
        }
    }
    room = ~(size_t)0;
    vmm_log_send();
    interrupts(2000);
    taken[nr_taken] = '\0';
    for (const char *s = taken; *s; s = strchr(s, '\n') + 1) {
        length = 0;
        if (sscanf(s, "vmm: %u lines of the log were lost here%n", &number, &length) == 1 && s[length] == '\n') {
            lost += number;
            next += number;
            continue;
        }
        assert_int_equal(sscanf(s, "vmm: %05u ", &number), 1);
        assert_int_equal(number, next);
        next++;
        seen++;
    }
    assert_int_equal(seen + lost + out.lost, 5000);
    assert_true(seen > 500 && lost > 100);
}

/* The machine stops: all that waits is written, whatever state the ring is in. */
static void test_end(void **state)
{
    static char all[1u << 20];
    size_t length = 0;

    (void)state;
    srand(1);
    vmm_log_start();
    for (unsigned n = 0; n < 3000; n++) {
        length += (size_t)sprintf(all + length, "vmm: %u%.*s\n", n, (int)(n % 40),
                                  "----------------------------------------");
        vmm_log(VMM_INFO, "%u%.*s", n, (int)(n % 40), "----------------------------------------");
        room = (size_t)(rand() % 100);
        interrupts(20);
        if (n % 16 == 0) {
            room = ~(size_t)0;
            vmm_log_send();
            interrupts(2000);
        }
    }
    vmm_log_stopping();
    sgis = 0;
    vmm_log(VMM_ERROR, "panic");
    assert_int_equal(sgis, 0);
    length += (size_t)sprintf(all + length, "vmm: panic\n");
    vmm_log_take();
    vmm_log_finish();
    check(all);
}

/* The ring is full when the hypervisor panics: nothing of what it says then is lost, and what was lost before is
   counted. */
static void test_end_full(void **state)
{
    unsigned number;
    const char *end;

    (void)state;
    for (unsigned panics = 0; panics < 2; panics++) {
        begin(NULL);
        vmm_log_start();
        room = 0;
        for (unsigned n = 0; n < 1000; n++)
            vmm_log(VMM_INFO, "%04u %.*s", n, 90,
                    "..........................................................................................");
        assert_true(out.lost > 100);
        number = out.lost;
        vmm_log_stopping();
        for (unsigned n = 0; n < 100 * panics; n++)
            vmm_log(VMM_ERROR, "panic %02u", n);
        vmm_log_take();
        vmm_log_finish();
        taken[nr_taken] = '\0';
        end = strstr(taken, "vmm: 0000 ");
        for (unsigned n = 0; n < 1000 - number; n++) {
            unsigned seen = 0;

            assert_int_equal(sscanf(end, "vmm: %04u ", &seen), 1);
            assert_int_equal(seen, n);
            end = strchr(end, '\n') + 1;
        }
        {
            char note[64];
            int length = sprintf(note, "vmm: %u lines of the log were lost here\n", number);

            assert_memory_equal(end, note, (size_t)length);
            end += length;
        }
        for (unsigned n = 0; n < 100 * panics; n++, end = strchr(end, '\n') + 1) {
            unsigned seen = 0;

            assert_int_equal(sscanf(end, "vmm: panic %02u\n", &seen), 1);
            assert_int_equal(seen, n);
        }
        assert_int_equal(*end, '\0');
    }
}

/* While one CPU stops the machine, which takes as long as the device needs, no other CPU gets in: neither one that logs
   nor one whose interrupt writes. But the CPU that stops the machine waits for no lock for ever. */
static void test_end_of_two(void **state)
{
    (void)state;
    for (unsigned sends = 0; sends < 2; sends++) {
        begin(NULL);
        vmm_log_start();
        vmm_log(VMM_INFO, "before");
        vmm_log_stopping();
        vmm_log_take();
        self = &cpus[1];
        patience = 5000000;
        if (!setjmp(waits)) {
            if (sends)
                vmm_log_send();
            else
                vmm_log(VMM_INFO, "meanwhile");
            fail_msg("a CPU got in");
        }
        assert_int_equal(out.lock.taken, 1);
        assert_int_equal(nr_taken, 0);
        self = cpus;
        vmm_log_take(); /* it is the other's now, who has gone */
        vmm_log_finish();
        check("vmm: before\n");
    }
}

/* Who may wait loses nothing, and does not wait for a device that is stuck. */
static void test_wait(void **state)
{
    uint64_t before;

    (void)state;
    vmm_log_start();
    for (unsigned n = 0; n < 2000; n++) {
        vmm_log_wait();
        for (unsigned i = 0; i < 4; i++)
            vmm_log(VMM_INFO, "%.*s", 100,
                    "................................................................................"
                    "....................");
    }
    assert_int_equal(out.lost, 0);
    assert_true(windows > 0);
    room = 0;
    before = now;
    for (unsigned n = 0; n < 400; n++) {
        vmm_log_wait();
        vmm_log(VMM_INFO, "%.*s", 100,
                "................................................................................"
                "....................");
    }
    assert_true(out.lost > 0);
    assert_in_range(now - before, 1, 400 * (PATIENCE + 10));
}

/* The longest line, and one that is longer. */
static void test_long(void **state)
{
    char text[LINE + 100];

    (void)state;
    for (unsigned started = 0; started < 2; started++)
        for (size_t n = 300; n < sizeof(text); n++) {
            begin(NULL);
            if (started)
                vmm_log_start();
            memset(text, 'x', sizeof(text));
            text[n] = '\0';
            vmm_log(VMM_INFO, "%s", text);
            interrupts(20);
            assert_in_range(nr_taken, 300, LINE);
            assert_true(n > 380 || nr_taken == n + 6);
            assert_int_equal(taken[nr_taken - 1], '\n');
            for (size_t i = 5; i < nr_taken - 1; i++)
                assert_int_equal(taken[i], 'x');
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_boot, begin),       cmocka_unit_test_setup(test_ring, begin),
        cmocka_unit_test_setup(test_full, begin),       cmocka_unit_test_setup(test_flood, begin),
        cmocka_unit_test_setup(test_end, begin),        cmocka_unit_test_setup(test_wait, begin),
        cmocka_unit_test_setup(test_long, begin),       cmocka_unit_test_setup(test_end_full, begin),
        cmocka_unit_test_setup(test_end_of_two, begin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
