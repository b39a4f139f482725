#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""The command line of ./avc: what it refuses and why, what it tells QEMU, the lock, and the count of a check.

These tests need QEMU, but not the hypervisor: programs of a few instructions stand in for it. console.py tests in the
same way what a user sees of a run. guests.py tests what needs the hypervisor.
"""

import fcntl
import glob
import gzip
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile

from avctest import AVC, TOP, Avc, Image, Scratch, Tap, command_line, old_qemu, run_avc

tap = Tap()
scratch = Scratch()
work, path, save, stand_in = scratch.folder, scratch.path, scratch.save, scratch.stand_in
OFF = Image.SYSTEM_OFF
BOARD = ["--host-cpu", "cortex-a53", "--host-cpus", 1, "--memory", 64]


# ---- usage ----

def test_usage():
    for command in ("run", "check", "bench", "examples", "coverage", "fuzz", "prove", "clean"):
        for word in ("--help", "-h"):
            result = run_avc(command, word)
            tap.ok(result.status == 0 and result.out.startswith(b"usage: ./avc " + command.encode())
                   and not result.err, f"{command} {word}", result.transcript)
    result = run_avc("help")
    tap.ok(result.status == 0 and all(word in result.out for word in
           (b"run", b"check", b"bench", b"examples", b"coverage", b"fuzz", b"prove", b"clean")), "help",
           result.transcript)
    result = run_avc("run", "--help")
    tap.contains(result.out.decode(), "'console=ttyAMA0 ", "run --help prints the default of --append")
    result = run_avc()
    tap.ok(result.status == 2 and "usage" in result.err, "no command", result.transcript)
    tap.refused("unknown command", ["walk"], "walk", "usage")
    tap.refused("unknown option", ["run", "--fast"], "unknown option: --fast", "--help")
    for option, ours in (("-kernel", "--kernel"), ("-m", "--memory"), ("--smp", "--cpus"), ("-append", "--append"),
                         ("-cpu", "--host-cpu"), ("--dtb", "makes the device tree"), ("-device", "come after --")):
        tap.refused(f"QEMU's {option}", ["run", option, "1"], f"unknown option: {option}", ours, "--help")
    tap.refused("a value for --stat", ["run", "--stat=all"], "unknown option: --stat=all", "--help")
    tap.refused("unknown option of check", ["check", "--fast"], "--fast", "--help")
    tap.refused("argument that belongs to no option", ["run", "Image"], "Image", "--kernel")
    for name in ("99-none", "99", "minimal", "0", "-x", ""):
        tap.refused(f"no such example: '{name}'", ["examples", name], f"no such example: {name}", "01-minimal",
                    "--help")
    tap.refused("argument for coverage", ["coverage", "--html"], "unknown argument: --html", "--help")
    tap.refused("no target to fuzz", ["fuzz"], "which target?", "trap", "--help")
    tap.refused("no such target", ["fuzz", "everything"], "no such target: everything", "trap", "--help")
    tap.refused("a time for fuzz", ["fuzz", "--seconds", "0", "trap"], "--seconds", "'0'", "--help")
    tap.refused("two limits for fuzz", ["fuzz", "--seconds", "1", "--runs", "1", "trap"], "one of them", "--help")
    tap.refused("no such proof", ["prove", "everything"], "no such proof: everything", "decode", "--help")
    tap.refused("argument for clean", ["clean", "all"], "all")
    for option in ("--kernel", "--initrd", "--append", "--cpus", "--memory", "--host-cpus",
                   "--host-cpu", "--host-vhe", "--timeout"):
        tap.refused(f"{option} without a value", ["run", option], f"{option} wants a value")


def test_programs():
    """The tests themselves: each takes --help, and says what is wrong with its arguments."""
    folder = os.path.dirname(os.path.abspath(__file__))
    libraries = ("avctest.py", "installed.py")
    for name in sorted(name for name in os.listdir(folder) if name.endswith(".py") and name not in libraries):
        for arguments, status, part in ((["--help"], 0, "usage: "), (["--no-such"], 2, "--no-such"),
                                        (["/no/such", "2", "/no/such", "more"], 2, "/no/such")):
            if part == "/no/such" and name in ("cli.py", "console.py"):
                arguments = ["/no/such"]
            result = subprocess.run([sys.executable, os.path.join(folder, name), *arguments], capture_output=True,
                                    encoding="utf-8", stdin=subprocess.DEVNULL, timeout=60, check=False)
            said = result.stderr if status else result.stdout
            # What is missing is named before what is not known.
            tap.ok(result.returncode == status and "usage: " in said
                   and (part in said or (part == "--no-such" and "required" in said))
                   and "Traceback" not in result.stderr and not (status and result.stdout),
                   " ".join(["tests/system/" + name, *arguments]), f"{result.stdout}{result.stderr}")


def test_values():
    for option in ("--cpus", "--host-cpus"):
        for value in ("0", "100", "9", "-1", "two", "", "1.5", "0x2", "99999999999999999999"):
            tap.refused(f"{option} '{value}'", ["run", option, value], option, "1 to 8", f"'{value}'")
    for value in ("0", "-5", "lots", "512K", "0G", "257G", "1.5G", "G", "2GiB"):
        tap.refused(f"--memory {value}", ["run", "--memory", value], "--memory", f"'{value}'")
    for value in ("", "0", "0x3fffffff", "0x", "1g", "0x40080000000000000"):
        tap.refused(f"--kernel FILE,addr={value}", ["run", "--kernel", f"any,addr={value}"], "addr=", f"'{value}'",
                    "0x40000000")
    for value in ("0x40080001", "0x40080002", "1074266115"):
        tap.refused(f"--kernel FILE,addr={value}", ["run", "--kernel", f"any,addr={value}"], value, "multiple of 4")
    tap.refused("--kernel ,addr=0x40080000", ["run", "--kernel", ",addr=0x40080000"], "--kernel wants a file")
    for value in ("0", "soon"):
        tap.refused(f"--timeout {value}", ["run", "--timeout", value], "--timeout", f"'{value}'")
    tap.refused("--host-vhe maybe", ["run", "--host-vhe", "maybe"], "on or off", "'maybe'")
    tap.refused("--option=value", ["run", "--cpus=0"], "--cpus", "'0'")
    tap.refused("newline in --append", ["run", "--append", "a\nb"], "--append")
    for model in ("cortex-a53", "cortex-a57", "cortex-a72"):
        tap.refused(f"--host-vhe on with {model}", ["run", "--host-cpu", model, "--host-vhe", "on"],
                model, "FEAT_VHE")
    kernel = Image().spin().write(path("any"))
    env = stand_in("any-vmm", Image().spin())
    for model in ("cortex-b1", "cortex-a15", "cortex-m3", ""):
        tap.refused(f"--host-cpu '{model}'",
                ["run", "--kernel", kernel, "--memory", 64, "--host-cpu", model],
                "--host-cpu", "cortex-a72", "neoverse-n1", "max", env=env)


# ---- files ----

def elf(machine, bits=2, order=1):
    return b"\x7fELF" + bytes([bits, order, 1]) + bytes(9) + struct.pack("<HH", 2, machine) + bytes(100)


def elf_segments(*segments):
    head = struct.pack("<HHIQQQIHHHHHH", 2, 183, 1, 0x40080000, 64, 0, 0, 64, 56, len(segments), 0, 0, 0)
    rows = [struct.pack("<IIQQQQQQ", 1, 5, 0, address, address, 64, size, 4) for address, size in segments]
    return b"\x7fELF\2\1\1" + bytes(9) + head + b"".join(rows)


def test_kernel_files():
    def kernel(name, file, *parts, more=()):
        tap.refused(name, ["run", "--kernel", file, *more], *parts)

    kernel("kernel missing", path("none"), "does not exist", path("none"))
    kernel("kernel empty", save("empty", b""), "empty")
    kernel("kernel is a directory", work, "directory")
    os.mkfifo(path("fifo"))
    kernel("kernel is a pipe", path("fifo"), "not a regular file")
    wanted = "Wanted is an Image"
    pad = bytes(600)
    for what, data, part in (
            ("gzip in gzip", gzip.compress(gzip.compress(pad)), "a gzip file in a gzip file"),
            ("text in gzip", gzip.compress(b"no kernel\n" * 99), "text"),
            ("zstd", b"\x28\xb5\x2f\xfd" + pad, "zstd"),
            ("xz", b"\xfd7zXZ\0" + pad, "xz"),
            ("bzip2", b"BZh9" + pad, "bzip2"),
            ("lz4", b"\x02\x21\x4c\x18" + pad, "lz4"),
            ("EFI zboot", b"MZ\0\0zimg" + bytes(16) + b"gzip\0\0\0\0" + pad, "zboot image, compressed by gzip"),
            ("EFI program", b"MZ" + pad, "EFI program"),
            ("bzImage", bytes(510) + b"\x55\xaaHdrS" + pad, "x86"),
            ("bzImage with an EFI stub", b"MZ" + bytes(508) + b"\x55\xaaHdrS" + pad, "x86"),
            ("zImage", bytes(36) + b"\x18\x28\x6f\x01" + pad, "32-bit Arm"),
            ("RISC-V Image", bytes(56) + b"RSC\x05" + pad, "RISC-V"),
            ("ELF arm64, big-endian", elf(183, order=2), "not one of 64 bits and little-endian"),
            ("ELF arm64, 32 bits", elf(183, bits=1), "not one of 64 bits and little-endian"),
            ("ELF x86", elf(62), "ELF file for x86"),
            ("ELF of another machine", elf(243), "0x00f3"),
            ("uImage", b"\x27\x05\x19\x56" + pad, "uImage"),
            ("device tree", b"\xd0\x0d\xfe\xed" + pad, "device tree"),
            ("cpio", b"070701" + pad, "initrd"),
            ("Debian package", b"!<arch>\n" + pad, "Debian package"),
            ("text", b"#!/bin/sh\necho no kernel\n" * 9, "text"),
            ("one byte", b"\x80", "shorter than"),
            ("zeros", bytes(4096), "unknown data")):
        kernel(f"kernel is {what}", save("odd", data), "neither an arm64 Image nor an ELF file", part, wanted)
    kernel("kernel is damaged gzip", save("odd", gzip.compress(pad)[:-9]), "damaged gzip file", path("odd"))
    text = gzip.compress(b"no kernel\n")
    kernel("a name for what is in gzip", save("my.gz", text), path("my.gz"))
    kernel("text in gzip, with a signature behind it", save("odd", text + b"signature"), "It is a text file")
    kernel("nothing in gzip", save("odd", gzip.compress(b"")), "empty when it is unpacked", path("odd"))
    bomb = gzip.compress(bytes(8 << 20))
    tap.refused("gigabytes in gzip", ["run", "--kernel", save("bomb", bomb * 130)], "more than 1024 MiB", path("bomb"),
                env={"TMPDIR": work}, timeout=120)
    tap.ok(not glob.glob(path("avc.*")), "nothing is left of what was unpacked")
    os.unlink(path("bomb"))
    wide = elf_segments((0x40080000, 4096), (0x46000000, 64 << 20))
    kernel("ELF with segments bigger than memory", save("wide", wide),
           "too small", "160 MiB", "--memory 160", more=["--memory", "64"])
    image = Image().spin()
    image.write(path("big"), image_size=100 << 20)
    kernel("kernel bigger than memory by its header", path("big"), "too small", "--memory 64",
           "100 MiB", "--memory 104", more=["--memory", "64"])
    save("long", image.bytes() + bytes(70 << 20))
    kernel("kernel bigger than memory as a file", path("long"), "too small", more=["--memory", "64"])
    image.write(path("vast"), image_size=1 << 63)
    kernel("kernel with a mad size", path("vast"), "0x8000000000000000")
    image.write(path("far"), text_offset=1 << 60)
    kernel("kernel with a mad offset", path("far"), "text_offset")
    tap.refused("memory too small for Debian's kernel", ["run", "--memory", 32], "too small", "64",
            env=stand_in("any-vmm", Image().spin()))
    tap.refused("more memory than there is", ["run", "--kernel", path("any"), "--memory", 262144],
            "--memory 262144", env=stand_in("any-vmm", Image().spin()))

    good = ["run", "--kernel", path("any"), "--initrd"]
    tap.refused("initrd missing", [*good, path("none")], "initrd", "does not exist")
    tap.refused("initrd empty", [*good, path("empty")], "initrd", "empty")
    tap.refused("initrd is a directory", [*good, work], "initrd", "directory")
    save("fat", bytes(70 << 20))
    tap.refused("initrd bigger than memory", [*good, path("fat"), "--memory", 64], "too small", "70 MiB")


def test_unreadable():
    name = "kernel that may not be read"
    save("secret", Image().spin().bytes())
    os.chmod(path("secret"), 0)
    os.chmod(work, 0o755)
    if os.geteuid() != 0:
        tap.refused(name, ["run", "--kernel", path("secret")], "can't be read")
    elif not reachable():
        tap.skip(name, "this tree is closed to other users")
    else:
        with Avc(argv=[*as_nobody(), AVC, "run", "--kernel", path("secret")]) as avc:
            status = avc.wait(20)
            tap.ok(status == 2 and "can't be read" in avc.stderr, name, avc.transcript())


def as_nobody():
    return ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]


def reachable():
    return subprocess.run([*as_nobody(), "test", "-x", AVC], check=False).returncode == 0


# ---- nothing to run it with ----

def bare_path(*more):
    """Returns a PATH with what Debian's base system has, without QEMU and apt-get. more: scripts of the test."""
    folder = tempfile.mkdtemp(dir=work)
    os.chmod(folder, 0o755)
    for tool in ("bash env sed grep awk head tail tr wc od stat ls cat mktemp mkfifo rm mkdir mv date "
                 "dirname readlink paste sort find printf test id flock setpriv timeout stty python3 "
                 "touch cp dpkg uname perl meson ninja aarch64-linux-gnu-gcc sleep").split():
        where = shutil.which(tool)
        if where:
            os.symlink(where, os.path.join(folder, tool))
    for name, text in more:
        with open(os.path.join(folder, name), "w", encoding="utf-8") as script:
            script.write("#!/bin/bash\n" + text)
        os.chmod(os.path.join(folder, name), 0o755)
    return folder


