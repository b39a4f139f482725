#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""What a user sees of ./avc run: the guest's bytes, the hypervisor's log, exit statuses, the terminal, --count.

These tests need QEMU, but not the hypervisor: programs of a few instructions stand in for it. So each way in which an
emulator can end has a test of its own.
"""

import os
import signal
import sys
import tempfile
import time

from avctest import AVC, Avc, Image, Scratch, Tap, command_line, run_avc

tap = Tap()
scratch = Scratch()
work, path, save, stand_in = scratch.folder, scratch.path, scratch.save, scratch.stand_in
OFF = Image.SYSTEM_OFF
BOARD = ["--host-cpu", "cortex-a53", "--host-cpus", 1, "--memory", 64]


def test_bytes():
    everything = bytes(range(256))
    env = stand_in("bytes", Image().print(everything).print("vmm: exit 0: off\n", Image.LOG).smc(OFF).spin())
    result = run_avc("run", "--kernel", path("any"), *BOARD, env=env)
    tap.equal(result.out, everything, "stdout is the first UART, byte for byte", result.transcript)

    env = stand_in("echo", Image().print("?").echo("q").print("vmm: exit 0: off\n", Image.LOG).smc(OFF).spin())
    args = ["run", "--kernel", path("any"), *BOARD, "--timeout", 30]
    sent = everything.replace(b"q", b"") + b"q"
    with Avc(args, env=env) as avc:
        avc.expect("?")
        avc.send(sent)
        tap.equal(avc.wait(30), 0, "a pipe at stdin", avc.transcript())
        tap.equal(avc.stdout, b"?" + sent, "through a pipe all bytes are the guest's, Ctrl-A and Ctrl-C too")
        tap.ok("Ctrl-A" not in avc.stderr, "nothing about leaving without a terminal", avc.stderr)
    with open(save("typed", b"abcq"), "rb") as typed, Avc(args, stdin=typed, env=env) as avc:
        tap.equal(avc.wait(30), 0, "a file at stdin", avc.transcript())
        tap.equal(avc.stdout, b"?abcq", "what the file holds reaches the guest")
    with Avc(args, env=env) as avc:
        avc.expect("?")
        avc.send("ab")
        avc.close_stdin()
        tap.ok(avc.expect("ab") and avc.wait(2) is None, "the end of stdin does not stop the guest",
               avc.transcript())

    slow = Image()
    for _ in range(6):
        slow.print(".").mov(2, 200_000_000).word(0xF1000442).word(0x54FFFFE1)  # SUBS X2,X2,#1; B.NE
    env = stand_in("slow", slow.print("vmm: exit 0: off\n", Image.LOG).smc(OFF).spin())
    command = " ".join(map(str, args))
    with Avc(argv=["bash", "-c", f'exec "{AVC}" {command} <&-'], env=env) as avc:
        tap.ok(avc.wait(60) == 0 and avc.stdout == b"......", "stdin closed from the beginning", avc.transcript())


def test_log():
    log = Image().print("G\n").print("vmm: one\r\nvmm: two\nvmm: exit 0: off\n", Image.LOG).smc(OFF).spin()
    env = stand_in("log", log)
    args = ["run", "--kernel", path("any"), *BOARD]
    result = run_avc(*args, env=env)
    tap.ok("[avc] vmm: one\n[avc] vmm: two\n[avc] vmm: exit 0: off\n" in result.err and result.out == b"G\n",
           "the log is stderr with a prefix", result.transcript)
    result = run_avc(*args, "--quiet", env=env)
    tap.ok(result.status == 0 and result.err == "" and result.out == b"G\n", "--quiet", result.transcript)
    crash = Image().print("vmm: pc=0x1234\nvmm: exit 3: no such address\n", Image.LOG).smc(OFF).spin()
    env = stand_in("crash", crash)
    for more in ([], ["--quiet"]):
        result = run_avc(*args, *more, env=env)
        tap.ok(result.status == 3 and "crashed: no such address" in result.err
               and result.err.count("[avc] vmm: pc=0x1234\n") == 1,
               " ".join(["a crash is status 3, and explained", *more]), result.transcript)


def test_statuses():
    args = ["run", "--kernel", path("any"), *BOARD]
    tap.refused("TMPDIR that is none", args, "temporary", env={**stand_in("any-vmm", Image().spin()),
                                                           "TMPDIR": path("none")})
    for status in (0, 1, 2, 3, 77):
        image = Image().print(f"vmm: exit {status}: reason\n", Image.LOG).smc(OFF).spin()
        result = run_avc(*args, env=stand_in("status", image))
        tap.equal(result.status, status, f"the hypervisor's status {status}", result.transcript)
    image = Image().print("vmm: started\n", Image.LOG).smc(OFF).spin()
    for more in ([], ["--quiet"]):
        result = run_avc(*args, *more, env=stand_in("mute", image))
        tap.ok(result.status == 1 and result.err.count("[avc] vmm: started") == 1 and "avc: error" in result.err,
               " ".join(["an emulator that ends without a word is status 1", *more]), result.transcript)
    result = run_avc(*args, "--", "-no-such-option", env=stand_in("mute", image))
    tap.ok(result.status == 1 and "no-such-option" in result.err, "QEMU's own errors are shown", result.transcript)
    begin = time.monotonic()
    result = run_avc(*args, "--timeout", 2, env=stand_in("stuck", Image().print("here").spin()))
    took = time.monotonic() - begin
    tap.ok(result.status == 124 and result.out == b"here" and 2 <= took < 15 and "terminating" not in result.err,
           "time-out", f"{took} s\n{result.transcript}")


# ---- terminal, signals, what is left behind ----

def test_stuck():
    """An emulator that blocks in a write to stdout does not come to look at the signal that is to end it. It is killed
    soon. It counts tenths of seconds from the signal on: a slow machine makes them fewer."""
    stuck = save("stuck-qemu", b'''#!/bin/bash
case $1 in
--version) echo QEMU emulator version 10.0.2 && exit ;;
-cpu) echo max && exit ;;
-help) exit ;;
esac
trap 'echo term' TERM
exec 2>&-
while :; do echo tick; sleep 0.1; done >>"$0.ticks"
''')
    os.chmod(stuck, 0o755)
    env = {**stand_in("any-vmm", Image().spin()), "AVC_QEMU": stuck}
    result = run_avc("run", "--kernel", path("any"), *BOARD, "--host-cpu", "max", "--timeout", 1, env=env)
    with open(stuck + ".ticks", encoding="utf-8") as file:
        after = file.read().rpartition("term")[2].count("tick")
    tap.ok(result.status == 124 and 0 < after < 40, "an emulator that does not heed the time-out is killed soon",
           f"{after} ticks\n{result.transcript}")


def processes_of(session):
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
                fields = file.read().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            found.append(int(pid))
    return found


def gone(session, seconds=10):
    end = time.monotonic() + seconds
    while processes_of(session) and time.monotonic() < end:
        time.sleep(0.1)
    return not processes_of(session)


def test_terminal():
    temporary = tempfile.mkdtemp(dir=work)
    echo = Image().print("?").echo("q").print("vmm: exit 0: off\n", Image.LOG).smc(OFF).spin()
    env = {**stand_in("echo", echo), "TMPDIR": temporary}
    args = ["run", "--kernel", path("any"), *BOARD]

    def ending(name, wanted, act, more=()):
        with Avc([*args, *more], tty=True, env=env) as avc:
            if not tap.ok(avc.expect("?"), f"{name}: boots", avc.transcript()):
                return
            raw = not avc.terminal_restored()
            act(avc)
            status = avc.wait(20)
            tap.equal(status, wanted, f"{name}: status", avc.transcript())
            tap.ok(raw and avc.terminal_restored(), f"{name}: the terminal is as it was", f"raw before: {raw}")
            tap.ok(gone(avc.child.pid), f"{name}: nothing is left running", str(processes_of(avc.child.pid)))
            tap.equal(os.listdir(temporary), [], f"{name}: no files are left")

    def keys(avc):
        tap.ok(avc.expect_err("Ctrl-A", 1), "how to leave is said", avc.stderr)
        avc.send("\x03\x1a\x1c")
        tap.ok(avc.expect(b"\x03\x1a\x1c", 10), "Ctrl-C, Ctrl-Z and Ctrl-\\ are the guest's", avc.transcript())
        avc.send("q")

    ending("guest off", 0, keys)
    ending("Ctrl-A x", 1, lambda avc: avc.send("\x01x"))
    ending("time-out", 124, lambda avc: None, more=["--timeout", 2])
    ending("SIGTERM", 143, lambda avc: avc.kill(signal.SIGTERM))
    ending("SIGINT", 130, lambda avc: avc.kill(signal.SIGINT))
    ending("SIGHUP", 129, lambda avc: avc.kill(signal.SIGHUP))
    with Avc(args, tty=True, env=env) as avc:
        avc.expect("?")
        avc.kill(signal.SIGKILL)
        avc.wait(10)
        tap.ok(gone(avc.child.pid), "SIGKILL: the emulator ends as well", str(processes_of(avc.child.pid)))
        tap.ok(avc.terminal_restored(), "SIGKILL: the terminal is as it was")


def test_count():
    clock = Image()
    for register in (0xD53BE001, 0xD53BE021):  # MRS X1, CNTFRQ_EL0; MRS X1, CNTPCT_EL0
        clock.mov(19, Image.UART).word(register)
        for _ in range(8):
            clock.word(0x39000000 | 19 << 5 | 1).word(0xD348FC21)  # STRB W1, [X19]; LSR X1, X1, #8
    env = stand_in("clock", clock.print("vmm: exit 0: off\n", Image.LOG).smc(OFF).spin())
    for model in ("cortex-a72", "neoverse-n1", "max"):
        args = ["run", "--kernel", path("any"), "--memory", 64, "--host-cpu", model, "--count"]
        first, second = (run_avc(*args, env=env) for _ in range(2))
        tap.ok(first.status == 0 and len(first.out) == 16 and first.out == second.out,
               f"--count on {model}: two runs read the same counter", first.transcript + second.transcript)
        tap.equal(int.from_bytes(first.out[:8], "little"), 1_000_000_000, f"--count on {model}: it counts at 1 GHz")


def main():
    command_line(__doc__).parse_args()
    try:
        Image().spin().write(path("any"))
        for test in (test_bytes, test_log, test_statuses, test_stuck, test_terminal, test_count):
            test()
    finally:
        scratch.remove()
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
