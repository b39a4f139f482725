#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""The guest's virtio devices: what ./avc run refuses, and what Debian's Linux does with them.

usage: devices.py [PART...]      default: all of PARTS

programs.py has a guest of our own that drives disks, resets them and breaks their rings.
"""

import fcntl
import hashlib
import os
import random
import re
import socket
import sys
import threading
import time

from avctest import Image, Scratch, Tap, command_line, run_avc

tap = Tap()
scratch = Scratch()
path, save = scratch.path, scratch.save

def linux(name, script, *devices, patterns=(), behind=(), script_disk="vda"):
    """Boots Debian's kernel with devices, runs a script, and looks for lines of its output. The script is the first
    disk: a kernel's command line has room for few words."""
    text = script.encode()
    save("script", text + b"\n" * (512 - len(text) % 512))
    append = f"console=ttyAMA0 panic=1 loglevel=1 avc.exec=sh /dev/{script_disk}"
    result = run_avc("run", "--cpus", 2, "--host-cpus", 2, "--memory", 256, "--timeout", 200,
                     "--disk", path("script") + ",ro", *devices, "--append", append,
                     *(["--", *behind] if behind else []), timeout=240)
    out = result.out.decode(errors="replace").replace("\r", "")
    missing = [pattern for pattern in patterns if not re.search(rf"^{pattern}$", out, re.M)]
    return tap.ok(result.status == 0 and not missing, name, f"no line {missing}\n{result.transcript}")


# ---- what is refused ----

def refused_nets_and_shares(run, good):
    for value, *parts in (("", "unknown: ''", "user, none and tap=INTERFACE"), ("bridge", "unknown: 'bridge'"),
                          ("tap=", "unknown: 'tap='"), ("user,port=1", "unknown: 'port=1'", "hostfwd="),
                          ("user,", "unknown: ''"), ("none,restrict", "unknown: 'restrict'"),
                          ("tap=avc-none", "no network interface avc-none", "ip tuntap add"),
                          ("tap=../x", "no network interface"), ("tap=lo", "lo is no tap"),
                          ("user,hostfwd=22", "hostfwd= wants tcp:", "'22'"),
                          ("user,hostfwd=tcp::0-:22", "'tcp::0-:22'"),
                          ("user,hostfwd=tcp::70000-:22", "hostfwd= wants"),
                          ("user,hostfwd=tcp:local:1-:22", "hostfwd= wants"),
                          ("user,hostfwd=sctp::1-:22", "hostfwd= wants")):
        tap.refused(f"--net {value}", [*run, "--net", value], "--net", *parts)
    folder = path("folder")
    os.mkdir(folder)
    for value, *parts in (("", "--share wants a folder"), (path("none"), "does not exist", path("none")),
                          (good, "no folder", good), (f"{folder},rw", "unknown: 'rw'", "tag=TAG"),
                          (f"{folder},tag=a b", "tag= wants", "'a b'"), (f"{folder},tag={'x' * 32}", "at most 31")):
        tap.refused(f"--share {value}", [*run, "--share", value], *parts)
    tap.refused("two shares with a tag", [*run, "--share", folder, "--share", f"{folder},tag=share"], "two folders",
                "share")
    for option, ours in (("-netdev", "--net"), ("-nic", "--net"), ("-virtfs", "--share"), ("-hda", "--disk")):
        tap.refused(f"QEMU's {option}", ["run", option, "x"], f"unknown option: {option}", f"You want {ours}")


