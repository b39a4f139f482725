# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""A32's and T32's loads and stores, for decode.py: encoding groups, and how the disassembler's text is read."""
import re

# As in decode.py: name, bits that are fixed, their values (Arm ARM DDI 0487, F4.1). The condition is "always".
A32_GROUPS = [
    ("word and byte, immediate", 0xfe000000, 0xe4000000),
    ("word and byte, register", 0xfe000010, 0xe6000000),
    ("halfword, doubleword and signed", 0xfe000090, 0xe0000090),
    ("halfword, doubleword and signed, register", 0xfe400f90, 0xe0000090),
    ("doubleword, immediate", 0xfe5010d0, 0xe04000d0),
    ("exclusive and ordered", 0xff800cf0, 0xe1800c90),
    ("ordered", 0xff80fff0, 0xe180fc90),
    ("multiple", 0xfe000000, 0xe8000000),
    ("multiple, not the PC", 0xfe408000, 0xe8000000),
    ("floating-point", 0xfe000e00, 0xec000a00),
    ("one floating-point register", 0xff200e00, 0xed000a00),
    ("few floating-point registers", 0xfe000ef0, 0xec000a00),
    ("one half-precision register", 0xff200f00, 0xed000900),
    ("half-precision", 0xfe000f00, 0xec000900),
    ("SIMD structures", 0xff900000, 0xf4000000),
    ("SIMD structures without write-back", 0xff90000f, 0xf400000f),
    ("SIMD structures, post-index by their size", 0xff90000f, 0xf400000d),
    ("one SIMD lane", 0xff900000, 0xf4800000),
    ("one SIMD lane without write-back", 0xff90000f, 0xf480000f),
    ("one SIMD element for all lanes", 0xffb00c00, 0xf4a00c00),
    ("the PC", 0xfe50f000, 0xe410f000),
    ("the PC, stored", 0xfe50f000, 0xe400f000),
    ("the PC among several", 0xfe408000, 0xe8008000),
]

# T32: the first halfword is above; an instruction of two bytes has nothing there.
T32_GROUPS = [
    ("literal", 0xfffff800, 0x00004800),
    ("register", 0xfffff000, 0x00005000),
    ("immediate", 0xffffe000, 0x00006000),
    ("halfword", 0xfffff000, 0x00008000),
    ("stack", 0xfffff000, 0x00009000),
    ("PUSH and POP", 0xfffff600, 0x0000b400),
    ("multiple", 0xfffff000, 0x0000c000),
    ("wide multiple", 0xfe400000, 0xe8000000),
    ("wide multiple, neither SP nor PC", 0xfe40a000, 0xe8000000),
    ("wide doubleword and exclusive", 0xfe400000, 0xe8400000),
    ("wide ordered", 0xffe00fc0, 0xe8c00f80),
    ("table branches", 0xffe0fee0, 0xe8c0f000),
    ("wide, immediate", 0xfe800000, 0xf8800000),
    ("wide, with an index of its own", 0xfe800800, 0xf8000800),
    ("wide, register", 0xfe800fc0, 0xf8000000),
    ("wide, any", 0xfe000000, 0xf8000000),
    ("floating-point", 0xfe000e00, 0xec000a00),
    ("one floating-point register", 0xff200e00, 0xed000a00),
    ("few floating-point registers", 0xfe000ef0, 0xec000a00),
    ("one half-precision register", 0xff200f00, 0xed000900),
    ("half-precision", 0xfe000f00, 0xec000900),
    ("SIMD structures", 0xff900000, 0xf9000000),
    ("SIMD structures without write-back", 0xff90000f, 0xf900000f),
    ("SIMD structures, post-index by their size", 0xff90000f, 0xf900000d),
    ("one SIMD lane", 0xff900000, 0xf9800000),
    ("one SIMD lane without write-back", 0xff90000f, 0xf980000f),
    ("one SIMD element for all lanes", 0xffb00c00, 0xf9a00c00),
    ("the PC", 0xff70f000, 0xf850f000),
    ("the PC, unsigned offset", 0xff70f000, 0xf8d0f000),
    ("the PC, with an index of its own", 0xff70f800, 0xf850f800),
    ("the PC, by register", 0xff70ffc0, 0xf850f000),
    ("the PC, wide multiple", 0xfe50a000, 0xe8108000),
    ("the PC, POP", 0xffffff00, 0x0000bd00),
]

