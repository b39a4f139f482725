#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""Runs clang-tidy over the library, and over what the build host compiles of the reference hypervisor. Prints TAP, a
point for each file.

    tidy.py [--root ROOT] [--build BUILD] [FILE...]

BUILD is a folder that meson has set up for the build host, by default AVC_TEST_BUILD. Its compile database says which
files there are, and how they are compiled. .clang-tidy says what is looked for. With FILE, a path below ROOT, only
these files are checked.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

FOLDERS = ("src", "vmm")
WORKERS = 2
# Findings that are let pass: (where, what, why). A waiver that nothing needs is an error.
WAIVED = []


def sources(root, build):
    """Returns the C files below FOLDERS that BUILD compiles, by their paths below ROOT."""
    found = set()
    for entry in json.loads((build / "compile_commands.json").read_text(encoding="utf-8")):
        path = (pathlib.Path(entry["directory"]) / entry["file"]).resolve()
        if path.suffix == ".c" and any(root / folder in path.parents for folder in FOLDERS):
            found.add(str(path.relative_to(root)))
    return sorted(found)


def waiver(line, waivers):
    """Returns the waiver that lets a finding pass, or None."""
    return next((w for w in waivers if re.search(rf"(^|/){re.escape(w[0])}:.*\[{w[1]}\b", line)), None)


def tidy(tool, root, build, source, waivers):
    """Returns (complaints about a file, as lines; the waivers that it needs)."""
    done = subprocess.run([tool, "--quiet", "-p", build, "--extra-arg=-Wno-unknown-warning-option",
                           f"--config-file={root / '.clang-tidy'}", root / source], capture_output=True, text=True)
    lines = [re.sub(r"\x1b\[[\d;]*m", "", line) for line in done.stdout.splitlines()]
    lines = [re.sub(r"^\S*?/((?:%s)/)" % "|".join(FOLDERS), r"\1", line) for line in lines]
    found = list(dict.fromkeys(line for line in lines if re.search(r": (error|warning): ", line)))
    if not found and done.returncode:
        return lines + done.stderr.splitlines(), set()
    return [line for line in found if not waiver(line, waivers)], {waiver(line, waivers) for line in found} - {None}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", type=pathlib.Path)
    parser.add_argument("--build", default=os.environ.get("AVC_TEST_BUILD"))
    parser.add_argument("--waive", action="append", help="FILE:CHECK, with --root, in place of WAIVED")
    parser.add_argument("files", nargs="*")
    arguments = parser.parse_args()
    root = (arguments.root or pathlib.Path(__file__).resolve().parents[2]).resolve()
    waivers = [tuple(row.split(":")) for row in arguments.waive or []] if arguments.root else [w[:2] for w in WAIVED]
    tool = shutil.which("clang-tidy-14") or shutil.which("clang-tidy")
    try:
        if not tool:
            raise RuntimeError("clang-tidy is not installed")
        build = pathlib.Path(arguments.build or root / "build/host").resolve()
        files = [f for f in sources(root, build) if not arguments.files or f in arguments.files]
        if not files:
            raise RuntimeError(f"{build} compiles none of these files")
    except (OSError, RuntimeError, ValueError) as problem:
        print(f"1..1\nnot ok 1 - clang-tidy\n# {problem}")
        return 1
    print(f"1..{len(files) + (not arguments.files)}")
    failed, needed = 0, set()
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        results = pool.map(lambda f: tidy(tool, root, build, f, waivers), files)
        for number, (name, (found, let)) in enumerate(zip(files, results), 1):
            print(f"{'not ok' if found else 'ok'} {number} - {name}", flush=True)
            for line in found:
                print(f"# {line}")
            failed += bool(found)
            needed |= let
    if not arguments.files:
        stale = [w for w in waivers if w not in needed]
        print(f"{'not ok' if stale else 'ok'} {len(files) + 1} - what is waived")
        for name, check in stale:
            print(f"# {name} has no {check} any more: it needs no waiver")
        failed += bool(stale)
    return 1 if failed else 0


sys.exit(main())
