#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""Debian's Linux as a guest: types commands at its prompt, and checks their output.

usage: linux.py [HOST-CPU/VHE/VCPUS...]       for example max/on/4; without: all of MATRIX

Each boot types the same commands, so the results show what depends on the CPU, the host mode or the number of vCPUs.
There are always two physical CPUs: 4 vCPUs must share them, and 1 vCPU leaves one CPU idle. One boot also sets an
alarm, takes a long paste, and resets the machine, so that it boots again.

A boot takes some seconds. The time limits are for machines that do much else at the same time.
"""

import hashlib
import re
import sys
import time

from avctest import Avc, Tap, command_line

# All host modes of three CPUs. A Cortex-A72 has no E2H.
MATRIX = [(cpu, vhe, vcpus)
          for cpu, modes in (("cortex-a72", ["off"]), ("neoverse-n1", ["off", "on"]), ("max", ["off", "on"]))
          for vhe in modes for vcpus in (1, 4)]

EXTRAS = ("max", "off", 4)

PROMPT = re.compile(rb"[#$] (\x1b\[6n)?$")
MD5_OF_64_MIB = "7f614da9329cd3aebf59b91aadc30bf0"  # of zeros


def line(pattern):
    """Matches a whole line of output. An echo of what was typed does not match, because the prompt precedes it."""
    return re.compile(rb"(?:^|\n)" + pattern.encode() + rb"\r*(?=\n)")  # the next match needs it, too


def command(avc, text, pattern, timeout):
    """Types a command and waits for a line and the next prompt. Returns the match, or None."""
    avc.send(text + "\n")
    match = avc.expect(line(pattern), timeout)
    return match if match and avc.expect(PROMPT, timeout) else None


def extras(tap, avc, name, vcpus):
    tap.ok(command(avc, "echo +2 >/sys/class/rtc/rtc0/wakealarm; sleep 4; grep -c ' [1-9].*rtc-pl031' /proc/interrupts",
                   "1", 60), f"{name}: the clock's alarm interrupts", avc.transcript())

    # Much more than any FIFO holds, for a guest that reads slowly.
    paste = b"".join(b"line %d of what is pasted\n" % i for i in range(400))
    avc.send("stty -echo; echo now=reading; sleep 1; cat >/tmp/paste; stty echo; md5sum </tmp/paste\n")
    avc.expect(line("now=reading"), 60)
    avc.send(paste + b"\x04")
    tap.ok(avc.expect(line(hashlib.md5(paste).hexdigest() + "  -"), 120) and avc.expect(PROMPT, 60),
           f"{name}: {len(paste)} bytes pasted, none lost", avc.transcript())

    avc.send("reboot\n")
    tap.ok(avc.expect_err("guest: reset 1", 60) and avc.expect("BusyBox", 120) and avc.expect(PROMPT, 60) and
           command(avc, "nproc", str(vcpus), 60), f"{name}: boots again after reboot", avc.transcript())


def boot(tap, cpu, vhe, vcpus):
    name = f"{cpu}, host E2H {vhe}, {vcpus} vCPU{'s' if vcpus > 1 else ''}"
    begin = time.monotonic()
    with Avc(["run", "--cpus", vcpus, "--host-cpus", 2, "--host-cpu", cpu, "--host-vhe", vhe,
              "--timeout", 380], tty=True) as avc:
        if not tap.ok(avc.expect(PROMPT, 120), f"{name}: prompt", avc.transcript()):
            return
        ready = time.monotonic() - begin
        tap.ok(avc.expect_err(f"E2H={int(vhe == 'on')}", 1), f"{name}: EL2 runs as asked", avc.stderr)
        tap.ok(command(avc, "nproc", str(vcpus), 60), f"{name}: nproc", avc.transcript())

        match = command(avc, "date -u +now=%s", "now=([0-9]+)", 60)
        off = int(match.group(1)) - time.time() if match else None
        tap.ok(match and abs(off) < 60, f"{name}: date", f"{avc.transcript()}\noff by {off} s")

        tap.ok(command(avc, "i=0; while [ $i -lt 300 ]; do /bin/busybox true && i=$((i+1)); done; echo did=$i",
                       "did=300", 120), f"{name}: 300 forks", avc.transcript())
        tap.ok(command(avc, "dd if=/dev/zero bs=1M count=64 2>/dev/null | md5sum",
                       MD5_OF_64_MIB + "  -", 120), f"{name}: md5sum of 64 MiB", avc.transcript())
        if (cpu, vhe, vcpus) == EXTRAS:
            extras(tap, avc, name, vcpus)
        avc.send("poweroff\n")
        tap.equal(avc.wait(60), 0, f"{name}: poweroff", avc.transcript())
        print(f"# {name}: prompt after {ready:.1f} s, all in {time.monotonic() - begin:.1f} s", flush=True)


def main():
    parser = command_line(__doc__)
    names = [f"{cpu}/{vhe}/{vcpus}" for cpu, vhe, vcpus in MATRIX]
    parser.add_argument("boots", metavar="HOST-CPU/VHE/VCPUS", nargs="*", choices=[[], *names])
    chosen = parser.parse_args().boots
    tap = Tap()
    for cpu, vhe, vcpus in MATRIX:
        if not chosen or f"{cpu}/{vhe}/{vcpus}" in chosen:
            boot(tap, cpu, vhe, vcpus)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