APT_FAILS = """case $1 in
indextargets) echo "http://mirror/debian bookworm-backports" | sed "s/.* //" ;;
*) [[ " $* " != *" update "* ]] || exit 0; echo "E: Unable to locate package" >&2; exit 100 ;;
esac
"""


def test_no_qemu():
    env = {**stand_in("any-vmm", Image().spin()), "PATH": bare_path(), "AVC_QEMU": None}
    args = ["run", "--kernel", path("any"), "--memory", 64]
    tap.refused("no QEMU, no apt-get", args, "apt-get", env=env)
    tap.refused("AVC_QEMU names nothing", args, "AVC_QEMU", env={**env, "AVC_QEMU": path("none")})
    env["PATH"] = bare_path(("apt-get", APT_FAILS))
    name = "no QEMU, and apt-get can't install it"
    if os.geteuid() == 0:
        tap.refused(name, args, "can't install it", "Unable to locate", env=env)
    else:
        tap.skip(name, "only root installs")
    name = "no QEMU, not root: the command to run"
    if os.geteuid() == 0 and not reachable():
        tap.skip(name, "this tree is closed to other users")
        return
    argv = [*(as_nobody() if os.geteuid() == 0 else []), AVC, *map(str, args)]
    with Avc(argv=argv, env=env) as avc:
        status = avc.wait(20)
        command = re.search(r"^(sudo sh|su -) -c '.*apt-get install .*qemu-system-arm.*'$", avc.stderr, re.M)
        tap.ok(status == 2 and command, name, avc.transcript())


