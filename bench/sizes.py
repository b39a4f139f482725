# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""Measures what the library takes of memory, and checks what is limited: .text that an embedder pays for, by part and
by object; the public structs; the stack. The figures that docs/performance.md shows are in sizes.tsv, which `./avc
bench --update-budget` writes."""
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
# Bytes: .text of each part and each object, each public struct, the most stack below each public function. Written by
# `./avc bench --update-budget`.
"""
MINIMAL = ROOT / "examples/01-minimal/main.c"
# (kind, name): (title, most bytes). The kind `total` is computed from the others.
LIMITS = {
    ("total", "vcpu"): ("struct avc_vcpu without its two struct avc_fp", 4096),
    ("total", "hot"): ("of that what the exit paths touch, in front of `/* Cold. */`", 512),
    ("stack", "avc_vcpu_run"): ("stack of avc_vcpu_run(), besides what callbacks and claims use", 1024),
    ("total", "tables"): ("stack of any function of stage 2 tables", 1536),
    ("total", "others"): ("stack of any other function", 1023),
}
# (kind, name): (title, goal). A figure over its goal may not grow.
GOALS = {("total", "minimal"): (".text that examples/01-minimal takes", 48 * 1024)}
# Optional parts, and how the names of their public functions begin. An embedder who calls none of these does not link
# the part.
PARTS = {
    "PSCI and SMCCC": ("avc_psci_",),
    "GICv3 and timers": ("avc_vgic_",),
    "stage 2 tables": ("avc_stage2_",),
    "observers and histograms": ("avc_observe", "avc_histogram_", "avc_vcpu_observe", "avc_vm_observe"),
    "system calls": ("avc_syscalls_",),
    "calls to firmware": ("avc_to_firmware",),
    "loads and stores without syndrome": ("avc_decoder_",),
    "saved state": ("avc_state_",),
}
# A figure of the document may be off by this factor before it has to be written anew.
STALE = 1.05


# ---- measuring ----

def texts(build):
    """Returns {object: bytes of .text}."""
    sizes = {}
    for path in sorted(build.glob("src/libavc*.p/*.o")):
        lines = stack.run("size", "-A", path).splitlines()
        sizes[stack.source_of(path)] = sum(int(line.split()[1]) for line in lines if re.match(r"\.text\b", line))
    return sizes


def roots(source):
    """Returns the functions of the library that a program calls."""
    with tempfile.TemporaryDirectory() as folder:
        compiled = pathlib.Path(folder) / "program.o"
        stack.run("gcc", "-ffreestanding", "-std=gnu11", "-O2", f"-I{ROOT}/include", f"-I{ROOT}/examples/host",
                  "-c", source, "-o", compiled)
        return set(re.findall(r"U (avc_\w+)", stack.run("nm", "-u", compiled)))


def link(archive, functions):
    """Returns the objects that these functions take from the archive: {object: (object that wants it, or '', symbol)}.
    """
    with tempfile.TemporaryDirectory() as folder:
        listed = pathlib.Path(folder) / "map"
        stack.run("ld", "-e", "0", "--unresolved-symbols=ignore-all", "--no-warn-rwx-segments",
                  *(word for function in sorted(functions) for word in ("-u", function)), archive, f"-Map={listed}",
                  "-o", pathlib.Path(folder) / "out")
        head = listed.read_text().partition("\n\n")[2].partition("\n\n")[0]
    wanted = re.findall(r"\((\S+)\.o\)\s+(?:\S*\((\S+)\.o\) )?\((\w+)\)", head)
    return {stack.object_source(name): (stack.object_source(by), symbol) for name, by, symbol in wanted}


def defined(archive):
    """Returns {function: object}."""
    table, name = {}, ""
    for line in stack.run("nm", "--defined-only", archive).splitlines():
        name = line[:-3] if line.endswith(".o:") else name
        found = re.match(r"[0-9a-f]+ T (\w+)$", line)
        if found:
            table[found[1]] = stack.object_source(name)
    return table


