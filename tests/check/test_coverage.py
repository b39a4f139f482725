#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""Tests coverage.py with two files whose lines and branches are known. Prints TAP."""
import copy
import json
import pathlib
import subprocess
import sys
import tempfile

from points import run as run_points

CHECK = pathlib.Path(__file__).resolve().parent / "coverage.py"
A, B = "src/core/a.c", "src/emul/b.c"


def line(number, count, *branches):
    return {"line_number": number, "count": count, "gcovr/noncode": False,
            "branches": [{"count": count} for count in branches]}


# a.c has 3 lines and 40 branches. b.c has a line that is not executed, for a reason. The rest does not count.
ACCOUNT = {"files": [
    {"file": A, "lines": [line(1, 5), line(2, 5, *[1] * 40), line(3, 1)]},
    {"file": B, "lines": [line(1, 1, 2, 0), line(7, 0)]},
    {"file": "src/hw/c.c", "lines": [line(1, 0)]},
]}
HEAD = "file\tlines\tnot executed\tbranches\tnot taken\twhy lines are not executed\n"
TABLE = HEAD + f"{A}\t3\t0\t40\t0\t\n{B}\t2\t1\t2\t1\tthe fake has no such CPU\n"


def changed(file, at, **what):
    account = copy.deepcopy(ACCOUNT)
    next(f for f in account["files"] if f["file"] == file)["lines"][at].update(what)
    return account


def without(file):
    return {"files": [f for f in ACCOUNT["files"] if f["file"] != file]}


def branches(*counts):
    return [{"count": count} for count in counts]


def check(account, table, *arguments):
    """Returns (status, output, the table afterwards)."""
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        (root / "docs").mkdir()
        (root / "docs/coverage.tsv").write_text(table, encoding="utf-8")
        (root / "account.json").write_text(json.dumps(account), encoding="utf-8")
        done = subprocess.run([sys.executable, CHECK, "--root", root, "--json", root / "account.json", *arguments],
                              capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr, (root / "docs/coverage.tsv").read_text(encoding="utf-8")


# (title, account, table, points that fail, part of each complaint)
CASES = [
    ("all is as the table says", ACCOUNT, TABLE, [], []),
    ("a line that is executed no more", changed(A, 2, count=0), TABLE, [2, 6], ["a.c:3: 1, and the table says 0"]),
    ("a branch that is taken no more", changed(A, 1, branches=branches(*[1] * 39, 0)), TABLE, [3],
     ["a.c:2: 1, and the table says 0"]),
    ("one of a file that the table does not have", ACCOUNT, TABLE.replace(f"{B}\t2", "src/emul/old.c\t2"),
     [2, 3, 5, 6], ["b.c:7: 1", "old.c: is in the table"]),
    ("no reason", ACCOUNT, TABLE.replace("the fake has no such CPU", ""), [4, 6], ["nothing says why"]),
    ("too few branches", changed(A, 1, branches=branches(*[1] * 36, 0, 0, 0, 0)), TABLE.replace("40\t0", "40\t4"), [6],
     ["and 95 % are wanted"]),
    ("no tests have run", {"files": []}, HEAD, [1, 6], ["nothing: have the tests run?"]),
    ("better than the table", changed(B, 1, count=1), TABLE, [], []),
]


def case(account, table, points, words):
    status, out, _ = check(account, table)
    found = [int(text.split()[2]) for text in out.splitlines() if text.startswith("not ok")]
    return found == points and status == bool(points) and all(word in out for word in words), out


def update():
    """--update counts anew. It keeps the reason of a line that is still not executed, and drops it if the line is
    executed."""
    status, out, table = check(ACCOUNT, TABLE.replace("\t2\t1\t2\t1\t", "\t9\t9\t9\t9\t"), "--update")
    executed, _, other = check(changed(B, 1, count=1), TABLE, "--update")
    return status == 0 and table == TABLE and executed == 0 and f"{B}\t2\t0\t2\t1\t\n" in other, out + table + other


def nothing_named():
    done = subprocess.run([sys.executable, CHECK], capture_output=True, text=True, env={})
    return done.returncode == 2 and "AVC_TEST_BUILD" in done.stderr, done.stderr


if __name__ == "__main__":
    sys.exit(run_points([
        *((name, lambda rest=rest: case(*rest)) for name, *rest in CASES),
        ("the table is written anew", update),
        ("no build is named", nothing_named),
    ]))
