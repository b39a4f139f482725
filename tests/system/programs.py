#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""Runs the programs of tests/guest/vmm under the reference hypervisor: guests that print TAP on their UART.

usage: programs.py FOLDER [NAME...]

FOLDER has the programs. NAME is one of PROGRAMS in this file; default: all of them.
"""

import gzip
import os
import re
import sys

from avctest import Scratch, Tap, command_line, existing, old_qemu, run_avc

MODELS = ("cortex-a72/off", "max/off", "max/on")

# name: (kernels, arguments of ./avc run, host CPUs with E2H off or on, whether it needs QEMU 10)
PROGRAMS = {
    "across": (["across.bin"], ["--cpus", 1, "--host-cpus", 1], MODELS, False),
    "fetch": (["fetch.bin", "fetch.bin.gz"], ["--cpus", 1, "--host-cpus", 1], MODELS, False),
    "idle": (["idle.bin"], ["--cpus", 4, "--host-cpus", 2], MODELS, False),
    "placed": (["placed-low.elf", "placed-high.elf", "placed-high.bin,addr=0x40080000"], ["--cpus", 1], MODELS, False),
    "slots": (["slots.bin"], ["--cpus", 1, "--host-cpus", 1], MODELS, False),
    "storm": (["storm.bin"], ["--cpus", 2, "--host-cpus", 1], MODELS, False),
    "wfit": (["wfit.bin"], ["--cpus", 1, "--host-cpus", 1], ("max/off", "max/on"), True),
}


def complete(out):
    """Returns whether the output has all points of its plan, and all are good."""
    text = out.decode(errors="replace").replace("\r", "")
    points = re.findall(r"^(not )?ok \d+", text, re.M)
    plan = re.search(r"^1\.\.(\d+)$", text, re.M)
    return plan and len(points) == int(plan[1]) > 0 and not any(points)


def kernel_file(folder, scratch, kernel):
    if not kernel.endswith(".gz"):
        return os.path.join(folder, kernel)
    with open(os.path.join(folder, kernel[:-3]), "rb") as file:
        return scratch.save(kernel, gzip.compress(file.read()))


def try_program(tap, folder, scratch, name):
    kernels, more, models, new = PROGRAMS[name]
    if new and old_qemu():
        tap.skip(name, "it needs QEMU 10")
        return
    for kernel in kernels:
        file = kernel_file(folder, scratch, kernel)
        for model in models:
            cpu, vhe = model.split("/")
            result = run_avc("run", "--kernel", file, "--memory", 64, "--timeout", 60, "--host-cpu", cpu,
                             "--host-vhe", vhe, *more, timeout=90)
            tap.ok(result.status == 0 and complete(result.out), f"{kernel} on {model}", result.transcript)


def main():
    parser = command_line(__doc__)
    parser.add_argument("folder", type=existing)
    parser.add_argument("names", nargs="*", metavar="NAME", choices=[[], *PROGRAMS])
    options = parser.parse_args()
    tap, scratch = Tap(), Scratch()
    for name in options.names or PROGRAMS:
        try_program(tap, options.folder, scratch, name)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
