# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""Worst stack use of the library, by the compiler's own account: what each function takes and whom it calls (a .ci file
beside each object, gcc's -fcallgraph-info=su), walked down from the public functions. Assembly is read in its objects.

Functions have the linker's names, static ones with their file in front: "emul/vgic/vgic.c:enter". What can be reached by a
pointer is said by POINTERS; a call by a pointer that is not there is an error, and so is a function whose address is taken
although nothing there can reach it, and a call of a function by itself. The embedder's callbacks and claims do not count."""
import pathlib
import functools
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[1]
TOOLS = "aarch64-linux-gnu-"
OUTSIDE = {"memcpy", "memset", "memmove", "memcmp"}  # the embedder's
# What ends in hal->panic: no way back, and a row of its own.
LAST = {"avc_panic", "avc_trap_host", "avc_host_trap"}
# Files of assembly that are one function each: vectors.S calls C on the frame of avc_hw_switch, which is called by assembly
# in a line of C, so that the compiler's account does not have it.
ENTER, HOST_VECTORS = "avc_hw_switch", "avc_host_vectors"
WHOLE = {"hw/vectors.S": ENTER, "hw/host_vectors.S": HOST_VECTORS}


def table(name):
    """All functions that a constant table names."""
    return f"table {name}"


EMBEDDER = []
CLAIMS = ["avc_to_vmm", "avc_deny", "avc_to_firmware", "avc_call_settle", "avc_mmio_settle", "avc_sysreg_settle",
          "avc_vgic_redist_access", table("emul/vgic/sgi.c:claims"), "emul/syscall/syscall.c:on_svc", "emul/syscall/syscall.c:on_eret"]
TRAPS = [table("avc_trap_table"), table("avc_trap_table_claimed")]
CALLS_FIND = [f"emul/psci/settled.c:find_{name}" for name in ("psci32", "psci64", "smccc", "trng")]
PSCI = [table("emul/psci/settled.c:psci_rows")]
FOUND = [*PSCI, *(f"emul/psci/settled.c:{name}" for name in ("smccc_version", "arch_features", "trng_version", "trng_features")),
         "avc_fast_zero", "avc_fast_full", "avc_fast_unknown"]

# What the source calls, or the end of it behind -> or `.`; with a file of src/ in front, and with arguments, where two mean
# different things.
POINTERS = {
    # struct avc_hal, and other callbacks
    **dict.fromkeys(("panic", "log", "wake", "irq_fetch", "irq_end", "irq_mask", "handler->fn", "audit->call",
                     "audit->answer", "trace", "get", "put", "at", "s->fn", "core/mem/stage2.c fn"), EMBEDDER),
    # struct avc_irqc_ops
    "load": ["emul/vgic/vgic.c:load"],
    "irqc->put": ["emul/vgic/vgic.c:put"],
    "enter": ["emul/vgic/vgic.c:enter"],
    "reset": ["emul/vgic/vgic.c:reset"],
    "irq": ["avc_vgic_timer_irq", "core/object/vm.c:not_mine"],
    "irq_taken": ["avc_vgic_timer_taken", "avc_irq_taken"],
    "pending": ["emul/vgic/vgic.c:pending"],
    "deadline": ["avc_vgic_deadline"],
    "set_irq": ["avc_vgic_set_irq"],
    # claims: the library's own
    "claim->fn": CLAIMS,
    "own->fn": CLAIMS,
    "avc_claim_after": CLAIMS,  # the compiler has the call of which it is an argument
    "call->full": ["avc_psci_full", "avc_smccc_full", "avc_trng_full"],
    "call->find": CALLS_FIND,
    "mmio->full": ["avc_vgic_dist_access"],
    "write->full": ["avc_vgic_sgi"],
    # tables
    ENTER: [table("avc_trap_table_observed"), *TRAPS, *CLAIMS, "avc_call_answered", "avc_sysreg_answered"],
    "core/exit/observe.c table": TRAPS,
    "row->fn": [table("avc_trap_rows")],
    "core/exit/abort.c fn(v, esr)": [table("core/exit/abort.c:by_status")],
    "light": ["emul/vgic/light.c:dist", "emul/vgic/light.c:sgi1r", "avc_fast_mmio_claim", "avc_fast_sysreg_claim"],
    "core/exit/call.c fast": FOUND,
    "core/exit/fast.c row->fn": [*FOUND, "avc_fast_to_vmm", "avc_fast_claim", "avc_fast_other"],
    "writers": [table("emul/vgic/bank.c:writers")],
    "fill": ["core/exit/call.c:fill", "core/claim/index.c:fill_mmio", "core/claim/index.c:fill_sysreg"],
}

# Functions that may call themselves, and how deep: by the four levels of stage 2 tables. Not in run.
BOUNDED = {"core/mem/stage2.c:free_tables": 4, "core/mem/stage2_map.c:change_range": 4}


