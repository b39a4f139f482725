#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""What an exit to EL2 costs, in instructions: runs the bench guests in the emulator's counting mode and prints a table,
what other hypervisors take beside it, and a picture (bench.svg in the build folder, with gnuplot).

Each configuration is a CPU model of the emulator, and whether the host runs with HCR_EL2.E2H = 1."""
import argparse
import pathlib
import subprocess
import sys

import budget
import growth
import report
import sizes

ROOT = pathlib.Path(__file__).resolve().parents[1]
# Both are built by meson; the first runs on one CPU, the second on two.
PROGRAMS = {"bench": 1, "smp": 2}
NO_VHE = {"cortex-a53", "cortex-a57", "cortex-a72"}
CPUS = ["max", "cortex-a72", "neoverse-n1"]


def configurations(cpus):
    """[(name, CPU model, E2H)]"""
    return [(f"{cpu}{' E2H' if e2h else ''}", cpu, e2h) for cpu in cpus for e2h in ([0] if cpu in NO_VHE else [0, 1])]


def measure(build, cpu, e2h):
    """{row: instructions} of one configuration."""
    figures = {}
    for program, cpus in PROGRAMS.items():
        image = build / f"bench/{program}-e2h{e2h}.bin"
        run = subprocess.run([sys.executable, ROOT / "tests/system/boot.py", "--count", "--timeout", "120", cpu,
                              str(cpus), image], capture_output=True, text=True)
        lines = [line.split("\t") for line in run.stdout.splitlines()]
        frequency = next((int(line[1]) for line in lines if line[0] == "frequency"), 0)
        if run.returncode or not frequency:
            sys.exit(f"bench: {image} on {cpu} failed:\n{run.stdout}{run.stderr}")
        for line in lines:
            if line[0] == "row":
                ticks, rounds = map(int, line[2:])
                figures[line[1]] = round(ticks * 1e9 / frequency / rounds, 2)
    return figures


def main():
    parser = argparse.ArgumentParser(prog="./avc bench", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/target", help="folder of the target's build")
    parser.add_argument("--members", action="store_true", help="also show the rows of which the table has the worst")
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--check", action="store_true", help="compare with the budget file, as TAP, and print nothing else")
    action.add_argument("--update-budget", action="store_true",
                        help="make these figures the budget, and the tables and picture of docs/performance.md")
    action.add_argument("--growth", action="store_true", help="show what exits cost with more VMs, vCPUs and claims instead")
    action.add_argument("--check-growth", action="store_true", help="compare that with what is allowed, as TAP")
    action.add_argument("--sizes", action="store_true", help="show what the library takes of memory instead")
    action.add_argument("--check-sizes", action="store_true", help="compare that with its limits, as TAP")
    parser.add_argument("cpu", nargs="*", help=f"CPU models of the emulator; default: {' '.join(CPUS)}")
    options = parser.parse_args()
    if options.update_budget and options.cpu:
        parser.error("the budget is of all configurations: name no CPU model")
    if options.check_growth:
        return growth.check(options.build)
    if options.growth:
        print(growth.text(growth.measure(options.build)), end="")
        return 0
    if options.check_sizes:
        return sizes.check(options.build)
    if options.sizes:
        print(sizes.text(*sizes.measure(options.build)), end="")
        return 0
    figures = {name: measure(options.build, cpu, e2h) for name, cpu, e2h in configurations(options.cpu or CPUS)}
    if options.check:
        return budget.check(figures)
    if options.update_budget:
        budget.write(figures)
        growth.write(growth.measure(options.build))
        sizes.write(sizes.measure(options.build)[0])
    rows, peers = report.read_rows()
    print(report.text(rows, figures, options.members))
    print(report.peers_text(rows, peers, figures))
    picture = options.build.parent / "bench.svg"
    if report.draw(rows, peers, figures, picture):
        print(f"picture: {picture}")
    if options.update_budget:
        report.update_document(budget.read(), picture)
    return 0


if __name__ == "__main__":
    sys.exit(main())
