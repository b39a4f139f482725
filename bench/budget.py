# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""The budget file, and the comparison that ./avc check makes. The figures are deterministic, so any growth is a change of
the code or of the compiler; 1 % is left for what is shorter than it looks."""
import os
import pathlib

import report

FILE = pathlib.Path(__file__).resolve().with_name("budget.tsv")
ALLOWED = 1.01
# What is counted for a row. bench.py has "instructions"; accesses to system registers, barriers and TLB maintenance
# would be lines of their own for the same row.
INSTRUCTIONS = "instructions"
HEAD = """# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
#
# What each row of the bench may cost, by configuration: written by `./avc bench --update-budget`, on purpose only.
"""


def read(path=FILE):
    """{configuration: {row: instructions}}"""
    lines = [line.split("\t") for line in path.read_text().splitlines() if line and not line.startswith("#")]
    names = lines[0][2:]
    table = {name: {} for name in names}
    for row, unit, *figures in lines[1:]:
        if unit != INSTRUCTIONS:
            continue
        for name, figure in zip(names, figures, strict=True):
            table[name][row] = float(figure)
    return table


def write(figures, path=FILE):
    """Lines of other units stay as they are."""
    names = list(figures)
    others = [line for line in path.read_text().splitlines() if not line.startswith("#")
              and line.split("\t")[1] not in ("unit", INSTRUCTIONS)] if path.exists() else []
    lines = ["\t".join(["row", "unit", *names])]
    lines += ["\t".join([row, INSTRUCTIONS, *(f"{figures[name][row]:.2f}" for name in names)])
              for row in next(iter(figures.values()))]
    path.write_text(HEAD + "\n".join(lines + others) + "\n")


def compare(figures, budgets):
    """For each configuration: (its name, complaints, remarks)."""
    for name, rows in figures.items():
        complaints, remarks = [], []
        allowed = budgets.get(name)
        if allowed is None:
            yield name, [f"{name}: the budget file has no such configuration"], []
            continue
        for row in sorted(rows.keys() | allowed.keys()):
            if row not in allowed:
                complaints.append(f"{row} on {name}: {rows[row]:.2f} instructions, and no budget")
            elif row not in rows:
                complaints.append(f"{row} on {name}: has a budget of {allowed[row]:.2f} and was not measured")
            elif rows[row] > allowed[row] * ALLOWED:
                complaints.append(f"{row} on {name}: {rows[row]:.2f} instructions, budget {allowed[row]:.2f}")
            elif rows[row] * ALLOWED < allowed[row]:
                remarks.append(f"{row} on {name}: {rows[row]:.2f} instructions, budget {allowed[row]:.2f}: cheaper now")
        yield name, complaints, remarks


def check(figures):
    """TAP: a point for each configuration, and one for what the document shows."""
    budgets = read()
    print(f"1..{len(figures) + 1}")
    failed = False
    for number, (name, complaints, remarks) in enumerate(compare(figures, budgets), 1):
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