ARM_NAMES = {**{f"r{n}": n for n in range(16)}, "sl": 10, "fp": 11, "ip": 12, "sp": 13, "lr": 14, "pc": 15}
ARM_ONE = re.compile(r"(ld|st)r(sb|sh|b|h|d)?(t)?(?:\.[wn])?")
ARM_ORDERED = re.compile(r"(lda|stl)(b|h)?")
ARM_MANY = re.compile(r"(ldm|stm)(ia|ib|da|db|fd)?(?:\.[wn])?|(push|pop)(?:\.[wn])?")
ARM_BANK = re.compile(r"v(ld|st)(r|m)(ia|db|\.16)?|v(push|pop)")
ARM_SIMD = re.compile(r"v(ld|st)([1-4])\.(8|16|32|64)")
ARM_EXCLUSIVE = re.compile(r"(ldr|str|lda|stl)ex[bhd]?")
SHIFTS = {"lsl": 8, "lsr": 9, "asr": 10, "ror": 11, "rrx": 12}


def arm_address(text):
    """(base, index or None, the rest of a canonical line, writes back)"""
    found = re.fullmatch(r"\[(\w+)(?:, (?:#(-?\d+)|(-)?(\w+)(?:, (\w+)(?: #(\d+))?)?))?\](!)?"
                         r"(?:, (?:#(-?\d+)|(-)?(\w+)(?:, (\w+)(?: #(\d+))?)?))?", text)
    if not found:
        raise ValueError(text)
    base, offset, minus, index, kind, by, pre, post, post_minus, post_index, post_kind, post_by = found.groups()
    minus, index, kind, by = (post_minus, post_index, post_kind, post_by) if post_index else (minus, index, kind, by)
    tail = f" index={minus or '+'}{ARM_NAMES[index]},{SHIFTS[kind or 'lsl']},{by or 0}" if index else ""
    if int(offset or post or 0):
        tail += f" offset={int(offset or post)}"
    after = bool(post or post_index)
    return ARM_NAMES[base], index, tail + (" post" if after else ""), bool(pre) or after


def arm_list(text):
    registers = []
    for part in text.strip("{}").split(", "):
        first, _, last = part.partition("-")
        registers += range(ARM_NAMES[first], ARM_NAMES[last or first] + 1)
    return registers


def arm_base(base):
    return 32 if base == 15 else base


def arm_multiple(name, mode, rest, thumb):
    if name in ("push", "pop"):
        base, wb, registers, load, mode = 13, True, rest, name == "pop", "db" if name == "push" else "ia"
    else:
        base, registers = rest.split(", ", 1)
        base, wb, load, mode = ARM_NAMES[base.rstrip("!")], base.endswith("!"), name == "ldm", mode or "ia"
        mode = ("ia" if load else "db") if mode == "fd" else mode
    if "^" in registers or "{}" in registers:
        return "-"
    numbers = arm_list(registers)
    if thumb == "wide" and (13 in numbers or len(numbers) < 2):
        return "-"
    size = 4 * len(numbers)
    if base == 15 or (15 in numbers and thumb and (not load or (thumb == "wide" and 14 in numbers))):
        return "-"
    address = {"ia": 0, "ib": 4, "da": 4 - size, "db": -size}[mode]
    further = (size if mode[0] == "i" else -size) - address
    line = f"{'load' if load else 'store'} list size=4 n={len(numbers)} list={sum(1 << n for n in numbers):x}"
    line += f" base={base}" + (f" offset={address}" if address else "") + (f" further={further}" if further else "")
    return line + (" wb" if wb and not (load and base in numbers) else "") + (" pc" if 15 in numbers else "")


