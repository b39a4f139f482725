# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""The budget file, and the comparison that ./avc check makes. The figures are deterministic, so any growth is a change of
the code or of the compiler. Of instructions, 1 % is left for what is shorter than it looks; of what else is counted nothing
where the budget is a whole number, as it is for all that happens in each exit alike, and 1 % of an average."""
import os
import pathlib

import profiling
import report
import tsv

FILE = pathlib.Path(__file__).resolve().with_name("budget.tsv")
ALLOWED = 1.01
# What is counted for a row: instructions as the guest sees them, and profiling.UNITS. Those that may not grow:
INSTRUCTIONS = "instructions"
KEPT = (INSTRUCTIONS, "sysregs", "barriers", "tlbi")
HEAD = """# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
#
# What each row of the bench may cost, by configuration: written by `./avc bench --update-budget`, on purpose only.
"""


def read(path=FILE, wanted=INSTRUCTIONS):
    """{configuration: {row: figure}} of one unit"""
    lines = tsv.read(path)
    names = lines[0][2:]
    table = {name: {} for name in names}
    for row, unit, *figures in lines[1:]:
        if unit != wanted:
            continue
        for name, figure in zip(names, figures, strict=True):
            table[name][row] = float(figure)
    return table


def read_all(path=FILE):
    """{unit: {configuration: {row: figure}}}"""
    return {unit: read(path, unit) for unit in (INSTRUCTIONS, *profiling.UNITS)}


def write(units, path=FILE):
    """{unit: {configuration: {row: figure}}}. Lines of other units stay as they are."""
    names = list(units[INSTRUCTIONS])
    others = ["\t".join(fields) for fields in tsv.read(path) if fields[1] not in ("unit", *units)] if path.exists() else []
    lines = ["\t".join(["row", "unit", *names])]
    for unit, figures in units.items():
        lines += ["\t".join([row, unit, *(f"{figures[name][row]:.2f}" for name in names)])
                  for row in next(iter(figures.values()))]
    path.write_text(HEAD + "\n".join(lines + others) + "\n")


def limit(allowed, unit):
    return allowed if unit != INSTRUCTIONS and allowed == int(allowed) else allowed * ALLOWED


def compare(figures, budgets, unit=INSTRUCTIONS):
    """For each configuration: (its name, complaints, remarks)."""
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
            elif round(rows[row], 2) > limit(allowed[row], unit):
                complaints.append(f"{row} on {name}: {rows[row]:.2f} {counted}, budget {allowed[row]:.2f}")
            elif limit(round(rows[row], 2), unit) < allowed[row]:
                remarks.append(f"{row} on {name}: {rows[row]:.2f} {counted}, budget {allowed[row]:.2f}: cheaper now")
        yield name, complaints, remarks


def compare_all(units, budgets):
    """The same over all units that were measured and are kept."""
    for each in zip(*(compare(units[unit], budgets[unit], unit) for unit in KEPT if unit in units), strict=True):
        yield each[0][0], [line for _, bad, _ in each for line in bad], [line for *_, remarks in each for line in remarks]


def check(units):
    """TAP: a point for each configuration, and one for what the document shows."""
    budgets, figures = read_all(), units[INSTRUCTIONS]
    print(f"1..{len(figures) + 1}")
    failed = False
    for number, (name, complaints, remarks) in enumerate(compare_all(units, budgets), 1):
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
