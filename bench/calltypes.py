# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""What calls by pointers can reach, for bench/stack.py, out of clang's dump of its syntax tree. A call by a member of a
struct reaches the functions of its type that are put into that member, and those that go where this does not see it;
any other call reaches all functions of its type. It is for the caller to say whose address is taken at all."""
import json
import re
import shlex
import subprocess
from typing import NamedTuple

CLANG = "clang-14"
LOCATION = re.compile(r"\bline:(?P<line>\d+):\d+|\bcol:\d+|(?P<file>[^\s<>,:]+):(?P<first>\d+):\d+")
NODE = re.compile(r"^([ |`-]*)(\w+) 0x[0-9a-f]+ (?:(?:parent|prev) 0x[0-9a-f]+ )*(.*)$")
TYPES = re.compile(r"'([^']*)'(?::'([^']*)')?")
MEMBER = re.compile(r"(?:->|\.)(\w+) 0x")
# What a function's address passes on its way to where it is kept.
PASSES = {"ImplicitCastExpr", "CStyleCastExpr", "ParenExpr", "ConditionalOperator", "UnaryOperator"}


class Call(NamedTuple):
    type: str
    member: str  # "struct.member"; "": none


class Callee(NamedTuple):
    depth: int
    type: str = None
    at: object = None  # a MemberExpr whose struct comes next


class Body(NamedTuple):
    first: int
    last: int
    calls: set


class Node:
    def __init__(self, kind, rest):
        self.kind, self.rest, self.children = kind, rest, 0
        self.member = None  # of `x->member = `, once x is seen


def short(path):
    """As the linker's names have it: below src/ or include/."""
    return re.sub(r"^\S*?\b(?:src|include)/", "", path)


