#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""Reads what the plugin (bench/plugin/profile.c) has counted, sums it up and shows it. As a program it prints the
tables of ./avc run --profile."""
import argparse
import bisect
import collections
import pathlib
import subprocess
import sys

# The units of the budget that the plugin counts for each row: the title, and the classes of instructions that count.
UNITS = {
    "el2": ("instructions at EL2", None),
    "sysregs": ("system-register accesses", ("mrs", "msr")),
    "barriers": ("barriers", ("isb", "dsb", "dmb")),
    "tlbi": ("TLB operations", ("tlbi",)),
    "loads": ("loads", ("load", "atomic")),
    "stores": ("stores", ("store", "atomic")),
    "branches": ("branches", ("branch", "eret")),
}
CLASSES = ["mrs", "msr", "pstate", "isb", "dsb", "dmb", "tlbi", "sys", "eret", "call", "load", "store", "atomic",
           "branch", "other"]
IRQ, FIQ, SERROR, NONE = 64, 65, 66, 67
LEAVE = "avc_leave"  # executed by each exit that goes to the VMM's loop
# Names of the exception classes that come from a guest. Other classes are shown by number.
KINDS = {0x00: "unknown", 0x01: "WFI, WFE", 0x03: "MCR, MRC", 0x04: "MCRR, MRRC", 0x05: "MCR, MRC", 0x07: "FP",
         0x08: "VMRS", 0x09: "pointer auth", 0x0c: "MRRC", 0x11: "SVC, 32 bits", 0x15: "SVC", 0x16: "HVC", 0x17: "SMC",
         0x18: "MSR, MRS", 0x19: "SVE", 0x1a: "ERET", 0x20: "fetch abort", 0x24: "data abort", 0x2f: "SError",
         IRQ: "IRQ", FIQ: "FIQ", SERROR: "SError", NONE: "before any"}


class Profile:
    """total; laps: (name, EL2, below); exits: {group: (exits, left)}; insns: [(pc, code, class, {group: count})];
    sites: [(kind, pc, exits, left, instructions)]."""

    def __init__(self, text):
        self.total, self.laps, self.exits, self.insns, self.sites = None, [], {}, [], []
        for line in text.splitlines():
            what, *fields = line.split("\t")
            if what == "total":
                self.total = (int(fields[0]), int(fields[1]))
            elif what == "lap":
                self.laps.append((fields[0], int(fields[1]), int(fields[2])))
            elif what == "exits":
                self.exits[int(fields[0])] = (int(fields[1]), int(fields[2]))
            elif what == "insn":
                counts = [int(field) for field in fields[3:]]
                self.insns.append((int(fields[0], 16), int(fields[1], 16), fields[2],
                                   dict(zip(counts[::2], counts[1::2]))))
            elif what == "site":
                self.sites.append((int(fields[0]), int(fields[1], 16), *map(int, fields[2:])))
            else:
                raise ValueError(f"no such line in a profile: {line}")
        if self.total is None:
            raise ValueError("the profile is not complete")

    def classes(self, group):
        """Returns {class: instructions} of one group."""
        counts = collections.Counter()
        for _, _, name, groups in self.insns:
            counts[name] += groups.get(group, 0)
        return counts

    def functions(self, symbols, groups):
        """Returns {function: instructions}, most first, of some groups together."""
        counts = collections.Counter()
        for pc, _, _, there in self.insns:
            count = sum(there.get(group, 0) for group in groups)
            if count:
                counts[symbols.name(pc)] += count
        return dict(counts.most_common())


class Symbols:
    """The symbols of an ELF file; without a file there are none."""

    def __init__(self, elf=None):
        lines = subprocess.run(["nm", "-n", elf], capture_output=True, text=True, check=True).stdout if elf else ""
        fields = [line.split() for line in lines.splitlines()]
        table = [(int(at, 16), name) for at, kind, name in (field for field in fields if len(field) == 3)
                 if kind in "tTwW"]
        self.at, self.names = [at for at, _ in table], [name for _, name in table]

    def name(self, pc):
        """The name of the function at an address, or the address itself if there is none."""
        n = bisect.bisect_right(self.at, pc)
        return self.names[n - 1] if n else f"{pc:#x}"

    def address(self, name):
        return self.at[self.names.index(name)]


def units(classes):
    """Returns {unit: instructions} from {class: instructions}."""
    return {unit: sum(classes.get(name, 0) for name in names or CLASSES) for unit, (_, names) in UNITS.items()}


# ---- ./avc bench ----

class Row:
    """The mean of one round of a row: {unit: figure}, {class: instructions}, and {function: instructions}, most first.
    """

    def __init__(self, classes, functions, rounds):
        self.classes = {name: count / rounds for name, count in classes.items()}
        self.functions = {name: count / rounds for name, count in functions.most_common()}
        self.units = {unit: round(count, 2) for unit, count in units(self.classes).items()}


def rows(profile, symbols, names):
    """Returns {row: Row}. names: {row: rounds} in the order in which they were measured."""
    classes = [collections.Counter() for _ in range(len(names) + 1)]
    functions = [collections.Counter() for _ in range(len(names) + 1)]
    for pc, _, name, groups in profile.insns:
        function = symbols.name(pc)
        for group, count in groups.items():
            if group <= len(names):
                classes[group][name] += count
                functions[group][function] += count
    return {name: Row(classes[group], functions[group], rounds)
            for group, (name, rounds) in enumerate(names.items(), 1)}


# ---- ./avc run --profile ----

def table(head, rows):
    """Aligns the first column to the left, the others to the right."""
    rows = [head, *rows]
    widths = [max(len(row[n]) for row in rows) for n in range(len(head))]
    return ["  ".join(cell.ljust(width) if n == 0 else cell.rjust(width)
                      for n, (cell, width) in enumerate(zip(row, widths))).rstrip() for row in rows]


def kind_name(kind):
    return KINDS.get(kind, f"class {kind:#04x}")


def average(count, by):
    return f"{count / by:.1f}" if by else "-"


def kinds_table(profile):
    """Shows only the classes that occur."""
    counts = {kind: profile.classes(kind) for kind in profile.exits}
    shown = [name for name in CLASSES if any(classes[name] for classes in counts.values())]
    rows = []
    for kind in sorted(counts, key=lambda kind: -counts[kind].total()):
        exits, left = profile.exits[kind]
        rows.append([kind_name(kind), str(exits), str(left), str(counts[kind].total()),
                     average(counts[kind].total(), exits),
                     *(average(counts[kind][name], exits) for name in shown)])
    return table(["exit", "exits", "by VMM", "at EL2", "each", *shown], rows)


def sites_table(profile, top):
    sites = sorted((site for site in profile.sites if site[0] != NONE), key=lambda site: -site[4])[:top]
    return table(["guest's PC", "exit", "exits", "by VMM", "at EL2", "each"],
                 [[f"{pc:#x}", kind_name(kind), str(exits), str(left), str(count), average(count, exits)]
                  for kind, pc, exits, left, count in sites])


def functions_table(profile, symbols, top):
    counts = profile.functions(symbols, profile.exits)
    whole = sum(counts.values())
    return table(["function", "at EL2", "%"], [[name, str(count), f"{100 * count / whole:.1f}"]
                                               for name, count in list(counts.items())[:top]])


def run_text(profile, symbols, top):
    el2, below = profile.total
    in_exits = sum(profile.classes(kind).total() for kind in profile.exits)
    lines = [f"profile: {el2} instructions at EL2, {in_exits} of them in exits; {below} below, of guests"]
    if below:
        lines[0] += f": {100 * in_exits / (in_exits + below):.2f} % in exits"
    for part in (kinds_table(profile), sites_table(profile, top), functions_table(profile, symbols, top)):
        lines += ["", *part]
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--elf", type=pathlib.Path, help="the program at EL2, for names of functions")
    parser.add_argument("--top", type=int, default=20, help="so many places and functions")
    parser.add_argument("--address", metavar="NAME", help="only print the address of a function")
    parser.add_argument("file", nargs="?", type=pathlib.Path)
    options = parser.parse_args()
    symbols = Symbols(options.elf if options.elf and options.elf.exists() else None)
    if options.address:
        if options.address in symbols.names:
            print(f"{symbols.address(options.address):x}")
        return options.address not in symbols.names
    try:
        print(run_text(Profile(options.file.read_text()), symbols, options.top))
    except ValueError as error:
        print(f"{options.file}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
