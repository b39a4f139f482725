#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""Firmware as a guest: Debian's U-Boot and edk2, the flash that they keep variables in, and the power button.

usage: firmware.py FOLDER [PART...]

FOLDER has the programs of tests/guest/vmm. PART is one of PARTS in this file; default: all of them.
"""

import json
import os
import re
import socket
import struct
import sys
import time

from avctest import Avc, Image, Scratch, Tap, command_line, existing, run_avc

BANK = 64 << 20
UBOOT = re.compile(rb"\n=> $")
PROMPT = re.compile(rb"[#$] (\x1b\[6n)?$")
# Texts of the log that no guest may cause.
BAD = ("external abort", "panic", "crash")
KERNEL_ARGUMENTS = "console=ttyAMA0 earlycon panic=1"


def board(model):
    cpu, vhe = model.split("/")
    return ["--host-cpu", cpu, "--host-vhe", vhe]


def quiet_log(tap, avc, name):
    """Nothing that firmware does is an access to where nothing is."""
    tap.ok(not any(word in avc.stderr for word in BAD), f"{name}: and the hypervisor has nothing to say", avc.stderr)


def uboot(avc, command, pattern, timeout=60):
    avc.send(command + "\r")
    match = avc.expect(re.compile(pattern.encode() if isinstance(pattern, str) else pattern), timeout)
    return match if match and avc.expect(UBOOT, timeout) else None


def uboot_prompt(tap, avc, name):
    good = avc.expect("U-Boot 20", 60)
    tap.ok(good, f"{name}: banner", avc.transcript())
    if good and avc.expect("stop autoboot", 60):
        avc.send("\r")
    return tap.ok(good and avc.expect(UBOOT, 60), f"{name}: prompt", avc.transcript())


def guest_files():
    top = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    return os.path.join(top, "build/guest/Image"), os.path.join(top, "build/guest/initrd.cpio")


def test_uboot(tap, scratch, folder, model="max/on"):
    """Devices, flash, variables that survive a reset, and the next run; the guest's kernel by fw_cfg."""
    name = f"U-Boot on {model}"
    kernel, initrd = guest_files()
    variables = scratch.path("uboot.vars")
    with Avc(["run", "--firmware", "uboot", "--flash-vars", variables, "--timeout", 250, "--kernel", kernel,
              "--initrd", initrd, "--append", KERNEL_ARGUMENTS, *board(model)]) as avc:
        if not uboot_prompt(tap, avc, name):
            return
        tap.ok(b"bad CRC" in avc.stdout and b"Flash: 64 MiB" in avc.stdout, f"{name}: finds its flash, which is empty",
               avc.transcript())
        tap.ok(uboot(avc, "flinfo", r"Bank # 2: CFI conformant flash[^\n]*\n[^\n]*Manufacturer ID: 0x89"),
               f"{name}: flinfo", avc.transcript())
        tap.ok(uboot(avc, "fdt addr 40000000; fdt print /flash@0", "bank-width = <0x0*4>"), f"{name}: fdt print",
               avc.transcript())
        tap.ok(uboot(avc, "setenv kept yes; saveenv", "Protected 2 sectors"), f"{name}: saveenv", avc.transcript())
        avc.send("reset\r")
        tap.ok(avc.expect_err("guest: reset 1", 60), f"{name}: reset", avc.transcript())
        if not uboot_prompt(tap, avc, f"{name}, after it"):
            return
        tap.ok(uboot(avc, "printenv kept", "kept=yes"), f"{name}: what was saved is there", avc.transcript())
        tap.ok(uboot(avc, "qfw load 40400000 44000000", "loading kernel"), f"{name}: qfw load", avc.transcript())
        # What U-Boot is given as a size is hexadecimal.
        avc.send(f"booti 40400000 44000000:{os.path.getsize(initrd):x} $fdtcontroladdr\r")
        tap.ok(avc.expect("Linux version", 60) and avc.expect(PROMPT, 120), f"{name}: booti of --kernel",
               avc.transcript())
        avc.send("poweroff\n")
        tap.equal(avc.wait(60), 0, f"{name}: poweroff", avc.transcript())
        quiet_log(tap, avc, name)
    with open(variables, "rb") as file:
        tap.ok(b"kept=yes\0" in file.read(0x40000), f"{name}: the file has the variable")
    with Avc(["run", "--firmware", "uboot", "--flash-vars", variables, "--timeout", 100, *board(model)]) as avc:
        if uboot_prompt(tap, avc, f"{name}, the next run"):
            tap.ok(uboot(avc, "printenv kept", "kept=yes"), f"{name}: it is there in the next run", avc.transcript())


