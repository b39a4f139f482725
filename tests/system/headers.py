#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""The installed headers. Each compiles alone, as C and as C++, by each compiler, without a warning. What they declare
is in the archive, and C++ finds it there. Prints TAP.

usage: headers.py BUILD
"""
import re
import sys

from avctest import Tap, command_line, existing
from installed import Installed

CROSS = "--target=aarch64-linux-gnu -ffreestanding -nostdlibinc".split()
C = ["-std=c11", "-x", "c"]
CXX = ["-std=c++17", "-x", "c++"]
COMPILERS = {
    "gcc": ["gcc", *C],
    "clang": ["clang-14", *C],
    "gcc for AArch64": ["aarch64-linux-gnu-gcc", "-ffreestanding", *C],
    "clang for AArch64": ["clang-14", *CROSS, *C],
    "g++": ["g++", *CXX],
    "clang++": ["clang++-14", *CXX],
    "clang++ for AArch64": ["clang++-14", *CROSS, *CXX],
}
STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Wundef", "-Wshadow"]

tap = Tap()


def compiled(package, compiler, text, *words):
    source = package.folder / "unit"
    source.write_text(text)
    return package.run([*COMPILERS[compiler], *STRICT, "-I", package.prefix / "include", *words, source],
                       package.folder)


def test_alone(package, names):
    for compiler in COMPILERS:
        for name in names:
            # Included twice, to test its guard.
            result = compiled(package, compiler, f"#include <avc/{name}>\n" * 2, "-fsyntax-only")
            tap.ok(result.status == 0 and not result.err, f"<avc/{name}> alone, by {compiler}", result.transcript)


def test_linkage(package, names):
    include = "".join(f"#include <avc/{name}>\n" for name in names)
    listing = package.folder / "declared"
    result = compiled(package, "gcc for AArch64", include, "-fsyntax-only", "-aux-info", listing)
    declared = sorted(set(re.findall(r"/avc/\w+\.h:\d+:\w+ \*/ extern .*?\b(avc_\w+) \(", listing.read_text())))
    tap.ok(len(declared) > 50, f"{len(declared)} functions are declared", result.transcript)
    archive = package.run(["aarch64-linux-gnu-nm", "-g", "--defined-only", package.prefix / "lib/libavc.a"],
                          package.folder)
    have = set(re.findall(r" T (\w+)$", archive.out, re.M))
    tap.equal([name for name in declared if name not in have], [], "and all of them are in the archive")
    table = ", ".join(f"reinterpret_cast<void *>(&{name})" for name in declared)
    unit = package.folder / "unit.o"
    result = compiled(package, "clang++ for AArch64",
                      f"{include}extern void *const all[];\nvoid *const all[] = {{ {table} }};\n", "-c", "-o", unit)
    wanted = set(re.findall(r" U (\w+)$", package.run(["aarch64-linux-gnu-nm", unit], package.folder).out, re.M))
    tap.ok(result.status == 0 and not result.err and wanted == set(declared), "by the names that C++ calls them",
           f"{result.transcript}\n{wanted ^ set(declared)}")


def test_sizes(package, names):
    """A language that cannot read the headers needs the size of each struct that a function or a callback takes by
    pointer."""
    text = "".join((package.prefix / "include/avc" / name).read_text() for name in names
                   if not name.startswith("priv/"))
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    told = set(re.findall(r"^    X\((\w+)\)", text, re.M))
    taken = set(re.findall(r"struct avc_(\w+) \*", text))
    tap.equal(sorted(taken - told), [], "<avc/sizes.h> lists each struct that is taken by pointer")


def main():
    parser = command_line(__doc__)
    parser.add_argument("build", metavar="BUILD", type=existing)
    with Installed(parser.parse_args().build) as package:
        folder = package.prefix / "include/avc"
        names = sorted(str(file.relative_to(folder)) for file in folder.rglob("*.h"))
        tap.ok("avc.h" in names, "there are headers")
        test_alone(package, names)
        test_linkage(package, names)
        test_sizes(package, names)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