# ---- what it tells QEMU ----

def device_tree(name, *args):
    """Returns the device tree that QEMU would pass on, the status and the messages. Nothing boots."""
    blob = path(name + ".dtb")
    result = run_avc("run", "--kernel", path("any"), *BOARD, *args, "--", "-M", f"dumpdtb={blob}",
                     env=stand_in("any-vmm", Image().spin()))
    try:
        with open(blob, "rb") as file:
            return file.read(), result
    except OSError:
        return b"", result


def test_arguments():
    for append in ("console=ttyAMA0,115200 a=b", "", "a,,b , 'c' \"d\" $e \\ %s", "ünïcode", "-device x"):
        tree, result = device_tree("append", "--append", append, "--initrd", save("disk", b"disk"))
        tap.ok(append.encode() + b"\0" in tree and b"multiboot,kernel" in tree and b"multiboot,ramdisk" in tree,
               f"--append {append!r} arrives as it is", result.transcript)
    tree, result = device_tree("default")
    tap.ok(b"console=ttyAMA0" in tree, "the default of --append", result.transcript)
    tap.ok(b"multiboot,ramdisk" not in tree, "--kernel without --initrd: no initrd", result.transcript)
    tree, result = device_tree("options", "--cpus", 4, "--memory", 96, "--host-cpu", "neoverse-n1")
    tap.ok(b"cpus=4 memory=96 host-vhe=on\0" in tree, "the hypervisor's options, VHE where there is VHE",
           result.transcript)
    tap.ok(b" stat" not in tree and b" prefault" not in tree, "--stat and --prefault are not defaults",
           result.transcript)
    tree, result = device_tree("memory", "--memory", "1G")
    tap.ok(b" memory=1024 " in tree, "--memory 1G", result.transcript)
    tree, result = device_tree("place", "--kernel", save("raw", b"anything") + ",addr=0x40080000")
    tap.ok(b" kernel-at=0x40080000" in tree and b"memory=64" in tree, "--kernel FILE,addr=ADDRESS", result.transcript)
    tree, result = device_tree("last", "--kernel", path("raw") + ",addr=0x43fffff8")
    tap.ok(b" kernel-at=0x43fffff8" in tree, "a raw kernel in the last bytes of memory", result.transcript)
    # What debuggers want to know of a kernel does not go to memory.
    tree, result = device_tree("debug", "--kernel", save("debug", elf_segments((0x40080000, 4096)) + bytes(70 << 20)))
    tap.ok(b"memory=64" in tree, "an ELF file bigger than memory", result.transcript)
    tree, result = device_tree("short", "--kernel", save("short", elf_segments((0x40080000, 4096))[:20]))
    tap.ok(b"memory=64" in tree and "od: " not in result.transcript and "awk: " not in result.transcript,
           "an ELF file that is cut off is the hypervisor's to refuse", result.transcript)
    odd = save("odd,addr=1", Image().spin().bytes())
    tree, result = device_tree("odd", "--kernel", odd)
    tap.ok(b"cpus=" in tree and b"kernel-at" not in tree, "a file whose name ends with ,addr=1", result.transcript)
    tree, result = device_tree("stat", "--stat")
    tap.ok(b" stat\0" in tree, "--stat is the hypervisor's", result.transcript)
    tree, result = device_tree("prefault", "--prefault")
    tap.ok(b" prefault\0" in tree, "--prefault is the hypervisor's", result.transcript)
    tree, result = device_tree("no-vhe", "--host-cpu", "cortex-a72")
    tap.ok(b"host-vhe=off\0" in tree, "no VHE where there is none", result.transcript)
    tree, result = device_tree("vhe-off", "--host-cpu", "neoverse-n1", "--host-vhe", "off")
    tap.ok(b"host-vhe=off\0" in tree, "--host-vhe off", result.transcript)

    folder = os.path.join(work, "a folder, with 'odd' names")
    os.mkdir(folder)
    kernel = Image().spin().write(os.path.join(folder, "my, kernel"))
    initrd = os.path.join(folder, "my,, disk")
    shutil.copy(path("disk"), initrd)
    off = Image().print("vmm: exit 0: off\n", Image.LOG).smc(OFF).spin().write(os.path.join(folder, "an, image"))
    result = run_avc("run", "--kernel", "my, kernel", "--initrd", initrd, *BOARD, cwd=folder,
                     env={"AVC_VMM_IMAGE": off, "TMPDIR": folder})
    tap.equal(result.status, 0, "files with blanks and commas, from another folder", result.transcript)
    os.symlink(AVC, path("link"))
    with Avc(argv=[path("link"), "run", "--kernel", kernel, *map(str, BOARD)], env={"AVC_VMM_IMAGE": off}) as avc:
        tap.equal(avc.wait(20), 0, "the launcher by a symbolic link", avc.transcript())


