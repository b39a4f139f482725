#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""Tests that docs.py accepts a small tree that is sound, and complains about each of these changes to it. Prints TAP.
"""
import pathlib
import subprocess
import sys
import tempfile

from points import run as run_points

CHECK = pathlib.Path(__file__).resolve().parent / "docs.py"

GUIDE = """# Guide
## One
See [the code](../examples/01-one/main.c), [below](#two-words) and `examples/01-one`; call `avc_one()` or `AVC_ONE`.
<!-- from examples/01-one/main.c -->
```c
if (avc_one())
    return AVC_ONE;
```
## Two words
<!-- picture -->
```text
a -> b
```
```sh
./avc run --cpus 2   # two
```
<!-- from vmm/main.c -->
```c
int main(void);
```
<!-- from examples/Makefile -->
```sh
make all
```
"""

WALK = """# Design
<!-- walk -->
```text
1   src/hw/v.S: vector                     saves registers
2     src/core/two.c: avc_two (src/core/table.c)
3       src/core/two.c: helper             inline
4   src/hw/v.S: rest
5     examples/01-one/main.c: claim (examples/01-one/main.c)
6     src/core/two.c: avc_answered
7   src/hw/leave.S: leave
8   < src/core/run.c: avc_run
7 steps in 4 files of src
```
"""

TREE = {
    "README.md": "# It\nRead [the guide](docs/guide.md).\n",
    "avc": "    case $command in\n    run | check) \"$command\" \"$@\" ;;\n",
    "scripts/avc-run.sh": "--cpus) ;;\n",
    "include/avc/avc.h": "int avc_one(void);\n#define AVC_ONE 1\n",
    "include/avc/sysreg.def": "CTX(SCTLR_EL1, 3)\n",
    "src/core/two.c": "static int\nhelper(int a,\n       int b)\n{\n    return 0;\n}\n\n"
                      "int avc_two(void)\n{\n    return helper(1, 2); /* not avc_answered() */\n}\n\n"
                      "int avc_answered(void)\n{\n    return 0;\n}\n",
    "src/core/table.c": "/* avc_answered */ int (*const table[])(void) = { avc_two };\n",
    "src/core/run.c": "void avc_run(void)\n{\n    __asm__(\"bl vector\\n\");\n}\n",
    "src/hw/v.S": "    .macro vector\n    blr x3\n    b rest\n    .endm\nother:\n    b leave\n"
                  "rest:\n    cbz x0, saved\nsaved:\n    blr x4\n    bl avc_answered\n    b leave\n"
                  "last:\n    bl avc_run\n",
    "src/hw/leave.S": "leave: /* into run */\n    ret\n",
    "meson.build": "subdir('vmm')\n",
    "vmm/meson.build": "files('main.c')\n",
    "vmm/main.c": "int main(void);\n",
    "vmm/other.c": "int main(void);\n",
    "examples/Makefile": "# To build it:\n#\n#     make all\n",
    "examples/01-one/expected.txt": "one\n",
    "examples/01-one/main.c": "int main(void)\n{\n    if (avc_one())\n        return AVC_ONE;\n    return 0;\n}\n"
                               "int claim(void)\n{\n    return 1;\n}\nint (*fn)(void) = claim;\n",
    "examples/02-two/main.c": "int two;\n",
    "docs/guide.md": GUIDE,
    "docs/design.md": WALK,
    "docs/compilers.md": "# Compilers\n| file | functions |\n|---|---|\n| `src/core/rare.c` | `rare`, `odd` |\n",
    "src/core/rare.c": "static __attribute__((noinline)) int rare(int n)\n{\n    return n;\n}\n"
                       "static __attribute__((noinline)) int\nodd(int n)\n{\n    return n;\n}\n",
    "tests/fuzz/meson.build": "fuzz_targets = {\n  'one': [1000, 5],\n  'two': [300, 5],\n}\n",
    "docs/testing.md": "# Testing\n| target | what |\n|---|---|\n| `one` | a |\n| `two` | b |\n",
    "docs/assurance.md": "# Assurance\n| target | executions |\n|---|---|\n| `one` | 1,001 |\n| `two` | 2 |\n"
                         "| all | 1,003 |\n\nIt runs 1,300\nrandom inputs.\n",
    "docs/zh/guide.md": GUIDE.replace("../examples", "../../examples").replace("# Guide", "# 指南"),
}
ZH = TREE["docs/zh/guide.md"]

# (what is wrong, file, old text, new text, part of the complaint)
CASES = [
    ("a line that differs", "docs/guide.md", "    return AVC_ONE;", "    return 1;",
     "not in examples/01-one/main.c; most like its line 4"),
    ("a block without source", "docs/guide.md", "<!-- from examples/01-one/main.c -->\n", "", "does not say where"),
    ("a source that is not there", "docs/guide.md", "main.c -->", "none.c -->", "there is no examples/01-one/none.c"),
    ("a source that is not built", "docs/guide.md", "from examples/01-one", "from examples/02-two", "not built by"),
    ("another that is not built", "docs/guide.md", "from vmm/main.c", "from vmm/other.c", "no meson.build names it"),
    ("a picture of C", "docs/guide.md", "```text", "```c", "block of kind 'c'"),
    ("a command that is not known", "docs/guide.md", "./avc run", "./avc fly", "no such command"),
    ("an option that is not known", "docs/guide.md", "--cpus", "--wings", "no option --wings"),
    ("another program", "docs/guide.md", "./avc run", "rm -r", "not a known command"),
    ("code set off by indentation", "docs/guide.md", "## Two words\n", "## Two words\n\n    avc_one();\n\n",
     "fence it"),
    ("a walk through a file that is not there", "docs/design.md", "src/hw/leave.S", "src/hw/live.S",
     "there is no src/hw/live.S"),
    ("a walk through a function that is not there", "docs/design.md", "two.c: helper", "two.c: helped",
     "src/core/two.c does not define helped"),
    ("a walk through a function of another file", "docs/design.md", "two.c: helper", "run.c: helper",
     "src/core/run.c does not define helper"),
    ("a call that the caller does not make", "src/core/two.c", "helper(1, 2)", "0",
     "src/core/two.c: avc_two does not go to helper"),
    ("a call that a comment alone makes", "docs/design.md", "two.c: helper ", "two.c: avc_answered ",
     "src/core/two.c: avc_two does not go to avc_answered"),
    ("a branch that is not there", "src/hw/v.S", "    bl avc_answered\n    b leave\n", "    bl avc_answered\n    ret\n",
     "src/hw/v.S: rest does not go to leave"),
    ("a call behind the end of assembly", "docs/design.md", "7   src/hw/leave.S: leave", "7   src/core/run.c: avc_run",
     "src/hw/v.S: rest does not go to avc_run"),
    ("a pointer that nobody calls", "src/hw/v.S", "blr x3", "nop",
     "src/hw/v.S: vector calls nothing through a pointer"),
    ("a pointer that nobody sets", "src/core/table.c", "= { avc_two }", "= { 0 }",
     "src/core/table.c does not name avc_two"),
    ("a pointer that the file's own definition alone names", "examples/01-one/main.c", "int (*fn)(void) = claim;\n", "",
     "examples/01-one/main.c does not name claim"),
    ("a return to what has called nothing", "src/core/run.c", "bl vector", "nop",
     "src/core/run.c: avc_run calls no other step"),
    ("steps numbered wrongly", "docs/design.md", "4   src", "5   src", "step 5 is the 4th"),
    ("a line that is no step", "docs/design.md", "5     examples/01-one/main.c: claim", "5     the claim",
     "not a step of a walk: 5     the claim"),
    ("steps miscounted", "docs/design.md", "7 steps", "6 steps", "has 7 steps in 4 files of src"),
    ("files miscounted", "docs/design.md", "in 4 files", "in 3 files", "has 7 steps in 4 files of src"),
    ("a walk without its count", "docs/design.md", "7 steps in 4 files of src\n", "", "whose last line does not say"),
    ("a walk of C", "docs/design.md", "```text", "```c", "block of kind 'c'"),
    ("a snippet in one language only", "docs/zh/guide.md", ZH[ZH.index("<!-- from"):ZH.index("## Two")], "",
     "not the block of"),
    ("snippets in another order", "docs/zh/guide.md", ZH[ZH.index("<!-- from"):], "```sh\n./avc run\n```\n"
     + ZH[ZH.index("<!-- from"):ZH.index("## Two")] + "## Two words\n", "not the block of"),
    ("a snippet too many", "docs/zh/guide.md", ZH, ZH + "```sh\n./avc check\n```\n",
     "that the other language does not"),
    ("a heading of another level", "docs/zh/guide.md", "## One", "### One", "heading of level 3"),
    ("a chapter that is missing", "docs/zh/guide.md", "## Two words\n", "", "2 headings"),
    ("a translation of nothing", "docs/zh/other.md", "", "# 别的\n", "there is no docs/other.md"),
    ("a link to nowhere", "README.md", "docs/guide.md", "docs/gide.md", "link to docs/gide.md"),
    ("a link to nowhere of another page", "SECURITY.md", "", "Read [the guide](docs/gide.md).\n",
     "link to docs/gide.md"),
    ("a link to no heading", "docs/guide.md", "#two-words", "#three-words", "no such heading"),
    ("a function that is not there", "docs/guide.md", "`avc_one()`", "`avc_won()`", "there is no avc_won"),
    ("a constant that is not there", "docs/guide.md", "or `AVC_ONE`", "or `AVC_TWO`", "there is no AVC_TWO"),
    ("a file that is not there", "docs/guide.md", "`examples/01-one`", "`examples/03-one`",
     "there is no examples/03-one"),
    ("a function out of line that is not listed", "docs/compilers.md", ", `odd`", "",
     "src/core/rare.c: odd is marked noinline, and docs/compilers.md does not say so"),
    ("a file that is not listed", "docs/compilers.md", "| `src/core/rare.c` | `rare`, `odd` |\n", "",
     "src/core/rare.c: rare is marked noinline"),
    ("a function that is listed and not out of line", "src/core/rare.c", "__attribute__((noinline)) int rare",
     "int rare", "rare of src/core/rare.c is not marked noinline"),
    ("a fuzz target that is not described", "docs/testing.md", "| `two` | b |\n", "", "no row for the fuzz target two"),
    ("a fuzz target that is not counted", "docs/assurance.md", "| `two` | 2 |\n", "", "no row for the fuzz target two"),
    ("executions added up wrongly", "docs/assurance.md", "| `two` | 2 |", "| `two` | 3 |", "have 1,004 executions"),
    ("random inputs added up wrongly", "tests/fuzz/meson.build", "[300, 5]", "[400, 5]", "1,400 random inputs"),
    ("an embedder's page that names an inner function", "docs/embedding.md", "", "# Embedding\nCall `avc_two()`.\n",
     "there is no avc_two in include/avc"),
]


def run(change=None):
    with tempfile.TemporaryDirectory() as root:
        for name, text in TREE.items():
            write(root, name, text)
        if change:
            name, old, new = change
            text = TREE.get(name, "")
            assert old in text, (name, old)
            write(root, name, text.replace(old, new, 1))
        done = subprocess.run([sys.executable, CHECK, root], capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr


def write(root, name, text):
    path = pathlib.Path(root) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def sound():
    status, out = run()
    return status == 0, out


def spoilt(change, complaint):
    status, out = run(change)
    return status == 1 and complaint in out, out


def main():
    points = [("a sound tree", sound)]
    points += [(what, lambda c=(name, old, new), m=complaint: spoilt(c, m))
               for what, name, old, new, complaint in CASES]
    return run_points(points)


sys.exit(main())
