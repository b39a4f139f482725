#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""What the tests of the build host execute of the library, in TAP, compared with docs/coverage.tsv.

    coverage.py [--root ROOT] [--build BUILD] [--json FILE] [--update] [--report]

BUILD is a folder that meson has set up with -Db_coverage=true, by default AVC_TEST_BUILD, after its tests have run.
gcovr adds up what they executed. --json is gcovr's own account of that, in its place. --report also writes
BUILD/report/index.html, which shows each line. --update writes the table anew and keeps its reasons.

The table has a row for each file: its lines and branches, how many of them no test executes, and, where a line is not
executed, why that is so. More that is not executed than the table says is a failure, and so is a reason that is
missing. The sums have limits of their own: LINES and BRANCHES.
"""
import argparse
import collections
import json
import os
import pathlib
import subprocess
import sys
import tempfile

FOLDERS = ("src/core/", "src/emul/")
TABLE = "docs/coverage.tsv"
HEAD = ("file", "lines", "not executed", "branches", "not taken", "why lines are not executed")
LINES, BRANCHES = 100, 95  # per cent at least; of the lines, those without a reason
# Branches that only another CPU's timing takes: in a run of the tests or not.
RACES = {
    "src/core/object/pcpu.c": 1,  # the handler is replaced between two of its looks (test_pcpu, two_threads)
    "src/core/object/vcpu.c": 2,  # CPU_ON meets start, reset or destroy (test_run, owners_calls_against_cpu_on)
}
SHOWN = 12  # lines named in a complaint

File = collections.namedtuple("File", "lines missed branches untaken")  # missed, untaken: line numbers
Row = collections.namedtuple("Row", "lines missed branches untaken why")  # all numbers


def gcovr(root, build, report):
    """gcovr's account of a build. The report in HTML comes from the same run."""
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "coverage.json"
        command = ["gcovr", "--root", root, "--object-directory", build, "--json", out]
        for name in FOLDERS:
            command += ["--filter", str(root / name)]
        if report:
            (build / "report").mkdir(exist_ok=True)
            command += ["--html-details", build / "report/index.html", "--html-title", "arm_vcpu"]
        done = subprocess.run([*map(str, command), str(build)], cwd=build, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"gcovr failed: {done.stderr.strip()}")
        return json.loads(out.read_text(encoding="utf-8"))


def measured(account):
    """File by path."""
    files = {}
    for entry in account["files"]:
        lines = [line for line in entry["lines"] if not line.get("gcovr/noncode")]
        if entry["file"].startswith(FOLDERS) and lines:
            files[entry["file"]] = File(len(lines), [l["line_number"] for l in lines if not l["count"]],
                                        sum(len(l["branches"]) for l in lines),
                                        [l["line_number"] for l in lines for b in l["branches"] if not b["count"]])
    return files


def read_table(path):
    rows = {}
    for line in path.read_text(encoding="utf-8").splitlines()[1:] if path.exists() else ():
        name, *numbers, why = line.split("\t")
        rows[name] = Row(*map(int, numbers), why)
    return rows


def write_table(path, files, rows):
    with open(path, "w", encoding="utf-8") as out:
        out.write("\t".join(HEAD) + "\n")
        for name, f in sorted(files.items()):
            why = rows[name].why if name in rows and f.missed else ""
            out.write("\t".join([name, *map(str, (f.lines, len(f.missed), f.branches, len(f.untaken))), why]) + "\n")


def places(name, numbers):
    shown = ",".join(map(str, sorted(set(numbers))[:SHOWN]))
    return f"{name}:{shown}" + (",..." if len(set(numbers)) > SHOWN else "")


def worse(files, rows, what):
    """Complaints: more of `what` ('missed', 'untaken') than the table says."""
    for name, f in sorted(files.items()):
        found = getattr(f, what)
        allowed = getattr(rows[name], what) if name in rows else 0
        allowed += RACES.get(name, 0) if what == "untaken" else 0
        if len(found) > allowed:
            yield f"{places(name, found)}: {len(found)}, and the table says {allowed}"


def reasons(rows):
    for name, row in sorted(rows.items()):
        if row.missed and not row.why:
            yield f"{name}: {row.missed} lines are not executed, and nothing says why"


def gone(files, rows):
    return [f"{name}: is in the table, and no test's program has it" for name in sorted(rows) if name not in files]


def share(part, whole):
    return 100 * (whole - part) / whole if whole else 0


def sums(files, rows):
    """(complaints, what to say) of the sums."""
    lines, branches = sum(f.lines for f in files.values()), sum(f.branches for f in files.values())
    missed, untaken = sum(len(f.missed) for f in files.values()), sum(len(f.untaken) for f in files.values())
    excused = sum(min(len(f.missed), rows[n].missed) for n, f in files.items() if n in rows and rows[n].why)
    found = []
    if share(missed - excused, lines) < LINES:
        found.append(f"lines: {missed - excused} of {lines} are not executed, and have no reason")
    if share(untaken, branches) < BRANCHES:
        found.append(f"branches: {share(untaken, branches):.1f} % of {branches}, and {BRANCHES} % are wanted")
    return found, (f"lines {lines - missed} of {lines}, {share(missed, lines):.2f} %; "
                   f"branches {branches - untaken} of {branches}, {share(untaken, branches):.2f} %")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parents[2])
    parser.add_argument("--build", type=pathlib.Path, default=os.environ.get("AVC_TEST_BUILD"))
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--report", action="store_true")
    options = parser.parse_args()
    if not options.build and not options.json:
        parser.error("--build, --json or AVC_TEST_BUILD: what has been executed")

    account = json.loads(options.json.read_text(encoding="utf-8")) if options.json else \
        gcovr(options.root, options.build.resolve(), options.report)
    files, table = measured(account), options.root / TABLE
    if options.update:
        write_table(table, files, read_table(table))
    rows = read_table(table)
    complaints, said = sums(files, rows)
    points = [
        ("tests executed something of the library", [] if files else ["nothing: have the tests run?"]),
        ("no line fewer is executed than the table says", list(worse(files, rows, "missed"))),
        ("no branch fewer is taken than the table says", list(worse(files, rows, "untaken"))),
        ("lines that are not executed have a reason", list(reasons(rows))),
        ("each file of the table is there", gone(files, rows)),
        (f"the sums: {said}", complaints),
    ]
    print(f"1..{len(points)}")
    for number, (label, found) in enumerate(points, 1):
        print(f"{'not ok' if found else 'ok'} {number} - {label}")
        for line in found:
            print(f"# {line}")
    failed = any(found for _, found in points)
    if failed:
        print("# ./avc coverage shows each line, and ./avc coverage --update writes the table anew")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
