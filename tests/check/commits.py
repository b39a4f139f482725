#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""Checks the subjects of commits: `area: verb object`, at most 72 characters (CONTRIBUTING.md). Prints TAP.

A tree without its history has nothing to check. A shallow clone checks the commits that it has. git writes the subjects
of merges, so they are not checked.

    commits.py [ROOT [AFTER]]     ROOT: another tree than this one; AFTER: the last commit that is not checked
"""
import argparse
import os
import pathlib
import re
import subprocess
import sys

AFTER = "946c46e2be674c90018281679585fe0bb74261c2"  # the last commit from before the rule
LONGEST = 72

AREA = r"[a-z0-9][a-z0-9_./+-]*"
SUBJECT = re.compile(rf"{AREA}(?:,? {AREA})*: ([a-z][\w-]*) \S.*")
# A subject that begins with one of these names a thing, and not what the commit does.
NO_VERBS = set("a all an and another any are as at both by each every for from in is it its more most new no not of on "
               "one only other our some than that the there these this those to two was were when where which "
               "with".split())
# Words that end like "added", "adding" or "adds" are no imperatives, except these.
IMPERATIVES = set("bring embed exceed feed fling focus need ping proceed ring seed shed shred speed string succeed "
                  "swing".split())


def git(root, *arguments, stdin=None):
    # A hook sets these variables, and they would name another repository than ROOT's.
    env = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    return subprocess.run(["git", "-C", root, *arguments], input=stdin, capture_output=True, env=env)


def commits_after(root, after):
    """Returns the names of the commits to check, or None and the reason why there are none."""
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
    elif shallow:  # AFTER was cut off, so all commits come after it
        names = git(root, "rev-list", "HEAD")
    else:
        return None, f"{after[:7]} is not in this history"
    return (names.stdout.decode().split(), None) if names.returncode == 0 else (None, "there is no commit")


def subjects(root, names):
    """Yields (name, subject) of each commit that is not a merge. It takes the parents from the commit itself, because
    git's log shows none where a shallow clone was cut off."""
    out = git(root, "cat-file", "--batch", stdin="\n".join(names).encode() + b"\n").stdout
    at = 0
    for name in names:
        end = out.index(b"\n", at)
        size = int(out[at:end].split()[2])
        head, _, message = out[end + 1:end + 1 + size].decode(errors="replace").partition("\n\n")
        at = end + 1 + size + 1
        if len(re.findall(r"^parent ", head, flags=re.M)) < 2:
            # git's subject is the whole first paragraph.
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
