#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""Runs fuzz targets of libFuzzer's for ./avc fuzz.

usage: fuzz.py --top TOP --build BUILD [--seconds S | --runs N] [--jobs J] [--merge] TARGET...

BUILD is build/host-clang. New inputs go to build/fuzz/TARGET, where the next run finds them. An input that fails is
kept as build/fuzz/TARGET-crash-... or the like; the message says how to run it again, and how to add it to the corpus.
With --merge the new inputs that reach more than the corpus does are added to it. build/fuzz/executions.tsv has a line
for each run.
"""
import argparse
import hashlib
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

LONGEST = 800  # bytes of an input
# A target's program, and what one input may take.
FLAGS = [f"-max_len={LONGEST}", "-timeout=60", "-rss_limit_mb=4096", "-print_final_stats=1"]


def name_of(path):
    return hashlib.sha1(path.read_bytes()).hexdigest()[:12]


class Target:
    def __init__(self, top, build, name):
        self.name = name
        self.program = build / "tests/fuzz" / f"fuzz_{name}"
        self.corpus = top / "tests/fuzz/corpus" / name
        self.new = top / "build/fuzz" / name
        self.new.mkdir(parents=True, exist_ok=True)
        self.shown = self.program.relative_to(top)

    def crashes(self):
        return {path for path in self.new.parent.glob(f"{self.name}-*") if path.suffix != ".log"}

    def run(self, jobs, limit):
        """(executions, whether all went well)"""
        before = self.crashes()
        logs = [open(self.new.parent / f"{self.name}-{n}.log", "w+", encoding="utf-8", errors="replace")
                for n in range(jobs)]
        command = [self.program, *FLAGS, *limit, f"-artifact_prefix={self.new.parent}/{self.name}-",
                   "-reload=1", self.new, self.corpus]
        processes = [subprocess.Popen([str(word) for word in command], stdout=log, stderr=log) for log in logs]
        good = True
        try:
            for process in processes:
                good &= process.wait() == 0
        except KeyboardInterrupt:
            for process in processes:
                process.terminate()
                process.wait()
        executions = 0
        for log in logs:
            log.seek(0)
            text = log.read()
            log.close()
            done = re.findall(r"^stat::number_of_executed_units: +(\d+)", text, flags=re.M)
            executions += int(done[-1]) if done else max(map(int, re.findall(r"^#(\d+)", text, flags=re.M)), default=0)
        found = sorted(self.crashes() - before)
        if not good:
            self.say_what_failed(found, logs[0].name)
        return executions, good

    def say_what_failed(self, found, log):
        for path in found:
            print(f"avc: error: fuzz_{self.name} failed with the input {path}\n"
                  f"  once more:     {self.shown} {path}\n"
                  f"  when mended:   cp {path} {self.corpus}/{name_of(path)}", file=sys.stderr)
        if not found:
            print(f"avc: error: fuzz_{self.name} ended with an error: {log}", file=sys.stderr)

    def merge(self):
        """Makes the corpus the least set of inputs that reaches what it and the new ones reach."""
        with tempfile.TemporaryDirectory() as folder:
            least = pathlib.Path(folder)
            done = subprocess.run([str(self.program), *FLAGS, "-merge=1", str(least), str(self.corpus), str(self.new)],
                                  capture_output=True, text=True, errors="replace")
            inputs = list(least.iterdir())
            if done.returncode or not inputs:
                print(f"avc: error: fuzz_{self.name} could not merge:\n{done.stderr[-2000:]}", file=sys.stderr)
                return False
            before = len(list(self.corpus.iterdir()))
            shutil.rmtree(self.corpus)
            self.corpus.mkdir()
            for path in inputs:
                shutil.copy(path, self.corpus / name_of(path))
        print(f"avc: {self.name}: {before} inputs in the corpus before, {len(inputs)} now", file=sys.stderr)
        return True


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--top", type=pathlib.Path, required=True)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--seconds", type=int)
    parser.add_argument("--runs", type=int)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--merge", action="store_true")
    parser.add_argument("targets", nargs="+")
    options = parser.parse_args()

    limit = [f"-runs={-(-options.runs // options.jobs)}"] if options.runs else [f"-max_total_time={options.seconds}"]
    good, total = True, 0
    for name in options.targets:
        target = Target(options.top, options.build, name)
        if options.merge:
            good &= target.merge()
            continue
        began = time.monotonic()
        executions, fine = target.run(options.jobs, limit)
        seconds = time.monotonic() - began
        good &= fine
        total += executions
        print(f"{name}: {executions} executions in {seconds:.0f} s, {'no finding' if fine else 'FAILED'}", flush=True)
        with open(target.new.parent / "executions.tsv", "a", encoding="utf-8") as out:
            out.write(f"{name}\t{executions}\t{seconds:.0f}\t{'good' if fine else 'failed'}\n")
    if len(options.targets) > 1 and not options.merge:
        print(f"all: {total} executions")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
