#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""Compares what the plugin counts on the bench's guests with three things: what is known by construction, the
emulator's own count, and a disassembler. Prints TAP.

usage: profiled.py PLUGIN FOLDER-OF-THE-BENCH
"""
import collections
import pathlib
import re
import subprocess
import sys
import tempfile

from avctest import TOP, Tap, command_line, existing, old_qemu

sys.path.insert(0, str(pathlib.Path(TOP) / "bench"))
import profiling  # noqa: E402

tap = Tap()
parser = command_line(__doc__)
parser.add_argument("plugin", metavar="PLUGIN", type=existing)
parser.add_argument("bench", metavar="FOLDER-OF-THE-BENCH", type=existing)
options = parser.parse_args()
PLUGIN, BENCH = pathlib.Path(options.plugin), pathlib.Path(options.bench)


def boot(program, cpus, *arguments):
    """Returns what the program printed, and the profile. Without arguments it runs without the plugin, and the profile
    is empty."""
    with tempfile.NamedTemporaryFile("r") as counted:
        plugin = ["--plugin", ",".join([str(PLUGIN), f"out={counted.name}", *arguments])] if arguments else []
        run = subprocess.run([sys.executable, pathlib.Path(__file__).with_name("boot.py"), "--count", *plugin, "max",
                              str(cpus), BENCH / f"{program}.bin"], capture_output=True, text=True, check=False)
        return run.stdout, profiling.Profile(counted.read()) if arguments else None


def rows(out):
    """Returns {row: (instructions of all rounds, rounds)}."""
    lines = [line.split("\t") for line in out.splitlines()]
    return {line[1]: (int(line[2]), int(line[3])) for line in lines if line[0] == "row"}


# The first pattern that matches decides.
PATTERNS = {
    "at|dc|ic|sysl?": "sys",
    "hvc|smc|svc|brk": "call",
    r"b|bl|br|blr|ret|b\..*|[ct]bn?z": "branch",
    "(casp?|swp|ld(add|clr|eor|set|[su]max|[su]min)|st(add|clr|eor|set|[su]max|[su]min))a?l?[bh]?": "atomic",
    "ld.*": "load",
    "st.*": "store",
}


def class_of(mnemonic, operands):
    """Returns the class of an instruction as a disassembler prints it."""
    if mnemonic == "msr" and "#" in operands:
        return "pstate"
    if mnemonic in ("mrs", "msr", "isb", "dsb", "dmb", "tlbi", "eret"):
        return mnemonic
    for pattern, name in PATTERNS.items():
        if re.fullmatch(pattern, mnemonic):
            return name
    return "other"


def disassembled(elf):
    """Returns {(address, instruction): class}."""
    out = subprocess.run(["aarch64-linux-gnu-objdump", "-d", elf], capture_output=True, text=True, check=True).stdout
    lines = re.findall(r"^ *([0-9a-f]+):\t([0-9a-f]{8}) \t(\S+)(.*)", out, flags=re.M)
    return {(int(at, 16), int(code, 16)): class_of(mnemonic, operands) for at, code, mnemonic, operands in lines}


def test_rows(program, out, profile):
    symbols = profiling.Symbols(BENCH / f"{program}.elf")
    names = {name: rounds for name, (_, rounds) in rows(out).items()}
    counted = profiling.rows(profile, symbols, names)
    differing = collections.defaultdict(list)  # row: members
    for number, (name, (ticks, rounds)) in enumerate(rows(out).items(), 1):
        # The guest's own instruction counts, except one that aborts, which the emulator does not count.
        row = name.split("/")[0]
        own = 0 if row in ("gicd_typer", "device", "device_loop", "pl011_status", "gic_rw") else 1
        if row in ("hvc", "smc", "hypercall", "hvc_slow", "switch") or not own:
            got = profile.exits[number][0], counted[name].classes.get("eret"), counted[name].units["el2"] + own
            wanted = rounds, 1, round(ticks / rounds, 2)
            differing[row] += [f"{name}: got {got}, wanted {wanted}"] if got != wanted else []
    for row, lines in differing.items():
        tap.ok(not lines, f"{program}, {row}: exits, an ERET in each, all instructions", "\n".join(lines))
    hvc = counted["hvc/PSCI_VERSION"]
    tap.equal([hvc.classes.get(name, 0) for name in ("mrs", "msr", "isb", "dsb", "dmb", "tlbi", "sys")],
              [1, 0, 0, 0, 0, 0, 0], f"{program}: an HVC that is handled reads ESR_EL2 and nothing else", hvc.classes)
    tap.ok({"avc_vectors", "avc_psci_version"} <= set(hvc.functions)
           and sum(hvc.functions.values()) == hvc.units["el2"], f"{program}: its functions", hvc.functions)


def test_sums(program, profile):
    """Without marks, instructions are counted by kind of exit."""
    kinds = {kind: profile.classes(kind).total() for kind in range(profiling.NONE + 1)}
    tap.equal(sum(kinds.values()), profile.total[0],
              f"{program}: kinds and what is before them are all instructions at EL2")
    sums = collections.defaultdict(lambda: [0, 0, 0])
    for kind, _, *counts in profile.sites:
        sums[kind] = [a + b for a, b in zip(sums[kind], counts)]
    tap.equal({kind: tuple(count) for kind, count in sums.items()},
              {kind: (*profile.exits[kind], kinds[kind]) for kind in profile.exits},
              f"{program}: places are all of a kind")
    tap.ok(profile.exits[0x16][1] > 1000 and profile.exits[0x17] == (12 * 68, 0),
           f"{program}: exits to the VMM's loop", profile.exits)
    tap.equal([name for name, *_ in profile.laps], ["el1", "el0"],
              f"{program}: a guest's first instruction at EL1, and at EL0")
    known = disassembled(BENCH / f"{program}.elf")
    wrong = [f"{pc:#x}: {code:08x} {name}, not {known[pc, code]}" for pc, code, name, _ in profile.insns
             if known.get((pc, code), name) != name]
    seen = sum((pc, code) in known for pc, code, *_ in profile.insns)
    tap.ok(not wrong and seen > 5000, f"{program}: classes as a disassembler names them, of {seen} instructions",
           "\n".join(wrong))


def test_serial(program):
    """Counting with QEMU 10's own means would break the program here."""
    plain, _ = boot(program, 2)
    out, profile = boot(program, 2, "marks=on", "serial=on")
    tap.equal(rows(out), rows(plain), f"{program}, two CPUs: the emulator's count is the same with the plugin")
    tap.equal(profile.exits.get(1, (0,))[0], 128, f"{program}: the write of an SGI and its interrupt, 64 times")


def main():
    if old_qemu():
        tap.skip("the plugin", "it needs QEMU 10")
        return tap.done()
    for program in ("bench-e2h0", "bench-e2h1"):
        out, profile = boot(program, 1, "marks=on")
        test_rows(program, out, profile)
        if program == "bench-e2h0":
            plain, _ = boot(program, 1)
            tap.equal(rows(out), rows(plain), f"{program}: the emulator's count is the same with the plugin")
            left = profiling.Symbols(BENCH / f"{program}.elf").address("avc_leave")
            test_sums(program, boot(program, 1, f"left={left:x}")[1])
    test_serial("smp-e2h1")
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
