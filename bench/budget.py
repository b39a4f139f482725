# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""The budget file, and the comparison that ./avc check makes.

The figures are deterministic, so a figure grows only if the code or the compiler changes. For a family the file has the
dearest member, the cheapest, and the number of members. The dearest may not grow. If the ratio of the two is above the
limit in rows.toml, the ratio may not grow either.

Instructions may exceed their budget by 1 %. Another count may not exceed a budget that is a whole number, because such
a count is the same in each exit; it may exceed an average by 1 %.

The board's disk answers when it likes. Rows that read it are medians (`median` in rows.toml): their instructions may
exceed the budget by 2 %, and other counts of theirs, which are means, are only shown."""
import os
import pathlib

import profiling
import report
import tsv
from families import CHEAPEST, INSTRUCTIONS, MEMBERS, Figure, ratio

FILE = pathlib.Path(__file__).resolve().with_name("budget.tsv")
ALLOWED, ALLOWED_MEDIAN = 1.01, 1.02
# What may not grow. profiling.UNITS also has units that are only shown.
KEPT = (INSTRUCTIONS, "sysregs", "barriers", "tlbi")
HEAD = """# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
#
# What each row of the bench may cost, by configuration: of a family its dearest member, and which that is. Written by
# `./avc bench --update-budget`, on purpose only.
"""


def read(path=FILE, wanted=INSTRUCTIONS):
    """Returns {configuration: {row: Figure}} of one unit."""
    lines = tsv.read(path)
    names = lines[0][2:]
    table = {name: {} for name in names}
    for row, unit, *figures in lines[1:]:
        if unit != wanted:
            continue
        for name, figure in zip(names, figures, strict=True):
            table[name][row] = Figure.read(figure)
    return table


def read_all(path=FILE):
    """Returns {unit: {configuration: {row: Figure}}}."""
    return {unit: read(path, unit) for unit in (INSTRUCTIONS, CHEAPEST, MEMBERS, *profiling.UNITS)}


def text_of(unit, figure):
    """Leaves out the member if the unit is not instructions: nobody asks for it, and it changes easily."""
    return str(figure) if unit in (INSTRUCTIONS, CHEAPEST) else f"{float(figure):.2f}"


def write(units, path=FILE):
    """Writes units, {unit: {configuration: {row: Figure}}}. The file's lines of other units stay as they are."""
    names = list(units[INSTRUCTIONS])
    others = ["\t".join(fields) for fields in tsv.read(path)
              if fields[1] not in ("unit", *units)] if path.exists() else []
    lines = ["\t".join(["row", "unit", *names])]
    for unit, figures in units.items():
        lines += ["\t".join([row, unit, *(text_of(unit, figures[name][row]) for name in names)])
                  for row in next(iter(figures.values()))]
    path.write_text(HEAD + "\n".join(lines + others) + "\n")


def limit(allowed, unit, is_median=False):
    if is_median:
        return allowed * ALLOWED_MEDIAN if unit == INSTRUCTIONS else float("inf")
    return allowed if unit != INSTRUCTIONS and allowed == int(allowed) else allowed * ALLOWED


def title(row, figure):
    member = getattr(figure, "member", "")
    return f"{row}/{member}" if member else row


def compare(figures, budgets, unit=INSTRUCTIONS, medians=()):
    """Yields for each configuration: (its name, complaints, remarks). medians: rows."""
    counted = profiling.UNITS[unit][0] if unit in profiling.UNITS else unit
    for name, rows in figures.items():
        complaints, remarks = [], []
        allowed = budgets.get(name)
        if allowed is None:
            yield name, [f"{name}: the budget file has no such configuration"], []
            continue
        for row in sorted(rows.keys() | allowed.keys()):
            if row not in allowed:
                complaints.append(f"{row} on {name}: {rows[row]:.2f} {counted}, and no budget")
            elif row not in rows:
                complaints.append(f"{row} on {name}: has a budget of {allowed[row]:.2f} {counted} and was not measured")
            elif round(rows[row], 2) > limit(allowed[row], unit, row in medians):
                complaints.append(f"{title(row, rows[row])} on {name}: {rows[row]:.2f} {counted}, "
                                  f"budget {allowed[row]:.2f}")
            elif limit(round(rows[row], 2), unit, row in medians) < allowed[row]:
                remarks.append(f"{title(row, rows[row])} on {name}: {rows[row]:.2f} {counted}, "
                               f"budget {allowed[row]:.2f}: cheaper now")
        yield name, complaints, remarks


def compare_families(units, budgets, limits):
    """Yields the same as compare(), about the ratio of dearest to cheapest member, and about members that are no longer
    measured. limits: {row: ratio}."""
    for name, rows in units[MEMBERS].items():
        complaints = []
        for row, nr in rows.items():
            if row not in budgets[MEMBERS].get(name, {}):
                continue  # compare() complains about it
            before = {unit: budgets[unit][name][row] for unit in (INSTRUCTIONS, CHEAPEST, MEMBERS)}
            if nr < before[MEMBERS]:
                complaints.append(f"{row} on {name}: {nr:.0f} members were measured, "
                                  f"{before[MEMBERS]:.0f} have a budget")
            far = ratio(units[INSTRUCTIONS][name][row], units[CHEAPEST][name][row])
            allowed = max(limits.get(row, far), ratio(before[INSTRUCTIONS], before[CHEAPEST]) * ALLOWED)
            if far > allowed:
                complaints.append(f"{row} on {name}: {units[INSTRUCTIONS][name][row].member} is {far:.2f} times as "
                                  f"dear as {units[CHEAPEST][name][row].member}, {allowed:.2f} are allowed")
        yield name, complaints, []


def compare_all(units, budgets, limits, medians=()):
    """Yields the same as compare(), over all units that were measured and may not grow."""
    compared = [compare(units[unit], budgets[unit], unit, medians) for unit in KEPT if unit in units]
    for each in zip(*compared, compare_families(units, budgets, limits), strict=True):
        yield (each[0][0], [line for _, bad, _ in each for line in bad],
               [line for *_, remarks in each for line in remarks])


def check(units):
    """Prints TAP: a point for each configuration, and one for the figures that the document shows."""
    budgets, figures = read_all(), units[INSTRUCTIONS]
    limits = {row["id"]: row["ratio"] for row in report.read_rows()[0] if "ratio" in row}
    medians = [row["id"] for row in report.read_rows()[0] if row.get("median")]
    print(f"1..{len(figures) + 1}")
    failed = False
    for number, (name, complaints, remarks) in enumerate(compare_all(units, budgets, limits, medians), 1):
        if name.startswith("max") and os.environ.get("AVC_QEMU_OLD"):
            print(f"ok {number} - {name} # SKIP this QEMU's max has other features")
            continue
        print(f"{'not ok' if complaints else 'ok'} {number} - no row costs more than its budget on {name}")
        for line in complaints + remarks:
            print(f"# {line}")
        if complaints:
            print("# on purpose? ./avc bench --update-budget, and say why in the commit")
        failed = failed or bool(complaints)
    complaints = report.check_document(budgets)
    print(f"{'not ok' if complaints else 'ok'} {len(figures) + 1} - docs/performance.md shows the budget's figures")
    for line in complaints:
        print(f"# {line}")
    return 1 if failed or complaints else 0