def parts(build):
    """Returns ({(kind, name): bytes}, {part: {object: (object, symbol)}}). The second has the objects of a part that
    are linked although nobody calls the part, and what wants each of them."""
    archive, text = build / "src/libavc.a", texts(build)
    homes = defined(archive)
    headers = "".join(re.sub(r"/\*.*?\*/", "", header.read_text(), flags=re.S)
                      for header in (ROOT / "include/avc").glob("*.h"))
    public = set(re.findall(r"\w+", headers)) & homes.keys()
    of_part = {part: {name for name in public if name.startswith(begins)} for part, begins in PARTS.items()}
    minimal = roots(MINIMAL)
    least = minimal - set().union(*of_part.values())
    base, anyway = link(archive, least), {}

    def bytes_of(objects):
        return sum(text[name] for name in objects)

    sizes = {("total", "minimal"): bytes_of(link(archive, minimal)), ("total", "least"): bytes_of(base)}
    for part, names in of_part.items():
        sizes["part", part] = bytes_of(link(archive, least | names)) - bytes_of(base)
        anyway[part] = {home: base[home] for home in sorted({homes[name] for name in names}) if home in base}
        sizes["anyway", part] = bytes_of(anyway[part])
    return sizes, anyway


def struct_source(root=ROOT):
    """Returns C code with an array for each struct, as long as the struct. The hot part of the vCPU ends at the member
    that follows the comment `Cold.`."""
    lines, headers = [], sorted((root / "include/avc").rglob("*.h"))
    text = "\n".join(header.read_text() for header in headers)
    cold = re.search(r"/\* Cold\. \*/\s*\w[\w ]*[ *](\w+)", text[text.index("\nstruct avc_vcpu {"):])
    lines += [f"#include <{header.relative_to(root / 'include')}>" for header in headers]
    lines += [f"char {name}[sizeof(struct {name})];" for name in re.findall(r"^struct (avc_\w+) \{", text, re.M)]
    lines += [f"char hot[offsetof(struct avc_vcpu, {cold[1]})];",
              "char vcpu[sizeof(struct avc_vcpu) - 2 * sizeof(struct avc_fp)];"]
    return "\n".join(lines) + "\n"


def structs():
    """Returns {name: bytes} of the structs, and of `hot` and `vcpu`."""
    with tempfile.TemporaryDirectory() as folder:
        source, compiled = pathlib.Path(folder) / "structs.c", pathlib.Path(folder) / "structs.o"
        source.write_text(struct_source())
        stack.run("gcc", "-ffreestanding", "-std=gnu11", f"-I{ROOT}/include", "-c", source, "-o", compiled)
        lines = stack.run("nm", "-S", compiled).splitlines()
    return {name: int(size, 16) for _, size, _, name in map(str.split, lines)}


def stacks(build):
    """Returns {public function: bytes}, and the call graph."""
    graph = stack.read(build)
    return {name: graph.deepest(name)[0] for name in stack.public_functions(ROOT) if name in graph.frames}, graph


def measure(build):
    """Returns {(kind, name): bytes}; the functions, each with its frame, down to where run's stack is deepest; and what
    is linked although nobody calls it."""
    text, struct, (deep, graph) = texts(build), structs(), stacks(build)
    sizes, anyway = parts(build)
    sizes |= {("total", name): struct.pop(name) for name in ("vcpu", "hot")}
    tables = {name: size for name, size in deep.items() if name.startswith("avc_stage2_")}
    sizes["total", "tables"] = max(tables.values())
    sizes["total", "others"] = max(size for name, size in deep.items() if name not in {*tables, "avc_vcpu_run"})
    for kind, figures in (("text", text), ("struct", struct), ("stack", deep)):
        sizes.update({(kind, name): size for name, size in sorted(figures.items())})
    return sizes, [(graph.frames[name], name) for name in graph.deepest("avc_vcpu_run")[1]], anyway


# ---- the file ----

def read(path=FILE):
    return {(kind, name): int(size) for kind, name, size in tsv.read(path)}


def write(sizes, path=FILE):
    path.write_text(HEAD + "".join(f"{kind}\t{name}\t{size}\n" for (kind, name), size in sizes.items()))


# ---- showing ----

def of_kind(sizes, kind):
    return {name: size for (of, name), size in sizes.items() if of == kind}


def limit_rows(sizes):
    for key, (title, limit) in (GOALS | LIMITS).items():
        yield title, sizes[key], limit


