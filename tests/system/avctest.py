# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""What the system tests share: TAP output, ./avc as a child to talk to, tiny Images.

    from avctest import Tap, Avc, Image

    tap = Tap()
    with Avc(["run", "--cpus", "4"], tty=True) as avc:      # or tty=False: pipes
        avc.expect("/ # ", timeout=60)                      # text, or a compiled bytes pattern
        avc.send("nproc\n")
        tap.ok(avc.expect(re.compile(rb"^4\r?$", re.M)), "nproc says 4", avc.transcript())
        avc.send("poweroff\n")
        tap.equal(avc.wait(30), 0, "the guest's poweroff is status 0")
    sys.exit(tap.done())

Tap         counts and prints; skip() for what can't be tested here, with a reason; done()
            prints the plan and returns the exit status. old_qemu() is true where QEMU lacks
            what needs version 10.
Avc         runs the launcher (or, by argv=, anything). On a tty, stdin and stdout are one
            pseudo-terminal, which is the child's controlling one; stderr is always a pipe of
            its own. expect() looks only at what no earlier expect() has consumed and returns
            the match, or None when the time is up or the child has ended. All waiting has a
            limit, and leaving the with-block ends the child and all it started.
Scratch     a folder for files, and for Images that stand in for the hypervisor.
run_avc     for a child that needs no talking to: status, stdout, stderr.
Image       assembles an arm64 Image of a few instructions: guests and stand-ins for the
            hypervisor that do one thing.

