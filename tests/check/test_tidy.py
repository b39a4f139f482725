#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""Tests that tidy.py accepts a small tree that is sound, and complains about each of these changes to it. Prints TAP.
"""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

from points import run as run_points

CHECK = pathlib.Path(__file__).resolve().parent / "tidy.py"
CONFIG = pathlib.Path(__file__).resolve().parents[2] / ".clang-tidy"

HEADER = "static inline int twice(int n)\n{\n    return 2 * n;\n}\n"
SOURCE = '#include "a.h"\nint f(const int *p)\n{\n    return p ? twice(*p) : 0;\n}\n'
CALLS_ITSELF = "int h(int n)\n{\n    return n ? h(n - 1) : 0;\n}\n"
BAD = "int g(const int *p)\n{\n    return p ? 0 : *p;\n}\n"
TREE = {"src/core/a.h": HEADER, "src/core/a.c": SOURCE, "vmm/kern/b.c": "int b;\n"}

# (title, files that differ from the sound tree, files with complaints)
CASES = [
    ("a sound tree", {}, []),
    ("a null pointer", {"src/core/a.c": SOURCE + BAD}, ["src/core/a.c"]),
    ("a function that calls itself", {"src/core/a.c": CALLS_ITSELF}, ["src/core/a.c"]),
    ("one in a header", {"src/core/a.h": HEADER + "static inline " + CALLS_ITSELF}, ["src/core/a.c"]),
    ("one that may, and says why",
     {"src/core/a.c": "/* NOLINTNEXTLINE(misc-no-recursion): to the end of a list */\n" + CALLS_ITSELF}, []),
    ("one of the hypervisor", {"vmm/kern/b.c": BAD}, ["vmm/kern/b.c"]),
    ("one that nobody asks for", {"tests/unit/t.c": BAD}, []),
    ("a file that does not compile", {"src/core/a.c": "int f(\n"}, ["src/core/a.c"]),
]


def run(files, *arguments, database=None):
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for name, text in {**TREE, **files}.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text, encoding="utf-8")
        shutil.copy(CONFIG, root / ".clang-tidy")
        build = root / "build"
        build.mkdir()
        if database is None:
            database = [{"directory": str(build), "file": f"../{name}", "output": "o", "arguments":
                         ["gcc", "-Wall", "-Wno-something-of-gcc", "-std=gnu11", "-c", f"../{name}"]}
                        for name in {**TREE, **files} if name.endswith(".c")]
        (build / "compile_commands.json").write_text(json.dumps(database), encoding="utf-8")
        done = subprocess.run([sys.executable, CHECK, "--root", root, "--build", build, *arguments],
                              capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr


def case(files, bad):
    status, out = run(files)
    found = [line.split(" - ")[1] for line in out.splitlines() if line.startswith("not ok")]
    return status == bool(bad) and found == bad and "1..3" in out, out


def waived(files, waiver, complaint):
    status, out = run(files, f"--waive={waiver}")
    return status == bool(complaint) and complaint in out and bool(complaint or "not ok" not in out), out


def empty():
    status, out = run({}, database=[])
    return status == 1 and "compiles none of these files" in out, out


def main():
    points = [(what, lambda f=f, b=b: case(f, b)) for what, f, b in CASES] + [
        ("what is waived", lambda: waived({"src/core/a.c": CALLS_ITSELF}, "a.c:misc-no-recursion", "")),
        ("another file is not", lambda: waived({"vmm/kern/b.c": CALLS_ITSELF}, "b.h:misc-no-recursion", "not ok 2")),
        ("a waiver that nothing needs", lambda: waived({}, "a.c:misc-no-recursion", "it needs no waiver")),
        ("a build of nothing", empty)]
    return run_points(points)


sys.exit(main())
