#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""Checks of what is written about the tree, in TAP.

A fenced block in docs/ says on the line before it where it comes from:

    <!-- from examples/01-minimal/main.c -->   a contiguous run of lines of that file, which ./avc check builds; what
                                               they begin with in common, blanks and `#`, may be left out
    <!-- picture -->                           a drawing, for blocks of kind `text` only
    <!-- not run: REASON -->                   commands that no test can run, for blocks of kind `sh` only
    <!-- walk -->                              the way through the code, a step a line, for blocks of kind `text`
                                               only: see `walk_errors`

Blocks of kind `sh` with neither hold commands that are known: see `command_error`. What docs/zh/NAME.md shows is what
docs/NAME.md shows, in the same order, under as many headings.

    docs.py [ROOT]     ROOT: another tree than this one, for the tests of this file
"""
import argparse
import difflib
import pathlib
import re
import subprocess
import sys
import textwrap
import urllib.parse

# EMBEDDERS name public things only. The other documents also name what is inside of the library.
EMBEDDERS = ("docs/embedding.md", "docs/extending.md", "docs/zh/embedding.md", "docs/zh/extending.md")
CODE = (".c", ".h", ".S", ".inc", ".def", ".ld", ".py", ".sh", ".build", ".in", ".mk")
PAGES = ("README.md", "CONTRIBUTING.md", "SECURITY.md")
TOP = ("bench", "cross", "docs", "examples", "include", "package", "scripts", "src", "tests", "vmm")


class Tree:
    def __init__(self, root):
        self.root = pathlib.Path(root)
        if (self.root / ".git").exists():
            out = subprocess.run(["git", "-C", root, "ls-files", "-co", "--exclude-standard", "-z"],
                                 capture_output=True, check=True).stdout.decode()
            names = out.split("\0")
        else:
            names = [str(p.relative_to(self.root)) for p in self.root.rglob("*")]
        self.files = {n for n in names if n and (self.root / n).is_file()}
        self.folders = {str(parent) for n in self.files for parent in pathlib.PurePath(n).parents}
        self.docs = sorted(n for n in self.files if n.endswith(".md") and n.startswith("docs/"))
        self.pages = self.docs + [n for n in PAGES if n in self.files]  # those whose links and names are checked
        self._text = {}

    def text(self, name):
        if name not in self._text:
            self._text[name] = (self.root / name).read_text(encoding="utf-8", errors="replace")
        return self._text[name]

    def lines(self, name):
        return [line.rstrip() for line in self.text(name).splitlines()]

    def words(self, *prefixes):
        """Returns all identifiers in the sources under these prefixes."""
        return {word for n in self.files if n.startswith(prefixes) and (n.endswith(CODE) or n == "avc")
                for word in re.findall(r"[A-Za-z_]\w+", self.text(n))}


def bare(lines):
    """Removes what the lines begin with in common: blanks, and a comment's `#`."""
    lines = textwrap.dedent("\n".join(lines)).split("\n")
    if all(line.startswith("#") or not line for line in lines):
        lines = textwrap.dedent("\n".join(line[1:] for line in lines)).split("\n")
    return lines


class Block:
    def __init__(self, doc, number, kind, mark, lines):
        self.at = f"{doc}:{number}"
        self.kind = kind
        self.mark = mark  # the text of the comment before it, or ""
        self.lines = bare(lines)

    def source(self):
        return self.mark[5:].strip() if self.mark.startswith("from ") else None


def blocks(tree, doc):
    """Returns the fenced blocks of a document, in order."""
    found, lines, at = [], tree.lines(doc), 0
    while at < len(lines):
        fence = re.match(r"\s*(```+)\s*(\S*)", lines[at])
        if fence:
            end = next((n for n in range(at + 1, len(lines)) if lines[n].strip() == fence[1]), len(lines))
            mark = re.fullmatch(r"\s*<!-- (.*) -->", lines[at - 1]) if at else None
            found.append(Block(doc, at + 1, fence[2], mark[1] if mark else "", lines[at + 1:end]))
            at = end
        at += 1
    return found