# ---- what --profile needs of QEMU, and what it counts ----

def test_profile():
    args = ["run", "--profile", "--kernel", path("any"), *BOARD]
    env = stand_in("any-vmm", Image().spin())
    for name, version, options, parts in (
            ("a QEMU too old for --profile", "7.2.22", "-plugin FILE", ("needs QEMU 10", "7")),
            ("a QEMU without plugins", "10.0.2", "-other", ("without",))):
        fake = save("qemu", b"#!/bin/sh\n[ $1 = -help ] && echo '%s' || echo 'QEMU emulator version %s'\n" %
                    (options.encode(), version.encode()))
        os.chmod(fake, 0o755)
        # what it says of its CPUs is not asked before
        tap.refused(name, args, "--profile", *parts, env={**env, "AVC_QEMU": fake})
    tap.refused("a value for --profile", ["run", "--profile=all"], "unknown option: --profile=all", "--help")
    name = "--profile counts each instruction at EL2"
    if old_qemu():
        tap.skip(name, "it needs QEMU 10")
        return
    counts, shown = [], []
    for more, options in ((0, []), (1234, ["--count"]), (1234, ["--quiet", "--host-cpus", "2"])):
        image = Image().print("vmm: exit 0: off\n", Image.LOG)
        for _ in range(more):
            image.word(0xD503201F)
        result = run_avc(*args, *options, env=stand_in("nops", image.smc(OFF).spin()))
        found = re.search(rb"^profile: (\d+) instructions at EL2, 0 of them in exits; 0 below", result.err.encode(),
                          re.M)
        counts.append(int(found[1]) if found and result.status == 0 else -1)
        shown.append(result.transcript)
    tap.ok(counts[0] > 0 and counts[1] == counts[2] == counts[0] + 1234, name, "\n".join(map(str, [counts, *shown])))
    with Avc([*args, "--timeout", "2"], env=stand_in("any-vmm", Image().spin())) as avc:
        status = avc.wait(20)
        tap.ok(status == 124 and "\nprofile: " in avc.stderr, "--profile of what was stopped", avc.transcript())


