#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""Writes the guest's initrd: a cpio archive ("newc") of our init and a static busybox.

usage: mkinitrd.py OUTPUT INIT BUSYBOX [MODULE...]

MODULE: kernel modules that init loads, in this order.

Written by hand and not by cpio(1), which would have to be installed, because an archive made
here has device nodes without root's help, and is the same to the byte each time.
"""

import os
import stat
import sys

PASSWD = b"root::0:0:root:/root:/bin/sh\n"
GROUP = b"root:x:0:\n"
# What udhcpc calls with what it was given.
UDHCPC = b"""#!/bin/sh
[ "$1" = bound ] || exit 0
ip addr add "$ip/$mask" dev "$interface"
[ -z "$router" ] || ip route add default via "${router%% *}"
for server in $dns; do echo "nameserver $server"; done >/etc/resolv.conf
"""


class Archive:
    def __init__(self):
        self.data = bytearray()
        self.inode = 0

    def add(self, name, mode, content=b"", device=(0, 0)):
        self.inode += 1
        # c_ino, mode, uid, gid, nlink, mtime, filesize, device of the file (2), device it is
        # (2), namesize, check: eight hexadecimal digits each.
        fields = (self.inode, mode, 0, 0, 1, 0, len(content), 0, 0, *device, len(name) + 1, 0)
        self.data += b"070701" + b"".join(b"%08X" % field for field in fields)
        self.data += name.encode() + b"\0"
        self.pad()
        self.data += content
        self.pad()

    def pad(self):
        self.data += b"\0" * (-len(self.data) % 4)

    def folder(self, name, mode=0o755):
        self.add(name, stat.S_IFDIR | mode)

    def file(self, name, content, mode=0o644):
        self.add(name, stat.S_IFREG | mode, content)

    def link(self, name, target):
        self.add(name, stat.S_IFLNK | 0o777, target.encode())

    def node(self, name, major, minor):
        self.add(name, stat.S_IFCHR | 0o600, device=(major, minor))

    def finish(self):
        self.add("TRAILER!!!", 0)
        return bytes(self.data)


def build(init, busybox, modules):
    archive = Archive()
    for name in ("bin", "sbin", "usr", "usr/bin", "usr/sbin", "dev", "proc", "sys", "etc", "mnt"):
        archive.folder(name)
    archive.folder("root", 0o700)
    archive.folder("tmp", 0o1777)
    # The kernel opens /dev/console for process 1 before anything is mounted.
    archive.node("dev/console", 5, 1)
    archive.node("dev/null", 1, 3)
    archive.file("init", init, 0o755)
    archive.file("bin/busybox", busybox, 0o755)
    archive.link("bin/sh", "busybox")
    archive.file("etc/passwd", PASSWD)
    archive.file("etc/group", GROUP)
    archive.file("etc/udhcpc.script", UDHCPC, 0o755)
    if modules:
        archive.folder("lib")
        archive.folder("lib/modules")
    for number, (name, content) in enumerate(modules):
        archive.file(f"lib/modules/{number:02d}-{name}", content)
    return archive.finish()


def read(path):
    with open(path, "rb") as file:
        return file.read()


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    output, init, busybox, *modules = sys.argv[1:]
    data = build(read(init), read(busybox), [(os.path.basename(path), read(path)) for path in modules])
    with open(output, "wb") as output_file:
        output_file.write(data)


if __name__ == "__main__":
    main()