class Types:
    def __init__(self):
        self.of = {}  # function: its type
        self.kept = {}  # function: members that it is put into; "": it goes elsewhere as well
        self.names = {}  # typedef: the function's type that it names
        self.fields = {}  # struct: names of its members, in order
        self.bodies = {}  # file: [Body]

    def called_at(self, file, line):
        """What the function there calls by pointer."""
        return set().union(*(body.calls for body in self.bodies.get(file, []) if body.first <= line <= body.last))

    def reaches(self, call, function):
        kept = self.kept.get(function, {""})
        return self.of.get(function) == call.type and (not call.member or call.member in kept or "" in kept)

    # ---- reading: locations leave out what is the same as before, in the order of the text ----

    def add(self, dump):
        path, own, body, called, file, line = [], {}, None, None, "", 0
        for match in filter(None, map(NODE.match, dump.replace("_Bool", "bool").splitlines())):  # it has both names
            depth, node = len(match[1]) // 2, Node(match[2], match[3])
            at = []
            for location in LOCATION.finditer(node.rest.partition(" '")[0]):
                file = location["file"] or file
                line = int(location["first"] or location["line"] or line)
                at.append((file, line))
            del path[depth:]
            if path:
                path[-1].children += 1
            if path and path[-1].kind == "MemberExpr" and path[-1].children == 1:
                called = self.add_member(path, node, body, called)
            if depth == 1:
                body, called = self.add_declaration(node, at, own), None
            elif body:
                called = self.add_callee(body, node, called, depth)
            if node.kind == "FieldDecl" and path:
                name = re.search(r"(\w+) '", node.rest)
                self.fields.setdefault(struct_of(path[-1].rest), []).append(name[1] if name else "")
            elif node.kind == "DeclRefExpr" and " Function 0x" in node.rest:
                self.keep(own, re.search(r" Function 0x\w+ '(\w+)'", node.rest)[1], path)
            path += [Node("", "")] * (depth - len(path)) + [node]

    def add_declaration(self, node, at, own):
        """The body of a function."""
        types, name = TYPES.search(node.rest), re.search(r"(\w+) '", node.rest)
        if node.kind == "TypedefDecl" and name:
            self.names[name[1]] = types[2] or types[1]
        elif node.kind == "RecordDecl" and node.rest.endswith("definition"):
            self.fields[struct_of(node.rest)] = []
        elif node.kind == "FunctionDecl" and name and at:
            return self.add_function(name[1], types[2] or types[1], "' static" in node.rest, at, own)
        return None

    def add_function(self, name, type_, static, at, own):
        """at: where it begins, ends, and has its name. The beginning may be a macro's, as `bool` is."""
        home, last = at[min(1, len(at) - 1)]
        own[name] = f"{short(home)}:{name}" if static else name
        self.of[own[name]] = type_
        bodies = self.bodies.setdefault(short(home), [])
        for body in bodies:
            if (body.first, body.last) == (at[-1][1], last):
                return body  # a header that another file includes, too
        bodies.append(Body(at[-1][1], last, set()))
        return bodies[-1]

    def add_callee(self, body, node, called, depth):
        """called: what is known of what a call has as its first child, and of its own first child, as long as these
        follow each other. What it returns is that for the next node."""
        if node.kind == "CallExpr":
            return Callee(depth + 1)
        if not called or called.depth != depth or node.rest.endswith(("<FunctionToPointerDecay>",
                                                                      "<BuiltinFnToFnPtr>")):
            return None
        if called.type is None:
            called = Callee(depth, self.pointed_to(type_of(node.rest)))
            body.calls.add(Call(called.type, ""))
        return Callee(depth + 1, called.type, node if node.kind == "MemberExpr" else None)

    @staticmethod
    def add_member(path, node, body, called):
        """node: of what path[-1] is a member."""
        member = f"{struct_of(type_of(node.rest))}.{MEMBER.search(path[-1].rest)[1]}"
        if path[-2].kind == "BinaryOperator" and path[-2].children == 1:
            path[-2].member = member
        if not called or called.at is not path[-1]:
            return called
        body.calls.discard(Call(called.type, ""))
        body.calls.add(Call(called.type, member))
        return None

    def pointed_to(self, text):
        """The function's type of a pointer's: of `int (*)(void)` it is `int (void)`."""
        name = text.removesuffix(" *")
        return self.names.get(name) or re.sub(r"\(\*(?:const)?\)", "", text, count=1)

    def keep(self, own, name, path):
        """Where a function's address goes; nowhere, if it is called or compared."""
        child = None
        for node in reversed(path):
            if node.kind == "CallExpr" and child and node.children == 1:
                return
            if node.kind == "BinaryOperator" and node.rest.endswith(("'=='", "'!='")):
                return
            if node.kind == "BinaryOperator" and node.member:
                self.kept.setdefault(own.get(name, name), set()).add(node.member)
                return
            if node.kind == "InitListExpr":
                fields = self.fields.get(struct_of(node.rest))
                if fields is not None:
                    member = f"{struct_of(node.rest)}.{fields[node.children - 1]}"
                    self.kept.setdefault(own.get(name, name), set()).add(member)
                    return
            elif node.kind not in PASSES:
                break
            child = node
        self.kept.setdefault(own.get(name, name), set()).add("")


def type_of(text):
    """Of an expression, without the names that a typedef gives to it."""
    types = TYPES.findall(text)
    return types[-1][1] or types[-1][0] if types else ""


def struct_of(text):
    """The struct that a node is of, points to or declares; an array is none."""
    found = re.search(r"\b(?:struct|union) (\w+)(?: \*)?(?:const)?(?: definition$|'|$)", text)
    return found[1] if found else text


def dump(source, folder, options=()):
    return subprocess.run([CLANG, "--target=aarch64-linux-gnu", "-fsyntax-only", "-w", "-ffreestanding", *options,
                           "-Xclang", "-ast-dump", "-fno-color-diagnostics", source],
                          cwd=folder, capture_output=True, text=True, check=True).stdout


def read(build):
    """Of the library that was built there."""
    types = Types()
    for command in json.loads((build / "compile_commands.json").read_text()):
        if command["output"].startswith("src/libavc") and command["file"].endswith(".c"):
            options = [word for word in shlex.split(command["command"]) if word.startswith(("-I", "-D", "-std"))]
            types.add(dump(command["file"], command["directory"], options))
    return types
