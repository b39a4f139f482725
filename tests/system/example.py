#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""Boots an example and compares what it prints with its expected.txt, in TAP.

usage: example.py IMAGE EXPECTED CPU...
"""
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent


def main():
    image, expected, *cpus = sys.argv[1:]
    wanted = pathlib.Path(expected).read_text()
    failed = 0
    print(f"1..{len(cpus)}")
    for number, cpu in enumerate(cpus, 1):
        run = subprocess.run([sys.executable, HERE / "boot.py", "--timeout", "60", cpu, "2", image],
                             capture_output=True, text=True)
        ok = run.returncode == 0 and run.stdout.replace("\r", "") == wanted
        failed += not ok
        print(f"{'ok' if ok else 'not ok'} {number} - {pathlib.Path(image).stem} on {cpu}")
        if not ok:
            for line in (run.stdout + run.stderr).splitlines():
                print(f"# {line}")
    return 1 if failed else 0


sys.exit(main())