def arm_bank(found, rest):
    if found[4]:
        base, wb, registers, load, mode = 13, True, rest, found[4] == "pop", "db" if found[4] == "push" else "ia"
    elif found[2] == "m":
        base, registers = rest.split(", ", 1)
        base, wb, load, mode = ARM_NAMES[base.rstrip("!")], base.endswith("!"), found[1] == "ld", found[3]
    else:
        registers, at = rest.split(", ", 1)
        base, _, tail, _ = arm_address(at)
        if base == 15 and found[1] == "st":
            return "-"
        width, number_ = 8 if registers[0] == "d" else 4, int(registers[1:])
        return (f"{'load' if found[1] == 'ld' else 'store'} bank size={2 if found[3] else width} n=1 width={width} "
                f"r={number_} base={arm_base(base)}{tail}")
    numbers = [int(n) for n in re.findall(r"[sd](\d+)", registers)]
    size, count = 8 if "d" in registers else 4, numbers[-1] - numbers[0] + 1
    if numbers[-1] > 31 or count < 1 or (size == 8 and count > 16) or base == 15:
        return "-"
    step = size * count if mode == "ia" else -size * count
    line = f"{'load' if load else 'store'} bank size={size} n={count} width={size} r={numbers[0]} base={base}"
    return line + ((f" offset={step}" + (" post" if mode == "ia" else "") + " wb") if wb else "")


def arm_simd(found, rest):
    """VLD1 to VST4. The list has all registers, or the first and the last one; brackets have the lane, or nothing."""
    what, each, size = "load" if found[1] == "ld" else "store", int(found[2]), int(found[3]) // 8
    listed, base, align, mark, by = re.fullmatch(r"\{([^}]*)\}, \[(\w+)(?: :(\d+))?\](!)?(?:, (\w+))?", rest).groups()
    numbers = [int(n) for n in re.findall(r"d(\d+)", listed)]
    if "-" in listed:
        numbers = list(range(numbers[0], numbers[1] + 1))
    lane, count, base = re.search(r"\[(\d*)\]", listed), len(numbers), ARM_NAMES[base]
    if base == 15 or max(numbers) > 31 or (size == 8 and (each > 1 or lane)):
        return "-"
    if lane is None:
        if int(align or 0) > [0, 64, 128, 64, 256][count]:
            return "-"
        rounds = count // each
        step = 1 if each == 1 else 2 if rounds == 2 else numbers[1] - numbers[0]
        n, form = count * 8 // size, f"lanes32 size={size} n={count * 8 // size} width=8 regs={each} rounds={rounds}"
    else:
        n, step = each, numbers[1] - numbers[0] if each > 1 else 1
        form = f"{'lane32' if lane[1] else 'replicate32'} size={size} n={n} width=8"
        form += "" if lane[1] else f" rounds={count // each}"
    line = f"{what} {form}" + (f" step={step}" if each > 1 else "") + (f" lane={lane[1]}" if lane and lane[1] else "")
    line += f" r={numbers[0]} base={base}"
    if mark:
        return f"{line} offset={n * size} post wb"
    return line + (f" index=+{ARM_NAMES[by]},8,0 post wb" if by else "")


def arm_single(found, rest, thumb):
    """LDR, STR and their like."""
    what, suffix, user = "load" if found[1] == "ld" else "store", found[2] or "", found[3]
    registers, at = re.match(r"((?:\w+, )+)(\[.*)", rest).groups()
    numbers = [ARM_NAMES[r] for r in registers.strip(", ").split(", ")]
    base, index, tail, writes = arm_address(at)
    if suffix == "d":
        size = 4
        if not thumb:
            numbers.append(numbers[0] + 1)
        refused = 15 in numbers or bool(thumb and 13 in numbers)
        refused |= bool(thumb) and what == "load" and numbers[0] == numbers[1]
        refused |= not thumb and bool(numbers[0] % 2)
    else:
        size = {"": 4, "b": 1, "h": 2}[suffix[-1:]]
        refused = 15 in numbers and (suffix != "" or (user and base != 15) or (bool(thumb) and what == "store"))
    if index in ("pc", "sp" if thumb else "pc"):
        return "-"
    if refused or (base == 15 and (writes or index or (thumb and what == "store"))):
        return "-"
    line = f"{what} gpr size={size} n={len(numbers)} r={','.join(map(str, numbers))}"
    line += (" sign32" if suffix in ("sb", "sh") else "") + f" base={arm_base(base)}{tail}"
    line += " wb" if writes and not (what == "load" and base in numbers) else ""
    return line + (" user" if user else "") + (" pc" if 15 in numbers else "")


