#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""Guests that are raw Images of a few instructions, under the hypervisor, by ./avc run.

They have no initrd and no Linux, and most of them never read the device tree. The tests look at them from outside:
bytes on stdout, bytes from stdin, exit statuses, and what the log says about a crash.

usage: guests.py [HOST-CPU/VHE | one-uart]...      default: cortex-a72/off max/on max/off one-uart

one-uart: a board with one UART, which is the guest's.
"""

import os
import re
import shutil
import struct
import sys
import tempfile

from avctest import Avc, Image, Tap, command_line, run_avc

tap = Tap()
work = tempfile.mkdtemp(prefix="avc-guests.")
OFF, RESET = Image.SYSTEM_OFF, 0x84000009
CPU_OFF, CPU_ON, AFFINITY_INFO = 0x84000002, 0xC4000003, 0xC4000004


def arguments(image, *more, **options):
    kernel = image.write(os.path.join(work, "Image"), **options)
    return ["run", "--kernel", kernel, "--memory", 64, "--timeout", 60, *more]


def guest(name, image, status, out, board, *more, **options):
    result = run_avc(*arguments(image, *board, *more, **options), timeout=90)
    tap.ok(result.status == status and result.out == out, name,
           f"wanted status {status} and {out!r}, got {result.status} and {result.out!r}\n{result.transcript}")
    return result


def test_ends(name, board):
    for call in ("hvc", "smc"):
        image = getattr(Image().print("hi"), call)(OFF).spin()
        guest(f"{name}: prints and powers off by {call.upper()}", image, 0, b"hi", board)
    guest(f"{name}: text_offset and image_size", Image().print("far").hvc(OFF).spin(), 0, b"far", board,
          text_offset=0x80000, image_size=0x800000)
    tree = Image().word(0xB9400001).mov(2, 0xEDFE0DD0).word(0x6B02003F)  # LDR W1, [X0]; CMP W1, W2
    tree.word(0x54000000 | 2 << 5 | 1).word(0x14000003).spin()  # B.NE .+8; B .+12
    guest(f"{name}: x0 is a device tree", tree.print("dtb").hvc(OFF).spin(), 0, b"dtb", board)
    for address in (0, 0x9000000, 0xFFFFFFFF0000):
        result = guest(f"{name}: a jump to {address:#x} is a crash", Image().print("x").jump(address), 3, b"x", board)
        # The guest gets an abort, at VBAR_EL1, which is 0: nothing is there either.
        vector = 0x200 if address else 0
        tap.ok(f"avc: error: the guest crashed: vCPU 0: a fetch of nothing at {vector:#x}, pc {vector:#x}" in result.err
               and f"{address:x}" in result.err, f"{name}: and the log says where", result.transcript)
        if address == 0x9000000:
            tap.contains(result.err, f"a fetch of nothing at {address:#x} (pc {address:#x}): external abort",
                         f"{name}: and what began it")
    guest(f"{name}: more than three resets are a crash", Image().print("r").hvc(RESET).spin(), 3, b"rrrr", board)
    with Avc(arguments(Image().print("idle").spin(), *board)) as avc:
        avc.close_stdin()
        tap.ok(avc.expect("idle", 30) and avc.wait(2) is None, f"{name}: waits for ever, stdin at its end",
               avc.transcript())


def test_console(name, board):
    everything = bytes(range(256))
    guest(f"{name}: every byte comes out", Image().print(everything).hvc(OFF).spin(), 0, everything, board)
    sent = (everything.replace(b"q", b"") * 16) + b"q"
    with Avc(arguments(Image().print("?").echo("q").hvc(OFF).spin(), *board)) as avc:
        avc.expect("?")
        avc.send(sent)
        tap.ok(avc.wait(60) == 0 and avc.stdout == b"?" + sent, f"{name}: {len(sent)} bytes sent come back",
               avc.transcript()[-2000:])


def test_write_back(name, board):
    """As an RTOS sets priorities. With its MMU off, and its caches."""
    image = Image().mov(0, 0x8000420).mov(2, 0x30303030)  # GICD_IPRIORITYR8
    image.word(0xB8004402).word(0xB8004402)  # STR W2, [X0], #4
    image.word(0x297F1003)  # LDP W3, W4, [X0, #-8]
    image.mov(1, 0x9000000).word(0x39000024).word(0x39000023)  # STRB W4, [X1]; STRB W3, [X1]
    guest(f"{name}: stores with write-back and loads of pairs reach a device", image.hvc(OFF).spin(), 0, b"00", board)


def test_cpus(name, board):
    image = Image()
    starts = []
    for cpu in range(1, 8):
        image.mov(0, CPU_ON).mov(1, cpu)
        starts.append(len(image.code))
        image.word(0).mov(3, ord("0") + cpu).word(0xD4000002)  # ADR X2, secondary, below; HVC
        again = len(image.code)
        image.mov(0, AFFINITY_INFO).mov(1, cpu).mov(2, 0).word(0xD4000002).word(0x7100041F)  # CMP W0, #1
        image.word(0x54000001 | (again - len(image.code) & 0x7FFFF) << 5)  # B.NE again
    image.hvc(OFF).spin()
    for at in starts:
        image.code[at] = 0x10000002 | (len(image.code) - at) << 5  # ADR: words, for its low two bits are 0
    image.mov(19, Image.UART).word(0x39000000 | 19 << 5).hvc(CPU_OFF).spin()  # STRB W0, [X19]
    guest(f"{name}: eight CPUs started one by one", image, 0, b"1234567", board, "--cpus", 8)


def test_count(name, board):
    clock = Image().mov(19, Image.UART)
    for _ in range(3):
        clock.word(0xD53BE041)  # MRS X1, CNTVCT_EL0
        for _ in range(8):
            clock.word(0x39000000 | 19 << 5 | 1).word(0xD348FC21)  # STRB W1, [X19]; LSR X1, X1, #8
    args = arguments(clock.hvc(OFF).spin(), *board, "--count", "--cpus", 2)
    first, second = (run_avc(*args, timeout=90) for _ in range(2))
    tap.ok(first.status == 0 and len(first.out) == 24 and first.out == second.out and first.err == second.err,
           f"{name}: --count, twice the same", first.transcript + second.transcript)


def stat_tables(err):
    """Reads the tables of a log: {whose: {"traps": {name: (count, ticks, mean, p50, p99, longest)}, "exits": {name:
    count}, "share": text}}."""
    tables, table, part = {}, None, None
    for line in err.splitlines():
        text = line.removeprefix("[avc] vmm: stat: ")
        if text == line:
            continue
        if begin := re.match(r"(.*), in ticks of [0-9]+ Hz$", text):
            table = tables[begin[1]] = {"traps": {}, "exits": {}, "share": None}
        elif text.startswith(("trap ", "exit to the VMM ")):
            part = table["traps" if text.startswith("trap ") else "exits"]
        elif end := re.match(r".*: EL2 had ([0-9.]+) % of ", text):
            table["share"] = end[1]
        elif row := re.match(r"(\S.*?) +([0-9]+) +[0-9.]+ +([0-9]+) +[0-9.]+" + 4 * " +([0-9]+)" + "$", text):
            part[row[1]] = tuple(map(int, row.groups()[1:]))
        elif row := re.match(r"(\S.*?) +([0-9]+) +[0-9.]+$", text):
            part[row[1]] = int(row[2])
    return tables


def test_stat(name, board):
    """All that is counted is what this guest did: its whole code is here. Only interrupts are the hypervisor's own."""
    image = Image().print("s" * 20).mov(0, 0x42000000).word(0xB9400001)  # LDR W1, [X0]: first use of memory
    for _ in range(7):
        image.hvc(0x84000000).smc(0x84000000)  # PSCI_VERSION
    for _ in range(3):
        image.hvc(0xFFFF)  # to the VMM's loop
    image.hvc(0x87654321).word(0xD5380400)  # a call that nobody handles; MRS X0, ID_AA64PFR0_EL1
    args = arguments(image.hvc(OFF).spin(), *board, "--stat", "--count")
    result = run_avc(*args, "--cpus", 1, timeout=90)
    table = stat_tables(result.err).get("vCPU 0", {"traps": {}, "exits": {}, "share": None})
    counts = {trap: row[0] for trap, row in table["traps"].items()}
    wanted = {"HVC, AArch64": 7 + 3 + 1 + 1, "SMC, AArch64": 7, "MSR, MRS, system instruction": 1,
              "Data Abort, lower level": 20 + 1, "all traps": 12 + 7 + 1 + 21 + counts.get("IRQ", 0)}
    counts.pop("IRQ", None)
    tap.ok(result.status == 0 and counts == wanted, f"{name}: --stat counts traps",
           f"wanted {wanted}, got {counts}\n{result.transcript}")
    wanted = {"AVC_CALL": 3, "AVC_MMIO": 1, "AVC_SYSTEM_OFF": 1, "all exits": 5 + table["exits"].get("AVC_IRQ", 0)}
    tap.ok({kind: count for kind, count in table["exits"].items() if kind != "AVC_IRQ"} == wanted,
           f"{name}: --stat counts exits by kind", result.transcript)
    total = table["traps"].pop("all traps", (0, 0))
    rows = list(table["traps"].values())
    tap.ok(rows and total[:2] == tuple(map(sum, zip(*(row[:2] for row in rows))))
           and rows == sorted(rows, key=lambda row: -row[1])
           and table["exits"].pop("all exits", 0) == sum(table["exits"].values()) > 0,
           f"{name}: --stat's sums, and what cost most first", result.transcript)
    tap.ok(rows and all(count and ticks // count == mean and p50 <= p99 <= longest <= ticks <= count * longest
                        for count, ticks, mean, p50, p99, longest in rows)
           and 0 < float(table["share"] or 0) < 100, f"{name}: --stat's times fit together", result.transcript)

    quiet = run_avc(*args, "--cpus", 1, "--quiet", timeout=90)
    tap.equal(quiet.err.splitlines(),
              [line for line in result.err.splitlines() if line.startswith("[avc] vmm: stat: ")],
              f"{name}: with --quiet the table alone", quiet.transcript)
    both = stat_tables(run_avc(*args, "--cpus", 2, timeout=90).err)
    tap.ok(list(both) == ["vCPU 0", "vCPU 1", "all 2 vCPUs"] and not both["vCPU 1"]["traps"]
           and both["all 2 vCPUs"]["traps"] == both["vCPU 0"]["traps"], f"{name}: --stat of each vCPU, and of all",
           both)
    for text, what, status in (("crash", lambda image: image.jump(0), 3),
                               ("reset", lambda image: image.hvc(RESET).spin(), 3)):
        result = run_avc(*arguments(what(Image().print("x")), *board, "--stat"), timeout=90)
        tap.ok(result.status == status and stat_tables(result.err), f"{name}: --stat at a {text}", result.transcript)
    result = run_avc(*arguments(Image().hvc(OFF).spin(), *board), timeout=90)
    tap.ok(result.status == 0 and not stat_tables(result.err), f"{name}: no table unasked", result.transcript)


