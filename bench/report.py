# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""What bench.py shows: the tables for the terminal and for docs/performance.md, and the picture."""
import hashlib
import pathlib
import re
import shutil
import subprocess
import tomllib

import families
import growth
import profiling
import sizes
import tsv
from families import CHEAPEST, INSTRUCTIONS, MEMBERS

BENCH = pathlib.Path(__file__).resolve().parent
DOCUMENT = BENCH.parent / "docs/performance.md"
PICTURE = BENCH.parent / "docs/performance.svg"
FUNCTIONS = BENCH / "functions.tsv"
FUNCTIONS_HEAD = """# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
#
# Instructions at EL2 of the rows that have a goal, by function: written by `./avc bench --update-budget`.
"""


def read_rows(kind="row", path=BENCH / "rows.toml"):
    """Returns the rows of one kind in order, and {id: name} of the peers."""
    data = tomllib.loads(path.read_text())
    for row in data[kind]:
        unknown = row.get("peers", {}).keys() - data["peers"].keys()
        if unknown:
            raise ValueError(f"{path}: row {row['id']}: no such peer: {' '.join(unknown)}")
    return data[kind], data["peers"]


def figure(figures, row):
    """A row's figure in one configuration, {row: Figure}, or None if it was not measured."""
    return figures.get(row["id"])


def goal(row, configuration):
    goals = row.get("goal")
    return goals[configuration.endswith("E2H")] if isinstance(goals, list) else goals


def is_met(row, configuration, value):
    """Whether a value meets the row's goal, or None if there is no goal."""
    limit = goal(row, configuration)
    return None if limit is None or value is None else round(value, 1) <= limit


def goal_text(row):
    goals = row.get("goal", "")
    return " / ".join(map(str, goals)) if isinstance(goals, list) else str(goals)


def number(value):
    return "-" if value is None else f"{value:.0f}"


def is_even(row, far):
    """Whether the ratio of dearest to cheapest member is within the row's limit. None if there is no limit."""
    return None if far is None or "ratio" not in row else round(far, 2) <= row["ratio"]


# ---- terminal ----

MARKS = {None: " ", True: "+", False: "!"}


def text(rows, units, printed=None):
    """Marks a goal that is met by +, one that is not by !. printed: {configuration: {name: figure}}, to show the
    members, too."""
    columns, width = units[INSTRUCTIONS], max(len(row["title"]) for row in rows) + 2
    lines = ["Instructions of a round trip as the guest sees it, its own included, and how many times as dear the "
             "dearest member of a", "family is as the cheapest; +: within the goal, !: not", "",
             f"{'':{width}}{'goal':>10}" + "".join(f"{name:>17}" for name in columns)]
    met = {True: 0, False: 0}
    for row in rows:
        line = f"{row['title']:{width}}{goal_text(row):>10}"
        for name, figures in columns.items():
            value = figure(figures, row)
            far = families.ratio(value, units[CHEAPEST][name].get(row["id"]))
            state, even = is_met(row, name, value), is_even(row, far)
            for one in (state, even):
                if one is not None:
                    met[one] += 1
            line += f"{number(value):>10}{MARKS[state]}" + (f"{far:>5.2f}{MARKS[even]}" if far else 6 * " ")
        lines.append(line)
        if printed:
            of_row = {name: families.members(figures, row["id"]) for name, figures in printed.items()}
            for member in dict.fromkeys(name for figures in of_row.values() for name in figures if name):
                lines.append(f"    {member:{width + 6}}" + "".join(
                    f"{number(figures.get(member)):>10}{'':7}" for figures in of_row.values()))
    lines += ["", f"{met[True]} goals met, {met[False]} not, each row, ratio and configuration counted", ""]
    return "\n".join(lines)


def peers_text(rows, peers, columns):
    name = next(iter(columns))
    lines = [f"Beside other hypervisors (bench/rows.toml says of which versions); this library on {name}", ""]
    for row in rows:
        theirs = row.get("peers")
        if theirs:
            lines.append(f"{row['title']}: {number(figure(columns[name], row))}")
            lines.append("    " + ", ".join(f"{peers[peer]} {value}" for peer, value in theirs.items()))
    return "\n".join(lines) + "\n"


# ---- profile of one configuration: {unit: {row: figure}} and {row: profiling.Row} ----

def is_unit_met(row, unit, value):
    limit = row.get("goals", {}).get(unit)
    return None if limit is None or value is None else value <= limit


def unit_goals_text(row):
    return ", ".join(f"{profiling.UNITS[unit][0]}: {limit}" for unit, limit in row.get("goals", {}).items())


def exact(value):
    return "-" if value is None else f"{value:.2f}".rstrip("0").rstrip(".")


