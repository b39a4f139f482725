# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""What bench.py shows: tables for the terminal and for docs/performance.md, and the picture."""
import hashlib
import pathlib
import re
import shutil
import subprocess
import tomllib

import growth
import sizes

BENCH = pathlib.Path(__file__).resolve().parent
DOCUMENT = BENCH.parent / "docs/performance.md"
PICTURE = BENCH.parent / "docs/performance.svg"


def read_rows(path=BENCH / "rows.toml"):
    """The rows in order, and {id: name} of the peers."""
    data = tomllib.loads(path.read_text())
    for row in data["row"]:
        unknown = row.get("peers", {}).keys() - data["peers"].keys()
        if unknown:
            raise ValueError(f"{path}: row {row['id']}: no such peer: {' '.join(unknown)}")
    return data["row"], data["peers"]


def members(figures, row):
    """{member: figure} of a row in one configuration: itself, or what the worst is taken of."""
    return {name: figure for name, figure in figures.items() if name.split("/")[0] == row["id"]}


def figure(figures, row):
    return max(members(figures, row).values(), default=None)


def goal(row, configuration):
    goals = row.get("goal")
    return goals[configuration.endswith("E2H")] if isinstance(goals, list) else goals


def is_met(row, configuration, value):
    """None: no goal."""
    limit = goal(row, configuration)
    return None if limit is None or value is None else round(value, 1) <= limit


def goal_text(row):
    goals = row.get("goal", "")
    return " / ".join(map(str, goals)) if isinstance(goals, list) else str(goals)


def number(value):
    return "-" if value is None else f"{value:.0f}"


# ---- terminal ----

def text(rows, columns, with_members=False):
    """+ a goal that is met, ! one that is not."""
    width = max(len(row["title"]) for row in rows) + 2
    lines = ["Instructions of a round trip as the guest sees it, its own included; +: within the goal, !: not", "",
             f"{'':{width}}{'goal':>10}" + "".join(f"{name:>17}" for name in columns)]
    met = missed = 0
    for row in rows:
        line = f"{row['title']:{width}}{goal_text(row):>10}"
        for name, figures in columns.items():
            value = figure(figures, row)
            state = is_met(row, name, value)
            met += state is True
            missed += state is False
            line += f"{number(value):>16}" + {None: " ", True: "+", False: "!"}[state]
        lines.append(line)
        if with_members:
            names = {name: None for figures in columns.values() for name in members(figures, row)}
            for member in [name for name in names if "/" in name]:
                lines.append(f"    {member:{width + 6}}" + "".join(
                    f"{number(figures.get(member)):>16} " for figures in columns.values()))
    lines += ["", f"{met} goals met, {missed} not, each row and configuration counted", ""]
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


# ---- picture ----

def first_number(value):
    """The first of "193/154", "~7200"."""
    return int(re.search(r"\d+", str(value))[0])


def plot_data(rows, peers, figures):
    """{series: [(x, y)]}: rows that have a goal from the top down, instructions along x."""
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
    return f"""set terminal svg size 1000,520 noenhanced font "sans,13" background "white"
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
    """Of the first configuration. False: there is no gnuplot."""
    if not shutil.which("gnuplot"):
        return False
    titles, data = plot_data(rows, peers, next(iter(columns.values())))
    output.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["gnuplot"], input=script(titles, data, output), text=True, check=True)
    with output.open("a") as svg:
        svg.write(picture_mark(rows, peers, columns) + "\n")
    return True


def picture_mark(rows, peers, columns):
    """Says what was drawn, so that a picture in the tree can be compared with the data."""
    drawn = script(*plot_data(rows, peers, next(iter(columns.values()))), "")
    return f"<!-- drawn from {hashlib.sha256(drawn.encode()).hexdigest()[:16]} -->"


# ---- docs/performance.md ----

def document_parts(columns):
    """{name: lines} of its generated parts, out of the budget file and rows.toml."""
    rows, peers = read_rows()
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
    return {"figures": table, "peers": theirs, **sizes.document_parts(sizes.read()),
            **growth.document_parts(growth.read())}


def with_parts(document, parts):
    """The text with each part put between `<!-- generated: NAME -->` and `<!-- end -->`."""
    for name, lines in parts.items():
        document, found = re.subn(rf"(<!-- generated: {name} -->\n).*?(<!-- end -->)",
                                  lambda match: match[1] + "\n".join(lines) + "\n" + match[2], document, flags=re.S)
        if found != 1:
            raise ValueError(f"{DOCUMENT.name}: {found} parts `generated: {name}`")
    return document


def update_document(columns, picture):
    DOCUMENT.write_text(with_parts(DOCUMENT.read_text(), document_parts(columns)))
    if picture.exists():
        shutil.copyfile(picture, PICTURE)


def check_document(columns):
    """Complaints."""
    document = DOCUMENT.read_text()
    rows, _ = read_rows()
    measured = {name.split("/")[0] for figures in columns.values() for name in figures}
    complaints = [f"rows.toml: {name}: " + ("not measured" if name not in measured else "measured, but no row")
                  for name in sorted(measured ^ {row["id"] for row in rows})]
    if with_parts(document, document_parts(columns)) != document:
        complaints.append(f"{DOCUMENT.name}: a generated part differs from the files of bench/ it is made of")
    if picture_mark(*read_rows(), columns) not in PICTURE.read_text():
        complaints.append(f"{PICTURE.name} was drawn from other figures")
    if complaints:
        complaints.append("./avc bench --update-budget writes tables and picture anew")
    return complaints