def test_prefault(name, board):
    """Reads two blocks of memory into which nothing was loaded. They are zero, also after the reset of a guest that
    wrote there. Each read makes an exit, or with --prefault none."""
    image = Image().mov(0, 0x42000000).word(0xB9400002)  # LDR W2, [X0]
    image.word(0xB9000000).mov(0, 0x43000000).word(0xB9400003).word(0xB9000000)  # STR W0, [X0]; the other block
    image.mov(19, Image.UART).word(0x2A030041).word(0x11018421).word(0x39000000 | 19 << 5 | 1)  # ORR W1, W2, W3; +"a"
    image.hvc(RESET).spin()
    for more, exits in (((), 2 * 4), (("--prefault",), 0)):
        result = guest(" ".join([f"{name}: clean memory at each start", *more]), image, 3, b"aaaa", board, "--stat",
                       *more)
        kinds = stat_tables(result.err).get("vCPU 0", {"exits": {}})["exits"]
        tap.equal(kinds.get("AVC_MMIO", 0) + kinds.get("AVC_STAGE2", 0), exits,
                  " ".join([f"{name}: exits for memory", *more]), result.transcript)


def test_no_place(name, board):
    """An ELF file, of one segment, for a machine whose memory is elsewhere."""
    header = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HHIQQQIHHHHHH", 2, 183, 1, 0x1000, 64, 0, 0, 64, 56, 1,
                                                              0, 0, 0)
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, 0x1000, 0x1000, 120, 0x2000, 0x1000)
    elf = os.path.join(work, "elsewhere.elf")
    with open(elf, "wb") as file:
        file.write(header + segment)
    result = run_avc("run", "--kernel", elf, "--memory", 64, *board)
    tap.ok(result.status == 1 and not result.out and "memory that the guest does not have" in result.err
           and "0x1000..0x3000" in result.err and "0x40000000..0x44000000" in result.err,
           f"{name}: a program for another machine", result.transcript)


