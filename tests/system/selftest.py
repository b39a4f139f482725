#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""The self-tests of the reference hypervisor (vmm/kern/selftest.c). Some must end well. Others make a mistake, and must
end in a report.

usage: selftest.py VMM-IMAGE [CPU...]       default: cortex-a72 max
"""

import re
import subprocess
import sys

from avctest import Tap, command_line, existing, old_qemu
from boot import command

GOOD = ("sched", "priority")
MISTAKES = ("wx", "rodata", "exec", "null", "stack", "panic")


def run(image, cpu, what):
    """Returns what the log's UART prints, which is the board's second."""
    argv = command(cpu, 2, image)
    argv[argv.index("-serial"):argv.index("-serial")] = ["-serial", "null"]
    try:
        result = subprocess.run([*argv, "-append", f"selftest={what}"], stdin=subprocess.DEVNULL, timeout=100,
                                capture_output=True, encoding="utf-8", errors="replace", check=False)
    except subprocess.TimeoutExpired as late:
        return (late.stdout or b"").decode(errors="replace") + "no end in 100 s"
    return result.stdout + result.stderr


def main():
    parser = command_line(__doc__)
    parser.add_argument("image", metavar="VMM-IMAGE", type=existing)
    parser.add_argument("cpus", metavar="CPU", nargs="*", default=["cortex-a72", "max"])
    options = parser.parse_args()
    tap = Tap()
    for cpu in options.cpus:
        for what in GOOD + MISTAKES:
            name = f"selftest={what} on {cpu}"
            if old_qemu():
                tap.skip(name, "the board has no UART for the log")
                continue
            log = run(options.image, cpu, what)
            status = re.search(r"^vmm: exit (\d+): ", log, re.M)
            tap.ok(status and status[1] == ("0" if what in GOOD else "1") and "nothing happened" not in log, name, log)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