class Error(Exception):
    pass


def run(tool, *words):
    return subprocess.run([TOOLS + tool, *map(str, words)], capture_output=True, text=True, check=True).stdout


class Graph:
    def __init__(self, pointers=POINTERS):
        self.frames = {}  # function: bytes
        self.calls = {}  # function: functions, and (file, what the source calls) for calls by pointer
        self.tables = {}  # name: functions
        self.taken = set()  # functions whose address is somewhere
        self.under = set()  # (function, callee): its frame stays; of calls by pointer: (function, None). Else tail calls
        self.done = {}  # function: what deepest() found
        self.pointers = pointers

    # ---- what is there ----

    def add_c(self, text, source_line):
        """A .ci file. source_line(file, number): a line of the file that the compiler named."""
        for title, label in re.findall(r'^node: \{ title: "([^"]*)" label: "([^"]*)"', text, re.M):
            size = re.search(r"(\d+) bytes \((\w+)\)", label)
            if not size:
                continue  # called, and defined elsewhere
            if size[2] != "static":
                raise Error(f"{linker_name(title)}: a frame of no constant size")
            self.frames[linker_name(title)] = int(size[1])
            self.calls.setdefault(linker_name(title), set())
        for source, target, label in re.findall(
                r'^edge: \{ sourcename: "([^"]*)" targetname: "([^"]*)"(?: label: "([^"]*)")?', text, re.M):
            callee = linker_name(target)
            if target == "__indirect_call":
                file, line, column = re.fullmatch(r"(.*):(\d+):(\d+)", label).groups()
                callee = linker_name(file), called(source_line(file, int(line))[int(column) - 1:])
            self.calls.setdefault(linker_name(source), set()).add(callee)

    def add_object(self, path):
        """Tables, and addresses that are taken; of assembly, frames and calls."""
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
        section = None
        for line in text.splitlines():
            head = re.match(r"Relocation section '\.rela(\S+)'", line)
            if head:
                section = None if head[1].startswith((".debug", ".eh_frame")) else sections.get(head[1])
            entry = re.match(r"([0-9a-f]{16})\s+\S+\s+(R_AARCH64_\w+)\s+\S+\s+(\S+) \+ ([0-9a-f]+)", line)
            if not entry or section is None or entry[2].endswith(("CALL26", "JUMP26", "CONDBR19", "TSTBR14")):
                continue
            function = function_at(symbols, sections, entry[3], int(entry[4], 16))
            if function:
                self.taken.add(function)
                for at, size, kind, home, name in symbols:
                    if kind == "OBJECT" and home == section and at <= int(entry[1], 16) < at + size:
                        self.tables.setdefault(name, []).append(function)

    def add_code(self, functions, text):
        """Which calls are no tail calls. functions: {name in the object: name}"""
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
        """A frame is all that is pushed by pre-index or taken from SP. The vectors push for what does not come back."""
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
                self.calls[function].add((source, function))
                self.under.add((function, None))

    # ---- what follows ----

    def reached(self, names):
        for name in names:
            if not name.startswith("table "):
                yield name
            elif name[6:] in self.tables:
                yield from self.tables[name[6:]]
            else:
                raise Error(f"bench/stack.py: no such table: {name[6:]}")

    def callees(self, function):
        """(function, whether the frame of this one stays under it)"""
        for callee in sorted(self.calls[function], key=str):
            if isinstance(callee, tuple):
                for name in self.by_pointer(function, *callee):
                    yield name, (function, None) in self.under
            elif callee not in OUTSIDE and callee not in LAST:
                yield callee, (function, callee) in self.under

    def by_pointer(self, function, file, text):
        callee = text.partition("(")[0].partition("[")[0]
        for key in (f"{file} {text}", f"{file} {callee}", callee, re.split(r"->|\.", callee)[-1]):
            if key in self.pointers:
                return self.reached(self.pointers[key])
        raise Error(f"{function} calls {text} by pointer: bench/stack.py does not say what that can be")

    def check_pointers(self):
        """Every function whose address is taken can be reached by a pointer."""
        known = {name for names in self.pointers.values() for name in self.reached(names)}
        lost = sorted(self.taken - known - set(WHOLE.values()))
        if lost:
            raise Error(f"nothing in bench/stack.py can call {', '.join(lost)}, whose address is taken")
        missing = sorted(known - self.frames.keys())
        if missing:
            raise Error(f"bench/stack.py names what is not there: {', '.join(missing)}")

    def deepest(self, function, bounded=BOUNDED, on_way=()):
        """(bytes, [functions from here down])"""
        if on_way.count(function) == bounded.get(function, 1):
            if function in bounded:
                return 0, []
            raise Error(f"recursion: {' -> '.join([*on_way[on_way.index(function):], function])}")
        if function not in self.frames:
            raise Error(f"{on_way[-1] if on_way else 'nobody'} calls {function}, of which nothing is known")
        if function in self.done:
            return self.done[function]
        found = self.frames[function], [function]
        for callee, stays in self.callees(function):
            size, way = self.deepest(callee, bounded, (*on_way, function))
            size += self.frames[function] if stays else 0
            found = max(found, (size, [function, *way]), key=lambda one: one[0])
        if not bounded.keys() & {function, *on_way}:  # else it depends on the way
            self.done[function] = found
        return found