# ---- the examples; example.py tests what each of them does ----

def test_examples():
    with open(os.path.join(TOP, "examples/01-minimal/expected.txt"), "rb") as file:
        wanted = file.read()
    for name in ("01-minimal", "1"):
        result = run_avc("examples", name, timeout=400)
        tap.ok(result.status == 0 and result.out == wanted and "01-minimal, on max" in result.err, f"examples {name}",
               result.transcript)
    script = path("qemu")
    with open(script, "w", encoding="utf-8") as file:
        file.write(f"""#!/bin/bash
case $1 in
--version) exec {os.environ.get('AVC_QEMU', 'qemu-system-aarch64')} --version ;;
*) echo surprise; exit ${{TEST_STATUS-0}} ;;
esac
""")
    os.chmod(script, 0o755)
    result = run_avc("examples", "1", env={"AVC_QEMU": script}, timeout=400)
    tap.ok(result.status == 1 and "+surprise" in result.err and "failed: 01-minimal" in result.err,
           "an example that prints something else", result.transcript)
    result = run_avc("examples", "1", env={"AVC_QEMU": script, "TEST_STATUS": "7"}, timeout=400)
    tap.ok(result.status == 1 and "01-minimal ended with status" in result.err, "an example whose emulator fails",
           result.transcript)


