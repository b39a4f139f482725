# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""What the library takes of memory: .text by object, the public structs, stack; and what of it is limited. The figures that
docs/performance.md shows are in sizes.tsv, written by `./avc bench --update-budget`."""
import pathlib
import re
import tempfile

import stack
import tsv

ROOT = pathlib.Path(__file__).resolve().parents[1]
FILE = pathlib.Path(__file__).resolve().with_name("sizes.tsv")
HEAD = """# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
#
# Bytes: .text of each object, each public struct, the most stack below each public function. Written by
# `./avc bench --update-budget`.
"""
# (kind, name): (what it is, at most). `total` is what is computed from the others.
LIMITS = {
    ("total", "core"): (".text of src/core and src/hw", 48 * 1024),
    ("total", "vcpu"): ("struct avc_vcpu without its two struct avc_fp", 4096),
    ("total", "hot"): ("of that what the exit paths touch, in front of `/* Cold. */`", 512),
    ("stack", "avc_vcpu_run"): ("stack of avc_vcpu_run(), besides what callbacks and claims use", 1024),
}
# How far a figure of LIMITS may be from what the document says before that has to be written anew.
STALE = 1.05


# ---- measuring ----

def texts(build):
    """{object: bytes of .text}"""
    sizes = {}
    for path in sorted(build.glob("src/libavc*.p/*.o")):
        lines = stack.run("size", "-A", path).splitlines()
        sizes[stack.source_of(path)] = sum(int(line.split()[1]) for line in lines if re.match(r"\.text\b", line))
    return sizes


def struct_source(root=ROOT):
    """C with an array as long as each struct is. The hot part ends at the member behind the comment that says so."""
    lines, headers = [], sorted((root / "include/avc").rglob("*.h"))
    text = "\n".join(header.read_text() for header in headers)
    cold = re.search(r"/\* Cold\. \*/\s*\w[\w ]*[ *](\w+)", text[text.index("\nstruct avc_vcpu {"):])
    lines += [f"#include <{header.relative_to(root / 'include')}>" for header in headers]
    lines += [f"char {name}[sizeof(struct {name})];" for name in re.findall(r"^struct (avc_\w+) \{", text, re.M)]
    lines += [f"char hot[offsetof(struct avc_vcpu, {cold[1]})];",
              "char vcpu[sizeof(struct avc_vcpu) - 2 * sizeof(struct avc_fp)];"]
    return "\n".join(lines) + "\n"


def structs():
    """{struct, or `hot` or `vcpu`: bytes}"""
    with tempfile.TemporaryDirectory() as folder:
        source, compiled = pathlib.Path(folder) / "structs.c", pathlib.Path(folder) / "structs.o"
        source.write_text(struct_source())
        stack.run("gcc", "-ffreestanding", "-std=gnu11", f"-I{ROOT}/include", "-c", source, "-o", compiled)
        lines = stack.run("nm", "-S", compiled).splitlines()
    return {name: int(size, 16) for _, size, _, name in map(str.split, lines)}


def stacks(build):
    """{public function: bytes}"""
    graph = stack.read(build, ROOT)
    return {name: graph.deepest(name)[0] for name in stack.public_functions(ROOT) if name in graph.frames}, graph


def measure(build):
    """{(kind, name): bytes}, and the functions down to where run's stack is deepest, each with its frame."""
    text, struct, (deep, graph) = texts(build), structs(), stacks(build)
    sizes = {("total", name): struct.pop(name) for name in ("vcpu", "hot")}
    for name, folders in (("core", ("core", "hw")), ("emul", ("emul",))):
        sizes["total", name] = sum(size for path, size in text.items() if path.startswith(folders))
    for kind, figures in (("text", text), ("struct", struct), ("stack", deep)):
        sizes.update({(kind, name): size for name, size in sorted(figures.items())})
    return sizes, [(graph.frames[name], name) for name in graph.deepest("avc_vcpu_run")[1]]


# ---- the file ----

def read(path=FILE):
    return {(kind, name): int(size) for kind, name, size in tsv.read(path)}


def write(sizes, path=FILE):
    path.write_text(HEAD + "".join(f"{kind}\t{name}\t{size}\n" for (kind, name), size in sizes.items()))


# ---- showing ----

