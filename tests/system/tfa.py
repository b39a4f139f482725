#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""Boots one of our EL2 programs by TF-A, which stays at EL3, and shows what the program prints on its first UART.

usage: tfa.py [--timeout SEC] CPU NUMBER-OF-CPUS IMAGE

IMAGE is linked to run at 0x6000_0000, where TF-A's PLAT=qemu has its BL33. scripts/avc-tfa.sh has built TF-A in
build/tfa, or in the folder that AVC_TFA names. If it is not there, a test fails and says why. The program's output is
TAP. TF-A's own lines become comments.
"""
import os
import pathlib
import subprocess
import sys
import tempfile

import boot
from avctest import command_line, existing

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
FOLDER = pathlib.Path(os.environ.get("AVC_TFA", TOP / "build" / "tfa"))
FIP_AT = 0x40000  # PLAT_QEMU_FIP_BASE


def missing():
    """Returns why there is no TF-A, in lines; no lines if there is one."""
    if all((FOLDER / name).exists() for name in ("bl1.bin", "fip.bin", "fiptool")):
        return []
    try:
        return (FOLDER / "failed").read_text().splitlines()
    except OSError:
        return [f"it is not in {FOLDER}; ./avc check puts it there"]


def flash_image(image, folder):
    """Makes the boot flash: BL1, and behind it the other stages, with the image as the last of them."""
    fip = folder / "fip.bin"
    subprocess.run([FOLDER / "fiptool", "update", "--nt-fw", image, "--out", fip, FOLDER / "fip.bin"], check=True,
                   stdout=subprocess.DEVNULL)
    flash = folder / "flash.bin"
    flash.write_bytes((FOLDER / "bl1.bin").read_bytes().ljust(FIP_AT, b"\0") + fip.read_bytes())
    return flash


def is_tap(line):
    return line.startswith(("ok ", "not ok ", "1..", "#", "Bail out!"))


def main():
    parser = command_line(__doc__)
    parser.add_argument("--timeout", type=float, default=60)
    parser.add_argument("cpu")
    parser.add_argument("cpus", type=int)
    parser.add_argument("image", type=existing)
    options = parser.parse_args()
    why = missing()
    if why:
        print(f"1..1\nnot ok 1 - there is no TF-A to test with: {why[0]}", *(f"# {line}" for line in why[1:]), sep="\n",
              flush=True)
        return 1
    with tempfile.TemporaryDirectory(prefix="avc-tfa.") as folder:
        flash = flash_image(options.image, pathlib.Path(folder))
        command = boot.command(options.cpu, options.cpus, None, flash=str(flash))
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=sys.stderr)
        try:
            out, _ = process.communicate(timeout=options.timeout)
            end = f"QEMU ended with status {process.returncode}" if process.returncode else None
        except subprocess.TimeoutExpired:
            process.kill()
            out, _ = process.communicate()
            end = f"nothing powered the machine off within {options.timeout:g} s"
    for line in out.decode(errors="replace").replace("\r", "").splitlines():
        print(line if is_tap(line) else f"# {line}".rstrip())
    if end:
        print(f"Bail out! {end}", flush=True)
    return 1 if end else 0


if __name__ == "__main__":
    sys.exit(main())
