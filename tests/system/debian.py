#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""Debian 12 from its own disk: edk2, GRUB, systemd, ssh from this machine, packages, and what outlives a boot.

usage: debian.py CPU/VHE/VCPUS...

It uses a copy of the disk of ./avc run debian. The guest reaches nothing but what ssh forwards to this machine's
loopback address.
"""

import argparse
import functools
import hashlib
import http.server
import os
import re
import shutil
import socket
import subprocess
import sys
import threading

from avctest import TOP, Avc, Scratch, Tap, command_line

MACHINE = os.path.join(TOP, "build/machine")
REPOSITORY_PORT = 8000  # of the guest's loopback address
VARIABLE = "/sys/firmware/efi/efivars/AvcTest-5e5ee1f0-93a5-4b1f-9c55-0a6d1c1f7f6b"
LOGIN = "debian login: "


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class Guest:
    """One run of the launcher, and commands in the guest by ssh."""

    def __init__(self, scratch, model, vcpus):
        cpu, vhe = model.split("/")
        self.folder, self.port = scratch.folder, free_port()
        self.avc = Avc(["run", "debian", "--net", f"user,restrict,hostfwd=tcp::{self.port}-:22", "--cpus", vcpus,
                        "--host-cpu", cpu, "--host-vhe", vhe, "--timeout", 1500],
                       env={"AVC_MACHINE": self.folder})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.avc.close()

    def run(self, command, *options, timeout=300):
        """Returns (status, what it printed)."""
        done = subprocess.run(
            ["ssh", "-F", "none", "-i", self.folder + "/id_ed25519", "-p", str(self.port), "-o", "BatchMode=yes",
             "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR",
             "-o", "ConnectTimeout=60", *options, "debian@127.0.0.1", command],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=timeout)
        return done.returncode, done.stdout


class Server:
    """Serves a folder on the loopback address."""

    def __init__(self, folder):
        class Handler(http.server.SimpleHTTPRequestHandler):
            def log_message(self, *_):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=folder))
        self.port = self.http.server_address[1]
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.http.shutdown()
        self.http.server_close()


def repository(scratch):
    """Makes a repository with one package, which has a command."""
    package, folder = scratch.path("avc-hello"), scratch.path("repository")
    os.makedirs(package + "/DEBIAN")
    os.makedirs(package + "/usr/bin")
    os.mkdir(folder)
    control = ("Package: avc-hello\nVersion: 1.0\nArchitecture: arm64\nMaintainer: nobody <nobody@localhost>\n"
               "Description: a test\n")
    with open(package + "/DEBIAN/control", "w", encoding="ascii") as file:
        file.write(control)
    with open(package + "/usr/bin/avc-hello", "w", encoding="ascii") as file:
        file.write("#!/bin/sh\necho hello from a package\n")
    os.chmod(package + "/usr/bin/avc-hello", 0o755)
    subprocess.run(["dpkg-deb", "--build", "--root-owner-group", package, folder + "/avc-hello.deb"], check=True,
                   stdout=subprocess.DEVNULL)
    with open(folder + "/avc-hello.deb", "rb") as file:
        data = file.read()
    with open(folder + "/Packages", "w", encoding="ascii") as file:
        file.write(f"{control}Filename: ./avc-hello.deb\nSize: {len(data)}\n"
                   f"SHA256: {hashlib.sha256(data).hexdigest()}\n")
    return folder


def up(tap, guest, name):
    """From the start to the login prompt, and then to a whole system."""
    if not tap.ok(guest.avc.expect(LOGIN, 900), f"{name}: login prompt", guest.avc.transcript()):
        return False
    # systemctl waits until all jobs are done.
    status, text = guest.run("systemctl is-system-running --wait; systemctl --failed --no-legend")
    return tap.ok(status == 0 and text.strip() == "running", f"{name}: ssh, and all units run", text)


def off(tap, guest, name):
    guest.run("sudo systemctl poweroff")
    tap.equal(guest.avc.wait(300), 0, f"{name}: powers off", guest.avc.transcript())
    tap.ok("external abort" not in guest.avc.stderr and "needs a reset" not in guest.avc.stderr,
           f"{name}: and the hypervisor has nothing to say", guest.avc.stderr)


def install(tap, scratch, guest, name):
    with Server(repository(scratch)) as server:
        status, text = guest.run(
            f"set -e; echo 'deb [trusted=yes] http://127.0.0.1:{REPOSITORY_PORT} ./' >sources; "
            "sudo mv sources /etc/apt/sources.list; sudo apt-get -qq update; "
            "sudo apt-get -qq install avc-hello >/dev/null; avc-hello",
            "-R", f"{REPOSITORY_PORT}:127.0.0.1:{server.port}", "-o", "ExitOnForwardFailure=yes")
    tap.ok(status == 0 and "hello from a package" in text, f"{name}: apt-get update, install", text)


def kept(tap, guest, name):
    status, text = guest.run(f"cat ~/kept; avc-hello; sudo cat {VARIABLE} | tail -c +5")
    tap.ok(status == 0 and text.split("\n") == ["a file", "hello from a package", "a variable"],
           f"{name}: file, package and firmware's variable are there", text)


def test(tap, model, vcpus):
    name = f"Debian on {model}, {vcpus} vCPUs"
    scratch = Scratch()
    subprocess.run(["cp", "--sparse=always", MACHINE + "/debian.img", scratch.path("debian.img")], check=True)
    shutil.copy(MACHINE + "/id_ed25519", scratch.path("id_ed25519"))
    with Guest(scratch, model, vcpus) as guest:
        if up(tap, guest, name):
            text = guest.run("nproc; systemd-detect-virt; uname -m; findmnt -no SOURCE,FSTYPE /")[1]
            tap.ok(re.fullmatch(rf"{vcpus}\n\S+\naarch64\n/dev/vda2 +ext4\n", text), f"{name}: CPUs, disk", text)
            install(tap, scratch, guest, name)
            # The first four bytes are the variable's attributes: kept, for boot services, at run time.
            status, text = guest.run(r"echo a file >~/kept; printf '\7\0\0\0a variable' >v; "
                                     f"sudo cp v {VARIABLE} && cat /proc/sys/kernel/random/boot_id")
            tap.ok(status == 0, f"{name}: a file, and a variable of firmware's", text)
            guest.run("sudo systemctl reboot")
            tap.ok(guest.avc.expect_err("guest: reset 1", 300), f"{name}: reboots", guest.avc.transcript())
            if up(tap, guest, f"{name}, rebooted"):
                tap.ok(guest.run("cat /proc/sys/kernel/random/boot_id")[1] != text, f"{name}: it is another boot")
                kept(tap, guest, f"{name}, rebooted")
                off(tap, guest, name)
    with Guest(scratch, model, vcpus) as guest:
        if up(tap, guest, f"{name}, the next run"):
            kept(tap, guest, f"{name}, the next run")
            off(tap, guest, f"{name}, the next run")
    scratch.remove()


def board(text):
    """A board and a number of vCPUs: (CPU/VHE, VCPUS)."""
    if not re.fullmatch(r"[a-z0-9-]+/(on|off)/[1-8]", text):
        raise argparse.ArgumentTypeError(f"{text} is not like max/on/2")
    return text.rsplit("/", 1)


def main():
    parser = command_line(__doc__)
    parser.add_argument("boards", nargs="+", type=board, metavar="CPU/VHE/VCPUS")
    boards = parser.parse_args().boards
    tap = Tap()
    for model, vcpus in boards:
        if tap.ok(os.path.exists(MACHINE + "/debian.img"), "Debian's disk was built",
                  f"see {TOP}/build/log/machine.log; ./avc run debian builds it"):
            test(tap, model, vcpus)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