def prose(tree, doc):
    """Yields (number, line) of what is outside of fenced blocks."""
    fence = None
    for number, line in enumerate(tree.lines(doc), 1):
        mark = re.match(r"\s*(```+)", line)
        if mark:
            fence = mark[1] if fence is None else None if line.strip() == fence else fence
        elif fence is None:
            yield number, line


# ---- the sources of blocks ----


def is_built(tree, path):
    """An example is built if it has an expected.txt. Another file is built if a meson.build above it names it or its
    folder. A header is built with what includes it."""
    if path.endswith((".h", ".def")) or path in ("examples/Makefile", "examples/CMakeLists.txt"):
        return True
    if re.fullmatch(r"examples/\d\d-[^/]+/main\.c", path):
        return str(pathlib.PurePath(path).with_name("expected.txt")) in tree.files
    for parent in list(pathlib.PurePath(path).parents)[:-1]:
        build = str(parent / "meson.build")
        if build in tree.files:
            inside = pathlib.PurePath(path).relative_to(parent)
            if str(inside) in tree.text(build) or f"'{inside.parts[0]}'" in tree.text(build):
                return True
    return False


def nearest(block, source):
    """Returns where the source is most like the block, and the first line that differs."""
    size = len(block.lines)
    best, best_score = 0, -1
    for start in range(max(1, len(source) - size + 1)):
        window = source[start:start + size]
        score = sum(a.strip() == b.strip() for a, b in zip(block.lines, window))
        if score > best_score:
            best, best_score = start, score
    if best_score == 0:  # no line is equal, so the one that is most like the first line counts
        like = difflib.get_close_matches(block.lines[0].strip(), [s.strip() for s in source], 1, 0)
        best = [s.strip() for s in source].index(like[0]) if like else 0
    window = bare(source[best:best + size])
    for n, line in enumerate(block.lines):
        there = window[n] if n < len(window) else "(end of file)"
        if there != line:
            return f"most like its line {best + n + 1}, which is\n    {there}\nwhere the document has\n    {line}"
    return "the same but for indentation"


def source_error(tree, block):
    path = block.source()
    if path not in tree.files:
        return f"there is no {path}"
    if not is_built(tree, path):
        return f"{path} is not built by ./avc check: no meson.build names it"
    source, size = tree.lines(path), len(block.lines)
    for start in range(len(source) - size + 1):
        if bare(source[start:start + size]) == block.lines:
            return None
    return f"not in {path}; {nearest(block, source)}"


def command_error(tree, line):
    """A command is known if README shows it, if it is one of ./avc's, or if it runs a file that exists."""
    line = re.sub(r"\s#.*", "", line).strip()
    if not line or line.startswith("#") or line in [r.strip() for r in tree.lines("README.md")]:
        return None
    words = line.split()
    while words and re.fullmatch(r"AVC_\w+=\S+", words[0]):
        words.pop(0)
    if words[:1] == ["./avc"]:
        known = re.search(r"^    (\w+(?: \| \w+)+)\) ", tree.text("avc"), flags=re.M)
        if len(words) < 2 or words[1] not in known[1].split(" | ") + ["help"]:
            return f"./avc has no such command: {line}"
        end = words.index("--") if "--" in words else len(words)
        scripts = "".join(tree.text(n) for n in tree.files if n.startswith("scripts/"))
        bad = [w for w in words[2:end] if w.startswith("-") and w.split("=")[0] not in scripts]
        return f"./avc {words[1]} has no option {bad[0]}" if bad else None
    if words[:1] == ["python3"]:
        return None if len(words) > 1 and words[1] in tree.files else f"there is no {words[1:2]}: {line}"
    if words[:2] in (["meson", "setup"], ["meson", "test"], ["meson", "install"]) or words[:2] == ["ninja", "-C"]:
        return None
    return f"not a known command: {line}"


def snippets(tree):
    for doc in tree.docs:
        for block in blocks(tree, doc):
            if block.source():
                error = source_error(tree, block)
            elif block.kind == "text" and block.mark in ("picture", "walk"):
                error = None
            elif block.kind == "sh" and re.match(r"not run: \S", block.mark):
                error = None
            elif block.kind == "sh" and not block.mark:
                error = next(filter(None, (command_error(tree, line) for line in block.lines)), None)
            else:
                error = f"a block of kind '{block.kind}' that does not say where it comes from"
            if error:
                yield f"{block.at}: {error}"


