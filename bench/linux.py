# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""Measures EL2's share in Debian's Linux under the reference hypervisor.

./avc run boots Debian's kernel in the counting mode, with a program of our own as process 1. One program marks what is
counted (guest/linux.c); another sends a byte to and fro between two CPUs (guest/pipe.c). The plugin (plugin/) counts
instructions at EL2 and below. The budget, linux.tsv, is of one kernel; with another kernel nothing is compared."""
import concurrent.futures
import hashlib
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import profiling
import report
import tsv

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "vmm/initrd"))
import mkinitrd  # noqa: E402

FILE = ROOT / "bench/linux.tsv"
HOSTS = {"max": "off", "max E2H": "on"}  # configurations as in bench.py: the value of --host-vhe
SHARED = "max E2H"  # the configuration of the rows with several vCPUs
QUIET = "console=ttyAMA0 quiet panic=1"
# Whether a timer's tick falls into what is counted is chance, and a tick costs EL2 some 160 instructions.
ALLOWED, TICKS = 1.01, 400
# With several CPUs it is chance who waits for whom: one instruction more or less changes which vCPU runs where from
# then on, and the mean of a kind of exit by a quarter. So such a row is the mean of so many boots, which differ in a
# word of the command line that means nothing to the kernel, and has a limit of its own in rows.toml.
BOOTS = 6
# The kinds of exit whose mean is budgeted.
KINDS = {"IRQ": profiling.IRQ, "MSR": 0x18, "data abort": 0x24, "WFI": 0x01}
HEAD = """# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
#
# Instructions of Linux and of EL2 for it, by configuration of the host, with one kernel; of kinds of exit also how many
# there are; of the pipe, ticks. Written by `./avc bench --update-budget`, on purpose only.
"""


# ---- measuring: each row is {unit: number} ----

def kernel(image):
    """Returns (version, hash) of Debian's Image."""
    data = image.read_bytes()
    version = re.search(rb"Linux version [^\0\n]* (Debian [^\0\n ]+) \(", data)
    return version[1].decode() if version else "unknown", hashlib.sha256(data).hexdigest()[:16]


def initrd(program):
    """Makes an archive with process 1, and the console that the kernel opens for it."""
    archive = mkinitrd.Archive()
    archive.folder("dev")
    archive.node("dev/console", 5, 1)
    archive.file("init", program, 0o755)
    return archive.finish()


def laps(text):
    """Returns [(name, EL2, below)] from the plugin's file."""
    lines = [line.split("\t") for line in text.splitlines()]
    return [(line[1], int(line[2]), int(line[3])) for line in lines if line[0] == "lap"]


def between(text):
    """Returns the figures of the boot and of the forks, or None if the guest did not get there."""
    points = [lap for lap in laps(text) if lap[0] != "el0"]
    if [name for name, *_ in points] != ["el1", "mark", "mark"]:
        return None
    return [{"EL2": to[1] - since[1], "guest": to[2] - since[2]} for since, to in zip(points, points[1:])]


def kinds(text):
    """Returns exits and instructions at EL2 of each kind, over the whole run. Of data aborts it leaves out the guest's
    instructions that had an exit to the VMM's loop: these are first touches of memory, which the VMM clears."""
    profile, counted = profiling.Profile(text), {}
    for name, kind in KINDS.items():
        sites = [site for site in profile.sites if site[0] == kind and not (name == "data abort" and site[3])]
        counted[f"{name}, exits"] = sum(exits for _, _, exits, _, _ in sites)
        counted[name] = sum(instructions for *_, instructions in sites)
    return counted


def run(build, program, append, vhe, vcpus, cpus, *more):
    """Boots once, and returns what the guest printed. more: options of ./avc run, and after -- arguments of QEMU."""
    with tempfile.TemporaryDirectory(prefix="avc-bench.") as folder:
        disk = pathlib.Path(folder, "initrd")
        disk.write_bytes(initrd((build / "bench" / program).read_bytes()))
        done = subprocess.run(
            [ROOT / "avc", "run", "--count", "--cpus", str(vcpus), "--host-cpus", str(cpus), "--host-cpu", "max",
             "--host-vhe", vhe, "--timeout", "400", "--kernel", build.parent / "guest/Image", "--initrd", disk,
             "--append", append, *more],
            env={**os.environ, "AVC_VMM_IMAGE": str(build / "vmm/vmm.bin")}, stdin=subprocess.DEVNULL,
            capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"bench: Linux did not get to its end with '{append}':\n{done.stdout}{done.stderr}")
        return done.stdout


