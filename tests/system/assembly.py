#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""Which instructions of src/hw's assembly do the guest tests execute? All but those that are named here, with the
reason. Prints TAP.

usage: assembly.py BUILD-OF-THE-TARGET [--list]

The plugin of ./avc bench --worst says which blocks ran. An instruction is known by its label and the distance from it.
What is never to be executed is not counted: NOPs before a vector, zeros, and the DSB and ISB behind each ERET, which
keep the CPU from speculating past it.
"""
import collections
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys

from avctest import TOP, Tap, command_line, existing, old_qemu

sys.path.insert(0, str(pathlib.Path(TOP) / "bench"))
import worst  # noqa: E402

SOURCES = ["call_host.S", "fp.S", "host_vectors.S", "lr.S", "rndr.S", "smc.S", "vectors.S",
           "vectors_harden.S"]
# Each row: a pattern of LABEL+DISTANCE, and why no guest test executes it.
SERROR = "QEMU's CPUs take no SError"
REASONS = [
    (r"vectors.S: (take_serror|avc_serror_window)\+.*", SERROR),
    (r"vectors.S: (avc_vectors_el2_serror|avc_vectors_serror)\+.*", SERROR),
    (r"(vectors|vectors_harden|host_vectors).S: avc_\w*vectors\w*\+0x[1357][89ab].", SERROR),
    (r"(vectors|vectors_harden).S: avc_vectors\w*\+0x[67]..",
     'EL1 is AArch64, and decides on the vector (DDI 0487, D1, "Exception vectors"): AArch32 at EL0 comes by 0x400'),
    (r"vectors.S: avc_vectors_host\+0x1[8c]", "hal->panic does not return"),
    (r"host_vectors.S: bug\+0x(1c|20)", "hal->panic does not return"),
    (r"host_vectors.S: avc_host_vectors\+0x[4567]..", "no guest runs while this table stands"),
    (r"vectors_harden.S: avc_vectors_\w+\+0x(..?|[0123]..)", "EL2's own exceptions, as in avc_vectors"),
    (r"vectors_harden.S: avc_vectors_firmware\+0x[45]..", "TF-A boots the tests that execute it, not this one"),
    (r"vectors_harden.S: avc_vectors_clrbhb\+0x[45]..", "the test that chooses it takes no interrupt"),
    (r"lr.S: avc_hw_lr_(read|write)\+.*", "QEMU's CPUs have four list registers"),
]


def objdump(*arguments):
    return subprocess.run(["aarch64-linux-gnu-objdump", *arguments], capture_output=True, text=True,
                          check=True).stdout


def instructions(archive, member):
    """Returns {distance from the first symbol of .text: (LABEL+DISTANCE, text)}, and that symbol's name, for an object
    in the archive. Instructions that are padding are left out."""
    text = objdump("-d", "-j", ".text", "--show-all-symbols", archive).split(f"{member}:     file format")[1]
    text = re.split(r"\n\S+:     file format", text)[0]
    found, label, label_at, behind_eret = {}, None, 0, False
    for line in text.splitlines():
        if match := re.match(r"([0-9a-f]+) <(\S+)>:", line):
            label, label_at = match[2], int(match[1], 16)
        elif match := re.match(r" *([0-9a-f]+):\t([0-9a-f]{8}) \t(.*)", line):
            at, code = int(match[1], 16), int(match[2], 16)
            what = match[3].split("//")[0].strip().replace("\t", " ")
            behind_eret = what == "eret" or (behind_eret and what in ("dsb nsh", "isb"))
            if code not in (0, 0xd503201f) and (what == "eret" or not behind_eret):
                found[at] = (f"{label}+{at - label_at:#x}", what)
    return found


def globals_of(archive, member):
    """Returns {symbol: offset} of the global symbols in an object's .text."""
    text = subprocess.run(["aarch64-linux-gnu-nm", archive], capture_output=True, text=True, check=True).stdout
    part = text.split(f"\n{member}:\n")[1].split("\n\n")[0]
    return {fields[2]: int(fields[0], 16) for fields in (line.split() for line in part.splitlines())
            if len(fields) == 3 and fields[1] == "T"}


def places(archive, elf):
    """Yields (source, base address) of each object that a program has."""
    addresses = {name: at for at, _, is_global, name in worst.symbols(elf) if is_global}
    for source in SOURCES:
        for name, offset in globals_of(archive, f"hw_{source}.o").items():
            if name in addresses:
                yield source, addresses[name] - offset
                break


def gather(build):
    """Returns {source: {offset: times}}: what was executed in any of the programs."""
    archive = build / "src/libavc.a"
    executed = {source: collections.Counter() for source in SOURCES}
    programs = [program for program in worst.programs(build, True)
                if program.name.endswith("-e2h0 on max") or program.name == "timer-e2h0 on cortex-a72" or
                program.name.startswith(("fiq-", "hal-", "poison-"))]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for program, (_, ran) in zip(programs, pool.map(lambda program: worst.run(build, program), programs)):
            bases = dict(places(archive, program.elf))
            for pc, count in ran.items():
                for source, base in bases.items():
                    if 0 <= pc - base < 0x4000:
                        for n in range(count):
                            executed[source][pc - base + 4 * n] += 1
    return executed, len(programs)


def main():
    parser = command_line(__doc__)
    parser.add_argument("build", metavar="BUILD-OF-THE-TARGET", type=existing)
    parser.add_argument("--list", action="store_true", help="print what was not executed, and nothing else")
    options = parser.parse_args()
    tap, build = Tap(), pathlib.Path(options.build)
    if old_qemu() or not (build / "bench/plugin/stretch.so").exists():
        tap.skip("assembly", "no plugin")
        return tap.done()
    executed, nr = gather(build)
    used = set()
    for source in SOURCES:
        there = instructions(build / "src/libavc.a", f"hw_{source}.o")
        missed = [(name, text) for at, (name, text) in sorted(there.items()) if not executed[source][at]]
        bad = []
        for name, text in missed:
            reasons = [pattern for pattern, _ in REASONS if re.fullmatch(pattern, f"{source}: {name}")]
            used |= set(reasons)
            bad += [] if reasons else [f"{name}: {text}"]
        if options.list:
            print(f"{source}: {len(there) - len(missed)} of {len(there)}", *(f"  {line}" for line in bad), sep="\n")
            continue
        tap.ok(len(there) > 3 and not bad,
               f"{source}: {len(there) - len(missed)} of {len(there)} instructions are executed in {nr} programs, "
               f"and {len(missed)} have a reason", "\n".join(bad))
    if options.list:
        return 0
    tap.equal([pattern for pattern, _ in REASONS if pattern not in used], [], "each reason is still needed")
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
