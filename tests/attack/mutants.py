#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""Mutants of the library: each has one line made wrong, and an attack that has to find it.

usage: mutants.py write NAME SOURCE TO     the source with the mutant's line; for the build
       mutants.py names                    NAME SOURCE IMAGE, a line for each; IMAGE: vmm or vms

A mutant whose line is gone is written unchanged: the build goes on, and the test of the mutants names it.
"""

import sys

# name: (source below src, its line, what is there instead, attack, what the verdict has to say)
MUTANTS = {
    "panic": (  # EL2 has an exception of its own after an instruction of the guest
        "core/exit/sysreg_trap.c", "avc_count(&vcpu->nr_traps[AVC_EC_SYSREG]);",
        "avc_count(&vcpu->nr_traps[AVC_EC_SYSREG]); if ((esr >> 10 & 15) == 11) __builtin_trap();",
        "insn", r"^EL2: "),
    "hang": (  # EL2 never comes back from one
        "core/exit/sysreg_trap.c", "avc_count(&vcpu->nr_traps[AVC_EC_SYSREG]);",
        'avc_count(&vcpu->nr_traps[AVC_EC_SYSREG]); while ((esr >> 10 & 15) == 11) __asm__ volatile("");',
        "insn", r"more than \d+ instructions"),
    "x19": (  # exits of one vCPU change a register of another
        "core/exit/run.c", "avc_count(&vcpu->nr_exits[vcpu->exit.kind]);",
        "avc_count(&vcpu->nr_exits[vcpu->exit.kind]); { static unsigned n; if (++n % 16 == 0) "
        "vcpu->vm->vcpus[0]->x[19] ^= 1; }",
        "flood", r"^vCPU [01]: "),
    "simd": (  # the same with a SIMD register
        "core/exit/run.c", "avc_count(&vcpu->nr_exits[vcpu->exit.kind]);",
        "avc_count(&vcpu->nr_exits[vcpu->exit.kind]); { static unsigned n; if (++n % 4 == 0) "
        "((uint64_t *)&vcpu->vm->vcpus[0]->fp_storage)[10] ^= 1; }",
        "flood", r"vCPU 0: a SIMD register"),
    "sysreg": (  # a group of system registers is not swapped between vCPUs
        "hw/regs.c", "restore(from, false, AVC_GROUP_PLAIN);", ";",
        "flood", r"^vCPU \d: "),
    "interrupt": (  # one SGI of eight is lost
        "emul/vgic/cpuif.c", "pend(op, &op->vgic->cpus[n], ICC_SGIR_INTID(v), any_group);",
        "{ static unsigned sent; if (++sent % 8) pend(op, &op->vgic->cpus[n], ICC_SGIR_INTID(v), any_group); }",
        "flood", r"an SGI was lost"),
    "still": (  # a vCPU that is switched on is not entered
        "core/exit/run.c", "if (avc_load_seq(&vcpu->power) == AVC_POWER_PENDING) {",
        "if (avc_load_seq(&vcpu->power) == AVC_POWER_PENDING && vcpu->index != 3) {",
        "flood", r"a vCPU stands still"),
    "alias": (  # one page of the host's is given twice
        "core/mem/stage2_map.c", "c.delta = pa - ipa;",
        "if (ipa == 0x41800000) pa -= 0x600000; c.delta = pa - ipa;",
        "tables", r"memory of the VM's own|a page shows what is not its VM's"),
    "memory": (  # EL2 writes into memory of another VM
        "core/exit/run.c", "avc_count(&vcpu->nr_exits[vcpu->exit.kind]);",
        "avc_count(&vcpu->nr_exits[vcpu->exit.kind]); { static unsigned n; "
        "((volatile uint64_t *)0x61800000)[n++ * 64 % 0x20000] = 1; }",
        "vms", r"memory of the VM's own"),
    "guard": (  # EL2 writes beside the memory of a VM
        "core/exit/run.c", "avc_count(&vcpu->nr_exits[vcpu->exit.kind]);",
        "avc_count(&vcpu->nr_exits[vcpu->exit.kind]); *(volatile uint64_t *)0x62000008 = 1;",
        "vms", r"memory around a VM"),
}


def mutated(name, text):
    """The text with the mutant's line; None: it has not this line, or more than one."""
    _, line, instead, _, _ = MUTANTS[name]
    return text.replace(line, instead) if text.count(line) == 1 else None


def main(arguments):
    if arguments[0] == "names":
        for name, (source, _, _, attack, _) in MUTANTS.items():
            print(name, source, "vms" if attack == "vms" else "vmm")
        return 0
    _, name, source, to = arguments
    with open(source, encoding="utf-8") as file:
        text = file.read()
    with open(to, "w", encoding="utf-8") as file:
        file.write(mutated(name, text) or text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
