#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""Compares what the plugin of ./avc bench --worst finds in the bench's guest with what the profile's plugin counts, and
with what is known by construction. Prints TAP.

usage: stretched.py BUILD-OF-THE-TARGET
"""
import pathlib
import subprocess
import sys
import tempfile

from avctest import TOP, Tap, command_line, existing, old_qemu

sys.path.insert(0, str(pathlib.Path(TOP) / "bench"))
import profiling  # noqa: E402
import worst  # noqa: E402


def profile(build, program):
    with tempfile.NamedTemporaryFile("r") as out:
        subprocess.run([*program.command, "--plugin", f"{build / 'bench/plugin/profile.so'},out={out.name}",
                        *program.more], capture_output=True, check=True)
        return profiling.Profile(out.read())


def main():
    parser = command_line(__doc__)
    parser.add_argument("build", metavar="BUILD-OF-THE-TARGET", type=existing)
    options = parser.parse_args()
    tap, build = Tap(), pathlib.Path(options.build)
    if old_qemu():
        tap.skip("the plugin", "it needs QEMU 10")
        return tap.done()
    program, = (program for program in worst.programs(build, False) if program.name == "bench-e2h0")
    found, ran = worst.run(build, program)
    counted, names = profile(build, program), profiling.Symbols(program.elf)
    traps = {kind: (length, times, path) for what, kind, _, length, times, path in found
             if what == "masked" and kind.isdigit()}
    exits = {str(kind): number for kind, (number, _) in counted.exits.items() if kind != profiling.NONE}
    # The last call powers the machine off. The profile does not see an IRQ that is taken before the guest's next
    # instruction.
    irq, hvc = str(profiling.IRQ), "22"
    times = {kind: times for kind, (_, times, _) in traps.items()}
    tap.ok(times.pop(irq) >= exits.pop(irq) > 1000, "as many stretches as IRQs", (times, exits))
    times[hvc] += 1
    # A look for interrupts, between the steps of a long operation on the vGIC, begins a stretch of the same kind anew.
    # The library's host makes such operations in hypercalls, and guests by stores.
    looks = {kind: times[kind] - exits[kind] for kind in (hvc, "36")}
    tap.ok(all(0 <= more < exits[kind] / 100 for kind, more in looks.items()) and
           {**times, **{kind: exits[kind] for kind in looks}} == exits,
           "as many stretches as exits of each other kind, and some more by looks", (times, exits))
    tap.equal([kind for kind, (length, _, path) in traps.items() if length != sum(count for _, count in path)], [],
              "a path has all instructions of its stretch")
    library = {(what, kind): length for what, kind, _, length, *_ in found if what == "library" and kind.isdigit()}
    tap.equal([kind for (_, kind), length in library.items() if length > traps[kind][0]], [],
              "the library's part is no longer than all of it")
    locks = {}
    for what, _, pc, length, *_ in found:
        if what == "lock":
            locks[names.name(pc)] = max(length, locks.get(names.name(pc), 0))
    tap.equal(locks.get("avc_vmid_put"), 4, "avc_vmid_put() holds its lock for a store, and what is around it")
    here = {names.name(pc) for pc in ran}
    tap.ok({"avc_vectors", "avc_leave", "avc_hw_lr_read"} <= here and "avc_trap_host" not in here,
           "what ran, and what did not")
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