# ---- in a tree of its own: the lock, clean, and a check that cannot build ----

def test_tree():
    tree = os.path.join(work, "a tree")
    os.makedirs(tree + "/vmm")
    for name in ("scripts", ".ci", "vmm/initrd"):
        shutil.copytree(os.path.join(TOP, name), os.path.join(tree, name))
    shutil.copy2(os.path.join(TOP, "avc"), tree)
    os.makedirs(tree + "/build/junk")
    avc_here = [tree + "/avc"]

    lock = os.open(tree, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    with Avc(argv=[*avc_here, "clean"]) as avc:
        tap.ok(avc.expect_err("waiting", 10), "a second launcher says that it waits", avc.transcript())
        tap.ok(avc.wait(0.5) is None and os.path.isdir(tree + "/build"), "and waits", avc.transcript())
        os.close(lock)
        tap.equal(avc.wait(10), 0, "until the first is done", avc.transcript())
        tap.ok(not os.path.exists(tree + "/build"), "clean removes the build folder")
    with Avc(argv=[*avc_here, "clean"]) as avc:
        tap.equal(avc.wait(10), 0, "clean of what is clean", avc.transcript())

    # There is no meson.build here, so each build fails at once.
    have = [name for name in ("guest", "sysroot") if os.path.isdir(os.path.join(TOP, "build", name))]
    if len(have) < 2:
        tap.skip("a check whose builds fail", "Debian's files have not been fetched")
        return
    os.mkdir(tree + "/build")
    for name in have:
        os.symlink(os.path.join(TOP, "build", name), os.path.join(tree, "build", name))
    os.mkdir(path("machine"))
    with open(path("machine/debian.img"), "wb"):  # so that it is not built
        pass
    for argv in ([*avc_here, "check", "host", "target"], [tree + "/.ci/run", "host", "target"]):
        with Avc(argv=argv, env={"AVC_MACHINE": path("machine")}) as avc:
            status = avc.wait(60)
            lines = avc.stdout.decode().splitlines()
            tap.ok(status == 1 and lines and lines[-1] == "0 passed, 2 failed" and "FAILED build host" in lines,
                   f"{os.path.basename(argv[0])}: a build that fails is a failed test", avc.transcript())
    test_long(tree, avc_here)
    nothing = {"PATH": bare_path()}
    with Avc(argv=[*avc_here, "check"], env=nothing) as avc:
        status = avc.wait(20)
        tap.ok(status == 2 and avc.stdout == b"0 passed, 1 failed\n",
               "a check that can't begin ends with a count, too", avc.transcript())


# A build of three tests, one of them in the suite that only --long runs. How they are told apart is the tree's own.
def test_long(tree, avc_here):
    with open(os.path.join(TOP, "meson.build"), encoding="utf-8") as file:
        setups = [line for line in file if line.startswith("add_test_setup(")]
    with open(tree + "/meson.build", "w", encoding="utf-8") as file:
        file.write("project('three')\n" + "".join(setups) + "good = find_program('true')\n"
                   "test('plain', good)\ntest('unit', good, suite: 'unit')\ntest('slow', good, suite: 'long')\n")
    open(tree + "/meson_options.txt", "w", encoding="utf-8").close()
    for arguments, wanted in ((["host"], "2 passed, 0 failed"), (["host", "--long"], "3 passed, 0 failed"),
                              (["--long", "host"], "3 passed, 0 failed")):
        with Avc(argv=[*avc_here, "check", *arguments]) as avc:
            status = avc.wait(60)
            lines = avc.stdout.decode().splitlines()
            tap.ok(status == 0 and lines and lines[-1] == wanted, " ".join(["check", *arguments]), avc.transcript())


def test_counting():
    log = path("testlog.json")
    with open(log, "w", encoding="utf-8") as file:
        file.write('{"name": "tap", "result": "FAIL", "stdout": "ok 1 - a\\nnot ok 2 - b\\n# why\\n'
                   'ok 3 - c # SKIP none\\n1..3\\n"}\n'
                   '{"name": "died", "result": "ERROR", "returncode": -11, "stdout": "ok 1 - a\\n"}\n'
                   '{"name": "plain", "result": "OK", "stdout": ""}\n')
    count = subprocess.run([sys.executable, os.path.join(TOP, "scripts/testcount.py"), "x=" + log],
                           stdout=subprocess.PIPE, encoding="utf-8", check=False)
    tap.ok(count.returncode == 1 and count.stdout.endswith("\n3 passed, 2 failed\n")
           and "failed: b" in count.stdout and "# why" in count.stdout and "skipped: x: tap: c" in count.stdout,
           "TAP points are counted one by one, and a test that died is a failure", count.stdout)


def main():
    command_line(__doc__).parse_args()
    try:
        Image().spin().write(path("any"))
        for test in (test_usage, test_programs, test_values, test_kernel_files, test_unreadable, test_no_qemu,
                     test_arguments, test_profile, test_examples, test_tree, test_counting):
            test()
    finally:
        scratch.remove()
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
