#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""Tests that completion.py finds writes to registers and PC, in small trees with one function each. Prints TAP."""
import pathlib
import subprocess
import sys
import tempfile

from points import run as run_points

CHECK = pathlib.Path(__file__).resolve().parent / "completion.py"

# A tree with all that completion.py allows, because it complains about an allowance that nothing needs.
SOUND = {
    "src/core/exit/complete.c": "void avc_complete(struct avc_vcpu *vcpu)\n"
                                "{\n    vcpu->x[0] = 1;\n    vcpu->pc += 4;\n}\n",
    "src/core/exit/complete.h": "static inline void step(uint64_t pc)\n{\n    avc_hw_write_ELR_EL2(pc + 4);\n}\n",
    "src/core/object/vcpu.c": "static void reset_state(struct avc_vcpu *vcpu)\n{\n    vcpu->pc = 0;\n}\n"
                              "static void start_here(struct avc_vcpu *vcpu)\n{\n    vcpu->pc = vcpu->start_pc;\n}\n",
    "src/core/object/registers.c": "enum avc_status avc_vcpu_set(struct avc_vcpu *vcpu, uint32_t reg, uint64_t value)\n"
                                   "{\n    vcpu->x[reg] = value;\n}\n",
    "src/core/exit/eret.c": "void avc_eret(struct avc_regs *r)\n{\n    r->pc = pc;\n}\n",
    "src/core/exit/inject.c": "static void take(struct avc_regs *r)\n{\n    r->pc = vector(r);\n}\n",
}

# (title, body of a function f() in a file of its own, whether it is a complaint)
BODIES = [
    ("a register", "vcpu->x[0] = 1;", True),
    ("a register by a field", "v->x[ISS_SRT(e->esr)] = (uint32_t)e->value;", True),
    ("a register by an array", "vcpu->x[regs[2]] = 1;", True),
    ("a register of a struct", "vcpu.x[3] |= 1;", True),
    ("the PC", "vcpu->pc = 0;", True),
    ("the PC, forward", "r->pc += 4;", True),
    ("the PC, by one", "r->pc++;", True),
    ("ELR_EL2", "avc_hw_write_ELR_EL2(avc_hw_read_ELR_EL2() + 4);", True),
    ("on two lines", "vcpu->x[0] =\n        1;", True),
    ("a comparison", "return vcpu->x[0] == 1 && vcpu->pc == 2;", False),
    ("a read", "uint64_t value = vcpu->x[0] + vcpu->pc;", False),
    ("an event's PC", "e->pc = avc_hw_read_ELR_EL2();", False),
    ("an exit's PC", "vcpu->exit.pc = avc_hw_read_ELR_EL2();", False),
    ("an array of one's own", "uint64_t x[18];\n\n    x[0] = e->key;", False),
    ("a comment", "/* vcpu->pc = 0; */", False),
    ("a text", 'avc_log("vcpu->pc = 0;");', False),
]


def run(files):
    with tempfile.TemporaryDirectory() as root:
        for name, text in files.items():
            path = pathlib.Path(root) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        done = subprocess.run([sys.executable, CHECK, root], capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr


def body(text, bad):
    source = f"static int g(void);\n\nstatic __attribute__((noinline)) int f(void *vcpu)\n{{\n    {text}\n}}\n"
    status, out = run({**SOUND, "src/emul/new.c": source})
    return status == bad and out.count("\n# ") == bad and (not bad or "src/emul/new.c:5: f: " in out), out


def others():
    """A function that is allowed in one file is not allowed in another."""
    status, out = run({**SOUND, "src/emul/new.c": SOUND["src/core/exit/eret.c"]})
    return status == 1 and "src/emul/new.c:3: avc_eret: r->pc = pc;" in out, out


def stale():
    status, out = run({n: t for n, t in SOUND.items() if "eret" not in n})
    return status == 1 and "nothing needs the allowance for avc_eret" in out, out


def main():
    points = [("a sound tree", lambda: (run(SOUND)[0] == 0, run(SOUND)[1]))]
    points += [(what, lambda t=t, b=b: body(t, b)) for what, t, b in BODIES]
    points += [("a function of another file", others), ("an allowance that nothing needs", stale)]
    return run_points(points)


sys.exit(main())
