#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""Checks of the subjects of commits, in TAP: `area: verb object`, at most 72 characters (CONTRIBUTING.md).

A tree without its history has nothing to check, and a shallow clone what it has. Merges are git's own words.

    commits.py [ROOT [AFTER]]     ROOT: another tree than this one; AFTER: the last commit that is not checked
"""
import argparse
import os
import pathlib
import re
import subprocess
import sys

AFTER = "946c46e2be674c90018281679585fe0bb74261c2"  # the rule is younger than the commits up to this one
LONGEST = 72

AREA = r"[a-z0-9][a-z0-9_./+-]*"
SUBJECT = re.compile(rf"{AREA}(?:,? {AREA})*: ([a-z][\w-]*) \S.*")
# What a subject begins with that tells of a thing, not of what the commit does.
NO_VERBS = set("a all an and another any are as at both by each every for from in is it its more most new no not of on "
               "one only other our some than that the there these this those to two was were when where which "
               "with".split())
# "added", "adding", "adds" are no imperatives; these are.
IMPERATIVES = set("bring embed exceed feed fling focus need ping proceed ring seed shed shred speed string succeed "
                  "swing".split())


def git(root, *arguments, stdin=None):
    # Set where a hook runs this, they would name another repository than ROOT's.
    env = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    return subprocess.run(["git", "-C", root, *arguments], input=stdin, capture_output=True, env=env)


def commits_after(root, after):
    """The names of the commits to check; or None, and why there are none."""
    try:
        top = git(root, "rev-parse", "--show-toplevel")
    except FileNotFoundError:
        return None, "there is no git here"
    if top.returncode:
        return None, "this is no git repository, or not this user's"
    if pathlib.Path(top.stdout.decode().strip()).resolve() != pathlib.Path(root).resolve():
        return None, "this tree is a folder of another repository"
    shallow = git(root, "rev-parse", "--is-shallow-repository").stdout.strip() == b"true"
    if git(root, "merge-base", "--is-ancestor", after, "HEAD").returncode == 0:
        names = git(root, "rev-list", f"{after}..HEAD")
    elif shallow:  # cut off behind that commit, so all that is here comes after it
        names = git(root, "rev-list", "HEAD")
    else:
        return None, f"{after[:7]} is not in this history"
    return (names.stdout.decode().split(), None) if names.returncode == 0 else (None, "there is no commit")


def subjects(root, names):
    """(name, subject) of each commit that is no merge. Parents are those that the commit itself names: where a shallow
    clone was cut off, git's log shows none."""
    out = git(root, "cat-file", "--batch", stdin="\n".join(names).encode() + b"\n").stdout
    at = 0
    for name in names:
        end = out.index(b"\n", at)
        size = int(out[at:end].split()[2])
        head, _, message = out[end + 1:end + 1 + size].decode(errors="replace").partition("\n\n")
        at = end + 1 + size + 1
        if len(re.findall(r"^parent ", head, flags=re.M)) < 2:
            # as git has it: all of the first paragraph
            yield name, re.split(r"\n\s*\n", message.strip("\n") + "\n\n")[0].replace("\n", " ")


def subject_error(subject):
    if len(subject) > LONGEST:
        return f"{len(subject)} characters, and {LONGEST} are the most"
    form = SUBJECT.fullmatch(subject)
    if not form:
        return "not of the form `area: verb object`, in lower case up to the object"
    verb = form[1]
    if verb in NO_VERBS:
        return f"'{verb}' is no verb"
    if re.search(r"(ed|ing|[^s]s)$", verb) and verb not in IMPERATIVES:
        return f"'{verb}' is no imperative"
    if subject.endswith((".", " ")):
        return "ends with a full stop or a blank"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", nargs="?", default=str(pathlib.Path(__file__).resolve().parents[2]))
    parser.add_argument("after", nargs="?", default=AFTER, help="the commit after which the rule holds")
    options = parser.parse_args()
    root = options.root
    names, reason = commits_after(root, options.after)
    print("1..1")
    if not names:
        print(f"ok 1 - subjects of commits # SKIP {reason or 'no commit comes after the one where the rule began'}")
        return 0
    complaints = [f"{name[:12]}: {error}: {subject}" for name, subject in subjects(root, names)
                  for error in [subject_error(subject)] if error]
    print(f"{'not ok' if complaints else 'ok'} 1 - subjects of commits")
    for complaint in complaints:
        print(f"# {complaint}")
    return 1 if complaints else 0


sys.exit(main())
