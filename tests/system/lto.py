#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""Builds the library, the examples and their host with link-time optimisation, from the list of sources. Each example
prints what it should, guests keep their registers, and no C code uses x18. Prints TAP.

usage: lto.py BUILD [--cc COMMAND]

At link time the compiler generates code anew, and forgets some of the options with which a file was compiled. This test
notices if it forgets one that matters.
"""
import pathlib
import re
import sys

from avctest import TOP, Tap, command_line, existing
from installed import Installed, qemu_model

TOP = pathlib.Path(TOP)
FLAGS = "-O2 -g -Wall -Wextra -Wno-unused-parameter"
tap = Tap()


def maker(package, cc, flags):
    """Returns the make command for any example. All examples share the library's objects. The archiver is gcc-ar,
    because ar alone does not read such objects."""
    ar = re.sub(r"gcc$", "gcc-ar", cc.split()[0])
    return [*package.make(cc), "-j2", f"AR={ar}", f"AVC_SOURCE={TOP}", f"AVC_BUILD={package.folder}/avc-{len(flags)}",
            f"CFLAGS={flags}"]


def users_of_x18(package, elf):
    """Returns the functions that name the register. Functions of assembly may."""
    functions, name = set(), ""
    for line in package.run(["aarch64-linux-gnu-objdump", "-d", elf], package.folder).out.splitlines():
        start = re.match(r"[0-9a-f]+ <(\w+)", line)
        name = start[1] if start else name
        if re.search(r"\b[xw]18\b", line):
            functions.add(name)
    return functions


def boots(package, make, name, folder, models):
    build = package.run([*make, "all"], folder, timeout=600)
    if not tap.ok(build.status == 0 and not build.err, f"{name} builds, without a warning", build.transcript[-2000:]):
        return
    wanted = (folder / "expected.txt").read_text()
    for model in models:
        run = package.run([*make, "run", f"CPU={qemu_model(model)}"], folder, timeout=90)
        tap.ok(run.status == 0 and run.out == wanted, f"{name} on {model}", run.transcript[-2000:])


def registers(package, make, plain):
    """Builds tests/guest/lto with and without LTO. With LTO no more functions name x18 than without."""
    folder = package.copy_example("01-minimal", "registers")
    (folder / "main.c").write_text((TOP / "tests/guest/lto/main.c").read_text())
    (folder / "expected.txt").write_text("13 operations\n")
    package.run([*plain, "all"], folder, timeout=600)
    written = users_of_x18(package, folder / "build/kernel.elf")
    package.run([*make, "clean"], folder)
    boots(package, make, "a guest that looks after its registers", folder, ("cortex-a53", "max"))
    tap.equal(users_of_x18(package, folder / "build/kernel.elf") - written, set(), "no C of it uses x18")
    tap.ok(written, "which assembly does")


def main():
    parser = command_line(__doc__)
    parser.add_argument("build", type=existing)
    parser.add_argument("--cc", default="aarch64-linux-gnu-gcc")
    options = parser.parse_args()
    with Installed(options.build) as package:
        make, plain = (maker(package, options.cc, flags) for flags in (f"{FLAGS} -flto=auto", FLAGS))
        registers(package, make, plain)
        for name in package.examples():
            folder = package.copy_example(name)
            models = package.run([*make, "models"], folder).out.split()
            boots(package, make, name, folder, models[-1:])
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
