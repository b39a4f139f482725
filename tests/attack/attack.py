#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""Attacks the hypervisor by guests that do what no guest should, and says how that ended.

usage: attack.py --build DIR [--seed N] [--seconds S | --repeat N] [--host-cpu MODEL] [--tap] [ATTACK...]

A run is one boot of one attack with one seed. The seed decides everything: what the guest does, whether EL2 has E2H
set, and whether the emulator is deterministic (counted: two runs are the same to the instruction) or runs its CPUs in
parallel. How a run may end:

  clean    the guest has reported that all of its checks held
  ended    the guest has ended itself, in a way that is its right (it ran into memory that it has not)
  QEMU     the emulator failed in a way that is known, whatever runs in it; named, and not counted as a failure
  FAILED   EL2 panicked, or hangs; a vCPU's state or memory has changed, an interrupt was lost, a vCPU stands still

EL2 hangs when it has executed more instructions than the attack has ever needed (the plugin watch.so counts them), or
when no thread of the emulator has used any time for a while. No verdict depends on how long something took.
"""

import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

from mutants import MUTANTS, mutated

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FIXED_SEED = 5
ASLEEP = 60  # looks, a second apart, that find the emulator's threads asleep and its CPU time unchanged

# name: vCPUs, rounds of each hostile one, millions of instructions after which it hangs
ATTACKS = {
    "insn": (4, 3000, 20000),
    "gic": (4, 25000, 30000),
    "psci": (6, 6000, 30000),
    "tables": (4, 50000, 30000),
    "flood": (4, 4000, 30000),
    "vms": (0, 400, 30000),
}
MUTANT_MILLIONS = 3000
V80 = re.compile(r"cortex-a(3[45]|53|57|7[23])$")

# What QEMU 10 itself does not survive: an assertion of its own in these files.
QEMU_FAULTS = (
    (re.compile(r"arm_gicv3_cpuif\.c.*icv_gprio_mask"), "a binary point of 8 with a group 1 interrupt"),
    (re.compile(r"target/arm/tcg/(translate|a32|t32|t16)[^:]*:.*(assert|should not be reached)", re.I),
     "an instruction that its decoder of A32 and T32 does not expect"),
    (re.compile(r"(tcg|accel/tcg)/[^:]*:.*(assert|should not be reached)", re.I), "its translator"),
)

# The guest may end its VM like this.
OWN_ENDS = re.compile(r"vmm: exit 3: vCPU \d+: (instruction fetch|a fetch|a walk|it fetches|the fetch)", re.I)


class Verdict:
    def __init__(self, kind, text, counts=None):
        self.kind, self.text, self.counts = kind, text, counts or {}


def reports(out):
    """The lines that begin with "@@" and end with their checksum. Others may be an attack's own output."""
    found = []
    for match in re.finditer(rb"(?=@@ ([^\n]*?) #([0-9a-f]{8})\r?\n)", out):
        total = 0
        for byte in b"@@ " + match[1]:
            total = (total * 31 + byte) & 0xFFFFFFFF
        if total == int(match[2], 16):
            found.append(match[1].decode(errors="replace"))
    return found


