#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""Tests how stack.py and calltypes.py of bench/ add up stacks. Prints TAP."""
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))
import calltypes  # noqa: E402
import stack  # noqa: E402

# ---- stack: run calls a, and b by a pointer; both call c, a by a jump ----

CALLS = """node: { title: "run" label: "run\\nx.c:1:1\\n16 bytes (static)\\n0 dynamic objects" }
node: { title: "../src/core/x.c:a" label: "a\\nx.c:2:1\\n100 bytes (static)" }
node: { title: "b" label: "b\\nx.c:3:1\\n32 bytes (static)" }
node: { title: "c" label: "c\\nx.c:4:1\\n80 bytes (static)" }
node: { title: "memset" label: "memset" shape : ellipse }
edge: { sourcename: "run" targetname: "../src/core/x.c:a" label: "../src/core/x.c:1:1" }
edge: { sourcename: "run" targetname: "__indirect_call" label: "../src/core/x.c:7:5" }
edge: { sourcename: "../src/core/x.c:a" targetname: "c" label: "../src/core/x.c:1:1" }
edge: { sourcename: "b" targetname: "c" label: "../src/core/x.c:1:1" }
edge: { sourcename: "c" targetname: "memset" label: "../src/core/x.c:1:1" }
"""
CODE = """0000000000000000 <run>:
   0:\t94000000 \tbl\t10 <a>
   4:\td63f0060 \tblr\tx3
0000000000000010 <a>:
  10:\t14000000 \tb\t0 <run>
\t\t\t10: R_AARCH64_JUMP26\tc
0000000000000020 <b>:
  20:\t94000000 \tbl\t0 <run>
\t\t\t20: R_AARCH64_CALL26\tc
"""
ASSEMBLY = """0000000000000000 <avc_hw_smc>:
   0:\ta9be7bfd \tstp\tx29, x30, [sp, #-32]!
   4:\td10043ff \tsub\tsp, sp, #0x10
0000000000000008 <label>:
   8:\t94000000 \tbl\t0 <avc_hw_smc>
\t\t\t8: R_AARCH64_CALL26\tc
"""


CLAIM = "int (struct avc_vcpu *)"


def graph(more="", taken=("b",), kept=None, call=calltypes.Call(CLAIM, "claim.fn")):
    """kept: where b's address is stored."""
    types = calltypes.Types()
    types.of = {name: CLAIM for name in taken}
    types.kept = {"b": {"claim.fn"} if kept is None else kept}
    types.bodies = {"core/x.c": [calltypes.Body(5, 9, {call})] if call else []}
    found = stack.Graph(types)
    found.add_c(CALLS + more)
    found.add_code({"run": "run", "a": "core/x.c:a", "b": "b"}, CODE)
    found.taken = set(taken)
    return found


def stack_error(function, *arguments):
    try:
        function(*arguments)
    except stack.Error as error:
        return str(error)
    return ""


def assembly():
    found = stack.Graph(calltypes.Types())
    found.add_assembly("hw/smc.S", {"avc_hw_smc": "avc_hw_smc"}, ASSEMBLY)
    return found.frames, found.calls


def assembly_calls():
    """Calls by pointer from the vectors, and from other assembly."""
    types = calltypes.Types()
    types.of = {"f": CLAIM, "g": "int (void *)"}
    found = stack.Graph(types)
    found.taken = {"f", "g"}
    return found.by_pointer("avc_hw_switch", "hw/vectors.S", None), found.by_pointer("f", "hw/smc.S", None)


def too_many_ways():
    found, limit = graph(LOOP), stack.MAX_STEPS
    try:
        stack.MAX_STEPS = 3
        return "too many ways" in stack_error(found.deepest, "run")
    finally:
        stack.MAX_STEPS = limit


BACK = 'edge: { sourcename: "c" targetname: "b" label: "../src/core/x.c:1:1" }\n'
# b calls b by a pointer, directly and by way of c.
LOOP = 'edge: { sourcename: "b" targetname: "__indirect_call" label: "../src/core/x.c:7:5" }\n'