def indented_blocks(tree):
    """Code must be fenced, because nothing checks a block that is only indented."""
    for doc in tree.docs:
        before, in_list = "", False
        for number, line in prose(tree, doc):
            if line and not line[0].isspace():
                in_list = bool(re.match(r"([*+-]|\d+\.) ", line))
            if re.match(r"(    |\t)\s*\S", line) and not before and not in_list:
                yield f"{doc}:{number}: code set off by indentation; fence it and say where it comes from"
            before = line


# ---- walks through the code ----

STEP = re.compile(r"(\d+)( +)(< )?([\w./-]+): (\w+)(?: \(([\w./-]+)\))?(?:  +(\S.*))?")
TOTAL = re.compile(r"(\d+) steps in (\d+) files of src")


class Step:
    def __init__(self, match):
        self.number, self.depth, self.back = int(match[1]), len(match[1] + match[2]), bool(match[3])
        self.file, self.function, self.pointer = match[4], match[5], match[6]
        self.at = f"{self.file}: {self.function}"


def code(text):
    """Returns the text without comments."""
    return re.sub(r"/\*.*?\*/|//[^\n]*", " ", text, flags=re.S)


def definition(tree, name, function):
    """Finds the definition of a function in a file: group 1 of the match is its body. In C that is between the braces.
    In assembly it ends where the code goes elsewhere for good; it may fall through labels."""
    text = code(tree.text(name))
    if not name.endswith((".S", ".inc")):
        return re.search(rf"^(?:\w[^\n;{{}}]*)?\b{function}\([^;{{}}]*\)\s*\n\{{\n(.*?)^\}}", text, re.M | re.S)
    if f".macro {function}" in text:
        return re.search(rf"^\s*\.macro {function}\b(.*?)^\s*\.endm", text, re.M | re.S)
    return re.search(rf"^{function}:(.*?(?:^\s+(?:br?|ret|eret|eret_guest)\b[^\n]*$|\Z))", text, re.M | re.S)


def body(tree, step):
    return definition(tree, step.file, step.function)[1]


def mentions(text, function):
    return re.search(rf"\b{function}\b", re.sub(r"\\[nt]", " ", text))


def calls_pointer(text):
    return re.search(r"\bblr\b|\bAVC_LAST\(|[\])]\(|->\w+\(|\bfn\(", text)


def step_error(tree, step, caller, steps):
    if step.file not in tree.files:
        return f"there is no {step.file}"
    found = definition(tree, step.file, step.function)
    if not found:
        return f"{step.file} does not define {step.function}"
    if step.back:
        if not any(mentions(found[1], s.function) for s in steps if s.function != step.function):
            return f"{step.at} calls no other step, so nothing returns to it"
    elif caller and step.pointer:
        if not calls_pointer(body(tree, caller)):
            return f"{caller.at} calls nothing through a pointer"
        if step.pointer not in tree.files or not mentions(
                code(tree.text(step.pointer)).replace(found[0], ""), step.function):
            return f"{step.pointer} does not name {step.function}"
    elif caller and not mentions(body(tree, caller), step.function):
        return f"{caller.at} does not go to {step.function}"
    return None


