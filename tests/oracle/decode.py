#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""Compares the library's decoder of loads and stores with binutils' disassembler, in TAP.

    decode.py PROGRAM [--words N] [--seed S]

PROGRAM is what decode.c is built to. Each encoding group of loads and stores gets the same number of random words, and
one part goes to words of any kind. The disassembler's text is read here by rules that share nothing with the decoder.
"""
import argparse
import collections
import itertools
import os
import random
import re
import struct
import subprocess
import sys
import tempfile

import arm

# name, bits that are fixed, their values (Arm ARM DDI 0487, C4.1.94): all other bits are random
GROUPS = [
    ("exclusive, ordered, compare and swap", 0x3f000000, 0x08000000),
    ("ordered, all registers that should be one", 0x3fa07c00, 0x08807c00),
    ("compare and swap", 0x3fa07c00, 0x08a07c00),
    ("compare and swap of a pair", 0xbfa07c00, 0x08207c00),
    ("SIMD structures", 0xbfbf0000, 0x0c000000),
    ("SIMD structures, post-index", 0xbfa00000, 0x0c800000),
    ("SIMD structures, post-index by their size", 0xbfbf0000, 0x0c9f0000),
    ("one SIMD structure", 0xbf9f0000, 0x0d000000),
    ("one SIMD structure, post-index", 0xbf800000, 0x0d800000),
    ("one SIMD structure, post-index by its size", 0xbf9f0000, 0x0d9f0000),
    ("structures, all bits", 0x3e000000, 0x0c000000),
    ("literal", 0x3b000000, 0x18000000),
    ("ordered, unscaled", 0x3f200c00, 0x19000000),
    ("memory tags, copy and set", 0x3f000000, 0x19000000),
    ("pair, no allocate", 0x3b800000, 0x28000000),
    ("pair, post-index", 0x3b800000, 0x28800000),
    ("pair, offset", 0x3b800000, 0x29000000),
    ("pair, pre-index", 0x3b800000, 0x29800000),
    ("unscaled", 0x3b200c00, 0x38000000),
    ("post-index", 0x3b200c00, 0x38000400),
    ("unprivileged", 0x3b200c00, 0x38000800),
    ("pre-index", 0x3b200c00, 0x38000c00),
    ("atomic", 0x3b200c00, 0x38200000),
    ("ordered, FEAT_LRCPC", 0x3ffffc00, 0x38bfc000),
    ("register offset", 0x3b200c00, 0x38200800),
    ("authenticated", 0x3b200400, 0x38200400),
    ("unsigned offset", 0x3b000000, 0x39000000),
    ("loads and stores of any kind", 0x0a000000, 0x08000000),
    ("DC", 0xfffff000, 0xd50b7000),
    ("any word", 0, 0),
]


def words_of(groups, count, seed):
    """(group, word)"""
    rng = random.Random(seed)
    for name, mask, value in groups:
        for _ in range(count // len(groups)):
            yield name, rng.getrandbits(32) & ~mask | value


# ---- the disassembler's text ----

BYTES = {"b": 1, "h": 2, "s": 4, "d": 8, "q": 16}
ATOMIC = re.compile(r"(ld|st)(add|clr|eor|set|smax|smin|umax|umin)a?l?[bh]?|swpa?l?[bh]?|casp?a?l?[bh]?"
                    r"|(ld|st)[al]?x[rp][bh]?")
ONE = re.compile(r"(ld|st)(u|t|l|ll|a|la|apu|lu|ap)?r(sb|sh|sw|b|h)?")
PAIR = re.compile(r"(ld|st)(p|np)(sw)?")
STRUCTURES = re.compile(r"(ld|st)([1-4])(r)?")
EXTENDS = {"uxtw": 2, "lsl": 3, "sxtw": 6, "sxtx": 7}


def number(register):
    """x3 -> 3, wzr -> 31"""
    return 31 if register in ("sp", "xzr", "wzr") else int(register[1:])


def address(text, pc):
    """(base, what else canonical lines have of the address, writes back)"""
    literal = re.fullmatch(r"0x([0-9a-f]+)", text)
    if literal:
        distance = (int(literal[1], 16) - pc + 2**63) % 2**64 - 2**63
        return 32, f" offset={distance}" if distance else "", False
    found = re.fullmatch(r"\[(\w+)(?:, (?:#(-?\d+)|(\w+)(?:, (\w+)(?: #(\d+))?)?))?\](!)?"
                         r"(?:, (?:#(-?\d+)|(x\d+)))?", text)
    if not found:
        raise ValueError(text)
    base, offset, index, extend, shift, pre, post, by = found.groups()
    tail = ""
    if index:
        tail += f" index=+{number(index)},{EXTENDS[extend or 'lsl']},{shift or 0}"
    if by:
        tail += f" index=+{number(by)},3,0"
    if int(offset or post or 0):
        tail += f" offset={int(offset or post)}"
    return number(base), tail + (" post" if post or by else ""), bool(pre or post or by)


def canonical(text, pc):
    """What decode.c says of the instruction, if both mean the same."""
    text = re.sub(r"\s*//.*| <.*", "", text).strip()
    name, _, rest = text.partition("\t")
    if ATOMIC.fullmatch(name):
        return "exclusive"
    if name in ("prfm", "prfum", "rprfm"):
        return "none"
    if name == "dc":
        what, register = rest.split(", ")
        return f"zero base={number(register)}" if what == "zva" else "-"
    one, pair, structures = ONE.fullmatch(name), PAIR.fullmatch(name), STRUCTURES.fullmatch(name)
    auth = name in ("ldraa", "ldrab")
    if one or pair or auth:
        registers = rest.split(", ", 2 if pair else 1)
        at = registers.pop()
        kind = registers[0][0]
        if kind in "pz":
            return "-"  # SVE
        numbers = [number(r) for r in registers]
        what = "load" if name[0] == "l" else "store"
        base, tail, writes = address(at, pc)
        if kind in BYTES:
            line = f"{what} vector size={BYTES[kind]}"
            loaded = []
        else:
            suffix = "" if auth else (one[3] if one else pair[3]) or ""
            size = {"b": 1, "h": 2, "w": 4}[suffix[-1]] if suffix else 8 if kind == "x" else 4
            line = f"{what} gpr size={size}"
            loaded = numbers if what == "load" and base != 31 else []
        line += f" n={len(numbers)} r={','.join(map(str, numbers))}"
        if kind not in BYTES and not auth and ((one or pair)[3] or "").startswith("s"):
            line += " sign64" if kind == "x" else " sign32"
        line += f" base={base}{tail}"
        if writes and base not in loaded:
            line += " wb"
        if one and one[2] == "t":
            line += " user"
        return line + (" auth" if auth else "")
    if structures:
        what = "load" if name[0] == "l" else "store"
        braces, lane, at = re.fullmatch(r"\{([^}]*)\}(?:\[(\d+)\])?, (.*)", rest).groups()
        first, last = re.match(r"v(\d+)", braces)[1], re.findall(r"v(\d+)", braces)[-1]
        kind = re.search(r"\.(\d*)([bhsd])", braces)
        count = (int(last) - int(first)) % 32 + 1
        size, regs = BYTES[kind[2]], int(structures[2])
        base, tail, writes = address(at, pc)
        width = int(kind[1] or 0) * size
        if structures[3]:
            line = f"{what} replicate size={size} n={count} width={width}"
        elif lane is not None:
            line = f"{what} lane size={size} n={count} lane={lane}"
        else:
            line = (f"{what} lanes size={size} n={count * width // size} width={width} regs={regs} "
                    f"rounds={count // regs}")
        return f"{line} r={first} base={base}{tail}" + (" wb" if writes else "")
    return "-"


def unpredictable(word):
    """CONSTRAINED UNPREDICTABLE words that are no instructions for this disassembler: LDPSW that names a register
    twice, and fields of LDAR and the like that should be one."""
    t, n, t2 = word & 31, word >> 5 & 31, word >> 10 & 31
    if word & 0x3fa00000 == 0x08800000:
        return word & 0x001f7c00 != 0x001f7c00
    return word & 0xfe400000 == 0x68400000 and (t == t2 or (word & 0x00800000 and n in (t, t2)))


# ---- comparing ----

def in_memory(mode, word):
    """The bytes of the instruction, and NOP behind one of two bytes."""
    if mode != "t32":
        return struct.pack("<I", word)
    return struct.pack("<HH", word, 0xbf00) if word < 0x10000 else struct.pack("<HH", word >> 16, word & 0xffff)


def disassembled(mode, path):
    machine = ["aarch64"] if mode == "a64" else ["arm", "-M", "force-thumb" if mode == "t32" else "no-force-thumb"]
    process = subprocess.Popen(["aarch64-linux-gnu-objdump", "-D", "-z", "-b", "binary", "-m", *machine, path],
                               stdout=subprocess.PIPE, text=True)
    for line in process.stdout:
        found = re.match(r"\s*([0-9a-f]+[048c]|[048c]):\t[0-9a-f ]+ \t(.*)", line)
        if found:
            yield int(found[1], 16), found[2]
    if process.wait():
        raise subprocess.CalledProcessError(process.returncode, "objdump")


def agree(mode, word, pc, text, ours):
    """None, or what the disassembler says instead."""
    thumb = "" if mode == "a32" else "wide" if word >> 16 else "narrow"
    try:
        theirs = canonical(text, pc) if mode == "a64" else arm.canonical(text, thumb)
    except (ValueError, KeyError, AttributeError, IndexError) as error:
        theirs = f"not understood: {error!r}"
    if ours == theirs:
        return None
    if mode == "a64":
        excused = text.endswith("undefined") and ours != "-" and unpredictable(word)
    else:
        excused = arm.excused(mode, word, text, ours, theirs)
    return None if excused else theirs


def compare(mode, program, groups, count, seed):
    """(words by group, decoded ones by group, complaints by group)"""
    seen, decoded, wrong = collections.Counter(), collections.Counter(), collections.defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        path, given = os.path.join(folder, "words"), os.path.join(folder, "given")
        with open(path, "wb") as file, open(given, "wb") as numbers:
            words = words_of(groups, count, seed)
            while batch := [word for _, word in itertools.islice(words, 65536)]:
                file.write(b"".join(in_memory(mode, word) for word in batch))
                numbers.write(struct.pack(f"<{len(batch)}I", *batch))
        with open(given, "rb") as file:
            process = subprocess.Popen([program, mode], stdin=file, stdout=subprocess.PIPE, text=True)
            lines = itertools.zip_longest(words_of(groups, count, seed), disassembled(mode, path), process.stdout)
            for (group, word), (pc, text), ours in lines:
                seen[group] += 1
                ours = ours.rstrip("\n")
                decoded[group] += ours != "-"
                theirs = agree(mode, word, pc, text, ours)
                if theirs is not None:
                    wrong[group].append(f"{word:08x} {text!r}: {ours!r}, not {theirs!r}")
            if process.wait():
                raise subprocess.CalledProcessError(process.returncode, program)
    return seen, decoded, wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--words", type=int, default=60_000, help="of each instruction set")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    sets = {"a64": GROUPS, "a32": arm.A32_GROUPS, "t32": arm.T32_GROUPS}
    print(f"1..{sum(map(len, sets.values()))}")
    number_, failed = 0, False
    for mode, groups in sets.items():
        seen, decoded, wrong = compare(mode, arguments.program, groups, arguments.words, arguments.seed)
        failed |= any(wrong.values())
        for group, _, _ in groups:
            number_ += 1
            well = not wrong[group] and seen[group]
            print(f"{'ok' if well else 'not ok'} {number_} - {mode}, {group}: {seen[group]} words, {decoded[group]} "
                  f"decoded, {len(wrong[group])} wrong")
            for complaint in wrong[group][:5]:
                print(f"# {complaint}")
    return 1 if failed else 0


sys.exit(main())
