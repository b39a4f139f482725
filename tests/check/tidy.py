#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""clang-tidy over the library and what the build host makes of the reference hypervisor, in TAP: a point for each file.

    tidy.py [--root ROOT] [--build BUILD] [FILE...]

BUILD is a folder that meson has set up for the build host, by default AVC_TEST_BUILD: its compile database says which
files there are, and how they are compiled. What is looked for, and what is not, is .clang-tidy's to say. FILE: these
alone, by their paths below ROOT.
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


def sources(root, build):
    """The C files below FOLDERS that BUILD compiles, by their paths below ROOT."""
    found = set()
    for entry in json.loads((build / "compile_commands.json").read_text(encoding="utf-8")):
        path = (pathlib.Path(entry["directory"]) / entry["file"]).resolve()
        if path.suffix == ".c" and any(root / folder in path.parents for folder in FOLDERS):
            found.add(str(path.relative_to(root)))
    return sorted(found)


def tidy(tool, root, build, source):
    """What is wrong with a file, as lines."""
    done = subprocess.run([tool, "--quiet", "-p", build, "--extra-arg=-Wno-unknown-warning-option",
                           f"--config-file={root / '.clang-tidy'}", root / source], capture_output=True, text=True)
    if done.returncode == 0:
        return []
    lines = [re.sub(r"\x1b\[[\d;]*m", "", line) for line in done.stdout.splitlines()]
    found = [re.sub(r"^\S*?/((?:%s)/)" % "|".join(FOLDERS), r"\1", line) for line in lines
             if re.search(r": (error|warning): ", line)]
    return list(dict.fromkeys(found)) or lines + done.stderr.splitlines()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parents[2])
    parser.add_argument("--build", default=os.environ.get("AVC_TEST_BUILD"))
    parser.add_argument("files", nargs="*")
    arguments = parser.parse_args()
    root = arguments.root.resolve()
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
    print(f"1..{len(files)}")
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        for number, (name, found) in enumerate(zip(files, pool.map(lambda f: tidy(tool, root, build, f), files)), 1):
            print(f"{'not ok' if found else 'ok'} {number} - {name}", flush=True)
            for line in found:
                print(f"# {line}")
            failed += bool(found)
    return 1 if failed else 0


sys.exit(main())