def source_of(path):
    """The file below src/ of which the build has made an object."""
    name = path.name.removesuffix(".o")
    return next((source for source in sources() if source.replace("/", "_") == name), name)


@functools.cache
def sources(root=ROOT):
    """The files that sources.txt lists."""
    lines = (root / "src/sources.txt").read_text().splitlines()
    return [line.split()[1] for line in lines if re.match(r"(source|fast|small) ", line)]


def linker_name(title):
    return re.sub(r"^\S*?\bsrc/", "", title)


def called(text):
    """Of what the source has from a call on: the call, up to the first bracket that closes. AVC_LAST(fn, ...) is one of fn."""
    text = re.sub(r"^AVC_LAST\(([\w.>-]+)", r"\1(", text)
    found = re.match(r"[\w.>-]+[(\[][^)\]]*[)\]]", text)
    if not found:
        raise Error(f"no call: {text}")
    return found[0]


def read_symbols(source, text):
    """[(address, size, type, section, name)], {section's name: number}; from readelf -SsW."""
    sections = {name: int(number) for number, name in re.findall(r"^\s*\[\s*(\d+)\] (\.\S+)", text, re.M)}
    symbols = []
    for at, size, kind, binding, home, name in re.findall(
            r"^\s*\d+: ([0-9a-f]{16})\s+(\w+) (\w+)\s+(\w+)\s+\w+\s+(\w+) (\S+)$", text, re.M):
        if kind in ("FUNC", "OBJECT") or (kind == "NOTYPE" and home == "UND"):
            name = re.sub(r"\.\d+$", "", name) if kind == "OBJECT" else name  # static in a function
            symbols.append((int(at, 16), int(size, 0), kind, int(home) if home.isdigit() else None,
                            name if binding == "GLOBAL" else f"{source}:{name}"))
    return symbols, sections


def function_at(symbols, sections, target, addend):
    """What a relocation means: a symbol, or a place in a section. Of symbols of other files the linker's names say what they
    are: functions are known by then, see Library."""
    if target.startswith("."):
        section = sections.get(target)
        return next((name for at, size, kind, home, name in symbols
                     if kind == "FUNC" and home == section and at <= addend < at + max(size, 1)), None)
    own = next((symbol for symbol in symbols if symbol[4].rpartition(":")[2] == target), None)
    if own is None or own[2] == "OBJECT" or addend:
        return None
    return own[4]


def read(folder, root):
    """The graph of a build of src/."""
    graph, objects = Graph(), sorted(folder.glob("src/libavc*.p/*.o"))
    if not objects:
        raise Error(f"{folder} has no library: build src/libavc.a")
    lines = {}

    def source_line(file, number):
        name = linker_name(file)
        if name not in lines:
            lines[name] = (root / "src" / name).read_text().splitlines()
        return lines[name][number - 1]

    for path in objects:
        graph.add_object(path)
        if path.name.endswith(".c.o"):
            info = path.with_suffix(".ci")
            if not info.exists():
                raise Error(f"{info} is missing: the compiler is no gcc, or the build folder is an older one's")
            graph.add_c(info.read_text(), source_line)
    graph.taken &= graph.frames.keys()  # the rest is data
    for name, targets in graph.tables.items():
        graph.tables[name] = [target for target in targets if target in graph.frames]
    graph.check_pointers()
    return graph


def strays(own, text):
    """What disassembled code calls or jumps to that is none of these functions."""
    return sorted(set(re.findall(r"R_AARCH64_(?:CALL26|JUMP26|CONDBR19|TSTBR14)\s+(\w+)", text)) - own)


def light_strays(folder):
    """Functions that the light way of an exit calls although they are not compiled for it: they may change the guest's x8..x15."""
    objects = sorted(folder.glob("src/libavc_fast.a.p/*.o"))
    own = set(run("nm", "--defined-only", "-j", *objects).split())
    return strays(own, run("objdump", "-dr", *objects))


def public_functions(root):
    """By the headers."""
    for header in sorted((root / "include/avc").glob("*.h")):
        text = re.sub(r"/\*.*?\*/", "", header.read_text(), flags=re.S)
        text = re.sub(r"static inline.*?\n}", "", text, flags=re.S)
        yield from re.findall(r"^(?!typedef|#)[\w ]+[ *](avc_\w+)\((?!\*)[^{;]*\)(?:\s*__attribute__[^;]*)?;", text, re.M)
