# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""Runs the points of a check's own test, and prints TAP."""


def run(points):
    """points: (name, function). The function returns whether the point is good, and what was printed. Returns the exit
    status."""
    points = list(points)
    print(f"1..{len(points)}")
    failed = 0
    for number, (name, point) in enumerate(points, 1):
        good, out = point()
        print(f"{'' if good else 'not '}ok {number} - {name}")
        if not good:
            print("# " + out.replace("\n", "\n# "))
            failed += 1
    return 1 if failed else 0