SOURCE = """
#define bool _Bool
typedef int fn_t(void *);
struct ops { int nr; fn_t *load, *put; };
struct lib { const struct ops *ops; fn_t *load; };
static int one(void *p) { return p != 0; }
int two(void *p) { return !p; }
int three(void *p) { return !p; }
int four(void *p) { return !p; }
long other(void *p) { return !p; }
static const struct ops ops = { 1, one, two };
static fn_t *const table[] = { three, 0 };
bool call(struct lib *l)
{
    return l->ops->load(l);
}

int call_table(int n)
{
    return table[n & 1](&n) + four(&n);
}

int call_local(struct lib *l, fn_t *fn)
{
    return l->load(l) + fn(l);
}

void set(struct lib *l, int n)
{
    l->load = n ? two : four;
    l->ops = &ops;
    if (l->load == three)
        call_local(l, other);
}
"""


def compiled():
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder) / "src/core/x.c"
        source.parent.mkdir(parents=True)
        source.write_text(SOURCE)
        types = calltypes.Types()
        types.add(calltypes.dump(source, folder))
        return types


def lines_of(text):
    return next(number for number, line in enumerate(SOURCE.splitlines(), 1) if text in line)


TYPES = compiled()
NAMES = ("core/x.c:one", "two", "three", "four", "other")


def reached(text):
    calls = TYPES.called_at("core/x.c", lines_of(text))
    return {name.rpartition(":")[2] for name in NAMES if any(TYPES.reaches(call, name) for call in calls)}


TESTS = {
    "a frame counts under a call, not under a jump": graph().deepest("run") == (16 + 32 + 80, ["run", "b", "c"]),
    "a pointer of which nothing is known":
        "unknown type at core/x.c:7" in stack_error(graph(call=None).deepest, "run"),
    "a function that goes elsewhere is not reached": graph(kept={"ops.load"}).deepest("run")[0] == 16 + 100,
    "one that goes everywhere is": graph(kept={""}).deepest("run")[0] == 128,
    "a pointer that is no member reaches all of its type":
        graph(kept={"ops.load"}, call=calltypes.Call(CLAIM, "")).deepest("run")[0] == 128,
    "an address that nothing can call": stack_error(graph(kept={"ops.load"}).check_pointers) ==
        "nothing that bench/stack.py sees can call b, whose address is taken",
    "an address that is not taken": graph(taken=()).deepest("run")[0] == 16 + 100,
    "recursion": stack_error(graph(BACK).deepest, "core/x.c:a") == "recursion: c -> b -> c",
    "recursion that has a bound": graph(BACK).deepest("c", {"c": 2, "b": 2}) == (32 + 80, ["c", "b", "c"]),
    "a pointer does not lead back": graph(LOOP).deepest("run") == (16 + 32 + 80, ["run", "b", "c"]),
    "circles that nobody can follow": too_many_ways(),
    "a function of which nothing is known":
        "nothing is known" in stack_error(graph(BACK.replace('"b"', '"d"')).deepest, "run"),
    "a frame that grows as it runs":
        "no constant size" in stack_error(graph, 'node: { title: "d" label: "d\\nx.c:1:1\\n16 bytes (dynamic)" }\n'),
    "assembly: what is pushed, and what is called": assembly() == ({"avc_hw_smc": 48}, {"avc_hw_smc": {"c"}}),
    "assembly: a pointer of the vectors reaches what takes a vCPU, any other the host":
        assembly_calls() == ({"f"}, set()),
    "public functions are found": {"avc_vcpu_run", "avc_vgic_attach", "avc_pcpu_irq", "avc_to_firmware"} -
        set(stack.public_functions(pathlib.Path(stack.__file__).resolve().parents[1])) == {"avc_to_firmware"},
    "functions and their types":
        TYPES.of["core/x.c:one"] == "int (void *)" and TYPES.of["call"] == "bool (struct lib *)",
    "a member of a constant struct": reached("l->ops->load(l)") == {"one"} | {"three"},
    "a table, and what is called by its name": reached("table[n & 1]") == {"one", "two", "three", "four"},
    "a member that is assigned, and a parameter": reached("l->load(l) + fn") == {"one", "two", "three", "four"},
    "where addresses go": [TYPES.kept.get(name) for name in NAMES] ==
        [{"ops.load"}, {"ops.put", "lib.load"}, {""}, {"lib.load"}, {""}],
    "no call by a pointer": TYPES.called_at("core/x.c", lines_of("l->ops = &ops")) == set(),
}

print(f"1..{len(TESTS)}")
for number, (name, passed) in enumerate(TESTS.items(), 1):
    print(f"{'ok' if passed else 'not ok'} {number} - {name}")
sys.exit(not all(TESTS.values()))