def boot(build, append, vhe, vcpus, cpus, *more):
    """Returns the figures of the boot, of the forks, and of kinds of exit."""
    plugin = str(build / "bench/plugin/profile.so").replace(",", ",,")
    leave = profiling.Symbols(build / "vmm/vmm.elf").address(profiling.LEAVE)
    with tempfile.NamedTemporaryFile("r", prefix="avc-bench.") as out:
        printed = run(build, "linux-init", append, vhe, vcpus, cpus, *more, "--", "-plugin",
                      f"{plugin},serial=on,left={leave:x},out={out.name}")
        text = out.read()
    counted = between(text)
    if not counted:
        sys.exit(f"bench: Linux did not get to its end with '{append}':\n{printed}")
    return *counted, kinds(text)


def ticks(text):
    found = re.search(r"^pipe\t(\d+)", text, re.M)
    if not found:
        sys.exit(f"bench: no pipe between two CPUs:\n{text}")
    return int(found[1])


def bare(build):
    """Runs the pipe's program on the emulated board without a hypervisor, and returns what it prints."""
    with tempfile.TemporaryDirectory(prefix="avc-bench.") as folder:
        disk = pathlib.Path(folder, "initrd")
        disk.write_bytes(initrd((build / "bench/linux-pipe").read_bytes()))
        return subprocess.run(
            [os.environ.get("AVC_QEMU", "qemu-system-aarch64"), "-M", "virt,gic-version=3,its=off,dtb-randomness=off",
             "-cpu", "max,pauth-impdef=on,cntfrq=1000000000", "-smp", "2", "-m", "512", "-accel", "tcg", "-nic", "none",
             "-display", "none", "-monitor", "none", "-no-reboot", "-serial", "stdio", "-icount", "shift=0,sleep=off",
             "-rtc", "base=2026-01-01T00:00:00,clock=vm", "-seed", "1", "-kernel", build.parent / "guest/Image",
             "-initrd", disk, "-append", QUIET],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=400).stdout


