#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""Checks that one place completes an exit: in src/ only complete.c and complete.h write a guest's general registers or
move its PC. ALLOWED has the exceptions, with reasons. Prints TAP.

    completion.py [ROOT]     ROOT: another tree than this one
"""
import argparse
import pathlib
import re
import sys

PLACE = re.compile(r"complete(_access)?\.[ch]")
# (file, function, reason)
ALLOWED = [
    (r"vcpu\.c", r"reset_state", "reset"),
    (r"vcpu\.c", r"start_here", "reset: where start or CPU_ON lets it begin"),
    (r"registers\.c", r"avc_vcpu_set", "set by the VMM"),
    (r"eret\.c", r"avc_eret|avc_trap_eret", "ERET is emulated"),
    (r"inject\.c", r"take", "the PC goes to the exception's vector; complete.c stores it"),
]

ASSIGNED = r"\s*(?:(?:[-+*/%&|^]|<<|>>)?=(?!=)|\+\+|--)"
WRITES = re.compile(
    r"(?:->|\.)x\[[^];]*(?:\[[^]]*\][^];]*)?\]" + ASSIGNED +  # a general register
    r"|\b(?!e->|exit\b|o->|t\.)\w+(?:->|\.)pc" + ASSIGNED +  # the PC of a vCPU, but not of an event or an observed trap
    r"|\bavc_hw_write_ELR_EL2\s*\(")
# A function's definition begins in the first column, and is not a declaration.
FUNCTION = re.compile(r"^(?!#|typedef\b)[A-Za-z_][\w \t*()]*?\b(\w+)\((?![^;{]*;)", flags=re.M)


def blank(match):
    """Keeps the number of lines, and blanks what is in them."""
    return re.sub(r"[^\n]", " ", match[0])


def writers(text):
    """Yields (line, function, statement) of each write in a C file."""
    text = re.sub(r"__attribute__\(\([^;{]*?\)\)", blank, text)
    text = re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', blank, text, flags=re.S)
    starts = [(m.start(), m[1]) for m in FUNCTION.finditer(text)]
    for match in WRITES.finditer(text):
        begin = text.rfind("\n", 0, match.start()) + 1
        function = next((name for at, name in reversed(starts) if at <= match.start()), "")
        yield text.count("\n", 0, begin) + 1, function, text[begin:].split("\n", 1)[0].strip()


def completion(root):
    needed = set()
    for path in sorted((root / "src").rglob("*")):
        if path.suffix not in (".c", ".h") or PLACE.fullmatch(path.name):
            continue
        for number, function, line in writers(path.read_text(encoding="utf-8", errors="replace")):
            row = next((n for n, (file, name, _) in enumerate(ALLOWED)
                        if re.fullmatch(file, path.name) and re.fullmatch(name, function)), None)
            if row is None:
                yield f"{path.relative_to(root)}:{number}: {function}: {line}"
            needed.add(row)
    for n, (file, name, reason) in enumerate(ALLOWED):
        if n not in needed:
            yield f"nothing needs the allowance for {name} in {file} ({reason})"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", nargs="?", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parents[2])
    complaints = list(completion(parser.parse_args().root))
    print("1..1")
    print(f"{'not ok' if complaints else 'ok'} 1 - one place completes an exit")
    for complaint in complaints:
        print(f"# {complaint}")
    return 1 if complaints else 0


sys.exit(main())
