# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""What EL2 takes of Debian's Linux under the reference hypervisor: of two boots, and of 300 forks.

./avc run boots Debian's kernel in the counting mode with one vCPU, its memory prefaulted, and a program of our own as
process 1 (guest/linux.c), which marks what is counted; the plugin (plugin/) counts instructions at EL2 and below. The
budget, linux.tsv, is of one kernel: with another one nothing is compared."""
import hashlib
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import report
import tsv

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "vmm/initrd"))
import mkinitrd  # noqa: E402

FILE = ROOT / "bench/linux.tsv"
HOSTS = {"max": "off", "max E2H": "on"}  # as bench.py's configurations; --host-vhe
UNITS = ("EL2", "guest")
# A timer's tick more or less in what is counted is chance, and takes EL2 some 160 instructions.
ALLOWED, TICKS = 1.01, 400
HEAD = """# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
#
# Instructions of Linux and of EL2 for it, by configuration of the host, with one kernel: written by
# `./avc bench --update-budget`, on purpose only.
"""


# ---- measuring ----

def kernel(image):
    """(version, hash) of Debian's Image."""
    data = image.read_bytes()
    version = re.search(rb"Linux version [^\0\n]* (Debian [^\0\n ]+) \(", data)
    return version[1].decode() if version else "unknown", hashlib.sha256(data).hexdigest()[:16]


def initrd(program):
    """An archive with nothing but process 1, and the console that the kernel opens for it."""
    archive = mkinitrd.Archive()
    archive.folder("dev")
    archive.node("dev/console", 5, 1)
    archive.file("init", program, 0o755)
    return archive.finish()


def laps(text):
    """[(name, EL2, below)] of the plugin's file."""
    lines = [line.split("\t") for line in text.splitlines()]
    return [(line[1], int(line[2]), int(line[3])) for line in lines if line[0] == "lap"]


def between(text):
    """Of the boot, and of the forks: (EL2, guest). None: the guest did not get there."""
    points = [lap for lap in laps(text) if lap[0] != "el0"]
    if [name for name, *_ in points] != ["el1", "mark", "mark"]:
        return None
    return [(to[1] - since[1], to[2] - since[2]) for since, to in zip(points, points[1:])]


def boot(build, append, vhe):
    """What between() says of one boot."""
    with tempfile.TemporaryDirectory(prefix="avc-bench.") as folder:
        disk, out = pathlib.Path(folder, "initrd"), pathlib.Path(folder, "laps")
        disk.write_bytes(initrd((build / "bench/linux-init").read_bytes()))
        plugin = str(build / "bench/plugin/profile.so").replace(",", ",,")
        run = subprocess.run(
            [ROOT / "avc", "run", "--count", "--cpus", "1", "--host-cpus", "1", "--host-cpu", "max", "--host-vhe", vhe,
             "--prefault", "--timeout", "240", "--kernel", build.parent / "guest/Image", "--initrd", disk,
             "--append", append, "--", "-plugin", f"{plugin},out={out}"],
            env={**os.environ, "AVC_VMM_IMAGE": str(build / "vmm/vmm.bin")}, stdin=subprocess.DEVNULL,
            capture_output=True, text=True)
        counted = between(out.read_text()) if out.exists() else None
    if run.returncode or not counted:
        sys.exit(f"bench: Linux did not get to its end with '{append}':\n{run.stdout}{run.stderr}")
    return counted


def measure(build, rows):
    """{configuration: {row: (EL2, guest)}}"""
    figures = {}
    for name, vhe in HOSTS.items():
        figures[name] = {}
        for row in rows:
            if "append" in row:
                figures[name][row["id"]], forks = boot(build, row["append"], vhe)
                figures[name].setdefault("forks", forks)  # of the first boot, which is the quiet one
    return figures


# ---- the budget ----

def read(path=FILE):
    """(kernel, figures)"""
    lines = tsv.read(path)
    names = lines[1][2:]
    table = {name: {} for name in names}
    for row, unit, *numbers in lines[2:]:
        for name, number in zip(names, numbers, strict=True):
            table[name].setdefault(row, {})[unit] = int(number)
    return tuple(lines[0][1:]), {name: {row: tuple(units[unit] for unit in UNITS) for row, units in rows.items()}
                                 for name, rows in table.items()}


def write(image, figures, path=FILE):
    lines = [["kernel", *image], ["row", "instructions", *figures]]
    for row in next(iter(figures.values())):
        lines += [[row, unit, *(str(figures[name][row][n]) for name in figures)] for n, unit in enumerate(UNITS)]
    path.write_text(HEAD + "".join("\t".join(line) + "\n" for line in lines))


def compare(figures, budget):
    """Complaints about one configuration: EL2's instructions are compared, and of the forks all."""
    for row in sorted(figures.keys() | budget.keys()):
        if row not in figures or row not in budget:
            yield f"{row}: " + ("has a budget and was not measured" if row in budget else "no budget")
            continue
        for what, count in {"EL2": lambda figure: figure[0], "all": sum}.items():
            got, allowed = count(figures[row]), count(budget[row])
            if (what == "EL2" or row == "forks") and got > allowed * ALLOWED + TICKS:
                yield f"{row}: {got} instructions ({what}), budget {allowed}"


