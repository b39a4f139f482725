#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""Shows how long EL2 takes no interrupt at worst, in instructions: of each kind of trap, of each function of the
library that masks interrupts, of the reference hypervisor as a whole; and how long each lock is held.

It boots guest tests, the bench's guests, attacks and Linux with the plugin stretch (plugin/stretch.c), and keeps the
longest of each kind with its path: the functions on it, and the instructions in each. What several CPUs do in parallel
differs from run to run, so the limits (worst.tsv) have room; they are what is promised, and not what was measured.
Waiting for a lock counts for nothing.

usage: ./avc bench --worst [--long] [--check | --update] [PROGRAM...]

PROGRAM is part of a program's name: gic, bench, attack, linux. --long: all programs, on more CPU models."""
import argparse
import bisect
import collections
import concurrent.futures
import fnmatch
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import linux as debian
import profiling
import report
import tsv

ROOT = pathlib.Path(__file__).resolve().parents[1]
LIMITS = ROOT / "bench/worst.tsv"
DOCUMENT = ROOT / "docs/assurance.md"
# The compiler calls these for the library.
MEMORY = {"memset", "memcpy", "memmove", "memcmp"}
# Functions of the decoder's slow path, which has bounds of its own.
DECODER = {"parts", "avc_access_scatter", "avc_access_gather"}
INLINE = {"avc_lock", "avc_hw_irq_save", "vmm_lock"}
SHOWN = 4  # functions of a path


# ---- the library's functions in a program ----

def nm(file):
    """Yields (member, kind, name) of an archive."""
    member = ""
    for line in subprocess.run(["aarch64-linux-gnu-nm", file], capture_output=True, text=True,
                               check=True).stdout.splitlines():
        fields = line.split()
        if line.endswith(":"):
            member = line[:-3]
        elif len(fields) == 3:
            yield member, fields[1], fields[2]


def symbols(elf):
    """Yields (address, file, is global, name) of all code. file: of a local symbol, the object's or the source's."""
    file = ""
    for line in subprocess.run(["aarch64-linux-gnu-readelf", "-sW", elf], capture_output=True, text=True,
                               check=True).stdout.splitlines():
        fields = line.split()
        if len(fields) < 8 or not fields[0].endswith(":"):
            continue
        if fields[3] == "FILE":
            file = fields[7]
        elif fields[3] in ("FUNC", "NOTYPE") and fields[6].isdigit() and not fields[7].startswith("$"):
            yield int(fields[1], 16), file, fields[4] != "LOCAL", fields[7]


class Names:
    """The names of functions: NAME if it is global, otherwise FILE: NAME, for several files may have it."""

    def __init__(self, elf):
        table = sorted((at, name if is_global or not file.endswith(".c") else f"{file}: {name.split('.')[0]}")
                       for at, file, is_global, name in symbols(elf))
        self.at, self.names = [at for at, _ in table], [name for _, name in table]

    def name(self, pc):
        n = bisect.bisect_right(self.at, pc)
        return self.names[n - 1] if n else f"{pc:#x}"


def ranges(elf, archive):
    """Returns [(begin, end)] of the library's functions in a program. A local name is the library's if its file is."""
    names, local = set(), collections.defaultdict(set)
    for member, kind, name in nm(archive):
        if kind in "TW":
            names.add(name)
        elif kind == "t":
            local[member.removesuffix(".o").rpartition("_")[2]].add(name)
    found = {}
    for address, file, is_global, name in symbols(elf):
        own = name in names or name in MEMORY if is_global else \
            name in local.get(pathlib.Path(file.removesuffix(".o")).name.rpartition("_")[2], ())
        found[address] = found.get(address, False) or own
    borders = [*sorted(found), max(found) + 4096]
    return [(begin, end) for begin, end in zip(borders, borders[1:]) if found[begin]]


# ---- running ----

