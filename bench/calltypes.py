# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""For bench/stack.py: which functions a call by a pointer can reach, found in clang's dump of its syntax tree.

A call by a member of a struct reaches the functions of its type that the code stores in that member. It also reaches
those whose address goes somewhere that this file does not follow. Any other call reaches all functions of its type. The
caller decides which functions have their address taken at all."""
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
# Nodes that a function's address passes unchanged on its way to the place where it is stored.
PASSES = {"ImplicitCastExpr", "CStyleCastExpr", "ParenExpr", "ConditionalOperator", "UnaryOperator"}


class Call(NamedTuple):
    type: str
    member: str  # "struct.member", or "" if the call is not by a member


class Callee(NamedTuple):
    depth: int
    type: str = None
    at: object = None  # a MemberExpr, if the node with its struct comes next


class Body(NamedTuple):
    first: int
    last: int
    calls: set


class Node:
    def __init__(self, kind, rest):
        self.kind, self.rest, self.children = kind, rest, 0
        self.member = None  # of `x->member = `, once the walk has seen x


def short(path):
    """The path as the linker's names have it: below src/ or include/."""
    return re.sub(r"^\S*?\b(?:src|include)/", "", path)


class Types:
    def __init__(self):
        self.of = {}  # function: its type
        self.kept = {}  # function: the members that it is stored in, and "" if its address goes elsewhere, too
        self.names = {}  # typedef of a function: the function's type
        self.fields = {}  # struct: names of its members, in order
        self.bodies = {}  # file: [Body]

    def called_at(self, file, line):
        """Returns the calls by pointer in the function that contains this line."""
        return set().union(*(body.calls for body in self.bodies.get(file, []) if body.first <= line <= body.last))

    def reaches(self, call, function):
        kept = self.kept.get(function, {""})
        return self.of.get(function) == call.type and (not call.member or call.member in kept or "" in kept)

    # ---- reading: clang leaves out the file and line of a node where they are those of the node before ----

    def add(self, dump):
        path, own, body, called, file, line = [], {}, None, None, "", 0
        for match in filter(None, map(NODE.match, dump.replace("_Bool", "bool").splitlines())):  # clang has both
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
        """Notes a declaration. Returns the Body if it declares a function."""
        types, name = TYPES.search(node.rest), re.search(r"(\w+) '", node.rest)
        if node.kind == "TypedefDecl" and name:
            self.names[name[1]] = types[2] or types[1]
        elif node.kind == "RecordDecl" and node.rest.endswith("definition"):
            self.fields[struct_of(node.rest)] = []
        elif node.kind == "FunctionDecl" and name and at:
            return self.add_function(name[1], types[2] or types[1], "' static" in node.rest, at, own)
        return None

    def add_function(self, name, type_, static, at, own):
        """at: the places where the function begins, where it ends, and where its name is. It may begin in a macro, such
        as `bool`."""
        home, last = at[min(1, len(at) - 1)]
        own[name] = f"{short(home)}:{name}" if static else name
        self.of[own[name]] = type_
        bodies = self.bodies.setdefault(short(home), [])
        for body in bodies:
            if (body.first, body.last) == (at[-1][1], last):
                return body  # a header that an earlier file has included, too
        bodies.append(Body(at[-1][1], last, set()))
        return bodies[-1]

    def add_callee(self, body, node, called, depth):
        """Looks for what a call calls: the call's first child, that child's first child, and so on. called: what is
        known so far, or None. Returns what is known after this node."""
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
        """node: the expression whose member path[-1] is."""
        member = f"{struct_of(type_of(node.rest))}.{MEMBER.search(path[-1].rest)[1]}"
        if path[-2].kind == "BinaryOperator" and path[-2].children == 1:
            path[-2].member = member
        if not called or called.at is not path[-1]:
            return called
        body.calls.discard(Call(called.type, ""))
        body.calls.add(Call(called.type, member))
        return None

    def pointed_to(self, text):
        """Returns the function's type for the type of a pointer to it: `int (void)` for `int (*)(void)`."""
        name = text.removesuffix(" *")
        return self.names.get(name) or re.sub(r"\(\*(?:const)?\)", "", text, count=1)

    def keep(self, own, name, path):
        """Notes where a function's address is stored. An address that is called or compared is stored nowhere."""
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
    """The type of an expression, with typedefs resolved."""
    types = TYPES.findall(text)
    return types[-1][1] or types[-1][0] if types else ""


def struct_of(text):
    """The struct that a node declares, has as its type, or points to. For anything else, arrays of structs too, the
    text."""
    found = re.search(r"\b(?:struct|union) (\w+)(?: \*)?(?:const)?(?: definition$|'|$)", text)
    return found[1] if found else text


def dump(source, folder, options=()):
    return subprocess.run([CLANG, "--target=aarch64-linux-gnu", "-fsyntax-only", "-w", "-ffreestanding", *options,
                           "-Xclang", "-ast-dump", "-fno-color-diagnostics", source],
                          cwd=folder, capture_output=True, text=True, check=True).stdout


def read(build):
    """Reads all C files of the library that was built in this folder."""
    types = Types()
    for command in json.loads((build / "compile_commands.json").read_text()):
        if command["output"].startswith("src/libavc") and command["file"].endswith(".c"):
            options = [word for word in shlex.split(command["command"]) if word.startswith(("-I", "-D", "-std"))]
            types.add(dump(command["file"], command["directory"], options))
    return types