def profile_text(rows, name, units, profiles, with_members=False):
    """A row with members shows in each column its dearest member."""
    lines = [f"What EL2 executes for it, on {name}; +: within the goal for system registers, barriers, TLB; !: not", ""]
    width = max(len(row["title"]) for row in rows) + 2
    lines.append(f"{'':{width}}{'EL2':>8}{'sysregs':>9}{'barriers':>9}{'TLB':>7} "
                 + "".join(f"{name:>8}" for name in profiling.CLASSES))
    for row in rows:
        cells = f"{row['title']:{width}}{exact(figure(units['el2'], row)):>8}"
        for unit in ("sysregs", "barriers", "tlbi"):
            value = figure(units[unit], row)
            cells += f"{exact(value):>{8 if unit != 'tlbi' else 6}}" + MARKS[is_unit_met(row, unit, value)]
        theirs = families.members(profiles, row["id"])
        lines.append(cells + " " + "".join(
            f"{exact(max((each.classes.get(name, 0) for each in theirs.values()), default=None)):>8}"
            for name in profiling.CLASSES))
        for member, one in theirs.items() if with_members else []:
            if member:
                counts = "".join(f"{exact(one.units[unit]):>{wide}}" for unit, wide in
                                 (("el2", 8), ("sysregs", 8), ("barriers", 9), ("tlbi", 7)))
                lines.append(f"    {member:{width - 4}}{counts}  " + "".join(
                    f"{exact(one.classes.get(name, 0)):>8}" for name in profiling.CLASSES))
    return "\n".join(lines) + "\n"


def dearest(row, figures):
    """The printed name of the member that counts. figures: {row: Figure}."""
    value = figure(figures, row)
    return f"{row['id']}/{value.member}" if value is not None and value.member else row["id"]


def functions_text(rows, name, figures, profiles, wanted):
    """Shows the functions of the wanted rows or members; if none are wanted, of all rows with a goal."""
    ids = {row["id"]: row for row in rows}
    lines = [f"Instructions at EL2 of one time, by function, on {name}", ""]
    for which in wanted or [row["id"] for row in rows if "goal" in row]:
        member = dearest(ids[which], figures) if which in ids else which
        if member not in profiles:
            raise SystemExit(f"bench: no such row: {which}; there are: {' '.join(ids)}")
        lines.append(f"{member}: {exact(profiles[member].units['el2'])}")
        lines += [f"{exact(count):>10}  {function}" for function, count in profiles[member].functions.items()] + [""]
    return "\n".join(lines)


def write_functions(rows, figures, profiles):
    lines = ["row\tfunction\tinstructions"]
    for member in (dearest(row, figures) for row in rows if "goal" in row and figure(figures, row) is not None):
        lines += [f"{member}\t{function}\t{count:.2f}" for function, count in profiles[member].functions.items()]
    FUNCTIONS.write_text(FUNCTIONS_HEAD + "\n".join(lines) + "\n")


def read_functions(path=FUNCTIONS):
    """Returns {row: {function: instructions}}."""
    table = {}
    for row, function, count in tsv.read(path)[1:]:
        table.setdefault(row, {})[function] = float(count)
    return table


# ---- picture ----

def first_number(value):
    """Returns the first number in a text: 193 for "193/154", 7200 for "~7200"."""
    return int(re.search(r"\d+", str(value))[0])


def plot_data(rows, peers, figures):
    """Returns {series: [(x, y)]}: the rows with a goal from the top down, instructions along x."""
    shown = [row for row in rows if row.get("goal")]
    data = {name: [] for name in ["this library", "goal", *peers.values()]}
    for y, row in enumerate(reversed(shown)):
        data["goal"].append((goal(row, ""), y))
        data["this library"].append((figure(figures, row), y))
        for peer, value in row.get("peers", {}).items():
            data[peers[peer]].append((first_number(value), y))
    return [row["label"] for row in reversed(shown)], data


def script(titles, data, output):
    styles = {"this library": 'pt 5 ps 1.1 lc rgb "#c00000"', "goal": 'pt 2 ps 1.1 lw 2 lc rgb "black"'}
    shapes = [7, 9, 11, 13, 6, 8, 10, 12]
    points = []
    for n, name in enumerate(data):
        style = styles.get(name, f"pt {shapes[n % len(shapes)]} ps 0.9")
        points.append(f"'-' using 1:2 with points {style} title \"{name}\"")
    tics = ", ".join(f'"{title}" {y}' for y, title in enumerate(titles))
    blocks = "".join("\n".join(f"{x} {y}" for x, y in series) + "\ne\n" for series in data.values())
    return f"""set terminal svg size 1000,{120 + 24 * len(titles)} noenhanced font "sans,13" background "white"
set output "{output}"
set logscale x
set xrange [40:12000]
set yrange [-0.7:{len(titles) - 0.3}]
set xtics (50, 100, 200, 500, 1000, 2000, 5000, 10000)
set xlabel "instructions of a round trip, -cpu max, host with E2H=0 (fewer is better; logarithmic)"
set ytics ({tics})
set grid
set key outside right
plot {", ".join(points)}
{blocks}"""


def draw(rows, peers, columns, output):
    """Draws the first configuration. Returns False if there is no gnuplot."""
    if not shutil.which("gnuplot"):
        return False
    titles, data = plot_data(rows, peers, next(iter(columns.values())))
    output.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["gnuplot"], input=script(titles, data, output), text=True, check=True)
    with output.open("a") as svg:
        svg.write(picture_mark(rows, peers, columns) + "\n")
    return True