def walk_errors(tree, block):
    """Checks a walk. A line is a step: number, file, function, and what it does.

            1   src/hw/vectors.S: entry_sync             what it does
            2     src/core/exit/call.c: avc_trap_hvc (src/core/exit/trap.c)  called by a pointer, which that file sets
            3       src/core/claim/index.h: avc_call_find       deeper: called by the step above that is less deep
            4   src/hw/vectors.S: rest                   at the top: where the step above at the top goes
            5   < src/core/exit/run.c: avc_vcpu_run      a return, into a function that calls another step
            5 steps in 4 files of src                    the last line; steps of other folders are the embedder's
    """
    total = TOTAL.fullmatch(block.lines[-1].strip())
    if not total:
        yield "a walk whose last line does not say 'N steps in M files of src'"
        return
    matches = [STEP.fullmatch(line) for line in block.lines[:-1]]
    if None in matches:
        yield f"not a step of a walk: {block.lines[matches.index(None)]}"
        return
    steps = [Step(m) for m in matches]
    for n, step in enumerate(steps):
        caller = next((s for s in reversed(steps[:n]) if s.depth < step.depth), None)
        if caller is None:  # the steps at the top follow each other
            caller = next((s for s in reversed(steps[:n]) if s.depth == step.depth), None)
        error = step_error(tree, step, caller, steps)
        if step.number != n + 1:
            error = f"step {step.number} is the {n + 1}th"
        if error:
            yield error
            return
    ours = [s for s in steps if s.file.startswith("src/")]
    have = (len(ours), len({s.file for s in ours}))
    if have != (int(total[1]), int(total[2])):
        yield "says {}, and has {} steps in {} files of src".format(total[0], *have)


def walks(tree):
    for doc in tree.docs:
        for block in blocks(tree, doc):
            if block.mark == "walk":
                for error in walk_errors(tree, block):
                    yield f"{block.at}: {error}"


# ---- two languages ----


def headings(tree, doc):
    return [(number, len(m[1]), m[2]) for number, line in prose(tree, doc) for m in [re.match(r"(#+) (.*)", line)] if m]


def languages(tree):
    for doc in tree.docs:
        other = f"docs/{pathlib.PurePath(doc).name}"
        if not doc.startswith("docs/zh/"):
            continue
        if other not in tree.files:
            yield f"{doc}: there is no {other}"
            continue
        ours, theirs = ([b for b in blocks(tree, d) if b.mark != "picture"] for d in (doc, other))
        for a, b in zip(ours, theirs):
            if (a.mark, a.kind, a.lines) != (b.mark, b.kind, b.lines):
                yield f"{a.at}: not the block of {b.at}: {a.mark or a.lines[0]} here, {b.mark or b.lines[0]} there"
                break
        else:
            if len(ours) != len(theirs):
                more = (ours if len(ours) > len(theirs) else theirs)[min(len(ours), len(theirs))]
                yield f"{more.at}: a block that the other language does not have"
        ours, theirs = headings(tree, doc), headings(tree, other)
        for a, b in zip(ours, theirs):
            if a[1] != b[1]:
                yield f"{doc}:{a[0]}: heading of level {a[1]}, {other}:{b[0]} has level {b[1]}"
                break
        else:
            if len(ours) != len(theirs):
                yield f"{doc}: {len(ours)} headings, {other} has {len(theirs)}"


# ---- links and names ----


def anchors(tree, doc):
    """Anchors as GitHub makes them: lower case, without punctuation, dashes for blanks, a number for the second of a
    kind."""
    found = set()
    for _, _, title in headings(tree, doc):
        slug = re.sub(r"[^\w\- ]", "", title.replace("`", "").strip().lower()).replace(" ", "-")
        numbered = (f"{slug}-{n}" for n in range(1, 99))
        found.add(slug if slug not in found else next(s for s in numbered if s not in found))
    return found


def links(tree):
    for doc in tree.pages:
        for number, line in prose(tree, doc):
            for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`]*`", "", line)):
                if re.match(r"[a-z]+:", target):
                    continue
                path, _, anchor = urllib.parse.unquote(target).partition("#")
                name = doc if not path else str(pathlib.PurePath(*resolve(pathlib.PurePath(doc).parent / path)))
                if name not in tree.files and name not in tree.folders:
                    yield f"{doc}:{number}: link to {target}, which is not there"
                elif anchor and name.endswith(".md") and anchor not in anchors(tree, name):
                    yield f"{doc}:{number}: link to {target}, and {name} has no such heading"


def resolve(path):
    parts = []
    for part in path.parts:
        if part == ".." and parts:
            parts.pop()
        elif part != ".":
            parts.append(part)
    return parts or ["."]