class Program:
    """command: without the plugin. option: how it takes the plugin's argument. elf: what runs at EL2."""

    def __init__(self, name, command, option, more, elf, folder=None):
        self.name, self.command, self.option, self.more = name, command, option, more
        self.elf, self.folder = elf, folder
        self.is_vmm = elf.name == "vmm.elf"


def guest_tests(build):
    """Yields (name, CPUs, CPU model, E2H) of each guest test, from its table in tests/guest/meson.build."""
    text = (ROOT / "tests/guest/meson.build").read_text()
    models = {name: re.findall(r"'([^']+)'", re.search(rf"^{name} = \[(.*)\]", text, re.M)[1])
              for name in ("v80", "v81")}
    table = text.split("guest_tests = {")[1].split("\n}")[0]
    for name, cpus, counted, e2h0, e2h1 in re.findall(
            r"'(\w+)': \[(\d), (true|false), (\[[^\]]*\]|[v801 +]+), (\[[^\]]*\]|[v801 +]+), \d+\]", table):
        for e2h, words in enumerate((e2h0, e2h1)):
            for cpu in re.findall(r"'([^']+)'", words) or sum((models[word] for word in words.split(" + ")), []):
                yield name, int(cpus), cpu, e2h, counted == "true" and int(cpus) == 1


def programs(build, long):
    boot = [sys.executable, ROOT / "tests/system/boot.py", "--timeout", "400"]
    for name, cpus, cpu, e2h, counted in guest_tests(build):
        if long or (cpu, e2h) in (("max", 0), ("cortex-a72", 0)) and (cpu == "max" or name in ("gic", "hal", "psci")):
            elf = build / f"tests/guest/{name}-e2h{e2h}.elf"
            yield Program(f"{name}-e2h{e2h} on {cpu}", boot + (["--count"] if counted else []), "--plugin",
                          [cpu, str(cpus), elf.with_suffix(".bin")], elf)
    for name, cpus in (("bench", 1), ("smp", 2), ("latency", 1)) + ((("growth", 1),) if long else ()):
        for e2h in (0, 1) if long else (0,):
            elf = build / f"bench/{name}-e2h{e2h}.elf"
            if elf.exists():
                yield Program(f"{name}-e2h{e2h}", boot + (["--count"] if cpus == 1 else []), "--plugin",
                              ["max", str(cpus), elf.with_suffix(".bin")], elf)
    yield from attacks(build, long)
    yield from linux(build, long)