def picture_mark(rows, peers, columns):
    """Identifies the data that a picture was drawn from, so that a picture in the tree can be compared with the
    figures."""
    drawn = script(*plot_data(rows, peers, next(iter(columns.values()))), "")
    return f"<!-- drawn from {hashlib.sha256(drawn.encode()).hexdigest()[:16]} -->"


# ---- docs/performance.md ----

def classes_part(rows, units):
    """The table of classes, for the first configuration."""
    shown = list(profiling.UNITS)
    name = next(iter(units["el2"]))
    table = ["| operation, on " + name + " | goal | " + " | ".join(profiling.UNITS[unit][0] for unit in shown) + " |",
             "|---" * (2 + len(shown)) + "|"]
    for row in rows:
        cells = []
        for unit in shown:
            value = figure(units[unit][name], row)
            cells.append(f"**{exact(value)}**" if is_unit_met(row, unit, value) else exact(value))
        table.append(f"| {row['title']} | {unit_goals_text(row)} | {' | '.join(cells)} |")
    return table


def families_part(rows, units):
    """The table of families, for the first configuration."""
    name = next(iter(units[INSTRUCTIONS]))
    table = [f"| family, on {name} | members | dearest | | cheapest | | ratio | at most |",
             "|---" * 8 + "|"]
    for row in rows:
        most, least, nr = (figure(units[unit][name], row) for unit in (INSTRUCTIONS, CHEAPEST, MEMBERS))
        if least is not None:
            far = families.ratio(most, least)
            cell = f"**{far:.2f}**" if is_even(row, far) else f"{far:.2f}"
            table.append(f"| {row.get('label', row['title'])} | {nr:.0f} | {number(most)} | {most.member} | "
                         f"{number(least)} | {least.member} | {cell} | {row.get('ratio', '')} |")
    return table


def functions_part(functions, most=8):
    """The dearest functions of each row, and the sum of the others."""
    table = ["| row | instructions at EL2, by function |", "|---|---|"]
    for row, counts in functions.items():
        cells = [f"`{name}` {exact(round(count, 1))}" for name, count in list(counts.items())[:most]]
        rest = sum(list(counts.values())[most:])
        table.append(f"| {row} | {', '.join(cells)}{f', others {exact(round(rest, 1))}' if rest else ''} |")
    return table


def document_parts(units):
    """Returns {name: lines} of the document's generated parts. They come from the budget file, functions.tsv and
    rows.toml."""
    rows, peers = read_rows()
    columns = units[INSTRUCTIONS]
    table = ["| operation | goal | " + " | ".join(columns) + " |", "|---" * (2 + len(columns)) + "|"]
    for row in rows:
        cells = []
        for name, figures in columns.items():
            value = figure(figures, row)
            cells.append(f"**{number(value)}**" if is_met(row, name, value) else number(value))
        table.append(f"| {row['title']} | {goal_text(row)} | {' | '.join(cells)} |")
    ours = next(iter(columns))
    theirs = [f"| operation | this library, {ours} | " + " | ".join(peers.values()) + " |",
              "|---" * (2 + len(peers)) + "|"]
    for row in rows:
        if "peers" in row:
            theirs.append(f"| {row['title']} | {number(figure(columns[ours], row))} | "
                          + " | ".join(str(row["peers"].get(peer, "")) for peer in peers) + " |")
    return {"figures": table, "families": families_part(rows, units), "peers": theirs,
            "classes": classes_part(rows, units), "functions": functions_part(read_functions()),
            **sizes.document_parts(sizes.read()),
            **growth.document_parts(growth.read())}


def with_parts(document, parts):
    """Returns the document with each part between `<!-- generated: NAME -->` and `<!-- end -->`."""
    for name, lines in parts.items():
        document, found = re.subn(rf"(<!-- generated: {name} -->\n).*?(<!-- end -->)",
                                  lambda match: match[1] + "\n".join(lines) + "\n" + match[2], document, flags=re.S)
        if found != 1:
            raise ValueError(f"{DOCUMENT.name}: {found} parts `generated: {name}`")
    return document


def update_document(units, picture):
    DOCUMENT.write_text(with_parts(DOCUMENT.read_text(), document_parts(units)))
    if picture.exists():
        shutil.copyfile(picture, PICTURE)


def check_document(units):
    """Yields what the document should say otherwise."""
    document, columns = DOCUMENT.read_text(), units[INSTRUCTIONS]
    rows, _ = read_rows()
    measured = {name for figures in columns.values() for name in figures}
    complaints = [f"rows.toml: {name}: " + ("not measured" if name not in measured else "measured, but no row")
                  for name in sorted(measured ^ {row["id"] for row in rows})]
    if with_parts(document, document_parts(units)) != document:
        complaints.append(f"{DOCUMENT.name}: a generated part differs from the files of bench/ it is made of")
    if picture_mark(*read_rows(), columns) not in PICTURE.read_text():
        complaints.append(f"{PICTURE.name} was drawn from other figures")
    if complaints:
        complaints.append("./avc bench --update-budget writes tables and picture anew")
    return complaints
