#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""Counts what the test runs of ./avc check did, and says what failed.

usage: testcount.py [--failed NAME=LOG]... [NAME=TESTLOG.json]...

TESTLOG.json is meson's log of a run, one JSON object a line. A test that prints TAP counts once for each point; any
other test counts once. A test that died, ran out of time or printed fewer points than its plan counts as one failure
more. --failed names a step outside of meson that failed, for example a build. Prints the failures with their logs, the
names of skipped tests, and as the last line `N passed, N failed`. The status is 1 if anything failed or nothing ran.
"""

import json
import re
import sys

POINT = re.compile(r"^(not )?ok\b\s*(\d+)?\s*(?:- )?(.*?)\s*(?:#\s*(SKIP|TODO)\b\s*(.*))?$", re.I)
LOG_LINES = 80


def excerpt(lines):
    """Shortens a long log to the points that failed, with their comments, and the end."""
    if len(lines) <= LOG_LINES:
        return lines
    kept = []
    about = False
    for line in lines[:-LOG_LINES // 2]:
        about = line.startswith("not ok") or (about and line.startswith("#"))
        if about:
            kept.append(line)
    return [*kept[: 2 * LOG_LINES], "[...]", *lines[-LOG_LINES // 2 :]]


class Count:
    def __init__(self):
        self.passed = 0
        self.failures = []  # (name, points that failed, log)
        self.skipped = []

    def add_run(self, name, path):
        try:
            with open(path, encoding="utf-8", errors="replace") as log:
                tests = [json.loads(line) for line in log if line.strip()]
        except (OSError, ValueError) as problem:
            self.failures.append((name, ["the tests could not be run"], str(problem)))
            return
        for test in tests:
            self.add_test(f"{name}: {test['name']}", test)

    def add_test(self, name, test):
        out = test.get("stdout", "")
        result = test["result"]
        bad = []
        points = 0
        for line in out.splitlines():
            match = POINT.match(line.rstrip("\r"))
            if not match:
                continue
            points += 1
            failed, number, text, directive, reason = match.groups()
            label = text or f"point {number}"
            if directive and directive.upper() == "SKIP":
                self.skipped.append(f"{name}: {label} ({reason})")
            elif failed and not directive:
                bad.append(label)
            else:
                self.passed += 1
        if result == "SKIP" and not points:
            self.skipped.append(name)
        elif result in ("OK", "EXPECTEDFAIL", "SKIP"):
            self.passed += not points
        elif not bad:
            bad.append(f"{result.lower()}, status {test.get('returncode')}")
        if bad:
            self.failures.append((name, bad, out + test.get("stderr", "")))

    @property
    def failed(self):
        return sum(len(bad) for _, bad, _ in self.failures)

    def report(self):
        for name in self.skipped:
            print(f"skipped: {name}")
        for name, bad, log in self.failures:
            print(f"\nFAILED {name}")
            for point in bad:
                print(f"  failed: {point}")
            for line in excerpt(log.splitlines()):
                print(f"  | {line}")
        if self.failures:
            print()
            for name, bad, _ in self.failures:
                print(f"failed: {name}: {'; '.join(bad)}")
        if self.skipped:
            print(f"{len(self.skipped)} skipped, by name above")
        print(f"{self.passed} passed, {self.failed} failed", flush=True)
        return 1 if self.failed or not self.passed else 0


def main(arguments):
    count = Count()
    failed_next = False
    for argument in arguments:
        if argument == "--failed":
            failed_next = True
            continue
        name, _, path = argument.partition("=")
        if failed_next:
            try:
                with open(path, encoding="utf-8", errors="replace") as log:
                    count.failures.append((name, [f"its log is {path}"], log.read()))
            except OSError as problem:
                count.failures.append((name, ["did not begin"], str(problem)))
            failed_next = False
        else:
            count.add_run(name, path)
    return count.report()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
