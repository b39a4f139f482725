#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""Measures what an exit to EL2 costs, in instructions. It runs the bench's guests in the emulator's counting mode,
under a host of the bench's own and under the reference hypervisor. It prints a table, the figures of other hypervisors
beside it, and what EL2 executes by class of instruction. With gnuplot it draws a picture (bench.svg in the build
folder).

A configuration is a CPU model of the emulator, and whether the host runs with HCR_EL2.E2H = 1."""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

import budget
import families
import growth
import linux
import profiling
import report
import sizes
import worst
from families import INSTRUCTIONS

ROOT = pathlib.Path(__file__).resolve().parents[1]
# Programs for EL2 that contain a guest, and the number of CPUs that each runs on.
HOSTS = {"bench": 1, "smp": 2, "latency": 1}
# A disk that answers at once, in the same thread.
DISK = ["-global", "virtio-mmio.ioeventfd=off", "-drive", "if=none,id=null,driver=null-co,size=1G",
        "-device", "virtio-blk-device,drive=null"]
# Guests of the reference hypervisor: (number of vCPUs, number of CPUs, the board's devices).
GUESTS = {"vmm_alone": (1, 1, []), "vmm_busy": (2, 1, []), "vmm_two": (2, 2, []), "vmm_disk": (1, 1, DISK)}
NO_VHE = {"cortex-a53", "cortex-a57", "cortex-a72"}
CPUS = ["max", "cortex-a72", "neoverse-n1"]


def configurations(cpus):
    """[(name, CPU model, E2H)]"""
    return [(f"{cpu}{' E2H' if e2h else ''}", cpu, e2h) for cpu in cpus for e2h in ([0] if cpu in NO_VHE else [0, 1])]


def plugin_of(build):
    """The plugin that profiles, or None if it was not built or this emulator cannot load it."""
    plugin = build / "bench/plugin/profile.so"
    if os.environ.get("AVC_QEMU_OLD") or not plugin.exists():
        return None
    options = subprocess.run([os.environ.get("AVC_QEMU", "qemu-system-aarch64"), "-help"],
                             capture_output=True, text=True)
    return plugin if "\n-plugin " in options.stdout else None


def programs(build, cpu, e2h):
    """Yields for each program: (command, option that passes the plugin's arguments to QEMU, ELF file of EL2)."""
    for name, cpus in HOSTS.items():
        elf = build / f"bench/{name}-e2h{e2h}.elf"
        command = [sys.executable, ROOT / "tests/system/boot.py", "--count", "--timeout", "120"]
        yield command, "--plugin", [cpu, str(cpus), elf.with_suffix(".bin")], elf
    for name, (vcpus, cpus, devices) in GUESTS.items():
        command = [ROOT / "avc", "run", "--count", "--quiet", "--timeout", "120", "--memory", "16",
                   "--cpus", str(vcpus), "--host-cpus", str(cpus), "--host-cpu", cpu,
                   "--host-vhe", "on" if e2h else "off", "--kernel", build / f"bench/{name}.bin", "--", *devices]
        yield command, "-plugin", [], build / "vmm/vmm.elf"


def run_program(build, command, option, more, elf, plugin):
    """Returns {name: (ticks, rounds)} as the program prints them, the counter's frequency, and {name: profiling.Row} if
    there is a plugin."""
    with tempfile.NamedTemporaryFile("r") as counted:
        plugged = [option, f"{str(plugin).replace(',', ',,')},out={counted.name},marks=on,serial=on"] if plugin else []
        run = subprocess.run([*command, *plugged, *more],
                             env={**os.environ, "AVC_VMM_IMAGE": str(build / "vmm/vmm.bin")},
                             stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace")
        text = counted.read()
    lines = [line.split("\t") for line in run.stdout.splitlines()]
    frequency = next((int(line[1]) for line in lines if line[0] == "frequency"), 0)
    if run.returncode or not frequency:
        sys.exit(f"bench: {' '.join(map(str, command))} failed:\n{run.stdout}{run.stderr}")
    printed = {line[1]: (int(line[2]), int(line[3])) for line in lines if line[0] == "row"}
    names = {name: rounds for name, (_, rounds) in printed.items()}
    return printed, frequency, profiling.rows(profiling.Profile(text), profiling.Symbols(elf), names) if plugin else {}


def measure(build, cpu, e2h, plugin):
    """Runs all programs of one configuration. Returns {name: instructions}, and {name: profiling.Row} if there is a
    plugin. The names are those that the programs print."""
    figures, profiles = {}, {}
    for program in programs(build, cpu, e2h):
        printed, frequency, profile = run_program(build, *program, plugin)
        figures |= {name: round(ticks * 1e9 / frequency / rounds, 2) for name, (ticks, rounds) in printed.items()}
        profiles |= profile
    return figures, profiles


def summary(runs):
    """Turns {configuration: result of measure()} into {unit: {configuration: {row: Figure}}}."""
    found = {}
    for name, (figures, profiles) in runs.items():
        units = {INSTRUCTIONS: figures}
        for unit in profiling.UNITS if profiles else []:
            units[unit] = {row: profiles[row].units[unit] for row in figures}
        for unit, of_rows in families.summary(units).items():
            found.setdefault(unit, {})[name] = of_rows
    return found


def main():
    if "--worst" in sys.argv[1:]:
        return worst.main([word for word in sys.argv[1:] if word != "--worst"])
    parser = argparse.ArgumentParser(prog="./avc bench", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/target",
                        help="folder of the target's build")
    parser.add_argument("--profile", nargs="*", metavar="ROW",
                        help="show where the instructions of an exit go, by function, of these rows or of all with "
                             "a goal")
    parser.add_argument("--members", action="store_true", help="also show the members of families")
    parser.add_argument("--linux", action="store_true", help="nothing but what EL2 takes of Debian's Linux")
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--check", action="store_true",
                        help="compare with the budget file, as TAP, and print nothing else")
    action.add_argument("--update-budget", action="store_true",
                        help="make these figures the budget, and the tables and picture of docs/performance.md")
    action.add_argument("--growth", action="store_true",
                        help="show what exits cost with more VMs, vCPUs and claims instead")
    action.add_argument("--check-growth", action="store_true", help="compare that with what is allowed, as TAP")
    action.add_argument("--sizes", action="store_true", help="show what the library takes of memory instead")
    action.add_argument("--check-sizes", action="store_true", help="compare that with its limits, as TAP")
    parser.add_argument("cpu", nargs="*", help=f"CPU models of the emulator; default: {' '.join(CPUS)}")
    options = parser.parse_args()
    if options.update_budget and options.cpu:
        parser.error("the budget is of all configurations: name no CPU model")
    if options.linux:
        return linux.check(options.build) if options.check else linux.show(options.build, options.update_budget)
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
    plugin, rows, peers = plugin_of(options.build), *report.read_rows()
    if not plugin and options.profile is not None:
        sys.exit("bench: no profile: there is no compiler for this machine, or QEMU has no plugins or is older than 10")
    columns = configurations(options.cpu or CPUS)[:1 if options.profile is not None else None]
    runs = {name: measure(options.build, cpu, e2h, plugin) for name, cpu, e2h in columns}
    units, first = summary(runs), next(iter(runs))
    figures = units[INSTRUCTIONS]
    if options.check:
        return budget.check(units)
    if options.profile is not None:
        print(report.functions_text(rows, first, figures[first], runs[first][1], options.profile))
        return 0
    if options.update_budget:
        budget.write(units)
        growth.write(growth.measure(options.build))
        sizes.write(sizes.measure(options.build)[0])
    printed = {name: run[0] for name, run in runs.items()} if options.members else None
    print(report.text(rows, units, printed))
    print(report.peers_text(rows, peers, figures))
    if plugin:
        of_first = {unit: of_unit[first] for unit, of_unit in units.items()}
        print(report.profile_text(rows, first, of_first, runs[first][1], options.members))
    picture = options.build.parent / "bench.svg"
    if report.draw(rows, peers, figures, picture):
        print(f"picture: {picture}\n")
    if not options.cpu:
        linux.show(options.build, options.update_budget)
    if options.update_budget:
        if plugin:
            report.write_functions(rows, figures[first], runs[first][1])
        report.update_document(budget.read_all(), picture)
    return 0


if __name__ == "__main__":
    sys.exit(main())
