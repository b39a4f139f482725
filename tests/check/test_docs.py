#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""docs.py finds what it is there to find, in TAP: a small tree is sound, and each of these changes is complained of."""
import pathlib
import subprocess
import sys
import tempfile

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

TREE = {
    "README.md": "# It\nRead [the guide](docs/guide.md).\n",
    "avc": "    case $command in\n    run | check) \"$command\" \"$@\" ;;\n",
    "scripts/avc-run.sh": "--cpus) ;;\n",
    "include/avc/avc.h": "int avc_one(void);\n#define AVC_ONE 1\n",
    "include/avc/sysreg.def": "CTX(SCTLR_EL1, 3)\n",
    "src/core/two.c": "int avc_two(void);\n",
    "meson.build": "subdir('vmm')\n",
    "vmm/meson.build": "files('main.c')\n",
    "vmm/main.c": "int main(void);\n",
    "vmm/other.c": "int main(void);\n",
    "examples/Makefile": "# To build it:\n#\n#     make all\n",
    "examples/01-one/expected.txt": "one\n",
    "examples/01-one/main.c": "int main(void)\n{\n    if (avc_one())\n        return AVC_ONE;\n    return 0;\n}\n",
    "examples/02-two/main.c": "int two;\n",
    "docs/guide.md": GUIDE,
    "docs/zh/guide.md": GUIDE.replace("../examples", "../../examples").replace("# Guide", "# 指南"),
}
ZH = TREE["docs/zh/guide.md"]

# what is wrong; the file; what is put in whose place; a piece of the complaint
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


def main():
    print(f"1..{1 + len(CASES)}")
    status, out = run()
    bad = status != 0
    print(f"{'not ' if bad else ''}ok 1 - a sound tree")
    if bad:
        print("# " + out.replace("\n", "\n# "))
    for number, (what, name, old, new, complaint) in enumerate(CASES, 2):
        status, out = run((name, old, new))
        good = status == 1 and complaint in out
        print(f"{'' if good else 'not '}ok {number} - {what}")
        if not good:
            print("# " + out.replace("\n", "\n# "))
            bad = True
    return 1 if bad else 0


sys.exit(main())
