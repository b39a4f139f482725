#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""Tests what ./avc check makes of the bench's figures: budget.py, families.py, report.py, profiling.py, growth.py and
sizes.py of bench/. Prints TAP."""
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))
import budget  # noqa: E402
import families  # noqa: E402
import growth  # noqa: E402
import profiling  # noqa: E402
import report  # noqa: E402
import sizes  # noqa: E402
import worst  # noqa: E402

BUDGET = {"max": {"hvc/a": 100.0, "mrs": 60.0}, "max E2H": {"hvc/a": 101.0, "mrs": 60.0}}


def complaints(**changes):
    """Returns the complaints after changes to the figures of `max`. A change to None removes a figure, as if it was not
    measured."""
    figures = {name: dict(rows) for name, rows in BUDGET.items()}
    figures["max"].update({name.replace("__", "/"): value for name, value in changes.items()})
    figures["max"] = {name: value for name, value in figures["max"].items() if value is not None}
    result = list(budget.compare(figures, BUDGET))
    return [line for _, bad, _ in result for line in bad], [line for _, _, remarks in result for line in remarks]


# Counts for each exit: a whole number, and an average.
KEPT = {"max": {"hvc/a": 2.0, "wfi": 50.5}, "max E2H": {"hvc/a": 2.0, "wfi": 50.5}}


def kept(row, value, unit="sysregs"):
    figures = {name: dict(rows) for name, rows in KEPT.items()}
    figures["max"][row] = value
    result = list(budget.compare(figures, KEPT, unit))
    return [line for _, bad, _ in result for line in bad], [line for *_, remarks in result for line in remarks]


def of_median(value, unit="instructions"):
    budgets, figures = {"max": {"disk": 100.0}}, {"max": {"disk": value}}
    return [line for _, bad, _ in budget.compare(figures, budgets, unit, ["disk"]) for line in bad]


def all_units():
    """Units that are not in KEPT are not compared."""
    more = {"max": {"hvc/a": 3.0, "wfi": 50.5}, "max E2H": KEPT["max E2H"]}
    budgets = {unit: KEPT for unit in ("instructions", "sysregs", "barriers", "tlbi", "loads")}
    measured = {"instructions": KEPT, "barriers": more, "tlbi": more, "loads": more}
    nothing = {"max": {}, "max E2H": {}}
    budgets |= {"cheapest": nothing, "members": nothing}
    measured |= {"cheapest": nothing, "members": nothing}
    return [bad for _, bad, _ in budget.compare_all(measured, budgets, {})]


# ---- families ----

PRINTED = {"hvc/a": 50.0, "hvc/b, c": 61.0, "hvc/d": 61.0, "hvc_slow": 900.0}


def summed():
    return families.summary({"instructions": PRINTED,
                             "sysregs": {"hvc/a": 4, "hvc/b, c": 1, "hvc/d": 1, "hvc_slow": 2}})


def family_complaints(dearest, cheapest, members, allowed):
    """Compares a family whose budget is 60 for the dearest of two members, and 30 for the cheapest."""
    def units(dear, cheap, nr):
        return {"instructions": {"max": {"hvc": families.Figure(dear, "b")}},
                "members": {"max": {"hvc": families.Figure(nr)}},
                "cheapest": {"max": {"hvc": families.Figure(cheap, "a")}}}
    (_, bad, _), = budget.compare_families(units(dearest, cheapest, members), units(60, 30, 2), {"hvc": allowed})
    return bad


def file_round_trip():
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "budget.tsv"
        of_family = {name: {"hvc": families.Figure(61, "b, c")} for name in BUDGET}
        units = {"instructions": BUDGET, "cheapest": of_family, "barriers": KEPT}
        budget.write(units, path)
        other = "mrs\tbytes\t0\t0\n"
        path.write_text(path.read_text() + other)
        budget.write(units, path)
        return (budget.read(path) == BUDGET and budget.read(path, "barriers") == KEPT
                and path.read_text().endswith(other)
                and budget.read(path, "cheapest") == of_family
                and budget.read(path, "cheapest")["max"]["hvc"].member == "b, c")


ROW = {"id": "hvc", "title": "t", "goal": [60, 70]}
PROFILE = profiling.Profile("""lap\tel1\t5\t0
total\t40\t60
exits\t22\t2\t1
exits\t64\t1\t0
insn\t1000\td53c5200\tmrs\t22\t2
insn\t1004\td5033fdf\tisb\t22\t4\t64\t3
insn\t2000\tf9400000\tload\t64\t10\t67\t7
site\t22\tffff800080001234\t2\t1\t6
site\t64\t500000\t1\t0\t13
""")
SYMBOLS = profiling.Symbols()
SYMBOLS.at, SYMBOLS.names = [0x1000, 0x1800], ["vectors", "handler"]
RUN = profiling.run_text(PROFILE, SYMBOLS, 1).splitlines()


def profile_is_refused(text):
    try:
        profiling.Profile(text)
    except ValueError:
        return True
    return False


DOCUMENT = "x\n<!-- generated: figures -->\nold\n<!-- end -->\ny\n<!-- generated: peers -->\n<!-- end -->\n"


def document_needs_both_parts():
    try:
        report.with_parts(DOCUMENT.replace("peers", "others"), {"figures": [], "peers": []})
    except ValueError:
        return True
    return False


SIZES = {("total", "minimal"): 40000, ("total", "least"): 9000, ("total", "vcpu"): 4000, ("total", "hot"): 512,
         ("total", "tables"): 1536, ("total", "others"): 1000,
         ("text", "core/a.c"): 40000, ("struct", "avc_exit"): 72, ("anyway", "part"): 100,
         ("stack", "avc_vcpu_run"): 1024}
OVER = {"vcpu": 4097, "hot": 513, "tables": 1537, "others": 1024}


def size_complaints(written=SIZES, **totals):
    return sizes.complaints({**SIZES, **{("total", name): size for name, size in totals.items()}}, written)


def sizes_round_trip():
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "sizes.tsv"
        sizes.write(SIZES, path)
        return sizes.read(path) == SIZES


TESTS = {
    "the same figures": complaints() == ([], []),
    "1 % more is allowed": complaints(hvc__a=101.0) == ([], []),
    "more than 1 % names row, figure and budget":
        complaints(hvc__a=101.01)[0] == ["hvc/a on max: 101.01 instructions, budget 100.00"],
    "cheaper is remarked": complaints(mrs=50.0) == ([], ["mrs on max: 50.00 instructions, budget 60.00: cheaper now"]),
    "a row without budget": complaints(new=1.0)[0] == ["new on max: 1.00 instructions, and no budget"],
    "a budget without row":
        complaints(mrs=None)[0] == ["mrs on max: has a budget of 60.00 instructions and was not measured"],
    "a configuration without budget":
        [bad for _, bad, _ in budget.compare({"other": {}}, BUDGET)] ==
        [["other: the budget file has no such configuration"]],
    "a median may be 2 % more": of_median(102.0) == [] and of_median(102.01) != [],
    "and its other counts are not kept": of_median(300.0, "sysregs") == [],
    "the file, written and read, keeps lines of other units": file_round_trip(),
    "the dearest member counts, the first of those that are alike, and of its own row only":
        [str(summed()["instructions"][row]) for row in ("hvc", "hvc_slow")] == ["61.00 b, c", "900.00"],
    "in each unit": summed()["sysregs"] == {"hvc": 4, "hvc_slow": 2},
    "of a family also the cheapest, and how many there are":
        [str(summed()["cheapest"]["hvc"]), summed()["members"]] == ["50.00 a", {"hvc": 3}],
    "a family within its limit": family_complaints(45, 30, 2, 1.5) == [],
    "beyond it, but not further than before": family_complaints(60, 30, 2, 1.5) == [],
    "further than before": family_complaints(60, 29, 2, 1.5) ==
        ["hvc on max: b is 2.07 times as dear as a, 2.02 are allowed"],
    "a family without a limit": family_complaints(60, 20, 2, 9) == [],
    "a family that has lost a member": family_complaints(60, 30, 1, 2) ==
        ["hvc on max: 1 members were measured, 2 have a budget"],
    "a ratio is met as it is printed": [report.is_even({"ratio": 1.5}, far) for far in (1.504, 1.506, None)] ==
        [True, False, None],
    "the dearest member as it was printed": report.dearest(ROW, summed()["instructions"]) == "hvc/b, c",
    "goals are for E2H=0 and E2H=1": [report.is_met(ROW, name, 61.0) for name in ("max", "max E2H")] == [False, True],
    "a goal is met as it is printed": report.is_met(ROW, "max", 60.04) and not report.is_met(ROW, "max", 60.06),
    "parts of the document are replaced": report.with_parts(DOCUMENT, {"figures": ["new"], "peers": ["p"]}) ==
        "x\n<!-- generated: figures -->\nnew\n<!-- end -->\ny\n<!-- generated: peers -->\np\n<!-- end -->\n",
    "a document that lacks a part": document_needs_both_parts(),
    "of other units a whole number may not grow": kept("hvc/a", 2.01)[0] ==
        ["hvc/a on max: 2.01 system-register accesses, budget 2.00"],
    "and an average by 1 %": [kept("wfi", value)[0] for value in (51.0, 51.1)] ==
        [[], ["wfi on max: 51.10 system-register accesses, budget 50.50"]],
    "their decrease is remarked":
        kept("hvc/a", 1.0, "tlbi") == ([], ["hvc/a on max: 1.00 TLB operations, budget 2.00: cheaper now"]),
    "all units that are kept are compared": all_units() == [["hvc/a on max: 3.00 barriers, budget 2.00",
                                                            "hvc/a on max: 3.00 TLB operations, budget 2.00"], []],
    "goals of units": [report.is_unit_met({"goals": {"tlbi": 0}}, *each) for each in
                       (("tlbi", 0.0), ("tlbi", 0.01), ("sysregs", 9.0), ("tlbi", None))] == [True, False, None, None],
    "classes of a group": PROFILE.classes(22) == {"mrs": 2, "isb": 4, "load": 0},
    "units out of classes": profiling.units({"mrs": 1, "msr": 2, "dsb": 3, "tlbi": 4, "atomic": 5, "load": 6}) ==
        {"el2": 21, "sysregs": 3, "barriers": 3, "tlbi": 4, "loads": 11, "stores": 5, "branches": 0},
    "functions of groups, most first": PROFILE.functions(SYMBOLS, [22, 64]) == {"handler": 10, "vectors": 9},
    "an address before all functions": SYMBOLS.name(0xfff) == "0xfff",
    "a row of the bench":
        profiling.rows(PROFILE, SYMBOLS, {"a": 1} | {str(n): 1 for n in range(2, 22)} | {"z": 2})["z"].units ==
        {"el2": 3, "sysregs": 1, "barriers": 2, "tlbi": 0, "loads": 0, "stores": 0, "branches": 0},
    "what ./avc run shows":
        RUN[0] == "profile: 40 instructions at EL2, 19 of them in exits; 60 below, of guests: 24.05 % in exits"
        and [line.split() for line in RUN[2:5]] == [
            ["exit", "exits", "by", "VMM", "at", "EL2", "each", "mrs", "isb", "load"],
            ["IRQ", "1", "0", "13", "13.0", "0.0", "3.0", "10.0"], ["HVC", "2", "1", "6", "3.0", "1.0", "2.0", "0.0"]],
    "of places and functions the top": len(RUN) == 11 and RUN[7].split() == ["0x500000", "IRQ", "1", "0", "13", "13.0"]
        and RUN[10].split() == ["handler", "10", "52.6"],
    "a profile that was cut off": profile_is_refused("lap\tel1\t5\t0\n"),
    "lines of no profile": profile_is_refused("TAP\n"),
    "growth: what is printed":
        growth.parse("setting\t1\nfrequency\t1000000000\nrow\tflat/a\t5000\t1000\n") == {"1": {"flat/a": 5.0}},
    "growth: a flat row may not, a searched one may by a search": [
        [line.split(":")[0] for line in growth.complaints({"1": {"flat/a": 100, "search/b": 100}, "8 VMs": more})]
        for more in ({"flat/a": 101, "search/b": 331}, {"flat/a": 102, "search/b": 331},
                     {"flat/a": 100, "search/b": 332}, {"flat/a": 1})] ==
        [[], ["flat/a with 8 VMs"], ["search/b with 8 VMs"], ["search/b with 8 VMs"]],
    "sizes within their limits, and as written": size_complaints() == ([], []),
    "each limit is one": [len(size_complaints({**SIZES, ("total", name): size}, **{name: size})[0])
                          for name, size in OVER.items()] == [1] * len(OVER),
    "and so is run's stack":
        "at most 1024" in sizes.complaints({**SIZES, ("stack", "avc_vcpu_run"): 1025}, SIZES)[0][0],
    "a total may move by 5 % before it is written anew":
        [len(size_complaints(minimal=size)[1]) for size in (42000, 38200, 42001, 38000)] == [0, 0, 1, 1],
    "what the minimal example takes, while it is over its limit": [len(sizes.complaints(
        {**SIZES, ("total", "minimal"): size}, {**SIZES, ("total", "minimal"): before})[0]) for size, before in
        ((49152, 40000), (49153, 40000), (51000, 51000), (51001, 51000), (49153, 0))] == [0, 1, 0, 1, 1],
    "what is linked although nobody calls it": [len(sizes.complaints({**SIZES, ("anyway", "part"): size}, SIZES)[0])
                                                for size in (0, 105, 106)] == [0, 0, 1],
    "a struct may not": len(sizes.complaints({**SIZES, ("struct", "avc_exit"): 80}, SIZES)[1]) == 1,
    "a struct that is new": len(sizes.complaints({**SIZES, ("struct", "avc_new"): 8}, SIZES)[1]) == 1,
    "sizes.tsv, written and read": sizes_round_trip(),
    "the hot part ends where avc.h says": "offsetof(struct avc_vcpu, nr_traps)" in sizes.struct_source(),
    "all peers of all rows have names": bool(report.read_rows()),
}


# ---- worst ----

def longest(**lengths):
    """Returns what worst.gather() would, with a stretch of each table besides."""
    found = {("trap", "HVC"): 1, ("call", "avc_vcpu_run"): 1, ("lock", "put"): 1, ("vmm", "HVC"): 1}
    found |= {tuple(name.split("__")): length for name, length in lengths.items()}
    return {key: worst.Worst(length, 1, "here", {"f": length}) for key, length in found.items()}


def worst_complaints(**lengths):
    return [line.split(":")[0] for line in worst.complaints(longest(**lengths))]


GOAL = {table: worst.limits()[table, "*"][0] for table in worst.TABLES}
TESTS |= {
    "worst: each table has a goal, and any other limit a reason": set(GOAL) == set(worst.TABLES)
        and all(bool(reason) == (name != "*") for (_, name), (_, reason) in worst.limits().items()),
    "worst: no limit is as good as the goal": [key for key, (limit, _) in worst.limits().items()
                                               if key[1] != "*" and limit <= GOAL[key[0]]] == [],
    "worst: what is at its limit": worst_complaints(trap__SMC=GOAL["trap"], lock__new=GOAL["lock"]) == [],
    "worst: what is above": worst_complaints(trap__SMC=GOAL["trap"] + 1, lock__new=GOAL["lock"] + 1) ==
        ["trap, SMC", "lock, new"],
    "worst: a limit of its own, and the pattern after it": worst.limit_of(
        {("lock", "seal"): (9, ""), ("lock", "s*"): (7, ""), ("lock", "*"): (5, "")}, ("lock", "seal"))[0] == 9,
    "worst: a table without a row": [line.split(":")[0] for line in worst.complaints({})] == list(worst.TABLES),
    "worst: a stretch of a test's own host is none": worst.kind_of("masked", "64", "f", False, {}) is None,
    "worst: names": [worst.kind_of(*arguments) for arguments in (
        ("masked", "64", "", True, {}), ("library", "36", "", False, {}), ("library", "36", "", False, {"parts": 1}),
        ("library", "mask", "f", False, {}), ("lock", "0", "f", False, {}))] == [
            ("vmm", "IRQ"), ("trap", "data abort"), ("trap", "data abort, decoder"), ("call", "f"), ("lock", "f")],
}

print(f"1..{len(TESTS)}")
for number, (name, passed) in enumerate(TESTS.items(), 1):
    print(f"{'ok' if passed else 'not ok'} {number} - {name}")
sys.exit(not all(TESTS.values()))
