#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""Runs the programs of tests/guest/vmm under the reference hypervisor: guests that print TAP on their UART.

usage: programs.py FOLDER [NAME...]

FOLDER has the programs. NAME is one of PROGRAMS in this file, or reset; default: all of them.
"""

import gzip
import os
import re
import struct
import sys

from avctest import Avc, Scratch, Tap, command_line, existing, old_qemu, run_avc

MODELS = ("cortex-a72/off", "max/off", "max/on")

# name: (kernels, arguments of ./avc run, host CPUs with E2H off or on, whether it needs QEMU 10)
PROGRAMS = {
    "across": (["across.bin"], ["--cpus", 1, "--host-cpus", 1], MODELS, False),
    "disk": (["disk.bin"], ["--cpus", 1, "--host-cpus", 2], MODELS, False),
    "fetch": (["fetch.bin", "fetch.bin.gz"], ["--cpus", 1, "--host-cpus", 1], MODELS, False),
    "flash": (["flash.bin"], ["--cpus", 2, "--host-cpus", 2], MODELS, False),
    "fwcfg": (["fwcfg.bin"], ["--cpus", 2, "--host-cpus", 2, "--append", "a,b c"], MODELS, False),
    "idle": (["idle.bin"], ["--cpus", 4, "--host-cpus", 2], MODELS, False),
    "placed": (["placed-low.elf", "placed-high.elf", "placed-high.bin,addr=0x40080000"], ["--cpus", 1], MODELS, False),
    "slots": (["slots.bin"], ["--cpus", 1, "--host-cpus", 1], MODELS, False),
    "stolen": (["stolen.bin"], ["--cpus", 2, "--host-cpus", 1, "--count"], MODELS, False),
    "storm": (["storm.bin"], ["--cpus", 2, "--host-cpus", 1], MODELS, False),
    "wfit": (["wfit.bin"], ["--cpus", 1, "--host-cpus", 1], ("max/off", "max/on"), True),
}

# vCPUs, host CPUs, and what the boots do in the end: see tests/guest/vmm/reset.c. A fourth reset would be a crash.
RESETS = ((2, 2, "rrro"), (2, 2, "walo"), (4, 2, "rlwo"), (4, 2, "aaao"), (8, 2, "alro"), (2, 1, "rlao"),
          (4, 4, "wlao"))


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


def disks(scratch):
    """What disk.c wants: eight bytes of a disk are their own number. The one
    that fails once, at sector 64, is the first, because a device of QEMU's own gets a transport below the others."""
    image = scratch.save("disk", struct.pack("<524288Q", *range(524288)))
    failing = scratch.save("failing", struct.pack("<524288Q", *range(524288)))
    rules = scratch.save("rules", b'[inject-error]\nevent = "read_aio"\nerrno = "5"\nsector = "64"\nonce = "on"\n')
    return (["--disk", f"{image},serial=relay-test",
             "--disk", f"{scratch.save('read-only', struct.pack('<524288Q', *range(524288)))},ro"],
            ["--", "-drive", f"if=none,id=failing,driver=raw,file.driver=blkdebug,file.config={rules},"
             f"file.image.driver=file,file.image.filename={failing}", "-device",
             "virtio-blk-device,drive=failing"])


def try_program(tap, folder, scratch, name):
    kernels, more, models, new = PROGRAMS[name]
    if new and old_qemu():
        tap.skip(name, "it needs QEMU 10")
        return
    behind = []
    if name == "disk":
        devices, behind = disks(scratch)
        more = more + devices
    for kernel in kernels:
        file = kernel_file(folder, scratch, kernel)
        for model in models:
            cpu, vhe = model.split("/")
            result = run_avc("run", "--kernel", file, "--memory", 64, "--timeout", 60, "--host-cpu", cpu,
                             "--host-vhe", vhe, *more, *behind, timeout=90)
            tap.ok(result.status == 0 and complete(result.out), f"{kernel} on {model}", result.transcript)


def try_resets(tap, folder, model):
    """One vCPU ends the VM while its siblings wait. Each boot is told what to do."""
    cpu, vhe = model.split("/")
    for cpus, host_cpus, ends in RESETS:
        name = f"reset.bin on {model}, {cpus} vCPUs on {host_cpus}: {ends}"
        stat = ["--stat"] if host_cpus == 2 and cpus > 4 else []  # then SYSTEM_OFF stops all others first
        with Avc(["run", "--kernel", os.path.join(folder, "reset.bin"), "--memory", 64, "--timeout", 100, "--host-cpu",
                  cpu, "--host-vhe", vhe, "--cpus", cpus, "--host-cpus", host_cpus, *stat]) as avc:
            for end in ends:
                good = avc.expect("boot", 60)
                if good:
                    avc.send(f"{cpus}{end}")
                good = good and avc.expect("1..3", 60)
            status = avc.wait(60)
            points = re.findall(rb"^(not )?ok ", avc.stdout, re.M)
            good = good and status == 0 and len(points) == 3 * len(ends) and not any(points)
            tap.ok(good and avc.stdout.count(b"boot") == len(ends), name, avc.transcript())


def main():
    parser = command_line(__doc__)
    parser.add_argument("folder", type=existing)
    parser.add_argument("names", nargs="*", metavar="NAME", choices=[[], *PROGRAMS, "reset"])
    options = parser.parse_args()
    tap, scratch = Tap(), Scratch()
    for name in options.names or [*PROGRAMS, "reset"]:
        if name == "reset":
            for model in MODELS:
                try_resets(tap, options.folder, model)
        else:
            try_program(tap, options.folder, scratch, name)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
