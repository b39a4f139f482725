#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""./avc run --strace: compares the trace of a program with the program's own record, call by call.

usage: strace.py max/on | max/off | filter | refused

The program (tests/guest/linux/calls.c; AVC_TEST_CALLS names the built one) runs in Debian's Linux. It makes calls in
two threads, executes itself, and prints each call with its arguments and result. The test finds each thread in the
trace by the call that the thread begins with. The trace must have the same calls in the same order, with the same
arguments and results, and no others between them. They are in one address space until the exec, and in another from
there on.
"""

import importlib.util
import os
import re
import sys

from avctest import TOP, Avc, Scratch, Tap, command_line, old_qemu, run_avc

MARK = 0x61766300
LINE = re.compile(r"^\[avc\] vmm: ([0-9a-f]+)/\d+ ([0-9a-f]+) (\w+)\((.*?)\) = (.*)$")
# The program does not record its printing and its end.
PRINTING, ENDS = "write", ("execve", "exit_group")

tap = Tap()


def table(name, pattern):
    with open(os.path.join(TOP, "vmm/guest", name), encoding="utf-8") as file:
        return re.findall(pattern, file.read(), re.M)


CALLS = {name: (int(number), int(args)) for number, name, args in table("syscalls.def", r"^X\((\d+), (\w+), (\d)\)")}
ERRNOS = {name: int(number) for number, name in table("errnos.def", r"^X\((\d+), (\w+)\)")}


def value(text):
    """Returns an argument or a result as 64 bits, or None if it is not known."""
    if text.startswith("?"):
        return None
    if text[0] == "-" and text[1:] in ERRNOS:
        return 2**64 - ERRNOS[text[1:]]
    return int(text, 0) % 2**64


class Call:
    def __init__(self, space, thread, name, args, result):
        self.space, self.thread, self.name, self.text = space, thread, name, f"{name}({args}) = {result}"
        self.number = int(name[len("syscall_"):]) if name.startswith("syscall_") else CALLS[name][0]
        self.args = [value(arg) for arg in args.split(", ")] if args else []
        self.result, self.rest = result, None
        if name == "execve" and result.startswith("0 "):
            self.result, self.rest = "0", result.split()[4]  # "0 goes on as TABLE at ADDRESS"
        self.result = value(self.result)

    def mark(self):
        return self.args[0] - MARK if self.name == "prctl" and self.args[0] in range(MARK, MARK + 3) else None


def initrd(scratch, program):
    """Returns the initrd of ./avc run with the program added: one archive may follow another."""
    spec = importlib.util.spec_from_file_location("mkinitrd", os.path.join(TOP, "vmm/initrd/mkinitrd.py"))
    mkinitrd = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(mkinitrd)
    with open(os.path.join(TOP, "build/guest/initrd.cpio"), "rb") as file:
        data = file.read()
    archive = mkinitrd.Archive()
    with open(program, "rb") as file:
        archive.file("bin/calls", file.read(), 0o755)
    return scratch.save("initrd.cpio", data + b"\0" * (-len(data) % 512) + archive.finish())


def run(vhe, strace):
    """Boots, runs the program and powers off. Returns the program's records by thread, its trace, and the transcript.
    """
    scratch = Scratch()
    try:
        with Avc(["run", "--cpus", 2, "--host-cpus", 2, "--host-cpu", "max", "--host-vhe", vhe, strace,
                  "--timeout", 280, "--initrd", initrd(scratch, os.environ["AVC_TEST_CALLS"]),
                  "--append", "console=ttyAMA0 panic=1 avc.exec=calls"]) as avc:
            status = avc.wait(290)
            return status, avc.stdout.decode(errors="replace"), avc.stderr, avc.transcript()
    finally:
        scratch.remove()


def records(out):
    """Returns [first program: {thread: calls}, second program: the same], each call as (number, arguments, result).
    None if anything is missing."""
    parts, current = [], {}
    for line in out.splitlines():
        word = line.split()
        if word[:1] == ["call"] and len(word) == 10:
            thread, number, *args, result = word[1:]
            current.setdefault(int(thread, 16), []).append(
                (int(number, 16), [int(arg, 16) for arg in args], None if result == "?" else int(result, 16)))
        elif word[:1] == ["end"] and len(word) == 2:
            if sum(map(len, current.values())) != int(word[1], 16):
                return None
            parts.append(current)
            current = {}
    return parts if len(parts) == 2 else None


def trace(err):
    """Returns {mark: calls}, the calls of each of the program's threads from its mark on."""
    open_threads, marked = {}, {}
    for line in err.splitlines():
        match = LINE.match(line)
        if not match:
            continue
        call = Call(*match.groups())
        mark = call.mark()
        if mark is not None:
            open_threads[call.thread] = marked.setdefault(mark, [])
        if call.thread in open_threads:
            open_threads[call.thread].append(call)
            if call.name in ("exit", "exit_group") or call.rest:
                del open_threads[call.thread]
    return marked