def by_folder(sizes):
    """Yields (folder, bytes, {file: bytes}), the biggest file first."""
    folders = {}
    for name, size in of_kind(sizes, "text").items():
        folder, _, file = name.rpartition("/")
        folders.setdefault(folder, {})[file] = size
    for folder, files in sorted(folders.items()):
        yield folder, sum(files.values()), dict(sorted(files.items(), key=lambda item: -item[1]))


def deep_ones(sizes):
    """The public functions whose stack is deeper than a few frames."""
    return {name: size for name, size in sorted(of_kind(sizes, "stack").items(), key=lambda item: -item[1])
            if size >= 256}


def text(sizes, way, anyway):
    lines = ["Limits, in bytes", ""]
    lines += [f"{title:70}{size:>8} of {limit:>6}  {'+' if size <= limit else '!'}"
              for title, size, limit in limit_rows(sizes)]
    lines += ["", f".text without any part: {sizes['total', 'least']}; what each part adds, and what of it is linked "
                  "by all", ""]
    for part, size in of_kind(sizes, "part").items():
        lines.append(f"{part:30}{size:>8}{sizes['anyway', part]:>8}")
        lines += [f"    {home}, for {by or 'the program'} calls {symbol}()"
                  for home, (by, symbol) in anyway[part].items()]
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
    costs = ["| part | bytes of .text that it adds | bytes of it that are linked by all |", "|---|---|---|",
             f"| none: a VM whose VMM does all | {sizes['total', 'least']} | |"]
    costs += [f"| {part} | {size} | {sizes['anyway', part]} |" for part, size in of_kind(sizes, "part").items()]
    objects = ["| folder | .text | by object |", "|---|---|---|"]
    objects += [f"| src/{folder} | {total} | {', '.join(f'{name} {size}' for name, size in files.items())} |"
                for folder, total, files in by_folder(sizes)]
    found = ["| struct | bytes |", "|---|---|"]
    found += [f"| {name} | {size} |" for name, size in of_kind(sizes, "struct").items()]
    deep = ["| function | bytes of stack |", "|---|---|"]
    deep += [f"| {name}() | {size} |" for name, size in deep_ones(sizes).items()]
    return {"sizes": limits, "parts": costs, "objects": objects, "structs": found, "stack": deep}


# ---- checking ----

def complaints(sizes, written):
    """Returns (what is over its limit, what the document should say anew)."""
    allowed = {key: limit for key, (_, limit) in LIMITS.items()}
    allowed |= {key: max(limit, written.get(key, 0)) for key, (_, limit) in GOALS.items()}
    titles = {key: title for key, (title, _) in (GOALS | LIMITS).items()}
    over = [f"{titles[key]}: {sizes[key]} bytes, at most {limit} are allowed"
            for key, limit in allowed.items() if sizes[key] > limit]
    over += [f"{part}: {size} bytes are linked although nobody calls it, {written.get(('anyway', part), 0)} were"
             for part, size in of_kind(sizes, "anyway").items() if size > written.get(("anyway", part), 0) * STALE]
    stale = [f"{title}: {sizes[key]} bytes, {FILE.name} has {written.get(key)}" for key, title in titles.items()
             if not written.get(key, 0) / STALE <= sizes[key] <= written.get(key, 0) * STALE]
    stale += [f"struct {name}: {of_kind(sizes, 'struct').get(name)} bytes, {FILE.name} has "
              f"{of_kind(written, 'struct').get(name)}"
              for name in sorted(of_kind(sizes, "struct").keys() | of_kind(written, "struct").keys())
              if sizes.get(("struct", name)) != written.get(("struct", name))]
    return over, stale


def check(build):
    """Prints TAP."""
    try:
        sizes, way, _ = measure(build)
        over, stale = complaints(sizes, read())
        over += [f"    {size:>4} {name}" for size, name in way] if any("stack" in line for line in over) else []
    except stack.Error as error:
        over, stale = [str(error)], []
    print("1..2")
    for number, (title, lines) in enumerate((("text, structs and stack are within their limits", over),
                                             (f"{FILE.name} has the figures that are measured", stale)), 1):
        print(f"{'not ok' if lines else 'ok'} {number} - {title}")
        for line in lines:
            print(f"# {line}")
    if stale:
        print("# ./avc bench --update-budget writes them anew")
    return 1 if over or stale else 0