def names(tree):
    """Functions, constants and files that a document names must exist."""
    public, all_words = tree.words("include/"), tree.words("")
    registers = set(re.findall(r"\b(?:CTX|REG)\((\w+)", tree.text("include/avc/sysreg.def")))
    for doc in tree.pages:
        known = public if doc in EMBEDDERS else all_words
        for number, line in prose(tree, doc):
            line = re.sub(r"\]\([^)]*\)", "]", line)
            for word in re.findall(r"(?<![\w/.-])(?:avc|AVC|vmm|host|HOST)_\w+", line):
                have = known if word.startswith(("avc_", "AVC_")) else all_words
                if word in have or (word.endswith("_") and any(w.startswith(word) for w in have)):
                    continue
                if word.startswith("AVC_REG_") and word[8:] in registers:
                    continue
                yield f"{doc}:{number}: there is no {word}" + (" in include/avc" if have is public else "")
            for path in re.findall(r"`((?:%s)/[\w./-]+)`" % "|".join(TOP), line):
                if path.rstrip("/") not in tree.files | tree.folders and "NN" not in path and "NAME" not in path:
                    yield f"{doc}:{number}: there is no {path}"


LORE = "docs/compilers.md"


def out_of_line(tree):
    """docs/compilers.md must have a row for each file with functions that are marked noinline, and name all of them."""
    rows = {m[1]: set(re.findall(r"`(\w+)`", m[2])) for _, line in prose(tree, LORE)
            for m in [re.fullmatch(r"\| `([\w./-]+)` \| (.*) \|", line)] if m} if LORE in tree.files else {}
    marked = {}
    for name in tree.files:
        if name.startswith(("src/", "vmm/")) and name.endswith((".c", ".h")):
            found = re.findall(r"__attribute__\(\(noinline\)\)[^;{]*?\b(\w+)\(", code(tree.text(name)))
            if found:
                marked[name] = set(found)
    for name in sorted(marked | rows):
        for function in sorted(marked.get(name, set()) - rows.get(name, set())):
            yield f"{name}: {function} is marked noinline, and {LORE} does not say so"
        for function in sorted(rows.get(name, set()) - marked.get(name, set())):
            yield f"{LORE}: {function} of {name} is not marked noinline"


FUZZ, TESTING, ASSURANCE = "tests/fuzz/meson.build", "docs/testing.md", "docs/assurance.md"


def fuzz_targets(tree):
    """Each target has a row in the tables of both documents. The executions and the random inputs are added up."""
    if FUZZ not in tree.files:
        return
    table = re.search(r"fuzz_targets = \{(.*?)\}", tree.text(FUZZ), re.S)[1]
    targets = {m[1]: int(m[2]) for m in re.finditer(r"'(\w+)': \[(\d+),", table)}
    for doc in (TESTING, ASSURANCE):
        for target in targets:
            if not any(line.startswith(f"| `{target}` |") for _, line in prose(tree, doc)):
                yield f"{doc}: no row for the fuzz target {target}"
    counts = {m[1]: int(m[2].replace(",", "")) for _, line in prose(tree, ASSURANCE)
              for m in [re.match(r"\| `?(\w+)`? \| ([\d,]+) \|", line)] if m and m[1] in [*targets, "all"]}
    total = sum(count for name, count in counts.items() if name != "all")
    if counts.get("all") != total:
        yield f"{ASSURANCE}: all targets have {total:,} executions, and the table says {counts.get('all', 0):,}"
    if f"{sum(targets.values()):,} random inputs" not in " ".join(tree.text(ASSURANCE).split()):
        yield f"{ASSURANCE}: the check runs {sum(targets.values()):,} random inputs"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", nargs="?", default=pathlib.Path(__file__).resolve().parents[2])
    tree = Tree(parser.parse_args().root)
    checks = [snippets, indented_blocks, walks, languages, links, names, out_of_line, fuzz_targets]
    print(f"1..{len(checks)}")
    failed = 0
    for number, check in enumerate(checks, 1):
        complaints = list(check(tree))
        print(f"{'not ok' if complaints else 'ok'} {number} - {check.__name__.replace('_', ' ')}")
        for complaint in complaints:
            print("# " + complaint.replace("\n", "\n#   "))
        failed += bool(complaints)
    return 1 if failed else 0


sys.exit(main())