def equal(name, record, calls):
    """Compares the record of one thread with the trace. Returns what is left of the trace: the program's printing."""
    difference = ""
    for n, (number, args, result) in enumerate(record):
        call = calls[n] if n < len(calls) else None
        wanted = f"call {n}: {number}({', '.join(map(hex, args))}) = {result if result is None else hex(result)}"
        if (not call or call.number != number or call.args != args[:len(call.args)] or call.result != result
                or len(call.args) != (CALLS[call.name][1] if call.name in CALLS else 6)):
            difference = f"{wanted}\ntrace: {call.text if call else 'ends'}"
            break
    tap.ok(not difference, f"{name}: {len(record)} calls of the record are those of the trace, in order", difference)
    spaces = {call.space for call in calls}
    tap.equal(len(spaces), 1, f"{name}: one address space")
    return calls[len(record):]


def compare(vhe):
    status, out, err, transcript = run(vhe, "--strace")
    tap.equal(status, 0, f"E2H {vhe}: the guest ran and powered off", transcript)
    parts, marked = records(out), trace(err)
    if not tap.ok(parts and all(mark in marked for mark in range(3)), f"E2H {vhe}: the program was traced", transcript):
        return
    total = sum(len(record) for part in parts for record in part.values())
    tap.ok(total >= 1000, f"E2H {vhe}: it made {total} calls")
    results = [call[2] for part in parts for record in part.values() for call in record]
    tap.ok(len({r for r in results if r is not None and r >= 2**64 - 4095}) >= 7, f"E2H {vhe}: with errors of 7 kinds")

    first, second, again = marked[0], marked[1], marked[2]
    rest = equal(f"E2H {vhe}: first thread", parts[0][0], first)
    tap.ok(rest and all(call.name == PRINTING for call in rest[:-1]) and rest[-1].name == "execve" and rest[-1].rest,
           f"E2H {vhe}: then it prints and executes itself", "\n".join(call.text for call in rest))
    tap.ok(not equal(f"E2H {vhe}: second thread", parts[0][1], second), f"E2H {vhe}: which ends with its exit")
    tap.ok(second[0].space == first[0].space and second[0].thread != first[0].thread,
           f"E2H {vhe}: both threads have one address space, and a stack of their own")
    rest = equal(f"E2H {vhe}: after exec", parts[1][0], again)
    tap.ok(rest and rest[-1].name == "exit_group" and all(call.name == PRINTING for call in rest[:-1]),
           f"E2H {vhe}: then it prints and ends", "\n".join(call.text for call in rest))
    tap.ok(again[0].thread == first[0].thread and again[0].space == first[-1].rest != first[0].space,
           f"E2H {vhe}: exec is the same thread in the address space that the trace says")


def filtered():
    """The trace has only the calls that were asked for."""
    status, out, err, transcript = run("on", "--strace=openat,prctl,kill")
    names = {match[3] for match in map(LINE.match, err.splitlines()) if match}
    tap.equal(status, 0, "filter: the guest ran and powered off", transcript)
    tap.equal(names, {"openat", "prctl", "kill"}, "filter: no other call is in the trace")
    parts, marked = records(out), trace(err)
    numbers = [CALLS[name][0] for name in names]
    if tap.ok(parts and all(mark in marked for mark in range(2)), "filter: the program was traced", transcript):
        for thread in range(2):
            wanted = [call for call in parts[0][thread] if call[0] in numbers]
            got = marked[thread][:len(wanted)]
            tap.ok(len(wanted) == len(got) and all(
                (call.number, call.args, call.result) == (number, args[:len(call.args)], result)
                for call, (number, args, result) in zip(got, wanted)),
                f"filter: and each of these is, of thread {thread} ({len(wanted)})")


def refused():
    for args, part in ((["--strace=nonsense"], "'nonsense'"), (["--strace=read,"], "''"), (["--strace="], "''"),
                       (["--strace=read,Write"], "'Write'"), (["--strace=re.d"], "'re.d'"),
                       (["--strace=" + "read," * 300 + "read"], "too many"), (["--strace", "--quiet"], "--quiet")):
        tap.refused(f"{' '.join(args)[:40]} is refused", ["run", *args], "error: ", part)
    result = run_avc("run", "--strace", "--host-cpu", "cortex-a72", "--timeout", 60, timeout=90)
    tap.equal(result.status, 2, "a CPU without FEAT_FGT: status 2", result.transcript)
    tap.contains(result.err, "avc: error: the hypervisor ended with status 2: system calls cannot be traced: this CPU "
                 "has no FEAT_FGT", "and says so")
    tap.equal(result.out, b"", "before the guest has done anything")


def main():
    parser = command_line(__doc__)
    parser.add_argument("what", choices=["max/on", "max/off", "filter", "refused"])
    what = parser.parse_args().what
    if what == "refused":
        refused()
    elif old_qemu():
        tap.skip(f"strace {what}", "this QEMU's max has no FEAT_FGT")
    elif what == "filter":
        filtered()
    else:
        compare(what.split("/")[1])
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
