#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""Tests that circles.py finds circles, in small trees with and without them. Prints TAP."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

from points import run as run_points

CHECK = pathlib.Path(__file__).resolve().parent / "circles.py"
CC = os.environ.get("CC", "cc")

# (title, files below src/, circles of includes)
INCLUDES = [
    ("a chain", {"core/a.c": '#include "a.h"\n#include "b.h"\n', "core/a.h": "",
                 "core/b.c": '#include "b.h"\n#include "c.h"\n', "core/b.h": "", "core/c.h": ""}, []),
    ("two headers", {"core/a.h": '#include "b.h"\n', "core/b.h": '#include "a.h"\n'}, ["core/a, core/b"]),
    ("two sources, each with the other's header",
     {"core/a.c": '#include "b.h"\n', "core/a.h": "", "core/b.c": '#include "a.h"\n', "core/b.h": ""},
     ["core/a, core/b"]),
    ("assembly and C of one module",
     {"hw/a.S": '#include "b.h"\n', "hw/a.h": "", "hw/b.c": '#  include "a.h"\n', "hw/b.h": ""}, ["hw/a, hw/b"]),
    ("three, by folders", {"core/a.h": '#include "mem/b.h"\n', "core/mem/b.h": '#include "../../hw/c.h"\n',
                           "hw/c.h": '#include "core/a.h"\n'}, ["core/a, core/mem/b, hw/c"]),
    ("by the list of include folders",
     {"sources.txt": "include core/one\ninclude core/two\n", "core/one/a.h": '#include "b.h"\n',
      "core/two/b.h": '#include "a.h"\n'}, ["core/one/a, core/two/b"]),
    ("the first of two headers of one name",
     {"sources.txt": "include core/one\ninclude core/two\n", "core/one/b.h": "", "core/two/b.h": '#include "a.h"\n',
      "core/a.h": '#include "b.h"\n'}, []),
    ("two circles", {"core/a.h": '#include "b.h"\n', "core/b.h": '#include "a.h"\n#include "c.h"\n',
                     "core/c.h": '#include "d.h"\n', "core/d.h": '#include "c.h"\n'},
     ["core/a, core/b", "core/c, core/d"]),
    ("the seam's headers", {"hw/hw.h": '#include "target/hw_inline.h"\n', "hw/target/hw_inline.h": '#include "hw.h"\n'},
     ["hw/hw, hw/target/hw_inline"]),
    ("a header outside of src", {"core/a.h": "#include <avc/avc.h>\n"}, []),
    ("one's own header", {"core/a.c": '#include "a.h"\n', "core/a.h": ""}, []),
    ("a comment", {"core/a.h": '#include "b.h"\n', "core/b.h": '/* Once it was\n#include "a.h"\n*/\n'}, []),
]

# (title, sources below src/, circles of symbols)
SYMBOLS = [
    ("a chain", {"core/a.c": "int b(void);\nint a(void) { return b(); }\n",
                 "core/b.c": "int b(void) { return 1; }\n"}, []),
    ("two functions", {"core/a.c": "int b(void);\nint a(void) { return b(); }\n",
                       "core/b.c": "int a(void);\nint b(void) { return a(); }\n"}, ["core/a, core/b"]),
    ("a table and its functions",
     {"core/a.c": "extern int a(void);\nint (*const table[])(void) = { a };\n",
      "emul/b.c": "extern int (*const table[])(void);\nint a(void) { return table[0](); }\n"}, ["core/a, emul/b"]),
    ("three variables", {"core/a.c": "extern int b;\nint *a = &b;\n",
                         "core/b.c": "extern int *c;\nint b;\nint **p = &c;\n",
                         "core/c.c": "extern int *a;\nint *c;\nint **q = &a;\n"}, ["core/a, core/b, core/c"]),
    ("static functions of one name",
     {"core/a.c": "static int f(void) { return 1; }\nint b(void);\nint a(void) { return f() + b(); }\n",
      "core/b.c": "static int f(void) { return 1; }\nint b(void) { return f(); }\n"}, []),
    ("what is not of src", {"core/a.c": "int fake(void);\nint a(void) { return fake(); }\n",
                            "../tests/fake/f.c": "int a(void);\nint fake(void) { return a(); }\n"}, []),
]


def write(root, files):
    for name, text in files.items():
        path = pathlib.Path(os.path.normpath(pathlib.Path(root) / "src" / name))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def run(root, *arguments):
    env = {k: v for k, v in os.environ.items() if k != "AVC_TEST_BUILD"}
    done = subprocess.run([sys.executable, CHECK, "--root", root, *arguments], capture_output=True, text=True, env=env)
    return done.returncode, done.stdout + done.stderr


def verdict(out, number, circles):
    """Point `number` is ok, or names these circles and no others."""
    points = {}
    for line in out.splitlines():
        if "ok " in line.split("-")[0]:
            points[(at := int(line.split()[2 if line.startswith("not") else 1]))] = [line]
        elif line.startswith("#"):
            points[at].append(line)
    found = [line.split(": ", 1)[1] for line in points[number][1:] if "form a circle" in line]
    return found == circles and points[number][0].startswith("not ok" if circles else "ok")


def includes(files, circles):
    with tempfile.TemporaryDirectory() as root:
        write(root, files)
        status, out = run(root)
        return status == bool(circles) and "SKIP no build" in out and verdict(out, 1, circles), out


def symbols(files, circles, compiled=True, fuzzed=False):
    with tempfile.TemporaryDirectory() as root:
        write(root, files)
        build, database = pathlib.Path(root) / "build", []
        build.mkdir()
        for number, name in enumerate(files):
            source = os.path.normpath(f"../src/{name}")
            database.append({"directory": str(build), "command": "cc", "file": source, "output": f"{number}.o"})
            if fuzzed:  # a program that was not built has the source, too
                database.append({**database[-1], "output": f"fuzz-{number}.o"})
            if compiled:
                subprocess.run([CC, "-c", source, "-o", f"{number}.o"], cwd=build, check=True)
        (build / "compile_commands.json").write_text(json.dumps(database), encoding="utf-8")
        status, out = run(root, "--build", str(build))
        if not compiled:
            return status == 1 and "0.o is not built" in out, out
        return status == bool(circles) and verdict(out, 2, circles), out


def empty_build():
    with tempfile.TemporaryDirectory() as root:
        write(root, {"core/a.c": ""})
        (pathlib.Path(root) / "compile_commands.json").write_text("[]", encoding="utf-8")
        status, out = run(root, "--build", root)
        return status == 1 and "builds nothing of src/" in out, out


def reason():
    """The complaint says which module takes what from which."""
    with tempfile.TemporaryDirectory() as root:
        write(root, INCLUDES[4][1])
        _, out = run(root)
        return "core/a -> core/mem/b (b.h) -> hw/c (c.h) -> core/a (a.h)" in out, out


def main():
    points = [(f"includes: {what}", lambda f=f, c=c: includes(f, c)) for what, f, c in INCLUDES]
    points += [(f"symbols: {what}", lambda f=f, c=c: symbols(f, c)) for what, f, c in SYMBOLS]
    points += [("symbols: an object that is missing", lambda: symbols(SYMBOLS[0][1], [], compiled=False)),
               ("symbols: a source that is also in a program not built", lambda: symbols(*SYMBOLS[0][1:], fuzzed=True)),
               ("symbols: a build of something else", empty_build), ("what a circle consists of", reason)]
    return run_points(points)


sys.exit(main())