def test_refused():
    image = Image().spin().write(path("any"))
    run = ["run", "--kernel", image, "--memory", 64]
    good = save("good", bytes(8192))

    def disk(name, value, *parts):
        tap.refused(name, [*run, "--disk", value], *parts)

    tap.refused("--disk without a value", ["run", "--disk"], "--disk wants a value")
    disk("no name", "", "--disk wants a file")
    disk("no name, ro", ",ro", "--disk wants a file")
    disk("disk missing", path("none"), "does not exist", path("none"), "truncate")
    disk("disk is empty", save("empty", b""), "the disk is empty", path("empty"))
    disk("disk is a directory", scratch.folder, "directory")
    disk("no whole sectors", save("odd", bytes(700)), "no image", "700 bytes")
    for part in ("rw", "readonly", "serial=", "", "ro,", "serial=x,size=3"):
        wanted = part.split(",")[-1]
        disk(f"FILE,{part}", f"{good},{part}", f"unknown: '{wanted}'", "serial=TEXT")
    disk("a long serial number", f"{good},serial={'x' * 21}", "at most 20")
    disk("a serial number with a blank", f"{good},serial=a b", "at most 20")
    disk("no such file with a comma", f"{path('none')},ro", "does not exist", path("none"))
    tap.refused("the same disk twice", [*run, "--disk", good, "--disk", good], "in use", good, "twice")
    many = []
    for number in range(33):
        many += ["--disk", save(f"disk{number}", bytes(512))]
    tap.refused("more disks than slots", [*run, *many], "no free slot", "32")
    tap.refused("QEMU's --drive", ["run", "--drive", "file=x"], "unknown option", "--disk")

    refused_nets_and_shares(run, good)
    for mode, kind, lock in (("r+b", "an exclusive lock", lambda file: fcntl.flock(file, fcntl.LOCK_EX)),
                             ("r+b", "a lock of bytes, as QEMU's", lambda file: fcntl.lockf(file, fcntl.LOCK_EX, 1)),
                             ("rb", "a shared lock", lambda file: fcntl.flock(file, fcntl.LOCK_SH))):
        with open(good, mode) as file:
            lock(file)
            disk(f"in use, by {kind}", good, "in use", good, f"Process {os.getpid()} has it", "devices.py")
    with open(good, "rb") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        stopped = Image().print("read").hvc(Image.SYSTEM_OFF).spin().write(path("off"))
        result = run_avc("run", "--kernel", stopped, "--memory", 64, "--timeout", 60, "--disk", f"{good},ro",
                         "--disk", f"{good},ro", timeout=90)
        tap.ok(result.status == 0 and result.out == b"read", "readers share a disk", result.transcript)


# ---- disks ----

def test_disk():
    data = random.Random(1).randbytes(24 << 20)
    first, second = save("first", data), save("second,ro", bytes(16 << 20))
    linux("read, by blocks of 64 KiB and of 1 MiB", """
        echo serial=$(cat /sys/block/vdb/serial) $(cat /sys/block/vdc/size)
        for bs in 64k 1M; do dd if=/dev/vdb bs=$bs iflag=direct 2>/dev/null | md5sum; done
        """, "--disk", f"{first},serial=number-1", "--disk", second,
          patterns=["serial=number-1 32768", "\n".join([hashlib.md5(data).hexdigest() + "  -"] * 2)])
    linux("written by one guest",
          "dd if=/dev/vdb of=/dev/vdc bs=1M count=16 conv=fsync oflag=direct 2>/dev/null; echo wrote=$?",
          "--disk", f"{first},ro", "--disk", second, patterns=["wrote=0"])
    with open(second, "rb") as file:
        tap.ok(file.read() == data[:16 << 20], "is in the image, byte for byte")
    with open(first, "rb") as file:
        tap.ok(file.read() == data, "and what was only read has not changed")


FILES = """
if mount -t ext4 /dev/vdb /mnt 2>/dev/null; then
    md5sum -c /mnt/sums
    echo again=$(cat /mnt/runs)
else
    mke2fs /dev/vdb >/dev/null
    mount -t ext4 /dev/vdb /mnt
    first=yes
fi
dd if=/dev/urandom of=/mnt/data bs=1M count=4 2>/dev/null
md5sum /mnt/data >/mnt/sums
echo x >>/mnt/runs
umount /mnt && echo unmounted
[ -z "$first" ] || reboot
sleep 1
"""


def test_filesystem():
    """A file system that the guest makes, and finds again after a reset of the machine and in the next run."""
    disk = save("ext2", bytes(32 << 20))
    linux("a file system, a reset of the machine, the same file system", FILES, "--disk", disk,
          patterns=["unmounted", "/mnt/data: OK", "again=x"])
    linux("and once more in another run", FILES, "--disk", disk, patterns=["/mnt/data: OK", "again=x x"])


def test_failing():
    """The board's disk fails once in a request of the guest's, who gets an I/O error and goes on. It is /dev/vda, and
    the script is vdb: a device of QEMU's own gets a transport below the others."""
    disk = save("failing", bytes(range(256)) * 4096)
    rules = save("rules", b'[inject-error]\nevent = "read_aio"\nerrno = "5"\nsector = "1024"\nonce = "on"\n')
    linux("a disk that fails in a request", """
        dd if=/dev/vda bs=4k skip=128 count=1 iflag=direct of=/dev/null 2>/dev/null; echo first=$?
        dd if=/dev/vda bs=4k iflag=direct 2>/dev/null | md5sum
        """, patterns=["first=1", f"{hashlib.md5(bytes(range(256)) * 4096).hexdigest()}  -"], script_disk="vdb",
          behind=["-drive", f"if=none,id=failing,driver=raw,file.driver=blkdebug,file.config={rules},"
                  f"file.image.driver=file,file.image.filename={disk}", "-device", "virtio-blk-device,drive=failing"])


# ---- networks: by the loopback address alone ----