def canonical(text, thumb):  # thumb: "", "narrow" or "wide"
    """What decode.c says of the instruction, if both mean the same."""
    if other := re.search(r"@ \(((?:ldr|str)\S*) ([^)]*)\)", text):  # POP and PUSH of one register
        text = f"{other[1]}\t{other[2]}"
    line, text = text, re.sub(r"\s*@.*|\s*;.*", "", text).strip()
    name, _, rest = text.partition("\t")
    rest = rest.replace("#-0", "#0").strip()
    if "<undefined>" in rest or "<illegal" in name:
        return "-"
    if found := ARM_SIMD.fullmatch(name):
        return "-" if "UNDEFINED" in line or "<bad align" in rest else arm_simd(found, rest)
    if ARM_EXCLUSIVE.fullmatch(name):
        return "exclusive" if "[pc" not in rest else "-"
    if found := ARM_ORDERED.fullmatch(name):
        register, at = rest.split(", ", 1)
        base, *_ = arm_address(at)
        if 15 in (base, ARM_NAMES[register]):
            return "-"
        return (f"{'load' if found[1] == 'lda' else 'store'} gpr size={ {None: 4, 'b': 1, 'h': 2}[found[2]] } n=1 "
                f"r={ARM_NAMES[register]} base={base}")
    if found := re.fullmatch("tb([bh])", name):
        base, index, tail, _ = arm_address(rest)
        size = 1 if found[1] == "b" else 2
        return "-" if index == "pc" else f"load gpr size={size} n=1 r=31 base={arm_base(base)}{tail} table"
    if found := ARM_MANY.fullmatch(name):
        return arm_multiple(found[1] or found[3], found[2], rest, thumb)
    if found := ARM_BANK.fullmatch(name):
        return arm_bank(found, rest)
    if found := ARM_ONE.fullmatch(name):
        return arm_single(found, rest, thumb)
    return "-"


def excused(mode, word, text, ours, theirs):
    """May they differ? UNPREDICTABLE and UNDEFINED instructions are not decoded. The disassembler does not say so of
    all of them, and leaves out some marks that mean nothing."""
    if ours == "exclusive":
        # fields that should be one; STREX of the PC is UNPREDICTABLE, and another instruction for a microcontroller
        return "UNDEFINED" in text or "illegal" in text or text.startswith("tt")
    if ours != "-":
        literal = "base=32" in ours and theirs.replace(" user", "") == ours
        return literal or "offset" not in ours and ours == theirs + " wb"
    if mode == "a32" and word & 0x0e000090 == 0x00000090 and word & 0x60:
        zeros = not word & 0x00400000 and word & 0xf00
        return "UNPREDICTABLE" in text or zeros or (word >> 16 & 15 == 15 and word & 0x01200000 != 0x01000000)
    if mode == "t32" and word & 0xfe800800 == 0xf8000000:
        return word & 0x7c0
    if mode == "t32" and word & 0xfe7f0000 == 0xe87f0000 and word & 0x00200000:  # LDRD that writes the PC back
        return True
    if word & (0xffb00fd0) in (0xf4a00fc0, 0xf9a00fc0):  # VLD4 for all lanes, 16 bytes at once, but not aligned
        return True
    bank = word & 0x0e000e00 == 0x0c000a00
    return "UNPREDICTABLE" in text or bank and (not word & 0xff or (word & 0x100 and (word & 0xff) // 2 > 16))
