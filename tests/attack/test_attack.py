#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""The driver of the attacks: how it judges a run's output, and a process that sleeps; and mistakes of usage."""

import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../system"))
import attack  # noqa: E402
from avctest import Tap  # noqa: E402

tap = Tap()


def line(text):
    total = 0
    for byte in b"@@ " + text.encode():
        total = (total * 31 + byte) & 0xFFFFFFFF
    return f"@@ {text} #{total:08x}\n".encode()


def test_judge():
    off = "[avc] vmm: exit 0: the guest powered off\n"
    done = line("done rounds=7 lost=0")
    assertion = "qemu-system-aarch64: ../../hw/intc/arm_gicv3_cpuif.c:237: icv_gprio_mask: Assertion `bpr' failed.\n"
    thumb = "ERROR:../../target/arm/tcg/translate.c:7000:op: code should not be reached\n"
    for name, wanted, status, out, err in (
            ("a report", "clean", 0, done, off),
            ("a report among an attack's own output", "clean", 0, b"\xff@@ junk" + done + b"@@", off),
            ("a report whose end is lost", "FAILED", 0, done[:-3], off),
            ("a report that an attack has changed", "FAILED", 0, done.replace(b"7", b"8"), off),
            ("a report, but QEMU failed", "FAILED", 1, done, off),
            ("no report", "FAILED", 0, b"", off),
            ("a damaged register", "FAILED", 0, line("fail vCPU 0: x19: got 1, wanted 2"), off),
            ("a panic", "FAILED", 1, done, "[avc] vmm: panic on CPU 1: the library: an exception\n"),
            ("an exception at EL2", "FAILED", 1, done, "[avc] vmm: fatal: SError from EL2 on CPU 0\n"),
            ("the hypervisor gives up", "FAILED", 1, b"", "[avc] vmm: exit 1: vCPU 0 does not run: busy\n"),
            ("a hang", "FAILED", 1, done, "attack: hang: more than 5 instructions\n"),
            ("a hang and a known fault", "FAILED", 1, b"", "attack: hang: more than 5 instructions\n" + assertion),
            ("a fetch outside of memory", "ended", 3, b"",
             "[avc] vmm: exit 3: vCPU 2: instruction fetch outside its memory, pc 0x9\n"),
            ("another crash of the guest's", "FAILED", 3, b"", "[avc] vmm: exit 3: the guest reset itself 4 times\n"),
            ("QEMU's binary point", "QEMU", 134, b"", assertion),
            ("QEMU's decoder of T32", "QEMU", 134, b"", thumb),
            ("another assertion of QEMU's", "FAILED", 134, b"",
             "qemu: ../../hw/core/cpu.c:1: f: Assertion `x' failed.\n"),
            ("the host of several VMs fails", "FAILED", 0, b"@@host FAILED memory: got 1\nBail out!\n" + done, ""),
    ):
        verdict = attack.judge(status, out, err)
        tap.equal(verdict.kind, wanted, f"{name}: {wanted}", verdict.text)
    tap.equal(attack.judge(0, done, off).counts, {"rounds": 7, "lost": 0}, "the counts of a report")


def test_sleep():
    attack.ASLEEP = 3
    for name, script, wanted in (("a process that ends", "exit 0", True),
                                 ("one that sleeps for ever", "sleep 600", False),
                                 ("one that works for longer", "import time\nt = time.process_time()\n"
                                  "while time.process_time() < t + 5: pass", True)):
        argv = [sys.executable, "-c", script] if "import" in script else ["sh", "-c", script]
        with subprocess.Popen(argv, start_new_session=True) as process:
            tap.equal(attack.wait_awake(process), wanted, f"{name}: {'no hang' if wanted else 'a hang'}")


def test_usage():
    for args, part in ((["nonsense"], "no such attack: nonsense"), (["--seed"], "--seed wants a value"),
                       (["--seed", "x"], "'x'"), (["--seconds", "0"], "'0'"), (["--rounds=-1"], "'-1'"),
                       (["--repeat", ""], "''"), (["--frobnicate"], "unknown option: --frobnicate"),
                       (["--host-cpu", "vax"], "no such AArch64 CPU: vax")):
        tap.refused(f"./avc attack {' '.join(args)}", ["attack", *args], part)


def main():
    test_judge()
    test_sleep()
    test_usage()
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
