#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""Runs the bench guest in the emulator's counting mode and prints what each operation costs the guest, in instructions.

The host runs with E2H=0, and where the CPU can with E2H=1."""
import argparse
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
NO_VHE = {"cortex-a53", "cortex-a57", "cortex-a72"}


def measure(image, cpu):
    """{row: instructions} of one run."""
    run = subprocess.run([sys.executable, ROOT / "tests/system/boot.py", "--count", "--timeout", "120", cpu, "1", image],
                         capture_output=True, text=True)
    if run.returncode:
        sys.exit(f"bench: {image} on {cpu} failed:\n{run.stdout}{run.stderr}")
    rows = (line.split("\t") for line in run.stdout.splitlines() if line.startswith("row\t"))
    return {name: int(cost) / 100 for _, name, cost in rows}


def main():
    parser = argparse.ArgumentParser(prog="./avc bench", description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/target", help="folder of the target's build")
    parser.add_argument("cpu", nargs="*", default=["max", "cortex-a72", "neoverse-n1"], help="CPU models of the emulator")
    options = parser.parse_args()
    columns = {}
    for cpu in options.cpu:
        for e2h in [0] if cpu in NO_VHE else [0, 1]:
            columns[f"{cpu}{' E2H' if e2h else ''}"] = measure(options.build / f"bench/bench-e2h{e2h}.bin", cpu)
    rows = list(next(iter(columns.values())))
    print("Instructions of a round trip, as the guest sees it (the loop around it taken off):\n")
    print(f"{'':45}" + "".join(f"{name:>17}" for name in columns))
    for row in rows:
        print(f"{row:45}" + "".join(f"{columns[c].get(row, float('nan')):17.1f}" for c in columns))
    return 0


sys.exit(main())