def test_selftest(tap, scratch, folder, model="max/on"):
    """The summary is the one of the same U-Boot on the bare emulator: two of its tests want devices of its sandbox."""
    name = f"bootefi selftest on {model}"
    with Avc(["run", "--firmware", "uboot", "--timeout", 250, *board(model)]) as avc:
        if not uboot_prompt(tap, avc, name):
            return
        avc.send("bootefi selftest\r")
        found = avc.expect(re.compile(rb"Summary: ([0-9]+) failures"), 200)
        tap.ok(found and found[1] == b"2", f"{name}: {found[0].decode() if found else 'no summary'}", avc.transcript())
        quiet_log(tap, avc, name)


def test_edk2(tap, scratch, folder, model="max/on"):
    """To its shell, where a variable is set that is there after a reset."""
    name = f"edk2 on {model}"
    variables = scratch.path("edk2.vars")
    with Avc(["run", "--firmware", "edk2", "--flash-vars", variables, "--timeout", 250, *board(model)]) as avc:
        good = avc.expect("UEFI Interactive Shell", 150) and avc.expect("any other key", 60)
        if good:
            avc.send("\x1b")
        if not tap.ok(good and avc.expect("Shell> ", 60), f"{name}: shell", avc.transcript()):
            return
        avc.send("set kept yes\r")
        avc.expect("Shell> ", 60)
        avc.send("reset -s\r")
        tap.equal(avc.wait(60), 0, f"{name}: powers off", avc.transcript())
        quiet_log(tap, avc, name)
    with open(variables, "rb") as file:
        tap.ok("kept".encode("utf-16le") in file.read(0x40000), f"{name}: the file has the variable")
    with Avc(["run", "--firmware", "edk2", "--flash-vars", variables, "--timeout", 250, *board(model)]) as avc:
        good = avc.expect("any other key", 150)
        if good:
            avc.send("\x1b")
            avc.expect("Shell> ", 60)
            avc.send("set kept\r")
        tap.ok(good and avc.expect(re.compile(rb"kept [^\n]*= [^\n]*yes"), 60), f"{name}: it is there in the next run",
               avc.transcript())


def test_edk2_linux(tap, scratch, folder, model="max/on", cpus=2):
    """What --kernel, --initrd and --append say, by fw_cfg and the kernel's EFI stub, with the device tree."""
    name = f"edk2 to Linux on {model}, {cpus} vCPUs"
    kernel, initrd = guest_files()
    with Avc(["run", "--firmware", "edk2", "--kernel", kernel, "--initrd", initrd, "--append", KERNEL_ARGUMENTS,
              "--cpus", cpus, "--timeout", 250, *board(model)]) as avc:
        good = avc.expect("EFI stub: Booting Linux Kernel", 200) and avc.expect(PROMPT, 150)
        if not tap.ok(good, f"{name}: prompt", avc.transcript()):
            return
        avc.send("echo now=$(nproc) $(cat /proc/device-tree/hypervisor/compatible | tr -d '\\0')\n")
        tap.ok(avc.expect(f"now={cpus} arm-vcpu,vmm", 60), f"{name}: CPUs, and the device tree", avc.transcript())
        avc.expect(PROMPT, 60)
        avc.send("poweroff\n")
        tap.equal(avc.wait(60), 0, f"{name}: poweroff", avc.transcript())
        quiet_log(tap, avc, name)


def test_kept(tap, scratch, folder, model="max/on"):
    """The flash program, twice with one file: the second run finds the mark of the first, and so does the file."""
    variables = scratch.path("kept.vars")
    for run, was in ((1, b"new"), (2, b"kept")):
        result = run_avc("run", "--kernel", os.path.join(folder, "flash.bin"), "--memory", 64, "--cpus", 2,
                         "--flash-vars", variables, "--timeout", 100, *board(model), timeout=120)
        good = b"the second bank was " + was in result.out and re.search(rb"^1\.\.\d+", result.out, re.M)
        tap.ok(result.status == 0 and good and b"not ok" not in result.out,
               f"flash on {model}, run {run}: the bank was {was.decode()}", result.transcript)
    with open(variables, "rb") as file:
        data = file.read()
    at = 33 * 0x40000 + 0x120
    tap.ok(len(data) == BANK and data[at:at + 4] == (0x600DF1A5).to_bytes(4, "little")
           and data[:0x40000] == bytes(0x40000), f"flash on {model}: the file has what was programmed, no more")


def press(path):
    """Asks QEMU to press the board's power button."""
    end = time.monotonic() + 30
    while not os.path.exists(path) and time.monotonic() < end:
        time.sleep(0.1)
    with socket.socket(socket.AF_UNIX) as monitor:
        monitor.connect(path)
        monitor.settimeout(30)
        monitor.recv(4096)
        for command in ("qmp_capabilities", "system_powerdown"):
            monitor.sendall(json.dumps({"execute": command}).encode() + b"\n")
            monitor.recv(4096)


