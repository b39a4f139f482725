# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""Checks that an exit costs no more if there are more VMs, vCPUs or claims beside it (bench/growth.c). Rows "flat/..."
must not grow. Rows "search/..." may grow by a few instructions whenever the number of claims doubles. The figures that
docs/performance.md shows are in growth.tsv."""
import math
import pathlib
import re
import subprocess
import sys

import tsv

ROOT = pathlib.Path(__file__).resolve().parents[1]
FILE = pathlib.Path(__file__).resolve().with_name("growth.tsv")
HEAD = """# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
#
# Instructions of an exit, by what there is one of or more: written by `./avc bench --update-budget`.
"""
FLAT = 1.01
# STEP: what a search may cost more whenever the number doubles. SEARCHED: what it may cost to search at all. With one
# claim of each kind no search is needed, for each claim has an index entry.
STEP, SEARCHED = 10, 200


def parse(text):
    """Returns {setting: {row: instructions}}."""
    found, figures, frequency = {}, None, 1e9
    for line in (line.split("\t") for line in text.splitlines()):
        if line[0] == "setting":
            figures = found.setdefault(line[1], {})
        elif line[0] == "frequency":
            frequency = int(line[1])
        elif line[0] == "row":
            figures[line[1]] = round(int(line[2]) * 1e9 / frequency / int(line[3]), 1)
    return found


def measure(build):
    run = subprocess.run([sys.executable, ROOT / "tests/system/boot.py", "--count", "--timeout", "60", "max", "1",
                          build / "bench/growth-e2h0.bin"], capture_output=True, text=True)
    found = parse(run.stdout)
    if run.returncode or not found:
        sys.exit(f"bench: growth failed:\n{run.stdout}{run.stderr}")
    return found


def number(setting):
    return int(re.match(r"\d+", setting)[0])


def complaints(found):
    """Compares each setting with the first one, in which there is one of everything."""
    base = next(iter(found.values()))
    for setting, figures in found.items():
        for row in base.keys() | figures.keys():
            if row not in base or row not in figures:
                yield f"{row} with {setting}: not measured everywhere"
                continue
            searched = SEARCHED + STEP * math.log2(number(setting)) if number(setting) > 1 else 0
            allowed = base[row] * FLAT + (searched if row.startswith("search/") else 0)
            if figures[row] > allowed:
                yield (f"{row} with {setting}: {figures[row]:.0f} instructions, {base[row]:.0f} with one; "
                       f"at most {allowed:.0f}")


def read(path=FILE):
    found = {}
    for setting, row, figure in tsv.read(path):
        found.setdefault(setting, {})[row] = float(figure)
    return found


def write(found, path=FILE):
    path.write_text(HEAD + "".join(f"{setting}\t{row}\t{figure}\n" for setting, figures in found.items()
                                   for row, figure in figures.items()))


def text(found):
    rows = list(next(iter(found.values())))
    lines = ["Instructions of an exit with one of everything, and with more", "",
             f"{'':46}" + "".join(f"{setting:>13}" for setting in found)]
    lines += [f"{row:46}" + "".join(f"{figures[row]:>13.0f}" for figures in found.values()) for row in rows]
    return "\n".join(lines) + "\n"


def document_parts(found):
    rows = list(next(iter(found.values())))
    table = ["| operation | may grow | " + " | ".join(found) + " |", "|---" * (2 + len(found)) + "|"]
    for row in rows:
        kind, _, title = row.partition("/")
        cells = " | ".join(f"{figures[row]:.0f}" for figures in found.values())
        table.append(f"| {title} | {'by a search' if kind == 'search' else 'no'} | {cells} |")
    return {"growth": table}


def check(build):
    """Prints TAP."""
    lines = list(complaints(measure(build)))
    print(f"1..1\n{'not ok' if lines else 'ok'} 1 - exits cost the same with more VMs, vCPUs and claims, "
          "or a search more")
    for line in lines:
        print(f"# {line}")
    return 1 if lines else 0