def attacks(build, long):
    sys.path.insert(0, str(ROOT / "tests/attack"))
    import attack  # noqa: the commands of the attacks

    for seed in (2, 3, 6, 7, 10, 11) if long else (2,):  # those that run their CPUs in parallel
        options = attack.parse(["--build", str(build)])
        runner = attack.Runner(options)
        for name, (cpus, rounds, _) in attack.ATTACKS.items():
            folder = tempfile.TemporaryDirectory(prefix="avc-worst.")
            with open(pathlib.Path(folder.name) / "parameters", "wb") as parameters:
                command = runner.command(name, seed, rounds if long else max(rounds // 10, 1), parameters)
            elf = build / "vmm/vmm.elf" if cpus else build / f"tests/attack/vms-e2h{int(runner.is_vhe(seed))}.elf"
            yield Program(f"attack {name}, seed {seed}", command, "-plugin", [], elf, folder)


def linux(build, long):
    for vhe, vcpus, cpus in (("on", 1, 1), ("off", 4, 2), ("on", 4, 2)) if long else (("on", 4, 2),):
        folder = tempfile.TemporaryDirectory(prefix="avc-worst.")
        disk = pathlib.Path(folder.name) / "initrd"
        disk.write_bytes(debian.initrd((build / "bench/linux-init").read_bytes()))
        yield Program(f"Linux, {vcpus} on {cpus}, E2H {vhe}",
                      [ROOT / "avc", "run", "--cpus", str(vcpus), "--host-cpus", str(cpus), "--host-cpu", "max",
                       "--host-vhe", vhe, "--timeout", "400", "--kernel", build.parent / "guest/Image", "--initrd",
                       disk, "--append", debian.QUIET, "--"], "-plugin", [], build / "vmm/vmm.elf", folder)


def run(build, program):
    """Returns the plugin's lines: [[what, kind, PC, length, times, [(PC, instructions)]]], and {PC: instructions} of
    what ran."""
    plugin = str(build / "bench/plugin/stretch.so").replace(",", ",,")
    with tempfile.NamedTemporaryFile("r") as out, tempfile.NamedTemporaryFile("w") as library:
        library.write("".join(f"{begin:x} {end:x}\n" for begin, end in ranges(program.elf, build / "src/libavc.a")))
        library.flush()
        done = subprocess.run([*program.command, program.option,
                               f"{plugin},out={out.name},library={library.name}", *program.more],
                              env={**os.environ, "AVC_VMM_IMAGE": str(build / "vmm/vmm.bin")},
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace")
        lines = [line.split("\t") for line in out.read().splitlines()]
    if program.folder:
        program.folder.cleanup()
    if done.returncode or not lines or lines[-1] != ["end"]:
        raise RuntimeError(f"{program.name} failed:\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
    found, ran = [], {}
    for what, *fields in lines:
        if what == "ran":
            ran[int(fields[0], 16)] = max(int(fields[1]), ran.get(int(fields[0], 16), 0))
        elif what != "end":
            path = [step.split("*") for step in fields[4].split()]
            found.append([what, fields[0], int(fields[1], 16), int(fields[2]), int(fields[3]),
                          [(int(pc, 16), int(count)) for pc, count in path]])
    return found, ran


# ---- what was found ----

class Worst:
    """The longest of one kind."""

    def __init__(self, length, times, where, path):
        self.length, self.times, self.where, self.path = length, times, where, path

    def functions(self, known=None):
        """known: the names that documents may use. Macros make others."""
        names = ((name.split(".")[0], count) for name, count in
                 sorted(self.path.items(), key=lambda item: -item[1])[:SHOWN])
        return ", ".join(f"{as_known(name, known)} {count}" for name, count in names)


def as_known(name, known):
    return name if known is None or name.partition(",")[0] in known else name.removeprefix("avc_")


def kind_of(what, kind, function, is_vmm, path):
    """Returns (table, name), or None for what is not looked at: stretches of a test's own host."""
    if what == "lock":
        return ("lock", function)
    if what == "masked" and not is_vmm:
        return None
    table = "vmm" if what == "masked" else "trap" if kind.isdigit() else "call"
    name = profiling.kind_name(int(kind)) if kind.isdigit() else "IRQ at EL2" if kind == "here" else function
    return (table, name + ", decoder" if what == "library" and DECODER & path.keys() else name)


def gather(build, chosen):
    """Runs programs. Returns {(table, name): Worst}."""
    worst = {}
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for program, (found, _) in zip(chosen, pool.map(lambda program: run(build, program), chosen)):
            names, full = profiling.Symbols(program.elf), Names(program.elf)
            library = set(name for _, kind, name in nm(build / "src/libavc.a") if kind in "TtW") | MEMORY
            for what, kind, pc, length, times, steps in found:
                places = (place for place in [pc, *(at for at, _ in steps)] if names.name(place) not in INLINE)
                at = next(places, pc)  # if the compiler has made a function of an inline one, its caller comes next
                function = full.name(at)
                path = collections.Counter()
                for step, count in steps:
                    if what != "library" or names.name(step) in library:
                        path[names.name(step)] += count
                key = kind_of(what, kind, function, program.is_vmm, path)
                if not key or (key[0] == "lock" and not program.is_vmm and names.name(at) not in library):
                    continue
                before = worst.get(key)
                if not before or length > before.length:
                    worst[key] = Worst(length, times + (before.times if before else 0), program.name, path)
                else:
                    before.times += times
    return worst


TABLES = {"trap": "A trap of a guest's: instructions of the library with interrupts masked",
          "call": "A call of the library's, by the function that masks",
          "lock": "A lock that is held, by the function that takes it",
          "vmm": "The reference hypervisor: all instructions with interrupts masked, by what begins the stretch"}


def limits():
    """Returns {(table, name): (limit, reason)}. A name is a pattern."""
    return {(table, name): (int(limit), reason) for table, name, limit, reason in tsv.read(LIMITS)}


def limit_of(known, key):
    """The first row that matches."""
    return next(found for (table, name), found in known.items() if table == key[0] and fnmatch.fnmatch(key[1], name))


def in_order(worst, table):
    return sorted((item for item in worst.items() if item[0][0] == table), key=lambda item: -item[1].length)


def text(worst):
    known = limits()
    lines = []
    for table, title in TABLES.items():
        lines += ["", title, f"  {'':34}{'longest':>9}{'limit':>9}{'times':>10}  where: path"]
        for key, w in in_order(worst, table):
            limit, _ = limit_of(known, key)
            lines.append(f"{' ' if w.length <= limit else '!'} {key[1]:34}{w.length:>9}{limit:>9}{w.times:>10}  "
                         f"{w.where}: {w.functions()}")
    return "\n".join(lines) + "\n"


def document(worst):
    """The lines of the tables in docs/assurance.md: what is longer than a fifth of the goal."""
    known, lines = limits(), []
    names = {word for folder in ("src", "include", "vmm") for file in (ROOT / folder).rglob("*.[chS]")
             for word in re.findall(r"\w+", file.read_text())}
    for table, title in TABLES.items():
        lines += [f"| {title} | longest | limit | the most of it |", "|---|---|---|---|"]
        for key, w in in_order(worst, table):
            limit, _ = limit_of(known, key)
            if w.length * 5 > known[table, "*"][0]:
                lines.append(f"| `{as_known(key[1], names)}` | {w.length:,} | {limit:,} | {w.functions(names)} |")
        lines.append("")
    reasons = [(key, limit, reason) for key, (limit, reason) in known.items() if key[1] != "*"]
    lines += ["| a limit of its own | | why |", "|---|---|---|"]
    return lines + [f"| {key[0]}: `{key[1]}` | {limit:,} | {reason} |" for key, limit, reason in reasons]


def complaints(worst):
    known = limits()
    for key, w in worst.items():
        limit, _ = limit_of(known, key)
        if w.length > limit:
            yield f"{key[0]}, {key[1]}: {w.length} instructions, limit {limit}; in {w.where}: {w.functions()}"
    for table in TABLES:
        if not any(key[0] == table for key in worst):
            yield f"{table}: nothing was measured"


def unable(build):
    if os.environ.get("AVC_QEMU_OLD"):
        return "this QEMU has no plugin interface of version 3, and another max"
    if not (build / "bench/plugin/stretch.so").exists():
        return "the plugin was not built: there is no compiler for this machine"
    return None


def main(arguments):
    parser = argparse.ArgumentParser(prog="./avc bench --worst", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/target")
    parser.add_argument("--long", action="store_true", help="all programs, on more CPU models")
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--check", action="store_true", help="compare with the limits, as TAP")
    action.add_argument("--update", action="store_true", help="write the table of docs/assurance.md")
    parser.add_argument("program", nargs="*")
    options = parser.parse_args(arguments)
    if reason := unable(options.build):
        print(f"1..0 # SKIP {reason}" if options.check else f"bench: {reason}")
        return 0 if options.check else 1
    chosen = [program for program in programs(options.build, options.long)
              if not program.name.startswith("panic") # its exceptions at EL2 are the end
              and (not options.program or any(word in program.name for word in options.program))]
    worst = gather(options.build, chosen)
    if options.check:
        bad = list(complaints(worst))
        print("".join(f"# {line}\n" for line in bad) + f"{'not ok' if bad else 'ok'} 1 - nothing takes longer than its "
              f"limit in {len(chosen)} programs\n1..1")
        return 1 if bad else 0
    print(text(worst), end="")
    if options.update:
        DOCUMENT.write_text(report.with_parts(DOCUMENT.read_text(), {"worst": document(worst)}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
