#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""Boots one of our EL2 programs in QEMU and shows what it prints on its first UART, which is TAP.

usage: boot.py [--count] [--plugin FILE,ARGUMENT...] [--timeout SEC] CPU NUMBER-OF-CPUS IMAGE

A program that does not power the machine off in time, or an emulator that fails, ends the output with "Bail out!".
"""
import os
import subprocess
import sys

from avctest import command_line, existing


def command(cpu, cpus, image, count=False, flash=None, plugin=None):
    """image: QEMU loads it by -kernel. flash: a file for the first flash bank, where firmware begins at EL3."""
    model, board = cpu, "virt,virtualization=on,gic-version=3,dtb-randomness=off"
    if count:
        model += ",cntfrq=1000000000"  # so a tick is an instruction
    if cpu == "max" and os.environ.get("AVC_QEMU_OLD") == "7":
        model += ",sme=off"  # see machine_describe() of the launcher: SME without FEAT_FGT
    if flash:
        board += ",secure=on"
        if cpu == "max":
            model += ",cntfrq=62500000"  # TF-A's PLAT=qemu writes this to CNTFRQ_EL0
    args = [os.environ.get("AVC_QEMU", "qemu-system-aarch64"), "-M", board, "-cpu", model,
            "-smp", str(cpus), "-m", "1024", "-nic", "none", "-display", "none", "-monitor", "none",
            "-serial", "stdio", *(["-bios", flash] if flash else ["-kernel", image])]
    if count:
        args += ["-icount", "shift=0,sleep=off", "-rtc", "base=2026-01-01,clock=vm"]
    if plugin:
        args += ["-plugin", plugin]
    return args


def main():
    parser = command_line(__doc__)
    parser.add_argument("--count", action="store_true", help="deterministic: one instruction is one nanosecond")
    parser.add_argument("--plugin", help="of the emulator's, with its arguments")
    parser.add_argument("--timeout", type=float, default=60)
    parser.add_argument("cpu")
    parser.add_argument("cpus", type=int)
    parser.add_argument("image", type=existing)
    options = parser.parse_args()
    process = subprocess.Popen(command(options.cpu, options.cpus, options.image, options.count, plugin=options.plugin),
                               stdin=subprocess.DEVNULL, stdout=sys.stdout, stderr=sys.stderr)
    try:
        status = process.wait(options.timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        print(f"\nBail out! nothing powered the machine off within {options.timeout:g} s", flush=True)
        return 1
    if status:
        print(f"\nBail out! QEMU ended with status {status}", flush=True)
    return 1 if status else 0


if __name__ == "__main__":
    sys.exit(main())