def test_button(tap, scratch, folder, model="max/on"):
    name = f"power button on {model}"
    monitor = scratch.path("qmp")
    with Avc(["run", "--kernel", os.path.join(folder, "button.bin"), "--memory", 64, "--cpus", 1, "--timeout", 100,
              *board(model), "--", "-qmp", f"unix:{monitor},server=on,wait=off"]) as avc:
        good = avc.expect("press it", 60)
        if good:
            press(monitor)
        tap.ok(avc.wait(60) == 0 and b"not ok" not in avc.stdout and b"1..3" in avc.stdout, name, avc.transcript())


def test_refused(tap, scratch, folder):
    image = scratch.save("raw", b"\0" * 100)
    tap.refused("--firmware without a file", ["run", "--firmware", "/nonexistent/u-boot.bin"], "does not exist")
    tap.refused("--firmware that is empty", ["run", "--firmware", scratch.save("empty", b"")], "empty")
    tap.refused("--firmware that is a folder", ["run", "--firmware", scratch.folder], "directory")
    big = scratch.path("big")
    with open(big, "wb") as file:
        file.truncate(BANK + 1)
    tap.refused("--firmware that does not fit", ["run", "--firmware", big], "bigger than the guest's flash", big)
    tap.refused("--firmware and addr=", ["run", "--firmware", image, "--kernel", f"{image},addr=0x40080000"], "addr=")
    tap.refused("--firmware and --initrd alone", ["run", "--firmware", image, "--initrd", image], "wants --kernel")
    tap.refused("--flash-vars of another size", ["run", "--firmware", image, "--flash-vars", image], "64 MiB", image)
    tap.refused("--flash-vars in no folder", ["run", "--firmware", image, "--flash-vars", "/nonexistent/vars"],
                "can't be made", timeout=60)
    tap.refused("--flash-vars that is a folder", ["run", "--firmware", image, "--flash-vars", scratch.folder],
                "directory")
    for option, wanted in (("--bios", "--firmware"), ("-pflash", "--flash-vars")):
        tap.refused(f"{option}", ["run", option, image], f"unknown option: {option}", wanted)
    variables = scratch.path("held.vars")
    with Avc(["run", "--firmware", "uboot", "--flash-vars", variables, "--timeout", 60]) as avc:
        avc.expect("U-Boot 20", 60)
        tap.refused("--flash-vars that another run has", ["run", "--firmware", image, "--flash-vars", variables],
                    "in use", variables, timeout=60)


def test_file(tap, scratch, folder, model="max/on"):
    """Firmware of one's own: it begins at address 0, in flash, with the device tree where memory begins."""
    code = Image().word(0x10000003).mov(0, 0x40000000).word(0xB9400001)  # ADR X3, .; LDR W1, [X0]
    code.mov(2, 0xEDFE0DD0).word(0x6B02003F).word(0x54000000 | 2 << 5 | 1).word(0x14000003).spin()  # CMP; B.NE; B
    code.word(0xB5000003).print("fw").hvc(Image.SYSTEM_OFF).spin()  # CBNZ X3, .
    image = scratch.save("own", struct.pack(f"<{len(code.code)}I", *code.code))
    result = run_avc("run", "--firmware", image, "--timeout", 60, *board(model), timeout=90)
    tap.ok(result.status == 0 and result.out == b"fw", f"firmware of one's own on {model}", result.transcript)


PARTS = {
    "refused": test_refused,
    "file": test_file,
    "kept": test_kept,
    "button": test_button,
    "uboot": test_uboot,
    "selftest": test_selftest,
    "edk2": test_edk2,
    "edk2-linux": test_edk2_linux,
}


def matrix(tap, scratch, folder):
    """Each firmware on each kind of host; for the suite `long`."""
    for model in ("cortex-a72/off", "neoverse-n1/on", "max/off"):
        for test in (test_file, test_kept, test_button, test_uboot, test_selftest, test_edk2):
            for file in os.listdir(scratch.folder):
                os.remove(scratch.path(file))
            test(tap, scratch, folder, model)
        for cpus in (1, 4):
            test_edk2_linux(tap, scratch, folder, model, cpus)


def main():
    parser = command_line(__doc__)
    parser.add_argument("folder", type=existing)
    parser.add_argument("parts", nargs="*", metavar="PART", choices=[[], *PARTS, "matrix"])
    options = parser.parse_args()
    tap, scratch = Tap(), Scratch()
    for part in options.parts or PARTS:
        (matrix if part == "matrix" else PARTS[part])(tap, scratch, options.folder)
    scratch.remove()
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
