#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""Tests what ./avc bench --linux makes of its counts (bench/linux.py). Prints TAP."""
import contextlib
import io
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))
import linux  # noqa: E402
import report  # noqa: E402

LAPS = "lap\tel1\t1000\t0\nlap\tel0\t1500\t9000\nlap\tmark\t1600\t10000\nlap\tmark\t1650\t12000\ntotal\t9999\t99999\n"


def of(el2, guest, **more):
    return {"EL2": el2, "guest": guest, **more}


KINDS = {"IRQ, exits": 10, "IRQ": 3000, "MSR, exits": 0, "MSR": 0, "data abort, exits": 4, "data abort": 900,
         "WFI, exits": 2, "WFI": 2000}
BUDGET = {"boot_quiet": of(100000, 10**8), "forks": of(1000, 10**6)}
SHARED = {"boot_quiet": of(30400, 10**8), "forks": of(0, 5), "share": of(2 * 10**6, 10**8, **KINDS),
          "pipe": {"vmm": 1290, "bare": 1000}}
FIGURES = {"max": BUDGET, "max E2H": SHARED}
EXITS = {"IRQ": 300, "MSR": 250, "data abort": 200, "WFI": 1500}
ROWS = [{"id": "boot_quiet", "title": "quiet", "append": "a=b", "goal": 0.03, "peers": {"x": 0.5}},
        {"id": "forks", "title": "forks"},
        {"id": "share", "title": "share", "vcpus": 4, "cpus": 2, "goal": 2, "exits": EXITS},
        {"id": "pipe", "title": "pipe", "goal": 1.3}]
PEERS = {"y": "Y", "x": "X"}
IMAGE = ("Debian 1.2-3", "0123456789abcdef")
BANNER = b"\0\x7fLinux version 6.1.0-50-arm64 (who@where) (gcc (Debian 12), ld) # SMP Debian 6.1.176-1 (2026-07-02)\n\0"


def complaints(**changes):
    return list(linux.compare({name: figure for name, figure in {**BUDGET, **changes}.items() if figure}, BUDGET))


def shared(row, **changes):
    """Returns the complaints about a row with several CPUs."""
    return list(linux.compare({**SHARED, row: {**SHARED[row], **changes}}, SHARED))


PROFILE = """total\t9\t9
site\t64\t500000\t2\t1\t800
site\t36\t500000\t3\t0\t600
site\t36\t600000\t3\t1\t300000
site\t1\t500000\t1\t1\t1500
"""


def file_round_trip():
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "linux.tsv"
        linux.write(IMAGE, FIGURES, path)
        return linux.read(path) == (IMAGE, FIGURES)


def banner():
    with tempfile.NamedTemporaryFile() as file:
        file.write(BANNER)
        file.flush()
        return linux.kernel(pathlib.Path(file.name))


def checked(names):
    """Returns status and output of the check in a folder with these files. Their contents are nonsense, so nothing can
    boot."""
    with tempfile.TemporaryDirectory() as folder, io.StringIO() as out, contextlib.redirect_stdout(out):
        build = pathlib.Path(folder) / "target"
        for name in names:
            (build / name).parent.mkdir(parents=True, exist_ok=True)
            (build / name).resolve().parent.mkdir(parents=True, exist_ok=True)
            (build / name).write_bytes(BANNER)
        return linux.check(build), out.getvalue()


def skips(names, *words):
    status, text = checked(names)
    skipped = [line for line in text.splitlines() if "# SKIP" in line]
    return status == 0 and len(skipped) == len(linux.HOSTS) and all(word in line for line in skipped for word in words)


def compared(factor):
    """Returns status and output of the check if the measured figures are the budget's, times this factor."""
    names = "incomparable", "measure"
    kept = [getattr(linux, name) for name in names]
    linux.incomparable = lambda build, image: None
    linux.measure = lambda build, rows: {
        name: {row: {unit: round(count * factor) for unit, count in figure.items()} for row, figure in of_rows.items()}
        for name, of_rows in linux.read()[1].items()}
    try:
        with io.StringIO() as out, contextlib.redirect_stdout(out):
            return linux.check(None), out.getvalue()
    finally:
        for name, function in zip(names, kept):
            setattr(linux, name, function)


ALL_FILES = ["bench/plugin/profile.so", "bench/linux-init", "bench/linux-pipe", "vmm/vmm.bin", "../guest/Image"]
TABLE = "\n".join(linux.document(ROWS, PEERS, IMAGE, FIGURES)["linux"])
TEXT = linux.text(ROWS, FIGURES, PEERS, IMAGE)

