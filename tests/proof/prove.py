#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""Proofs about the library's source, in TAP: a point for each.

    prove.py [--root ROOT] --words PROGRAM --calls PROGRAM [--work FOLDER] [NAME...]

Means, each where it is strong (docs/assurance.md says what each proves, and under which assumptions):

    WP     Frama-C's weakest preconditions, with RTE and CVC4: contracts and loop invariants
    Eva    Frama-C's values: no run-time error for any argument and any memory, and assertions about bits
    words  all words of A64, A32 and T32, executed under sanitizers; and all function ids

NAME: these alone. The programs are prove_words and prove_calls; FOLDER, by default a temporary one, gets the logs.
"""
import argparse
import concurrent.futures
import csv
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

# AArch64's types have the sizes of x86-64's. Nothing that is proved has a plain char, a long double, or bits of a
# layout of its own.
KERNEL = ["-machdep", "gcc_x86_64", "-c11"]
INCLUDES = ["tests/proof", "src", "include", "tests/fake"]
LEAST_REACHED = 90  # per cent of the statements: a proof about code that is never reached proves nothing

# name: (means, source, what)
PROOFS = {
    "claim": ("wp", "claim.c", ["avc_claim_find", "bucket_of"]),
    "index": ("eva", "index.c", ["prove_mmio", "prove_sysreg", "prove_call"]),
    "pstate": ("eva", "pstate.c", ["prove_step", "prove_condition"]),
    "complete": ("eva", "complete.c", ["prove_parts", "prove_gpr", "prove_gprs", "prove_load", "prove_store",
                                       "prove_mrs", "prove_live", "prove_done", "prove_saved"]),
    "decode": ("eva", "decode.c", ["prove_a64", "prove_distance"]),
    "a32": ("eva", "a32.c", ["prove_a32", "prove_t32"]),
    "simd32": ("eva", "simd32.c", ["prove_simd32"]),
    "words": ("words", None, []),
    "calls": ("calls", None, []),
}
# What Eva assumes instead of proving: that the seam's functions, which have no body here, touch nothing but what they
# are given.
ASSUMED = ("assigns clause", "from clause", "allocates clause")


def frama_c(root, work, source, *arguments):
    command = ["frama-c", *KERNEL]
    for folder in INCLUDES:
        command.append(f"-cpp-extra-args=-I{root / folder}")
    command += ["-cpp-extra-args=-include", f"-cpp-extra-args={root / 'tests/proof/proof.h'}",
                root / "tests/proof" / source, *arguments]
    environment = {**os.environ, "WHY3CONFIG": str(work / "why3.conf")}
    done = subprocess.run([str(word) for word in command], cwd=root, env=environment, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def by_wp(root, work, source, functions):
    """(complaints, what was done)"""
    if not (work / "why3.conf").exists():
        subprocess.run(["why3", "config", "detect"], env={**os.environ, "WHY3CONFIG": str(work / "why3.conf")},
                       capture_output=True)
    status, out = frama_c(root, work, source, "-wp", "-wp-rte", "-wp-prover", "cvc4",
                          "-wp-timeout", "30", "-wp-par", "2", "-wp-fct", ",".join(functions))
    (work / f"{source}.log").write_text(out, encoding="utf-8")
    goals = re.search(r"Proved goals: +(\d+) / (\d+)", out)
    if status or not goals:
        return out.splitlines()[-12:], ""
    failed = re.findall(r"Goal (\S+) : (?:Unknown|Timeout|Failed|Stepout).*", out)
    if goals[1] != goals[2] and not failed:
        failed = ["see the log"]
    return [f"not proved: {goal}" for goal in failed], f"{goals[1]} of {goals[2]} goals by WP"


def by_eva(root, work, source, entries):
    complaints = []
    for entry in entries:
        table = work / f"{entry}.csv"
        status, out = frama_c(root, work, source, "-eva", "-main", entry, "-lib-entry",
                              "-eva-context-valid-pointers", "-eva-precision", "4",
                              "-eva-msg-key=-initial-state,-final-states", "-then", "-report-csv", table)
        (work / f"{entry}.log").write_text(out, encoding="utf-8")
        reached = re.search(r"statements reached \(out of \d+\): (\d+)% coverage", out)
        counted = re.search(r"^ *(\d+) alarms? generated", out, flags=re.M)
        if status or not reached or not counted or not table.exists():
            return out.splitlines()[-12:], ""
        if int(reached[1]) < LEAST_REACHED:
            complaints.append(f"{entry}: {reached[1]} % of the statements are reached, {LEAST_REACHED} % are wanted")
        with open(table, encoding="utf-8") as rows:
            for row in csv.DictReader(rows, delimiter="\t", quoting=csv.QUOTE_NONE):
                if row["status"] in ("Unknown", "Invalid") and row["property kind"] not in ASSUMED:
                    complaints.append(f"{entry}: {row['file']}:{row['line']}: {row['property kind']}: "
                                      f"{row['property']}")
    return complaints, f"{len(entries)} entry points by Eva, no alarm" if not complaints else ""


def by_execution(program):
    done = subprocess.run([str(program)], capture_output=True, text=True)
    return (done.stdout + done.stderr).splitlines()[-12:] if done.returncode else [], done.stdout.strip()


# Sets and units of 2^24 words. In A32 the conditions "always" and "none" stand for all. T32 has words of two bytes in
# unit 0, and those of four bytes from 0xe8 on.
WORDS = [("a64", 0, 127), ("a64", 128, 255), ("a32", 0xe0, 0xff), ("t32", 0xe8, 0xff), ("t32", 0, 0)]


def by_words(program):
    """Two at a time, as there are two CPUs in the least of machines."""
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda part: subprocess.run([str(program), *map(str, part)], stdout=subprocess.PIPE,
                                                         stderr=subprocess.STDOUT, text=True), WORDS))
    complaints = [line for run in done if run.returncode for line in run.stdout.splitlines()[-12:]]
    words = {}
    for (name, _, _), run in zip(WORDS, done):
        words[name] = words.get(name, 0) + int(re.match(r"\d+", run.stdout)[0]) if not complaints else 0
    return complaints, " and ".join(f"{count} words of {name}" for name, count in words.items())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parents[2])
    parser.add_argument("--words", type=pathlib.Path, required=True)
    parser.add_argument("--calls", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path)
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    for name in options.names:
        if name not in PROOFS:
            parser.error(f"no such proof: {name}; there are {', '.join(PROOFS)}")

    names = options.names or list(PROOFS)
    bad = False
    print(f"1..{len(names)}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        work = (options.work or pathlib.Path(folder)).resolve()
        work.mkdir(parents=True, exist_ok=True)
        for number, name in enumerate(names, 1):
            means, source, what = PROOFS[name]
            began = time.monotonic()
            complaints, said = (by_wp(options.root, work, source, what) if means == "wp" else
                                by_eva(options.root, work, source, what) if means == "eva" else
                                by_words(options.words) if means == "words" else by_execution(options.calls))
            good = not complaints and bool(said)
            bad |= not good
            print(f"{'ok' if good else 'not ok'} {number} - {name}: {said or 'not proved'}, "
                  f"{time.monotonic() - began:.0f} s", flush=True)
            for line in complaints:
                print(f"# {line}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