Standard library only. AVC in the environment names another launcher than the tree's.
"""

import argparse
import fcntl
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
AVC = os.environ.get("AVC", os.path.join(TOP, "avc"))


def command_line(doc):
    """A parser of the command line whose --help prints the whole document. Other arguments are added to it."""
    return argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)


def existing(name):
    """For add_argument(type=...): a file or folder that is there."""
    if not os.path.exists(name):
        raise argparse.ArgumentTypeError(f"there is no {name}")
    return name


def old_qemu():
    return bool(os.environ.get("AVC_QEMU_OLD"))


class Tap:
    """Prints Test Anything Protocol. The plan comes last, when the number of points is known."""

    def __init__(self):
        self.count = 0
        self.failed = 0

    def ok(self, good, name, detail=""):
        self.count += 1
        print(f"{'ok' if good else 'not ok'} {self.count} - {name}", flush=True)
        if not good:
            self.failed += 1
            for line in str(detail).splitlines()[-60:]:
                print("# " + line, flush=True)
        return bool(good)

    def equal(self, got, wanted, name, detail=""):
        return self.ok(got == wanted, name, f"got {got!r}, wanted {wanted!r}\n{detail}")

    def contains(self, text, part, name):
        return self.ok(part in text, name, f"wanted {part!r} in:\n{text}")

    def refused(self, name, args, *parts, env=None, timeout=20):
        """Checks that ./avc ends with status 2, prints nothing on stdout, and prints an error with all these parts."""
        result = run_avc(*args, env=env, timeout=timeout)
        good = (result.status == 2 and not result.out and "avc: error: " in result.err
                and all(part in result.err for part in parts))
        return self.ok(good, name, f"wanted status 2 and {parts}, got {result.status}\n{result.transcript}")

    def skip(self, name, reason):
        self.count += 1
        print(f"ok {self.count} - {name} # SKIP {reason}", flush=True)

    def done(self):
        print(f"1..{self.count}", flush=True)
        return 1 if self.failed else 0


class Avc:
    def __init__(self, args=(), tty=False, stdin=None, env=None, argv=None, cwd=None):
        """args: arguments of ./avc. argv: another program with its arguments. stdin: a file object in place of the pipe
        (not on a tty). env: added to the environment; a value of None removes the variable."""
        self.argv = list(argv) if argv else [AVC, *map(str, args)]
        self.out = bytearray()  # all of stdout
        self.err = bytearray()  # all of stderr
        self.taken = 0  # consumed by expect()
        self.err_taken = 0
        self.tty_before = None
        environment = dict(os.environ)
        for key, value in (env or {}).items():
            if value is None:
                environment.pop(key, None)
            else:
                environment[key] = str(value)
        if tty:
            self.master, slave = pty.openpty()
            self.slave = slave  # stays open, so that wait() can look at its settings
            self.tty_before = termios.tcgetattr(slave)
            stdin = stdout = slave
        else:
            self.master = self.slave = None
            stdout = subprocess.PIPE
            stdin = subprocess.PIPE if stdin is None else stdin
        self.child = subprocess.Popen(
            self.argv, stdin=stdin, stdout=stdout, stderr=subprocess.PIPE, env=environment,
            cwd=cwd, bufsize=0, start_new_session=True,
            preexec_fn=_take_tty if tty else None)
        self.reads = {self.child.stderr.fileno(): self.err}
        self.reads[self.master if tty else self.child.stdout.fileno()] = self.out

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # Reads what there is, waiting at most so long. False: nothing came.
    def _pump(self, seconds):
        ready, _, _ = select.select(list(self.reads), [], [], max(0, seconds))
        for fd in ready:
            try:
                data = os.read(fd, 65536)
            except OSError:  # a pty whose other end is closed
                data = b""
            if data:
                self.reads[fd] += data
            else:
                del self.reads[fd]
        return bool(ready)

    def _expect(self, buffer_name, taken_name, what, timeout):
        if isinstance(what, str):
            what = what.encode()
        pattern = re.compile(re.escape(what)) if isinstance(what, bytes) else what
        end = time.monotonic() + timeout
        while True:
            match = pattern.search(getattr(self, buffer_name), getattr(self, taken_name))
            if match:
                setattr(self, taken_name, match.end())
                return match
            left = end - time.monotonic()
            if left <= 0 or not self.reads:
                return None
            # A child that has ended prints nothing more once nothing more arrives.
            if not self._pump(min(left, 0.2)) and self.child.poll() is not None:
                return None

    def expect(self, what, timeout=30):
        """Waits for text (str, bytes) or a compiled bytes pattern on stdout."""
        return self._expect("out", "taken", what, timeout)

    def expect_err(self, what, timeout=30):
        """Does the same on stderr, which has the launcher's messages and the hypervisor's log."""
        return self._expect("err", "err_taken", what, timeout)

    def send(self, data):
        data = data.encode() if isinstance(data, str) else data
        os.write(self.master if self.master is not None else self.child.stdin.fileno(), data)

    def close_stdin(self):
        self.child.stdin.close()

    def kill(self, number=signal.SIGTERM):
        """Sends a signal to the launcher, and not to its children."""
        self.child.send_signal(number)

    def wait(self, timeout=30):
        """Returns the exit status (negative for a signal), or None if the time is up."""
        end = time.monotonic() + timeout
        while self.child.poll() is None:
            if time.monotonic() >= end:
                return None
            if self.reads:
                self._pump(0.1)
            else:
                time.sleep(0.05)
        while self.reads and self._pump(0.2):
            pass
        return self.child.returncode

    def terminal_restored(self):
        return termios.tcgetattr(self.slave) == self.tty_before

    @property
    def stdout(self):
        return bytes(self.out)

    @property
    def stderr(self):
        return self.err.decode(errors="replace")

    def transcript(self):
        return (f"$ {' '.join(self.argv)}\nstdout: {self.out.decode(errors='replace')}\n"
                f"stderr: {self.stderr}")

    def close(self):
        """Ends the child's whole session, if it has not ended."""
        if self.child.poll() is None:
            self.child.terminate()
            if self.wait(15) is None:
                try:
                    os.killpg(self.child.pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
                self.child.wait()
        for stream in (self.child.stdin, self.child.stdout, self.child.stderr):
            if stream:
                stream.close()
        for fd in (self.master, self.slave):
            if fd is not None:
                os.close(fd)
        self.master = self.slave = None


def _take_tty():
    """In the child, between fork and exec: stdin becomes the controlling terminal."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Result:
    def __init__(self, status, out, err, transcript):
        self.status, self.out, self.err, self.transcript = status, out, err, transcript


def run_avc(*args, timeout=60, env=None, cwd=None):
    """Runs ./avc to its end, with nothing at stdin. The status is None if it had to be stopped."""
    with open(os.devnull, "rb") as nothing:
        with Avc(args, stdin=nothing, env=env, cwd=cwd) as avc:
            status = avc.wait(timeout)
            return Result(status, avc.stdout, avc.stderr, avc.transcript())


class Scratch:
    """A folder for a test's files. The test calls remove() at its end."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="avc-test.")

    def path(self, name):
        return os.path.join(self.folder, name)

    def save(self, name, data):
        with open(self.path(name), "wb") as file:
            file.write(data)
        return self.path(name)

    def stand_in(self, name, image):
        """Returns the environment in which ./avc run boots this Image in place of the hypervisor."""
        return {"AVC_VMM_IMAGE": image.write(self.path(name))}

    def remove(self):
        for folder, _, _ in os.walk(self.folder):
            os.chmod(folder, 0o700)
        shutil.rmtree(self.folder)


class Image:
    """An arm64 Image, put together instruction by instruction (Arm ARM C6.2).

    x0 to x3 are scratch; x19 holds the address of the UART that print() uses."""

    UART = 0x09000000  # first PL011 of the virt machine, a guest's and the board's alike
    LOG = 0x09040000  # second PL011 of the board; an old QEMU's has a card in its place
    CARD_CONFIG = 0x4010008000  # that card's PCI configuration space: bus 0, device 1
    IO_PORTS = 0x3EFF0000
    SYSTEM_OFF = 0x84000008  # PSCI, DEN0022

    def __init__(self):
        self.code = []

    def word(self, value):
        self.code.append(value)
        return self

    def mov(self, register, value):
        self.word(0xD2800000 | (value & 0xFFFF) << 5 | register)  # MOVZ
        for half in range(1, 4):
            part = value >> 16 * half & 0xFFFF
            if part:
                self.word(0xF2800000 | half << 21 | part << 5 | register)  # MOVK
        return self

    def store(self, address, value):
        return self.mov(0, address).mov(1, value).word(0xB9000000 | 0 << 5 | 1)  # STR W1, [X0]

    def print(self, text, uart=UART):
        if uart == self.LOG and old_qemu():
            port = 0x1000
            self.store(self.CARD_CONFIG + 0x10, port).store(self.CARD_CONFIG + 4, 1)  # BAR 0; command: I/O
            uart = self.IO_PORTS + port
        self.mov(19, uart)
        for byte in text.encode() if isinstance(text, str) else text:
            self.mov(1, byte).word(0x39000000 | 19 << 5 | 1)  # STRB W1, [X19]
        return self

    def echo(self, until):
        """Sends back each byte that arrives, up to the given one and with it."""
        self.mov(19, self.UART)
        self.word(0xB9400000 | (0x18 // 4) << 10 | 19 << 5 | 1)  # LDR W1, [X19, #FR]
        self.word(0x37000000 | 4 << 19 | (-1 & 0x3FFF) << 5 | 1)  # TBNZ W1, #RXFE, .-4
        self.word(0xB9400000 | 19 << 5 | 1)  # LDR W1, [X19]
        self.word(0x39000000 | 19 << 5 | 1)  # STRB W1, [X19]
        self.word(0x7100001F | ord(until) << 10 | 1 << 5)  # CMP W1, #until
        self.word(0x54000001 | (-5 & 0x7FFFF) << 5)  # B.NE .-20
        return self

    def hvc(self, function):
        return self.mov(0, function).word(0xD4000002)

    def smc(self, function):
        return self.mov(0, function).word(0xD4000003)

    def jump(self, address):
        return self.mov(0, address).word(0xD61F0000)  # BR X0

    def spin(self):
        return self.word(0xD503207F).word(0x14000000 | (-1 & 0x3FFFFFF))  # WFI; B .-4

    def bytes(self, image_size=None, text_offset=0):
        body = struct.pack(f"<{len(self.code)}I", *self.code)
        size = 64 + len(body) if image_size is None else image_size
        header = struct.pack("<IIQQQQQQ4sI", 0x14000010, 0xD503201F, text_offset, size, 0xA,
                             0, 0, 0, b"ARM\x64", 0)  # B .+64; NOP; flags: LE, 4K, anywhere
        return header + body

    def write(self, path, **options):
        with open(path, "wb") as file:
            file.write(self.bytes(**options))
        return path


if __name__ == "__main__":
    sys.exit("a library, to be imported by the tests beside it")
