#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""Builds the examples against the installed package, as a newcomer does, boots each on its CPU models, and compares
what it prints with its expected.txt. Prints TAP.

usage: example.py BUILD [--cc COMMAND] [NAME...]

BUILD is a build folder of the target, whose library is installed into a temporary folder. COMMAND compiles the
examples.
"""
import os
import sys

from avctest import TOP, Tap, command_line, existing
from installed import Installed, qemu_model


def try_example(tap, package, name, cc):
    folder = package.copy_example(name)
    make = package.make(cc)
    build = package.run(make, folder)
    if not tap.ok(build.status == 0 and not build.err, f"{name} builds, without a warning", build.transcript):
        return
    models = package.run([*make, "models"], folder)
    needs = folder / "run"
    needs = dict(word.split("=", 1) for word in needs.read_text().split()) if needs.exists() else {}
    if 0 < int(os.environ.get("AVC_QEMU_OLD", 0)) < int(needs.get("qemu", 0)):
        tap.skip(name, f"it needs QEMU {needs['qemu']}")
        return
    wanted = (folder / "expected.txt").read_text()
    tap.ok(models.out.split() and wanted, f"{name} is for some CPU, and prints something", models.transcript)
    for model in models.out.split():
        run = package.run([*make, "run", f"CPU={qemu_model(model)}"], folder, timeout=90)
        tap.ok(run.status == 0 and run.out == wanted, f"{name} on {model}", run.transcript)


def main():
    parser = command_line(__doc__)
    parser.add_argument("build", type=existing)
    parser.add_argument("--cc")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    tap = Tap()
    with Installed(options.build) as package:
        folders = sorted(name for name in os.listdir(f"{TOP}/examples") if name[:1].isdigit())
        tap.equal(package.examples(), folders, "every example is installed")
        for name in options.names or package.examples():
            try_example(tap, package, name, options.cc)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