def of_kind(sizes, kind):
    return {name: size for (of, name), size in sizes.items() if of == kind}


def limit_rows(sizes):
    for key, (title, limit) in LIMITS.items():
        yield title, sizes[key], limit


def by_folder(sizes):
    """(folder, bytes, {file: bytes} from the biggest down)"""
    for folder in ("core", "hw", "emul"):
        files = {name.partition("/")[2]: size for name, size in of_kind(sizes, "text").items()
                 if name.startswith(f"{folder}/")}
        yield folder, sum(files.values()), dict(sorted(files.items(), key=lambda item: -item[1]))


def deep_ones(sizes):
    """Public functions that take more than a few frames."""
    return {name: size for name, size in sorted(of_kind(sizes, "stack").items(), key=lambda item: -item[1]) if size >= 256}


def text(sizes, way):
    lines = ["Limits, in bytes", ""]
    lines += [f"{title:70}{size:>8} of {limit:>6}  {'+' if size <= limit else '!'}" for title, size, limit in limit_rows(sizes)]
    for folder, total, files in by_folder(sizes):
        lines += ["", f".text of src/{folder}: {total}"] + [f"{size:>8}  {name}" for name, size in files.items()]
    lines += ["", "Structs"] + [f"{size:>8}  {name}" for name, size in of_kind(sizes, "struct").items()]
    lines += ["", "Stack below public functions, besides what callbacks use"]
    lines += [f"{size:>8}  {name}()" for name, size in deep_ones(sizes).items()]
    lines += ["", "Where avc_vcpu_run() is deepest: frames"] + [f"{size:>8}  {name}" for size, name in way]
    return "\n".join(lines) + "\n"


def document_parts(sizes):
    limits = ["| what | bytes | at most |", "|---|---|---|"]
    limits += [f"| {title} | {size} | {limit} |" for title, size, limit in limit_rows(sizes)]
    limits += [f"| .text of src/emul | {sizes['total', 'emul']} | |"]
    objects = ["| folder | .text | by object |", "|---|---|---|"]
    objects += [f"| src/{folder} | {total} | {', '.join(f'{name} {size}' for name, size in files.items())} |"
                for folder, total, files in by_folder(sizes)]
    found = ["| struct | bytes |", "|---|---|"]
    found += [f"| {name} | {size} |" for name, size in of_kind(sizes, "struct").items()]
    deep = ["| function | bytes of stack |", "|---|---|"]
    deep += [f"| {name}() | {size} |" for name, size in deep_ones(sizes).items()]
    return {"sizes": limits, "objects": objects, "structs": found, "stack": deep}


# ---- checking ----

def complaints(sizes, written):
    """(what is over its limit, what the document should say anew)"""
    over = [f"{title}: {size} bytes, at most {limit} are allowed" for title, size, limit in limit_rows(sizes) if size > limit]
    stale = [f"{LIMITS[key][0]}: {sizes[key]} bytes, {FILE.name} has {written.get(key)}" for key in LIMITS
             if not written.get(key, 0) / STALE <= sizes[key] <= written.get(key, 0) * STALE]
    stale += [f"struct {name}: {of_kind(sizes, 'struct').get(name)} bytes, {FILE.name} has {of_kind(written, 'struct').get(name)}"
              for name in sorted(of_kind(sizes, "struct").keys() | of_kind(written, "struct").keys())
              if sizes.get(("struct", name)) != written.get(("struct", name))]
    return over, stale


def check(build):
    """TAP."""
    try:
        sizes, way = measure(build)
        over, stale = complaints(sizes, read())
        over += [f"    {size:>4} {name}" for size, name in way] if any("stack" in line for line in over) else []
    except stack.Error as error:
        over, stale = [str(error)], []
    strays = stack.light_strays(build)
    print("1..3")
    for number, (title, lines) in enumerate((("text, structs and stack are within their limits", over),
                                             (f"{FILE.name} has the figures that are measured", stale),
                                             ("the light way calls nothing that is not compiled for it", strays)), 1):
        print(f"{'not ok' if lines else 'ok'} {number} - {title}")
        for line in lines:
            print(f"# {line}")
    if stale:
        print("# ./avc bench --update-budget writes them anew")
    return 1 if over or stale or strays else 0
