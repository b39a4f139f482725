#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""Checks the tree itself: licence headers, layering, formatting, width of lines, calling contexts in public headers,
and README's picture of the tree. Prints TAP."""
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
C_FILES = (".c", ".h", ".S", ".inc", ".def", ".ld")
CODE = C_FILES + (".py", ".sh", ".build", ".ini", ".mk", ".cmake", ".in")
CODE_NAMES = ("Makefile", "CMakeLists.txt", "sources.txt", "meson_options.txt")
CODE_PATHS = ("avc", ".ci/run")
COLUMNS = 120

# Whose headers each folder may include by "...". Everybody may include the public ones, by <...>.
LAYERS = {
    "include": [],
    "src/arch": ["src/arch"],
    "src/core": ["src/arch", "src/core", "src/hw"],
    "src/emul": ["src/arch", "src/core", "src/hw", "src/emul"],
    "src/hw": ["src/arch", "src/core", "src/hw"],
    # Names of register bits have one definition for the whole tree.
    "vmm/boot": ["vmm", "src/arch"],
    "vmm/board": ["vmm", "src/arch"],
    "vmm": ["vmm"],
    "examples": ["examples"],
    "bench": ["bench", "examples/host", "tests/guest", "vmm/dev"],
}
# Where assembly may stand, and system registers be named.
ASM = ("src/hw/", "vmm/boot/", "examples/host/", "tests/guest/", "tests/attack/guest/", "bench/guest/")


def files():
    """Returns the files that git tracks, and new ones that it would add."""
    out = subprocess.run(["git", "-C", ROOT, "ls-files", "-co", "--exclude-standard", "-z"],
                         capture_output=True, check=True).stdout
    return sorted(p for p in out.decode().split("\0") if p and (ROOT / p).is_file())


def text(path):
    return (ROOT / path).read_text(encoding="utf-8", errors="replace")


def is_code(path):
    name = pathlib.PurePath(path)
    return name.suffix in CODE or name.name in CODE_NAMES or path in CODE_PATHS


def licence_headers(paths):
    for path in paths:
        if not is_code(path):
            continue
        head = "\n".join(text(path).splitlines()[:5])
        if "SPDX-License-Identifier: Apache-2.0" not in head or "Copyright 2026 the arm_vcpu authors" not in head:
            yield f"{path}: no two-line SPDX header"


def strip_comments(source):
    return re.sub(r"/\*.*?\*/|//[^\n]*", lambda m: "\n" * m[0].count("\n"), source, flags=re.S)


def assembly(paths):
    for path in paths:
        if path.startswith(ASM) or not path.endswith((".c", ".h", ".S")):
            continue
        if path.endswith(".S"):
            yield f"{path}: assembly outside of {', '.join(ASM)}"
            continue
        for number, line in enumerate(strip_comments(text(path)).splitlines(), 1):
            if re.search(r"\basm\b(?!-generic)|__asm__|\bmrs\s|\bmsr\s", re.sub(r'"(\\.|[^"])*"', '""', line)):
                yield f"{path}:{number}: {line.strip()}"


def includes(paths):
    for path in paths:
        layer = next((l for l in LAYERS if path.startswith(l + "/")), None)
        if layer is None or not path.endswith((".c", ".h", ".S")):
            continue
        for name in re.findall(r'^\s*#include\s+"([^"]+)"', text(path), flags=re.M):
            base = pathlib.PurePath(name).name
            homes = [str(pathlib.PurePath(p).parent) for p in paths if pathlib.PurePath(p).name == base]
            if layer == "src/core" and base == "hw_inline.h":
                continue
            if homes and not any(h == a or h.startswith(a + "/") for h in homes for a in LAYERS[layer]):
                yield f'{path}: "{name}" is of {", ".join(homes)}'


def formatting(paths):
    tool = shutil.which("clang-format-14") or shutil.which("clang-format")
    if not tool:
        yield "clang-format is not installed"
        return
    sources = [p for p in paths if p.endswith((".c", ".h"))]
    for at in range(0, len(sources), 64):
        run = subprocess.run([tool, "--dry-run", "-Werror", *sources[at:at + 64]], cwd=ROOT, capture_output=True,
                             text=True)
        for line in run.stderr.splitlines():
            if "clang-formatted" in line:
                yield line.split(": ")[0]


def columns(paths):
    """clang-format breaks no comments and formats C alone, so the width is checked here."""
    for path in filter(is_code, paths):
        for number, line in enumerate(text(path).splitlines(), 1):
            if len(line.expandtabs()) > COLUMNS:
                yield f"{path}:{number}: {len(line.expandtabs())} columns, and {COLUMNS} are the most"


def without_context(source):
    """Yields the functions that a header declares, and whose comment does not say "Context". Declarations that follow
    each other without an empty line share a comment."""
    for block in re.split(r"\n\s*\n", re.sub(r"/\*.*?\*/", lambda found: found[0].replace("\n\n", "\n"), source,
                                             flags=re.S)):
        said = "Context:" in block
        code = strip_comments(block)
        for found in re.finditer(r"^(?!static|typedef|#)[A-Za-z][^;{}#]*?\b(avc_\w+)\([^;{}]*\);", code, flags=re.M):
            if not said:
                yield found[1]


def contexts(paths):
    """Who may call a function, from where, is a part of its interface."""
    sample = "/* Context: any. */\nint avc_a(void);\nint avc_b(int x,\n          int y);\n\n" \
             "/* More. */\nvoid avc_c(int x);\n"
    if list(without_context(sample)) != ["avc_c"]:
        yield "this check sees nothing"
    seen = 0
    for path in paths:
        if path.startswith("include/avc/") and "/priv/" not in path and path.endswith(".h"):
            seen += text(path).count("Context:")
            for name in without_context(text(path)):
                yield f"{path}: {name}() has no context"
    if seen < 60:
        yield f"only {seen} contexts were found"


def readme_tree(paths):
    """README shows the tree as lines 'folder/  what it is'. Each folder that it shows exists, and it shows each top
    folder."""
    if not (ROOT / "README.md").exists():
        yield "there is no README.md"
        return
    block = re.search(r"^## The tree\n.*?```\n(.*?)```", text("README.md"), flags=re.S | re.M)
    if not block:
        yield "README.md has no chapter 'The tree' with a block"
        return
    shown = [line.split()[0].rstrip("/") for line in block[1].splitlines() if line.strip()]
    have = {str(parent) for p in paths for parent in pathlib.PurePath(p).parents} | set(paths)
    for name in shown:
        if name not in have:
            yield f"README.md shows {name}, which is not there"
    for name in sorted({p.split("/")[0] for p in paths if "/" in p and not p.startswith(".")}):
        if not any(s == name or s.startswith(name + "/") for s in shown):
            yield f"README.md does not show {name}/"


def main():
    paths = files()
    checks = [licence_headers, assembly, includes, formatting, columns, contexts, readme_tree]
    print(f"1..{len(checks)}")
    failed = 0
    for number, check in enumerate(checks, 1):
        complaints = list(check(paths))
        print(f"{'not ok' if complaints else 'ok'} {number} - {check.__name__.replace('_', ' ')}")
        for complaint in complaints:
            print(f"# {complaint}")
        failed += bool(complaints)
    return 1 if failed else 0


sys.exit(main())
