#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""Tests of what ./avc check makes of the bench's figures, in TAP: bench/budget.py and bench/report.py."""
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))
import budget  # noqa: E402
import report  # noqa: E402

BUDGET = {"max": {"hvc/a": 100.0, "mrs": 60.0}, "max E2H": {"hvc/a": 101.0, "mrs": 60.0}}


def complaints(**changes):
    """Of all configurations, after changes to the figures of `max`; None: not measured."""
    figures = {name: dict(rows) for name, rows in BUDGET.items()}
    figures["max"].update({name.replace("__", "/"): value for name, value in changes.items()})
    figures["max"] = {name: value for name, value in figures["max"].items() if value is not None}
    result = list(budget.compare(figures, BUDGET))
    return [line for _, bad, _ in result for line in bad], [line for _, _, remarks in result for line in remarks]


def file_round_trip():
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "budget.tsv"
        budget.write(BUDGET, path)
        other = "mrs\tbarriers\t0\t0\n"
        path.write_text(path.read_text() + other)
        budget.write(BUDGET, path)
        return budget.read(path) == BUDGET and path.read_text().endswith(other)


ROW = {"id": "hvc", "title": "t", "goal": [60, 70]}
FIGURES = {"hvc/a": 50.0, "hvc/b": 61.0, "hvc_full": 900.0}
DOCUMENT = "x\n<!-- generated: figures -->\nold\n<!-- end -->\ny\n<!-- generated: peers -->\n<!-- end -->\n"


def document_needs_both_parts():
    try:
        report.with_parts(DOCUMENT.replace("peers", "others"), {"figures": [], "peers": []})
    except ValueError:
        return True
    return False


TESTS = {
    "the same figures": complaints() == ([], []),
    "1 % more is allowed": complaints(hvc__a=101.0) == ([], []),
    "more than 1 % names row, figure and budget":
        complaints(hvc__a=101.01)[0] == ["hvc/a on max: 101.01 instructions, budget 100.00"],
    "cheaper is remarked": complaints(mrs=50.0) == ([], ["mrs on max: 50.00 instructions, budget 60.00: cheaper now"]),
    "a row without budget": complaints(new=1.0)[0] == ["new on max: 1.00 instructions, and no budget"],
    "a budget without row": complaints(mrs=None)[0] == ["mrs on max: has a budget of 60.00 and was not measured"],
    "a configuration without budget":
        [bad for _, bad, _ in budget.compare({"other": {}}, BUDGET)] ==
        [["other: the budget file has no such configuration"]],
    "the file, written and read, keeps lines of other units": file_round_trip(),
    "the worst member counts, and of its own row only": report.figure(FIGURES, ROW) == 61.0,
    "goals are for E2H=0 and E2H=1": [report.is_met(ROW, name, 61.0) for name in ("max", "max E2H")] == [False, True],
    "a goal is met as it is printed": report.is_met(ROW, "max", 60.04) and not report.is_met(ROW, "max", 60.06),
    "parts of the document are replaced": report.with_parts(DOCUMENT, {"figures": ["new"], "peers": ["p"]}) ==
        "x\n<!-- generated: figures -->\nnew\n<!-- end -->\ny\n<!-- generated: peers -->\np\n<!-- end -->\n",
    "a document that lacks a part": document_needs_both_parts(),
    "all peers of all rows have names": bool(report.read_rows()),
}

print(f"1..{len(TESTS)}")
for number, (name, passed) in enumerate(TESTS.items(), 1):
    print(f"{'ok' if passed else 'not ok'} {number} - {name}")
sys.exit(not all(TESTS.values()))