def share_of(build, row):
    """Returns the figures of a boot and the forks together. The memory is not prefaulted."""
    def of(number):
        append = f"{QUIET} unknown={'x' * number}"
        first, second, of_kinds = boot(build, append, HOSTS[SHARED], row["vcpus"], row["cpus"])
        return {unit: first[unit] + second[unit] for unit in first} | of_kinds

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        boots = list(pool.map(of, range(BOOTS if row["cpus"] > 1 else 1)))
    return {unit: sum(figures[unit] for figures in boots) // len(boots) for unit in boots[0]}


def measure(build, rows):
    """Returns {configuration: {row: {unit: number}}}."""
    figures = {name: {} for name in HOSTS}
    for name, vhe in HOSTS.items():
        for row in rows:
            if "append" in row:
                figures[name][row["id"]], forks, _ = boot(build, row["append"], vhe, 1, 1, "--prefault")
                figures[name].setdefault("forks", forks)  # setdefault() keeps those of the first boot, the quiet one
    for row in rows:
        if "vcpus" in row:
            figures[SHARED][row["id"]] = share_of(build, row)
        elif row["id"] == "pipe":
            figures[SHARED]["pipe"] = {"vmm": ticks(run(build, "linux-pipe", QUIET, HOSTS[SHARED], 2, 2)),
                                       "bare": ticks(bare(build))}
    return figures


# ---- the budget ----

def read(path=FILE):
    """Returns (kernel, figures)."""
    lines = tsv.read(path)
    names = lines[1][2:]
    table = {name: {} for name in names}
    for row, unit, *numbers in lines[2:]:
        for name, number in zip(names, numbers, strict=True):
            if number != "-":
                table[name].setdefault(row, {})[unit] = int(number)
    return tuple(lines[0][1:]), table


def write(image, figures, path=FILE):
    units = {row: of_row for rows in figures.values() for row, of_row in rows.items()}
    lines = [["kernel", *image], ["row", "unit", *figures]]
    for row, of_row in units.items():
        lines += [[row, unit, *(str(rows.get(row, {}).get(unit, "-")) for rows in figures.values())] for unit in of_row]
    path.write_text(HEAD + "".join("\t".join(line) + "\n" for line in lines))


def mean(figure, kind):
    """Instructions at EL2 of one exit, or None if there was none."""
    exits = figure.get(f"{kind}, exits")
    return figure[kind] / exits if exits else None


def limits(rows):
    """Returns {row: ratio to its budget that is allowed} for the rows that have a limit of their own."""
    return {row["id"]: row["allowed"] for row in rows if "allowed" in row}


def compare(figures, budget, limit=None):
    """Yields complaints about one configuration. Compares all instructions at EL2 for the forks, the mean for kinds of
    exit, and for the pipe the ticks under the reference hypervisor. limit: the result of limits()."""
    for row in sorted(figures.keys() | budget.keys()):
        if row not in figures or row not in budget:
            yield f"{row}: " + ("has a budget and was not measured" if row in budget else "no budget")
            continue
        now, before = figures[row], budget[row]
        allowed = (limit or {}).get(row, ALLOWED)
        if row == "pipe":
            if now["vmm"] > before["vmm"] * allowed:
                yield f"{row}: {now['vmm']} ticks, budget {before['vmm']}"
            continue
        for what, count in {"EL2": lambda figure: figure["EL2"],
                            "all": lambda figure: figure["EL2"] + figure["guest"]}.items():
            if (what == "EL2" or row == "forks") and count(now) > count(before) * allowed + TICKS:
                yield f"{row}: {count(now)} instructions ({what}), budget {count(before)}"
        for kind in KINDS:
            if mean(before, kind) and (mean(now, kind) or 0) > mean(before, kind) * allowed:
                yield (f"{row}: {mean(now, kind):.0f} instructions at EL2 of an exit by {kind}, "
                       f"budget {mean(before, kind):.0f}")


# ---- showing ----

def share(figure):
    """EL2's instructions in per cent of the guest's."""
    return 100 * figure["EL2"] / figure["guest"]


def value(figure):
    """The value that a row's goal limits."""
    return figure["vmm"] / figure["bare"] if "bare" in figure else share(figure)


def is_met(row, figure):
    """Compares the value as it is printed. None if there is no goal."""
    return round(value(figure), 3) <= row["goal"] if "goal" in row else None


def is_mean_met(row, kind, figure):
    found = mean(figure, kind)
    return None if found is None or kind not in row.get("exits", {}) else round(found) <= row["exits"][kind]


def text(rows, figures, peers, image):
    width = max(len(row["title"]) for row in rows) + 2
    lines = [f"Debian's Linux ({image[0]}) under the reference hypervisor: instructions, and those of EL2 in per cent "
             "of the guest's;",
             "of the pipe, ticks, and how many times those of the bare machine they are; +: within the goal, !: not",
             "",
             f"{'':{width}}{'host':10}{'guest':>14}{'EL2':>12}{'%':>9}{'goal':>8}"]
    marks = {None: " ", True: "+", False: "!"}
    for row in rows:
        for name, rows_of in figures.items():
            figure = rows_of.get(row["id"])
            if not figure:
                continue
            whole, part = (figure["bare"], figure["vmm"]) if "bare" in figure else (figure["guest"], figure["EL2"])
            lines.append(f"{row['title']:{width}}{name:10}{whole:>14}{part:>12}{value(figure):>8.3f}"
                         f"{marks[is_met(row, figure)]}{row.get('goal', ''):>8}")
            if "exits" in row:
                lines.append("    an exit: " + ", ".join(
                    f"{kind} {mean(figure, kind) or 0:.0f}{marks[is_mean_met(row, kind, figure)]} of "
                    f"{figure[f'{kind}, exits']}"
                    for kind in KINDS))
        for peer, number in row.get("peers", {}).items():
            lines.append(f"{'':{width}}{peers[peer]:36}{number:>8.3f}")
    return "\n".join(lines) + "\n"


def bold(text, met):
    return f"**{text}**" if met else text


def share_lines(rows, peers, figures):
    theirs = [peer for peer in peers if any(peer in row.get("peers", {}) for row in rows)]
    yield ("| what | host | of the guest | of EL2 | share, % | goal | "
           + " | ".join(peers[peer] for peer in theirs) + " |")
    yield "|---" * (6 + len(theirs)) + "|"
    for row in rows:
        for name, rows_of in figures.items():
            figure = rows_of.get(row["id"])
            if figure and "EL2" in figure:
                yield (f"| {row['title']} | {name} | {figure['guest']:,} | {figure['EL2']:,} | "
                       f"{bold(f'{share(figure):.3f}', is_met(row, figure))} | {row.get('goal', '')} | "
                       + " | ".join(str(row.get("peers", {}).get(peer, "")) for peer in theirs) + " |")


def exit_lines(rows, figures):
    yield "| instructions at EL2 of an exit, and exits | " + " | ".join(KINDS) + " |"
    yield "|---" * (1 + len(KINDS)) + "|"
    rows = [row for row in rows if "exits" in row]
    for row in rows:
        figure = figures[SHARED].get(row["id"])
        if figure:
            cells = (bold(f"{mean(figure, kind) or 0:.0f}", is_mean_met(row, kind, figure))
                     + f", {figure[f'{kind}, exits']}"
                     for kind in KINDS)
            yield f"| {row['title']} | {' | '.join(cells)} |"
    if rows:
        yield "| goal | " + " | ".join(str(rows[0]["exits"][kind]) for kind in KINDS) + " |"


def pipe_lines(rows, figures):
    for row in rows:
        figure = figures[SHARED].get(row["id"], {})
        if "bare" in figure:
            yield "| what | ticks | of the bare machine | times | goal |"
            yield "|---|---|---|---|---|"
            yield (f"| {row['title']} | {figure['vmm']:,} | {figure['bare']:,} | "
                   f"{bold(f'{value(figure):.2f}', is_met(row, figure))} | {row['goal']} |")


def document(rows, peers, image, figures):
    """The lines of the tables in docs/performance.md."""
    lines = [f"Kernel: {image[0]}, SHA-256 of its Image {image[1]}...", "", *share_lines(rows, peers, figures), "",
             *exit_lines(rows, figures), "", *pipe_lines(rows, figures)]
    lines += ["", "| what | the kernel's command line |", "|---|---|"]
    lines += [f"| {row['title']} | `{row['append']}` |" for row in rows if "append" in row]
    return {"linux": lines + [f"| all others | `{QUIET} unknown=` and 0 to {BOOTS - 1} times `x`; the pipe without |"]}


# ---- what bench.py calls ----

def unable(build):
    """Returns why nothing can be measured here, or None."""
    if os.environ.get("AVC_QEMU_OLD"):
        return "this QEMU has no plugin interface of version 3, and another max"
    for file in ("bench/plugin/profile.so", "bench/linux-init", "bench/linux-pipe", "vmm/vmm.bin", "../guest/Image"):
        if not (build / file).exists():
            return f"there is no {file} in {build}"
    return None


def show(build, update):
    """Measures and prints. Also writes the budget and its part of the document if asked to."""
    rows, peers = report.read_rows("linux")
    reason = unable(build)
    if reason:
        print(f"Linux was not measured: {reason}")
        return 1
    image, figures = kernel(build.parent / "guest/Image"), measure(build, rows)
    print(text(rows, figures, peers, image))
    if update:
        write(image, figures)
        report.DOCUMENT.write_text(report.with_parts(report.DOCUMENT.read_text(),
                                                     document(rows, peers, image, figures)))
    return 0


def incomparable(build, image):
    """Returns why the budget, which is of one kernel, does not apply here, or None."""
    reason = unable(build)
    if not reason and (found := kernel(build.parent / "guest/Image")) != image:
        reason = f"the budget is of {image[0]} ({image[1]}), and the kernel here is {found[0]} ({found[1]})"
    return reason


def check(build):
    """Prints TAP: a point for each configuration, and one for the figures that the document shows."""
    rows, peers = report.read_rows("linux")
    image, budgets = read()
    reason = incomparable(build, image)
    figures = {} if reason else measure(build, rows)
    failed = False
    print(f"1..{len(HOSTS) + 1}")
    for number, name in enumerate(HOSTS, 1):
        title = f"Linux on {name}: {', '.join(budgets[name])} within their budget"
        complaints = [] if reason else list(compare(figures[name], budgets[name], limits(rows)))
        print(f"{'not ok' if complaints else 'ok'} {number} - {title}" + (f" # SKIP {reason}" if reason else ""))
        for line in (complaints
                     + ["on purpose? ./avc bench --update-budget, and say why in the commit"] * bool(complaints)):
            print(f"# {line}")
        failed = failed or bool(complaints)
    shown = report.DOCUMENT.read_text()
    same = report.with_parts(shown, document(rows, peers, image, budgets)) == shown
    print(f"{'ok' if same else 'not ok'} {len(HOSTS) + 1} - docs/performance.md shows linux.tsv's figures")
    return 1 if failed or not same else 0