class Server(threading.Thread):
    """Takes one connection after another: sends `data` in the first, keeps what comes in the second, and sends each
    line back in the third."""

    def __init__(self, data):
        super().__init__(daemon=True)
        self.data, self.got = data, b""
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]

    def run(self):
        for serve in (lambda c: c.sendall(self.data), self.keep, self.echo):
            connection, _ = self.socket.accept()
            with connection:
                serve(connection)

    def keep(self, connection):
        while part := connection.recv(1 << 16):
            self.got += part

    @staticmethod
    def echo(connection):
        while part := connection.recv(1 << 16):
            connection.sendall(part)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def forwarded(port, result):
    """Talks to a program of the guest's, once it is there."""
    for _ in range(600):
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
                connection.sendall(b"is anybody there\n")
                if answer := connection.recv(100):
                    result.append(answer)
                    return
        except OSError:
            pass
        time.sleep(0.2)


def test_net():
    data = random.Random(2).randbytes(6 << 20)
    server, port, answers = Server(data), free_port(), []
    server.start()
    caller = threading.Thread(target=forwarded, args=(port, answers), daemon=True)
    caller.start()
    digest = hashlib.md5(data).hexdigest()
    linux("a network: received, sent, to and fro, forwarded", f"""
        printf '#!/bin/sh\\nread line; echo "$line"; touch /tmp/served\\n' >/tmp/serve; chmod +x /tmp/serve
        nc -ll -p 7 -e /tmp/serve &
        ip -4 addr show dev eth0 | grep -q 10.0.2.15 && echo address
        nc 10.0.2.2 {server.port} </dev/null >/tmp/data; md5sum /tmp/data
        nc 10.0.2.2 {server.port} </tmp/data; echo sent=$?
        mkfifo /tmp/in
        nc 10.0.2.2 {server.port} </tmp/in >/tmp/out &
        exec 3>/tmp/in
        n=0
        while [ $n -lt 100 ]; do
            echo line $n >&3
            until [ $(wc -l </tmp/out) -gt $n ]; do usleep 1000; done
            n=$((n+1))
        done
        exec 3>&-
        tail -n 1 /tmp/out
        ping -q -c 50 -i 0.01 10.0.2.2 | grep -o '50 packets received'
        until [ -e /tmp/served ]; do sleep 1; done
        sleep 1
        """, "--net", f"user,hostfwd=tcp::{port}-:7",
          patterns=["address", f"{digest}  /tmp/data", "sent=0", "line 99", "50 packets received"])
    caller.join(10)
    tap.equal(answers, [b"is anybody there\n"], "the host reaches a port of the guest's")
    tap.ok(server.got == data, "the host has got what the guest sent, byte for byte", len(server.got))


def test_share():
    folder, other = path("shared"), path("read,only")
    for name in (folder, other):
        os.mkdir(name)
    data = random.Random(3).randbytes(3 << 20)
    for name in (folder, other):
        with open(os.path.join(name, "data"), "wb") as file:
            file.write(data)
    digest = hashlib.md5(data).hexdigest()
    linux("shared folders: read, written, read-only; and a source of entropy", """
        mkdir /tmp/other
        mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144 share /mnt && md5sum /mnt/data
        mount -t 9p more /tmp/other && md5sum /tmp/other/data
        cp /mnt/data /mnt/copy && mkdir /mnt/made && echo from the guest >/mnt/made/text
        echo x 2>/dev/null >/tmp/other/new || echo refused
        umount /mnt && echo unmounted
        cat /sys/class/misc/hw_random/rng_current
        [ $(head -c 4096 /dev/hwrng | wc -c) = 4096 ] && echo random
        """, "--share", folder, "--share", f"{other},tag=more,ro", "--rng",
          patterns=[f"{digest}  /mnt/data", f"{digest}  /tmp/other/data", "refused", "unmounted", "virtio_rng.0",
                    "random"])
    with open(os.path.join(folder, "copy"), "rb") as file:
        tap.ok(file.read() == data, "what the guest copied is the host's, byte for byte")
    with open(os.path.join(folder, "made/text"), encoding="utf-8") as file:
        tap.equal(file.read(), "from the guest\n", "and so is what it wrote")
    tap.equal(os.listdir(other), ["data"], "and nothing is new where it may only read")


PARTS = {"refused": test_refused, "disk": test_disk, "filesystem": test_filesystem, "failing": test_failing,
         "net": test_net, "share": test_share}


def main():
    parser = command_line(__doc__)
    parser.add_argument("parts", metavar="PART", nargs="*", choices=[[], *PARTS])
    options = parser.parse_args()
    try:
        for part in options.parts or PARTS:
            PARTS[part]()
    finally:
        scratch.remove()
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