TESTS = {
    "the boot is from the guest's first instruction to the first mark, the forks are from there to the second":
        linux.between(LAPS) == [of(600, 10000), of(50, 2000)],
    "a guest that did not get to its second mark": linux.between(LAPS.replace("lap\tmark\t1650\t12000\n", "")) is None,
    "a guest that marked three times": linux.between(LAPS + "lap\tmark\t1\t1\n") is None,
    "the same figures": complaints() == [],
    "1 % more at EL2, and two ticks": complaints(boot_quiet=of(101400, 10**8)) == [],
    "more than that names row, figure and budget":
        complaints(boot_quiet=of(101401, 10**8)) == ["boot_quiet: 101401 instructions (EL2), budget 100000"],
    "a row with a limit of its own may grow up to that, and the others not":
        list(linux.compare({"a": of(2 * 10**6, 1), "b": of(2 * 10**6, 1)}, {"a": of(10**6, 1), "b": of(10**6, 1)},
                           linux.limits([{"id": "a", "allowed": 2}, {"id": "b"}])))
        == ["b: 2000000 instructions (EL2), budget 1000000"],
    "and no further": len(list(linux.compare({"a": of(2 * 10**6 + 401, 1)}, {"a": of(10**6, 1)}, {"a": 2}))) == 1,
    "the guest's own part of a boot is not compared": complaints(boot_quiet=of(100000, 2 * 10**8)) == [],
    "that of the forks is":
        complaints(forks=of(1000, 2 * 10**6)) == ["forks: 2001000 instructions (all), budget 1001000"],
    "a trap for each fork is found": len(complaints(forks=of(1000 + 200 * 50, 10**6))) >= 1,
    "a row that was not measured": complaints(forks=None) == ["forks: has a budget and was not measured"],
    "a row without budget": complaints(new=of(1, 1)) == ["new: no budget"],
    "the share of several CPUs": shared("share", EL2=2 * 10**6 + 20401) ==
        ["share: 2020401 instructions (EL2), budget 2000000"],
    "a kind of exit, by its mean": [shared("share", IRQ=each) for each in (3030, 3031)] ==
        [[], ["share: 303 instructions at EL2 of an exit by IRQ, budget 300"]],
    "more exits of a kind are nothing by themselves": shared("share", **{"IRQ, exits": 20, "IRQ": 6000}) == [],
    "a kind that has no exits any more, or had none":
        shared("share", **{"WFI, exits": 0, "WFI": 0, "MSR": 900, "MSR, exits": 1}) == [],
    "the pipe": [shared("pipe", vmm=each) for each in (1302, 1303)] == [[], ["pipe: 1303 ticks, budget 1290"]],
    "the bare machine's ticks are nobody's fault": shared("pipe", bare=1) == [],
    "kinds of exit, less the first touch of memory": linux.kinds(PROFILE) == {
        "IRQ, exits": 2, "IRQ": 800, "MSR, exits": 0, "MSR": 0, "data abort, exits": 3, "data abort": 600,
        "WFI, exits": 1, "WFI": 1500},
    "ticks among what a guest prints": linux.ticks("[    0.1] x\npipe\t00000000000000001290\n[    1.0] y\n") == 1290,
    "goals of a pipe, and of exits": [linux.is_met(ROWS[3], SHARED["pipe"]), *(
        linux.is_mean_met(ROWS[2], kind, SHARED["share"]) for kind in linux.KINDS)] == [True, True, None, False, True],
    "the file, written and read": file_round_trip(),
    "the kernel's version": banner()[0] == "Debian 6.1.176-1" and len(banner()[1]) == 16,
    "another kernel is skipped, and both are named":
        skips(ALL_FILES, "Debian 6.1.176-1", banner()[1], *linux.read()[0]),
    "no kernel is skipped": skips(ALL_FILES[:-1], "../guest/Image"),
    "no plugin is skipped": skips(ALL_FILES[1:], "profile.so"),
    "the budget's own figures pass": compared(1)[0] == 0 and "not ok" not in compared(1)[1],
    "larger ones fail, on each host": compared(1.1)[0] == 1 and compared(1.1)[1].count("not ok") == len(linux.HOSTS),
    "a goal is met as it is printed":
        [linux.is_met(ROWS[0], of(el2, 10**8)) for el2 in (30499, 30600)] == [True, False],
    "no goal": linux.is_met(ROWS[1], of(1, 1)) is None,
    "the table has what is met in bold, and the peers that a row has":
        "| quiet | max | 100,000,000 | 100,000 | 0.100 | 0.03 | 0.5 |\n" in TABLE
        and "| quiet | max E2H | 100,000,000 | 30,400 | **0.030** | 0.03 | 0.5 |\n" in TABLE
        and "| forks | max | 1,000,000 | 1,000 | 0.100 |  |  |\n" in TABLE and "| X |\n" in TABLE,
    "and the command line, and the kernel": "| quiet | `a=b` |" in TABLE and all(word in TABLE for word in IMAGE),
    "and of exits the mean, and of the pipe how many times":
        "| share | **300**, 10 | 0, 0 | 225, 4 | **1000**, 2 |\n" in TABLE
        and "| pipe | 1,290 | 1,000 | **1.29** | 1.3 |\n" in TABLE,
    "the terminal shows the same": "0.030+" in TEXT and "0.100!" in TEXT and "0.500" in TEXT and IMAGE[0] in TEXT,
    "all peers of all rows have names": bool(report.read_rows("linux")[0]),
}

print(f"1..{len(TESTS)}")
for number, (name, passed) in enumerate(TESTS.items(), 1):
    print(f"{'ok' if passed else 'not ok'} {number} - {name}")
sys.exit(not all(TESTS.values()))