def test_one_uart():
    """A QEMU that calls itself an old one gets a PCI card for the log. The script leaves the card out if asked to."""
    qemu = os.path.join(work, "qemu")
    with open(qemu, "w", encoding="utf-8") as script:
        script.write(f"""#!/bin/bash
[[ $1 != --version ]] || {{ echo QEMU emulator version 7.2.0; exit; }}
arguments=()
for argument; do
    [[ $argument == pci-serial,* && -n $NO_CARD ]] && unset 'arguments[-1]' || arguments+=("$argument")
done
exec {os.environ.get("AVC_QEMU") or "qemu-system-aarch64"} "${{arguments[@]}}"
""")
    os.chmod(qemu, 0o755)
    old = {"AVC_QEMU": qemu, "NO_CARD": ""}
    for cpu in ("cortex-a72", "max"):
        args = arguments(Image().print("out").hvc(OFF).spin(), "--host-cpu", cpu)
        result = run_avc(*args, env=old)
        tap.ok(result.status == 0 and result.out == b"out" and "[avc] vmm: exit 0: " in result.err
               and "[avc] vmm: guest: " in result.err, f"{cpu}: the log by a PCI card", result.transcript)
    args = arguments(Image().print("x").jump(0), "--quiet")
    result = run_avc(*args, env=old)
    tap.ok(result.status == 3 and result.out == b"x" and "[avc] vmm: exit 3: " in result.err,
           "a PCI card's log tells of a crash", result.transcript)
    args = arguments(Image().print("out").hvc(OFF).spin())
    result = run_avc(*args, env={**old, "NO_CARD": "1"})
    tap.ok(result.status == 1 and re.fullmatch(rb"out\nvmm: exit 0: [^\n]+\n", result.out)
           and "[avc] vmm: " not in result.err, "nowhere to log: only the end is told, where the guest's output was",
           result.transcript)


def board_name(text):
    if text != "one-uart" and not re.fullmatch(r"[^/]+/(on|off)", text):
        raise ValueError
    return text


def main():
    parser = command_line(__doc__)
    parser.add_argument("boards", metavar="HOST-CPU/VHE", nargs="*", type=board_name,
                        default=["cortex-a72/off", "max/on", "max/off", "one-uart"])
    options = parser.parse_args()
    try:
        for name in options.boards:
            if name == "one-uart":
                test_one_uart()
                continue
            cpu, vhe = name.split("/")
            board = ["--host-cpu", cpu, "--host-vhe", vhe]
            for test in (test_ends, test_console, test_write_back, test_cpus, test_count, test_stat, test_prefault,
                         test_no_place):
                test(name, board)
    finally:
        shutil.rmtree(work)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
