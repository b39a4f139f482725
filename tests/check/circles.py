#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""Checks that the modules of src/ form no circle. Prints TAP.

The files with one path but for the suffix are a module: core/exit/run.c and core/exit/run.h. There are two graphs:

    includes   a module includes another's header
    symbols    a module's object uses a symbol that another's defines, whichever header declares it

    circles.py [--root ROOT] [--build BUILD]

ROOT is another tree than this one. BUILD is a folder that meson has built, by default AVC_TEST_BUILD. Without a folder
there are no symbols to look at.
"""
import argparse
import collections
import json
import os
import pathlib
import re
import subprocess
import sys

SUFFIXES = (".c", ".h", ".S", ".def", ".inc")


def module(path):
    """The module of a path below src/."""
    return str(pathlib.PurePath(path).with_suffix(""))


class Graph:
    """Which module needs which, and why: edges[a][b] is what a takes from b."""

    def __init__(self):
        self.edges = collections.defaultdict(lambda: collections.defaultdict(set))

    def add(self, a, b, why):
        if a != b:
            self.edges[a][b].add(why)

    def circles(self):
        """The strongly connected components of more than one module, by Tarjan's algorithm without recursion."""
        order, low, on_stack, stack, found = {}, {}, set(), [], []

        def enter(node):
            order[node] = low[node] = len(order)
            stack.append(node)
            on_stack.add(node)
            return node, iter(sorted(self.edges[node]))

        for root in sorted(self.edges):
            if root in order:
                continue
            work = [enter(root)]
            while work:
                node, rest = work[-1]
                for other in rest:
                    if other not in order:
                        work.append(enter(other))
                        break
                    if other in on_stack:
                        low[node] = min(low[node], order[other])
                else:
                    work.pop()
                    if work:
                        low[work[-1][0]] = min(low[work[-1][0]], low[node])
                    if low[node] == order[node]:
                        part = stack[stack.index(node):]
                        del stack[stack.index(node):]
                        on_stack.difference_update(part)
                        if len(part) > 1:
                            found.append(sorted(part))
        return sorted(found)

    def shortest(self, start, end, inside):
        """The shortest path from one module to another, as a list of them."""
        before, queue = {start: None}, collections.deque([start])
        while queue:
            node = queue.popleft()
            if node == end:
                way = []
                while node is not None:
                    way.append(node)
                    node = before[node]
                return way[::-1]
            for other in sorted(set(self.edges[node]) & inside):
                if other not in before:
                    before[other] = node
                    queue.append(other)
        return []

    def complaints(self):
        """Yields for each circle its modules, and the shortest circle through each of its edges, once."""
        for part in self.circles():
            yield f"{len(part)} modules form a circle: {', '.join(part)}"
            inside, shown = set(part), set()
            for a in part:
                for b in sorted(set(self.edges[a]) & inside):
                    way = self.shortest(b, a, inside)
                    if frozenset(way) in shown:
                        continue
                    shown.add(frozenset(way))
                    yield f"  {a}" + "".join(f" -> {y} ({reasons(self.edges[x][y])})" for x, y in zip([a, *way], way))


def reasons(why):
    names = sorted(why)
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")


# ---- includes ----


def include_folders(src):
    """The folders in which the compiler looks for headers, in its order, from src/sources.txt."""
    try:
        lines = (src / "sources.txt").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    return [line.split()[1] for line in lines if line.startswith("include ")]


def resolve(name, folder, files, folders):
    """The files below src/ that an include may mean: the one that the compiler finds, or otherwise all of that name."""
    for place in [folder, *folders]:
        path = os.path.normpath(os.path.join(place, name))
        if path in files:
            return [path]
    return [f for f in files if f.endswith("/" + name) or f == name]


def include_graph(root):
    src, graph = root / "src", Graph()
    files = {str(p.relative_to(src)) for p in src.rglob("*") if p.suffix in SUFFIXES}
    folders = include_folders(src)
    for path in sorted(files):
        text = re.sub(r"/\*.*?\*/", "", (src / path).read_text(encoding="utf-8", errors="replace"), flags=re.S)
        for name in re.findall(r'^[ \t]*#[ \t]*include[ \t]+["<]([^">]+)[">]', text, flags=re.M):
            for target in resolve(name, os.path.dirname(path), files, folders):
                graph.add(module(path), module(target), os.path.basename(target))
    return graph


# ---- symbols ----


def objects(root, build):
    """Yields (module, object) of each source of src/ in BUILD's compile database. A second program that is built only
    when asked for, such as a fuzzer, may have the same source. The object that exists counts."""
    src = root.resolve() / "src"
    made = {}
    for entry in json.loads((build / "compile_commands.json").read_text(encoding="utf-8")):
        folder = pathlib.Path(entry["directory"])
        source = (folder / entry["file"]).resolve()
        if src in source.parents and "output" in entry:
            path = folder / entry["output"]
            if path.exists() or source not in made:
                made[source] = (module(source.relative_to(src)), path)
    return list(made.values())


def symbol_graph(root, build):
    graph, home, used = Graph(), {}, []
    found = objects(root, build)
    if not found:
        raise RuntimeError(f"{build} builds nothing of src/")
    for name, path in found:
        if not path.exists():
            raise RuntimeError(f"{path} is not built")
        out = subprocess.run(["nm", "-P", "-g", path], capture_output=True, text=True, check=True).stdout
        for symbol, kind in (line.split()[:2] for line in out.splitlines() if line):
            if kind in "Uwv":
                used.append((name, symbol))
            else:
                home[symbol] = name
    for name, symbol in used:
        if symbol in home:
            graph.add(name, home[symbol], symbol)
    return graph


# ---- TAP ----


def point(number, name, make):
    try:
        complaints = list(make().complaints())
    except (OSError, RuntimeError, ValueError, subprocess.CalledProcessError) as problem:
        complaints = [str(problem)]
    print(f"{'not ok' if complaints else 'ok'} {number} - {name}")
    for complaint in complaints:
        print(f"# {complaint}")
    return bool(complaints)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parents[2])
    parser.add_argument("--build", type=pathlib.Path, default=os.environ.get("AVC_TEST_BUILD"))
    arguments = parser.parse_args()
    build = arguments.build and pathlib.Path(arguments.build)
    print("1..2")
    failed = point(1, "includes of src/ form no circle", lambda: include_graph(arguments.root))
    if build:
        failed |= point(2, "symbols of src/ form no circle", lambda: symbol_graph(arguments.root, build))
    else:
        print("ok 2 - symbols of src/ form no circle # SKIP no build was named")
    return 1 if failed else 0


sys.exit(main())
