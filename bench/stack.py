# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""Computes the deepest stack of the library from the compiler's own figures. gcc's -fcallgraph-info=su writes a .ci
file beside each object, with each function's frame and the functions that it calls. This file walks down from the
public functions. It reads assembly in its objects.

Functions have the linker's names. A static function has its file in front: "emul/vgic.c:enter". A call by a pointer can
reach each function of that pointer's type whose address is taken (calltypes.py). A call from the vectors can reach each
function that takes a vCPU first. Other assembly calls the host alone. Two things are errors: a function whose address
is taken but which no call reaches, and recursion without a pointer. The embedder's callbacks and claims do not count.
"""
import functools
import pathlib
import re
import subprocess

import calltypes
from calltypes import short

ROOT = pathlib.Path(__file__).resolve().parents[1]
TOOLS = "aarch64-linux-gnu-"
OUTSIDE = {"memcpy", "memset", "memmove", "memcmp"}  # the embedder's
# These end in hal->panic. They never return, so they do not count below others and have a row of their own.
LAST = {"avc_panic", "avc_trap_host", "avc_host_trap"}
# Files of assembly that are one function each. vectors.S calls C on the frame of avc_hw_switch. An asm statement calls
# avc_hw_switch, so the compiler's figures do not have that call.
ENTER, HOST_VECTORS = "avc_hw_switch", "avc_host_vectors"
WHOLE = {"hw/vectors.S": ENTER, "hw/host_vectors.S": HOST_VECTORS}
# The first argument that the vectors pass whenever they call by a pointer.
FROM_ASSEMBLY = "(struct avc_vcpu *"

# Functions that may call themselves, and how deep: stage 2 tables have four levels. run() does not call them.
BOUNDED = {"core/mem/stage2_init.c:free_tables": 4, "core/mem/stage2_map.c:change_range": 4}
# A limit, because a graph with circles may have more paths than can be tried.
MAX_STEPS = 2000000


class Error(Exception):
    pass


def run(tool, *words):
    return subprocess.run([TOOLS + tool, *map(str, words)], capture_output=True, text=True, check=True).stdout


class Graph:
    def __init__(self, types):
        self.frames = {}  # function: bytes
        self.calls = {}  # function: functions, and for calls by pointer (file, line); line is None if assembly calls
        self.taken = set()  # functions whose address is taken
        # Calls during which the caller's frame stays: (function, callee), or (function, None) for a call by pointer.
        # All other calls are tail calls.
        self.under = set()
        self.done = {}  # function: what deepest() found
        self.types = types
        self.skipped = 0  # how many calls by pointer were skipped, because they would go in a circle
        self.steps = 0  # how many functions deepest() has visited

    # ---- reading ----

    def add_c(self, text):
        """Reads a .ci file: frames and calls."""
        for title, label in re.findall(r'^node: \{ title: "([^"]*)" label: "([^"]*)"', text, re.M):
            size = re.search(r"(\d+) bytes \((\w+)\)", label)
            if not size:
                continue  # called, and defined elsewhere
            if size[2] != "static":
                raise Error(f"{short(title)}: a frame of no constant size")
            self.frames[short(title)] = int(size[1])
            self.calls.setdefault(short(title), set())
        for source, target, label in re.findall(
                r'^edge: \{ sourcename: "([^"]*)" targetname: "([^"]*)"(?: label: "([^"]*)")?', text, re.M):
            callee = short(target)
            if target == "__indirect_call":
                file, line = re.fullmatch(r"(.*):(\d+):\d+", label).groups()
                callee = short(file), int(line)
            self.calls.setdefault(short(source), set()).add(callee)

    def add_object(self, path):
        """Reads from an object which addresses are taken. If it is assembly, reads frames and calls, too."""
        source = source_of(path)
        symbols, sections = read_symbols(source, run("readelf", "-SsW", path))
        self.add_relocations(symbols, sections, run("readelf", "-rW", path))
        code = run("objdump", "-dr", path)
        functions = {symbol[4].split(":")[-1]: symbol[4] for symbol in symbols if symbol[2] == "FUNC"}
        if path.name.endswith(".S.o"):
            self.add_assembly(source, functions, code)
        else:
            self.add_code(functions, code)

    def add_relocations(self, symbols, sections, text):
        known = False
        for line in text.splitlines():
            head = re.match(r"Relocation section '\.rela(\S+)'", line)
            if head:
                known = not head[1].startswith((".debug", ".eh_frame")) and head[1] in sections
            entry = re.match(r"[0-9a-f]{16}\s+\S+\s+(R_AARCH64_\w+)\s+\S+\s+(\S+) \+ ([0-9a-f]+)", line)
            if entry and known and not entry[1].endswith(("CALL26", "JUMP26", "CONDBR19", "TSTBR14")):
                function = function_at(symbols, sections, entry[2], int(entry[3], 16))
                self.taken |= {function} if function else set()

    def add_code(self, functions, text):
        """Finds the calls that are no tail calls. functions: {name in the object: name}."""
        function, lines = None, text.splitlines()
        for line, after in zip(lines, lines[1:] + [""]):
            start = re.match(r"[0-9a-f]+ <(\S+?)(?:\.cold)?>:", line)
            call = re.search(r"\tbl\t[0-9a-f]+ <(\S+?)>", line)
            if start:
                function = functions[start[1]]
            elif call:
                named = re.search(r"R_AARCH64_CALL26\s+(\S+)", after)
                callee = named[1] if named else call[1]
                self.under.add((function, functions.get(callee, callee)))
                if callee == ENTER:
                    self.calls.setdefault(function, set()).add(callee)
            elif re.search(r"\tblr\t", line):
                self.under.add((function, None))

    def add_assembly(self, source, functions, text):
        """Reads the calls of assembly, and its frames: what it pushes by pre-index, or subtracts from SP. The vectors
        also push in front of what never returns, which is no part of their frame."""
        function = WHOLE.get(source)
        for line in text.splitlines():
            start = re.match(r"[0-9a-f]+ <(\w+)>:", line)
            if start:
                function = start[1] if start[1] in functions else function
                self.frames.setdefault(function, 0)
                self.calls.setdefault(function, set())
            taken = re.search(r"\[sp, #-(\d+)\]!|\bsub\tsp, sp, #(0x[0-9a-f]+|\d+)", line)
            if taken and source not in WHOLE:
                self.frames[function] += int(taken[1] or taken[2], 0)
            call = re.search(r"R_AARCH64_CALL26\s+(\w+)", line)
            if call:
                self.calls[function].add(call[1])
                self.under.add((function, call[1]))
            elif re.search(r"\tblr\t", line):
                self.calls[function].add((source, None))
                self.under.add((function, None))

    # ---- walking ----

    def callees(self, function):
        """Yields (function, whether this function's frame stays below it, whether it is called by a pointer)."""
        for callee in sorted(self.calls[function], key=str):
            if isinstance(callee, tuple):
                for name in sorted(self.by_pointer(function, *callee)):
                    yield name, (function, None) in self.under, True
            elif callee not in OUTSIDE and callee not in LAST:
                yield callee, (function, callee) in self.under, False

    def by_pointer(self, function, file, line):
        if line is None and function not in WHOLE.values():
            return set()  # it is the host's
        if line is None:
            return {name for name in self.taken if FROM_ASSEMBLY in self.types.of.get(name, "")}
        calls = self.types.called_at(file, line)
        if not calls:
            raise Error(f"{function} calls by a pointer of unknown type at {file}:{line}")
        return {name for name in self.taken if any(self.types.reaches(call, name) for call in calls)}

    def check_pointers(self):
        """Checks that each function whose address is taken is reached by a pointer."""
        reached = {name for function, callees in self.calls.items() for callee in callees if isinstance(callee, tuple)
                   for name in self.by_pointer(function, *callee)}
        lost = sorted(self.taken - reached - set(WHOLE.values()))
        if lost:
            raise Error(f"nothing that bench/stack.py sees can call {', '.join(lost)}, whose address is taken")

    def deepest(self, function, bounded=BOUNDED, way=(), by_pointer=False):
        """Returns (bytes, [functions from here down]). way: [(function, whether it was called by a pointer)]."""
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise Error(f"pointers lead in circles, in too many ways: {' -> '.join(name for name, _ in way)}")
        above = [name for name, _ in way]
        if above.count(function) == bounded.get(function, 1):
            if function in bounded:
                return 0, []
            around = way[above.index(function):]
            if not by_pointer and not any(pointer for _, pointer in around[1:]):
                raise Error(f"recursion: {' -> '.join([name for name, _ in around] + [function])}")
            self.skipped += 1  # no function in a table calls through the same table
            return 0, []
        if function not in self.frames:
            raise Error(f"{above[-1] if above else 'nobody'} calls {function}, of which nothing is known")
        if function in self.done:
            return self.done[function]
        found, skipped = (self.frames[function], [function]), self.skipped
        for callee, stays, pointer in self.callees(function):
            size, below = self.deepest(callee, bounded, (*way, (function, by_pointer)), pointer)
            size += self.frames[function] if stays else 0
            found = max(found, (size, [function, *below]), key=lambda one: one[0])
        if not bounded.keys() & {function, *above} and self.skipped == skipped:  # otherwise the result depends on way
            self.done[function] = found
        return found


def object_source(name):
    """Returns the file below src/ from which the build made the object with this name (without .o)."""
    return next((source for source in sources() if source.replace("/", "_") == name), name)


@functools.cache
def sources(root=ROOT):
    """Returns the files that sources.txt lists."""
    lines = (root / "src/sources.txt").read_text().splitlines()
    return [line.split()[1] for line in lines if re.match(r"[a-z]+ \S+\.[cS]$", line)]


def source_of(path):
    return object_source(path.name.removesuffix(".o"))


def read_symbols(source, text):
    """Returns [(address, size, type, section, name)] and {section's name: number}, from the output of readelf -SsW."""
    sections = {name: int(number) for number, name in re.findall(r"^\s*\[\s*(\d+)\] (\.\S+)", text, re.M)}
    symbols = []
    for at, size, kind, binding, home, name in re.findall(
            r"^\s*\d+: ([0-9a-f]{16})\s+(\w+) (\w+)\s+(\w+)\s+\w+\s+(\w+) (\S+)$", text, re.M):
        if kind in ("FUNC", "OBJECT") or (kind == "NOTYPE" and home == "UND"):
            name = re.sub(r"\.\d+$", "", name) if kind == "OBJECT" else name  # a static variable of a function
            symbols.append((int(at, 16), int(size, 0), kind, int(home) if home.isdigit() else None,
                            name if binding == "GLOBAL" else f"{source}:{name}"))
    return symbols, sections


def function_at(symbols, sections, target, addend):
    """Returns the symbol that a relocation means. It may name a section and an offset instead of a function. A symbol
    of another file is a function if the graph has it; see Library."""
    if target.startswith("."):
        section = sections.get(target)
        return next((name for at, size, kind, home, name in symbols
                     if kind == "FUNC" and home == section and at <= addend < at + max(size, 1)), None)
    own = next((symbol for symbol in symbols if symbol[4].rpartition(":")[2] == target), None)
    if own is None or own[2] == "OBJECT" or addend:
        return None
    return own[4]


def read(folder):
    """Returns the graph of a build of src/."""
    objects = sorted(folder.glob("src/libavc*.p/*.o"))
    if not objects:
        raise Error(f"{folder} has no library: build src/libavc.a")
    try:
        graph = Graph(calltypes.read(folder))
    except FileNotFoundError as error:
        raise Error(f"{error.filename} is missing, which tells the types of pointers") from error
    for path in objects:
        graph.add_object(path)
        if path.name.endswith(".c.o"):
            info = path.with_suffix(".ci")
            if not info.exists():
                raise Error(f"{info} is missing: the compiler is no gcc, or the build folder is an older one's")
            graph.add_c(info.read_text())
    graph.taken &= graph.frames.keys()  # the others are data
    graph.check_pointers()
    return graph


def public_functions(root):
    """Yields the public functions, as the headers declare them."""
    for header in sorted((root / "include/avc").glob("*.h")):
        text = re.sub(r"/\*.*?\*/", "", header.read_text(), flags=re.S)
        text = re.sub(r"static inline.*?\n}", "", text, flags=re.S)
        yield from re.findall(r"^(?!typedef|#)[\w ]+[ *](avc_\w+)\((?!\*)[^{;]*\)(?:\s*__attribute__[^;]*)?;",
                              text, re.M)