def judge(status, out, err):
    """How did a run end? out: the guest's console; err: the hypervisor's log and the emulator's words."""
    said = reports(out)
    failed = [line for line in said if line.startswith("fail ")]
    done = [line for line in said if line.startswith("done ")]
    hang = re.search(r"attack: hang: .*", err)
    panic = re.search(r"vmm: (fatal: .*|panic on .*|exit [12]: .*)|avc: (fatal|panic).*|Bail out!.*", err) or \
        re.search(rb"(@@host FAILED|panic|Bail out!|fatal)[^\n]*", out if b"@@host" in out else b"")
    if hang:
        return Verdict("FAILED", hang[0])
    for pattern, what in QEMU_FAULTS:
        if pattern.search(err):
            return Verdict("QEMU", what)
    if panic:
        text = panic[0]
        return Verdict("FAILED", "EL2: " + (text.decode(errors="replace") if isinstance(text, bytes) else text))
    if failed:
        return Verdict("FAILED", failed[0].removeprefix("fail "))
    if done and status == 0:
        return Verdict("clean", "", {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", done[0])})
    if own := OWN_ENDS.search(err):
        return Verdict("ended", own[0])
    return Verdict("FAILED", f"status {status} and no report")


# ---- a run ----

def threads_of(pid):
    """Of a process and all that it started: (states, CPU time)."""
    states, used, todo = "", 0, [pid]
    while todo:
        pid = todo.pop()
        try:
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/stat", encoding="ascii", errors="replace") as file:
                    fields = file.read().rpartition(")")[2].split()
                states += fields[0]
                used += int(fields[11]) + int(fields[12])
                with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as file:
                    todo += map(int, file.read().split())
        except OSError:
            pass
    return states, used


def wait_awake(process):
    """False: nothing will ever happen any more. It was ended."""
    asleep, before = 0, None
    while True:
        try:
            process.wait(1)
            return True
        except subprocess.TimeoutExpired:
            states, used = threads_of(process.pid)
            asleep = asleep + 1 if not states.strip("S") and used == before else 0
            before = used
        if asleep >= ASLEEP:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait()
            return False


class Runner:
    def __init__(self, options):
        self.options = options
        self.folder = os.path.join(options.build, "tests/attack")
        self.watch = os.path.join(self.folder, "watch.so")
        self.mutant = None  # the name of one, to be attacked in place of the tree's own

    def is_parallel(self, seed):
        return bool(seed >> 1 & 1)

    def is_vhe(self, seed):
        return bool(seed >> 2 & 1) and not V80.match(self.options.host_cpu)

    def command(self, attack, seed, rounds, parameters):
        cpus, default, millions = ATTACKS[attack]
        parallel, vhe = self.is_parallel(seed), self.is_vhe(seed)
        words = f"attack={attack} seed={seed} rounds={rounds or default} cpus={cpus} " + \
            f"patience={200000 if parallel else 2000 if self.mutant else 5000} wild={int(self.options.wild)}"
        millions = MUTANT_MILLIONS if self.mutant else millions * (1 + rounds // default)
        # A vCPU that is lost may spin, and is waited for. In parallel it spins as fast as QEMU can, while the one that
        # waits counts ticks: 30e9 instructions were seen on a quiet machine, and 60e9 on a busy one.
        millions *= 10 if parallel else 1
        plugin = f"{self.watch},limit={millions * 1000000}"
        if cpus:
            return [os.path.join(TOP, "avc"), "run", "--kernel", os.path.join(self.folder, "attack.bin"),
                    "--append", words, "--cpus", str(cpus), "--memory", "64", "--host-cpus", "2",
                    "--host-cpu", self.options.host_cpu, "--host-vhe", "on" if vhe else "off",
                    *([] if parallel else ["--count"]), "--", "-plugin", plugin]
        sys.path.insert(0, os.path.join(TOP, "tests/system"))
        import boot  # noqa: the command line of QEMU for a kernel of ours
        parameters.write(words.encode() + b"\0")
        parameters.flush()
        image = os.path.join(self.folder, f"mutant-{self.mutant}.bin" if self.mutant else f"vms-e2h{int(vhe)}.bin")
        return [*boot.command(self.options.host_cpu, 2, image, count=not parallel, plugin=plugin),
                "-device", f"loader,addr=0x50000000,file={parameters.name},force-raw=on"]

    def run(self, attack, seed, rounds=0):
        environment = dict(os.environ)
        environment.setdefault("AVC_VMM_IMAGE", os.path.join(self.options.build, "vmm/vmm.bin"))
        if self.mutant:
            environment["AVC_VMM_IMAGE"] = os.path.join(self.folder, f"mutant-{self.mutant}.bin")
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, \
                tempfile.NamedTemporaryFile() as parameters:
            process = subprocess.Popen(self.command(attack, seed, rounds, parameters), stdin=subprocess.DEVNULL,
                                       stdout=out, stderr=err, env=environment, start_new_session=True)
            try:
                awake = wait_awake(process)
            except BaseException:
                os.killpg(process.pid, signal.SIGTERM)
                process.wait()
                raise
            out.seek(0)
            err.seek(0)
            said, log = out.read(), err.read().decode(errors="replace")
        verdict = judge(process.returncode, said, log)
        if not awake:
            verdict = Verdict("FAILED", "hang: nothing is executed any more")
        if match := re.search(r"attack: executed (\d+)", log):
            verdict.counts["instructions"] = int(match[1])
        verdict.log = log + "\n" + said.decode(errors="replace")[-2000:]
        return verdict


# ---- many runs ----

class Session:
    def __init__(self, options):
        self.options = options
        self.runner = Runner(options)
        self.points, self.kinds, self.totals = 0, {}, {}

    def say(self, text):
        print(("# " if self.options.tap else "") + text, flush=True)

    def one(self, attack, seed):
        before = os.times()
        verdict = self.runner.run(attack, seed, self.options.rounds)
        after = os.times()
        verdict.counts["CPU seconds"] = round(sum(after[2:4]) - sum(before[2:4]), 1)
        self.kinds[verdict.kind] = self.kinds.get(verdict.kind, 0) + 1
        for key, value in verdict.counts.items():
            self.totals[key] = self.totals.get(key, 0) + value
        how = f"{self.options.host_cpu}, E2H {'on' if self.runner.is_vhe(seed) else 'off'}, " + \
            ("parallel" if self.runner.is_parallel(seed) else "counted")
        counts = ", ".join(f"{value} {key}" for key, value in verdict.counts.items())
        self.say(f"{attack}: seed {seed}, {how}: {': '.join(filter(None, (verdict.kind, verdict.text, counts)))}")
        if verdict.kind == "FAILED":
            self.say(f"  again: ./avc attack --host-cpu {self.options.host_cpu} --seed {seed} --repeat 1 {attack}")
            for line in verdict.log.splitlines()[-40:]:
                self.say("  | " + "".join(c if c.isprintable() else "?" for c in line))
        if self.options.tap:
            self.points += 1
            print(f"{'not ok' if verdict.kind == 'FAILED' else 'ok'} {self.points} - {attack}, seed {seed}, {how}",
                  flush=True)

    def all(self):
        options = self.options
        end = time.monotonic() + options.seconds
        turn = 0
        self.say(f"seed {options.seed}, QEMU's {options.host_cpu}: {' '.join(options.attacks)}")
        while turn < options.repeat or (options.seconds and time.monotonic() < end):
            for attack in options.attacks:
                if options.seconds and time.monotonic() >= end:
                    break
                self.one(attack, options.seed + turn)
            turn += 1
        runs = sum(self.kinds.values())
        self.say(f"seed {options.seed}, {runs} runs: " +
                 ", ".join(f"{count} {kind}" for kind, count in sorted(self.kinds.items())) + "; in total " +
                 ", ".join(f"{value} {key}" for key, value in self.totals.items()))
        if options.tap:
            print(f"1..{self.points}", flush=True)
        return 1 if self.kinds.get("FAILED") or not runs else 0


    def mutants(self):
        """Each mutant is attacked, and has to be found by the oracle that it is made for."""
        missed = []
        for name, (source, _, _, attack, wanted) in MUTANTS.items():
            with open(os.path.join(TOP, "src", source), encoding="utf-8") as file:
                there = mutated(name, file.read())
            self.runner.mutant = name
            verdict = self.runner.run(attack, self.options.seed, self.options.rounds) if there else \
                Verdict("not made", f"{source} has not the line that mutants.py looks for")
            found = verdict.kind == "FAILED" and re.search(wanted, verdict.text)
            self.say(f"mutant {name}, attack {attack}: {verdict.kind}, {verdict.text}")
            if not found:
                missed.append(name)
                for line in getattr(verdict, "log", "").splitlines()[-20:]:
                    self.say("  | " + "".join(c if c.isprintable() else "?" for c in line))
            if self.options.tap:
                self.points += 1
                print(f"{'ok' if found else 'not ok'} {self.points} - mutant {name} is found by {attack}", flush=True)
        self.say(f"{len(MUTANTS) - len(missed)} of {len(MUTANTS)} mutants found" +
                 (", but not: " + " ".join(missed) if missed else ""))
        if self.options.tap:
            print(f"1..{self.points}", flush=True)
        return 1 if missed else 0


def parse(arguments):
    parser = argparse.ArgumentParser(description="Attacks the hypervisor.",
                                     usage=__doc__.split("usage: ")[1].split("\n")[0])
    parser.add_argument("--build", required=True)
    parser.add_argument("--seed", type=int, default=FIXED_SEED)
    parser.add_argument("--seconds", type=int, default=0)
    parser.add_argument("--repeat", type=int)
    parser.add_argument("--rounds", type=int, default=0)
    parser.add_argument("--host-cpu", default="max")
    parser.add_argument("--tap", action="store_true")
    parser.add_argument("--mutants", action="store_true")
    parser.add_argument("--wild", action="store_true")
    parser.add_argument("attacks", nargs="*")
    options = parser.parse_args(arguments)
    options.attacks = options.attacks or list(ATTACKS)
    unknown = [name for name in options.attacks if name not in ATTACKS]
    if unknown:
        parser.error(f"no such attack: {unknown[0]} (there are: {' '.join(ATTACKS)})")
    if options.repeat is None:
        options.repeat = 0 if options.seconds else 1
    return options


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the emulator is ended, too
    session = Session(parse(sys.argv[1:]))
    sys.exit(session.mutants() if session.options.mutants else session.all())
