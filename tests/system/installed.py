# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""The package as `meson install` installs it, moved to another folder. example.py and package.py build against it.

    with Installed("build/target") as package:
        folder = package.copy_example("01-minimal")
        package.run([*package.make(), "check"], folder)
"""

import os
import pathlib
import shutil
import subprocess
import tempfile

# Variables that would change the build.
NOT_OURS = ("AR", "ASM", "AVC_SOURCE", "CC", "CFLAGS", "CMAKE_PREFIX_PATH", "CPPFLAGS", "CPU", "CPUS", "CROSS_COMPILE",
            "CXX", "CXXFLAGS", "DESTDIR", "E2H", "LDFLAGS", "MAKEFLAGS", "MFLAGS", "OBJCOPY", "QEMU")
OLD_MAX = "max,sme=off"  # see machine_describe() of the launcher: QEMU 7 has SME without FEAT_FGT


class Result:
    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err

    @property
    def transcript(self):
        return f"{self.out}{self.err}status {self.status}"


class Installed:
    def __init__(self, build):
        self.build = pathlib.Path(build).absolute()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="avc-package-"))
        # The package must find its parts by relative paths, so it is moved away from where it was installed.
        self.prefix = self.folder / "moved"
        self.pkg_config_path = self.prefix / "lib/pkgconfig"

    def __enter__(self):
        stage = self.folder / "stage"
        result = self.run(["meson", "install", "-C", self.build, "--no-rebuild", "--destdir", stage], self.folder)
        archives = list(stage.glob("**/libavc.a"))
        if result.status or len(archives) != 1:
            raise SystemExit(f"Bail out! meson install failed\n{result.transcript}")
        archives[0].parents[1].rename(self.prefix)
        shutil.rmtree(stage)
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, argv, folder, timeout=120, **env):
        """Runs a program that sees the package, and nothing else of this project. env: added to the environment; a
        value of None removes the variable."""
        environment = {name: value for name, value in os.environ.items() if name not in NOT_OURS}
        environment |= {"PKG_CONFIG_PATH": str(self.pkg_config_path), "LC_ALL": "C"}
        for name, value in env.items():
            environment.pop(name, None)
            if value is not None:
                environment[name] = str(value)
        child = subprocess.Popen([str(word) for word in argv], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
        try:
            out, err = child.communicate(timeout=timeout)
            late = ""
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, 9)  # and the children of make
            out, err = child.communicate()
            late = f"\nnot done within {timeout} s\n"
        return Result(child.returncode, out.decode(errors="replace"), err.decode(errors="replace") + late)

    def make(self, cc=None):
        words = ["make", "-s", f"QEMU={os.environ.get('AVC_QEMU', 'qemu-system-aarch64')}"]
        return words + ([f"CC={cc}"] if cc else [])

    def examples_folder(self):
        return self.prefix / "share/arm_vcpu/examples"

    def examples(self):
        return sorted(main.parent.name for main in self.examples_folder().glob("[0-9]*/main.c"))

    def copy_example(self, name, to=None):
        return pathlib.Path(shutil.copytree(self.examples_folder() / name, self.folder / (to or name)))


def qemu_model(model):
    return OLD_MAX if model == "max" and os.environ.get("AVC_QEMU_OLD") == "7" else model