# ---- showing ----

def share(figure):
    """EL2's instructions in per cent of the guest's."""
    return 100 * figure[0] / figure[1]


def is_met(row, figure):
    """As it is printed. None: no goal."""
    return round(share(figure), 3) <= row["goal"] if "goal" in row else None


def text(rows, figures, peers, image):
    width = max(len(row["title"]) for row in rows) + 2
    lines = [f"Debian's Linux ({image[0]}) under the reference hypervisor: 1 vCPU, memory prefaulted; instructions, and those of "
             "EL2", "in per cent of the guest's; +: within the goal, !: not", "",
             f"{'':{width}}{'host':10}{'guest':>14}{'EL2':>12}{'%':>9}{'goal':>8}"]
    for row in rows:
        for name, rows_of in figures.items():
            el2, guest = figure = rows_of[row["id"]]
            state = {None: " ", True: "+", False: "!"}[is_met(row, figure)]
            lines.append(f"{row['title']:{width}}{name:10}{guest:>14}{el2:>12}{share(figure):>8.3f}{state}{row.get('goal', ''):>8}")
        for peer, value in row.get("peers", {}).items():
            lines.append(f"{'':{width}}{peers[peer]:36}{value:>8.3f}")
    return "\n".join(lines) + "\n"


def document(rows, peers, image, figures):
    """Lines of the table in docs/performance.md."""
    theirs = [peer for peer in peers if any(peer in row.get("peers", {}) for row in rows)]
    lines = [f"Kernel: {image[0]}, SHA-256 of its Image {image[1]}...", "",
             "| what | host | of the guest | of EL2 | share, % | goal | " + " | ".join(peers[peer] for peer in theirs) + " |",
             "|---" * (6 + len(theirs)) + "|"]
    for row in rows:
        for name, rows_of in figures.items():
            el2, guest = figure = rows_of[row["id"]]
            percent = f"{share(figure):.3f}"
            lines.append(f"| {row['title']} | {name} | {guest:,} | {el2:,} | "
                         f"{f'**{percent}**' if is_met(row, figure) else percent} | {row.get('goal', '')} | "
                         + " | ".join(str(row.get("peers", {}).get(peer, "")) for peer in theirs) + " |")
    lines += ["", "| what | the kernel's command line |", "|---|---|"]
    lines += [f"| {row['title']} | `{row['append']}` |" for row in rows if "append" in row]
    return {"linux": lines}


# ---- what bench.py calls ----

def unable(build):
    """Why nothing can be measured here, or None."""
    if os.environ.get("AVC_QEMU_OLD"):
        return "this QEMU has no plugin interface of version 3, and another max"
    for file in ("bench/plugin/profile.so", "bench/linux-init", "vmm/vmm.bin", "../guest/Image"):
        if not (build / file).exists():
            return f"there is no {file} in {build}"
    return None


def show(build, update):
    """Prints; also writes the budget and its part of the document, if asked to."""
    rows, peers = report.read_rows("linux")
    reason = unable(build)
    if reason:
        print(f"Linux was not measured: {reason}")
        return 1
    image, figures = kernel(build.parent / "guest/Image"), measure(build, rows)
    print(text(rows, figures, peers, image))
    if update:
        write(image, figures)
        report.DOCUMENT.write_text(report.with_parts(report.DOCUMENT.read_text(), document(rows, peers, image, figures)))
    return 0


def incomparable(build, image):
    """Why the budget, which is of that kernel, does not apply here, or None."""
    reason = unable(build)
    if not reason and (found := kernel(build.parent / "guest/Image")) != image:
        reason = f"the budget is of {image[0]} ({image[1]}), and the kernel here is {found[0]} ({found[1]})"
    return reason


def check(build):
    """TAP: a point for each configuration, and one for what the document shows."""
    rows, peers = report.read_rows("linux")
    image, budgets = read()
    reason = incomparable(build, image)
    figures = {} if reason else measure(build, rows)
    failed = False
    print(f"1..{len(HOSTS) + 1}")
    for number, name in enumerate(HOSTS, 1):
        title = f"Linux on {name}: {', '.join(row['id'] for row in rows)} within their budget"
        complaints = [] if reason else list(compare(figures[name], budgets[name]))
        print(f"{'not ok' if complaints else 'ok'} {number} - {title}" + (f" # SKIP {reason}" if reason else ""))
        for line in complaints + ["on purpose? ./avc bench --update-budget, and say why in the commit"] * bool(complaints):
            print(f"# {line}")
        failed = failed or bool(complaints)
    shown = report.DOCUMENT.read_text()
    same = report.with_parts(shown, document(rows, peers, image, budgets)) == shown
    print(f"{'ok' if same else 'not ok'} {len(HOSTS) + 1} - docs/performance.md shows linux.tsv's figures")
    return 1 if failed or not same else 0
