#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""Tests that commits.py accepts good subjects and refuses bad ones, in histories that are whole, cut off or missing.
Prints TAP."""
import os
import pathlib
import subprocess
import sys
import tempfile

from points import run as run_points

CHECK = pathlib.Path(__file__).resolve().parent / "commits.py"

GOOD = [
    "vgic: keep an edge that comes while its list register is active",
    "src/core, vmm: name the register that a trap writes",
    "stage 2: feed the walk one level at a time",
    "tests/fuzz: replay inputs of AArch32 guests",
    "docs: process each example in both languages",
    "a: " + "b" * 60 + " " + "c" * 8,  # 72 characters
]
# (message, part of the complaint)
BAD = [
    ("a: " + "b" * 60 + " " + "c" * 9, "73 characters"),
    ("vgic: keep an edge\nthat comes while its list register\nis active, and more of it here", "characters, and 72"),
    ("Keep an edge that comes late", "not of the form"),
    ("vgic keep an edge", "not of the form"),
    ("vgic:keep an edge", "not of the form"),
    ("vgic:  keep an edge", "not of the form"),
    ("VGIC: keep an edge", "not of the form"),
    ("vgic: Keep an edge", "not of the form"),
    ("vgic: rework", "not of the form"),
    (": keep an edge", "not of the form"),
    ("Revert \"vgic: keep an edge\"", "not of the form"),
    ("vgic: the edge is kept", "'the' is no verb"),
    ("vgic: more of the same", "'more' is no verb"),
    ("vgic: added an edge", "'added' is no imperative"),
    ("vgic: adds an edge", "'adds' is no imperative"),
    ("vgic: adding an edge", "'adding' is no imperative"),
    ("vgic: keep an edge.", "full stop"),
]


def git(folder, *arguments, **keywords):
    env = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    env |= {f"GIT_{who}_{what}": f"{what.lower()}@example.org" for who in ("AUTHOR", "COMMITTER")
            for what in ("NAME", "EMAIL")}
    env["GIT_CONFIG_GLOBAL"] = env["GIT_CONFIG_SYSTEM"] = os.devnull
    return subprocess.run(["git", "-C", folder, *arguments], env=env, check=True, capture_output=True, text=True,
                          **keywords).stdout.strip()


def commit(folder, message):
    git(folder, "commit", "-q", "--allow-empty", "--cleanup=verbatim", "-F", "-", input=message + "\n")
    return git(folder, "rev-parse", "HEAD")


def check(folder, after):
    done = subprocess.run([sys.executable, CHECK, folder, after], capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def repository(folder):
    """Makes a repository with two old commits, which are not checked. Returns the name of the second."""
    git(folder, "init", "-q", "-b", "main")
    commit(folder, "Whatever it was then")
    return commit(folder, "And this.")


def subjects():
    """Commits good and bad subjects in turn to one repository. Returns {message: (whether the check did what it should,
    its output)}."""
    with tempfile.TemporaryDirectory() as folder:
        after = repository(folder)
        body = "\n\nWhy: a line of the body may be as long as it likes to be, for nobody looks at it"
        names = {message: commit(folder, message + body)[:12] for message in [*GOOD, *(m for m, _ in BAD)]}
        status, out = check(folder, after)
    said = {line[2:14]: line for line in out.splitlines() if line.startswith("# ")}
    found = {message: (names[message] not in said, out) for message in GOOD}
    for message, complaint in BAD:
        line = said.get(names[message], "")
        found[message] = status == 1 and complaint in line, line or out
    return found


def nothing_new(folder):
    return check(folder, repository(folder)), 0, "SKIP no commit comes after"


def merges(folder):
    after = repository(folder)
    git(folder, "checkout", "-q", "-b", "side")
    commit(folder, "side: add a commit")
    git(folder, "checkout", "-q", "main")
    commit(folder, "main: add a commit")
    git(folder, "merge", "-q", "--no-ff", "-m", "Merge branch 'side', which says whatever it likes to say", "side")
    return check(folder, after), 0, "ok 1 - subjects of commits\n"


def both_sides(folder):
    after = repository(folder)
    git(folder, "checkout", "-q", "-b", "side")
    commit(folder, "Bad on the side")
    git(folder, "checkout", "-q", "main")
    git(folder, "merge", "-q", "--no-ff", "-m", "Merge branch 'side'", "side")
    return check(folder, after), 1, "Bad on the side"


def shallow(folder, depth, last):
    source = pathlib.Path(folder) / "source"
    source.mkdir()
    after = repository(source)
    commit(source, "tests: add a good one")
    last(source)
    git(folder, "clone", "-q", "--depth", depth, f"file://{source}", "clone")
    return check(pathlib.Path(folder) / "clone", after)


def shallow_good(folder):
    return shallow(folder, "1", lambda source: commit(source, "tests: add another")), 0, "ok 1 - subjects of commits\n"


def shallow_bad(folder):
    return shallow(folder, "1", lambda source: commit(source, "Bad and alone")), 1, "Bad and alone"


def shallow_deep(folder):
    return shallow(folder, "3", lambda source: commit(source, "tests: add another")), 0, "ok 1 - subjects of commits\n"


def shallow_merge(folder):
    """The clone's only commit is a merge, which git's log shows without parents."""
    def last(source):
        git(source, "checkout", "-q", "-b", "side")
        commit(source, "side: add a commit")
        git(source, "checkout", "-q", "main")
        git(source, "merge", "-q", "--no-ff", "-m", "Merge branch 'side'", "side")
    return shallow(folder, "1", last), 0, "ok 1 - subjects of commits\n"


def no_history(folder):
    return check(folder, "HEAD"), 0, "SKIP this is no git repository"


def other_history(folder):
    repository(folder)
    return check(folder, "0123456789" * 4), 0, "SKIP 0123456 is not in this history"


def inside_of_another(folder):
    after = repository(folder)
    commit(folder, "Bad, but not ours")
    inner = pathlib.Path(folder) / "vendor"
    inner.mkdir()
    return check(inner, after), 0, "SKIP this tree is a folder of another"


HISTORIES = [nothing_new, merges, both_sides, shallow_good, shallow_bad, shallow_deep, shallow_merge, no_history,
             other_history, inside_of_another]


def history(build):
    with tempfile.TemporaryDirectory() as folder:
        (status, out), wanted, piece = build(folder)
        return status == wanted and piece in out, out


def main():
    found = subjects()
    points = [(f"{'good' if m in GOOD else 'bad'}: {m.splitlines()[0]}", lambda m=m: found[m]) for m in found]
    points += [(h.__name__.replace("_", " "), lambda h=h: history(h)) for h in HISTORIES]
    return run_points(points)


sys.exit(main())
