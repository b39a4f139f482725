#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""Installs the examples; `meson install` runs it.

usage: examples.py EXAMPLES FOLDER

Each NN-name/ gets the Makefile and the CMakeLists.txt, so that a copy of the folder builds. FOLDER is relative to the
prefix.
"""
import os
import pathlib
import shutil
import sys


def main():
    source = pathlib.Path(sys.argv[1])
    to = pathlib.Path(os.environ["MESON_INSTALL_DESTDIR_PREFIX"]) / sys.argv[2]
    examples = sorted(main.parent for main in source.glob("[0-9][0-9]-*/main.c"))
    shutil.rmtree(to, ignore_errors=True)  # an earlier version may have had more files
    for folder in [source / "host", *examples]:
        (to / folder.name).mkdir(parents=True)
        for file in sorted(folder.iterdir()):
            if file.is_file():
                shutil.copy(file, to / folder.name)
    for folder in examples:
        for name in ("Makefile", "CMakeLists.txt"):
            shutil.copy(source / name, to / folder.name)
    if "MESON_INSTALL_QUIET" not in os.environ:
        print(f"Installing {len(examples)} examples to {to}")


main()
