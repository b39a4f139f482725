#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
"""Tests the installed package and the list of sources: what they contain, an embedder that is built by each of three
ways (pkg-config, CMake, sources) and booted, and the messages when it cannot be built. Prints TAP.

usage: package.py BUILD [--cc COMMAND]

BUILD is a build folder of the target. COMMAND compiles, except with CMake, where the toolchain file names a compiler.
"""
import os
import pathlib
import re
import shutil
import sys

from avctest import TOP, Tap, command_line, existing
from installed import Installed

TOP = pathlib.Path(TOP)
EXAMPLE = "01-minimal"
BOOT = ["run", "CPU=cortex-a53"]

tap = Tap()


def version():
    return re.search(r"^\s*version: '([^']+)'", (TOP / "meson.build").read_text(), re.M)[1]


def files_below(folder):
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())


# ---- what is installed ----

def test_contents(package):
    prefix = package.prefix
    tap.equal(files_below(prefix / "include"), [f"avc/{name}" for name in files_below(TOP / "include/avc")],
              "all public headers are installed, and nothing else")
    tap.equal(files_below(prefix / "lib"),
              sorted(["libavc.a", "pkgconfig/arm_vcpu.pc", "cmake/arm_vcpu/aarch64-gcc.cmake",
                      "cmake/arm_vcpu/arm_vcpuConfig.cmake", "cmake/arm_vcpu/arm_vcpuConfigVersion.cmake"]),
              "archive, pkg-config file and CMake files")
    tap.equal(files_below(package.examples_folder() / "host"), files_below(TOP / "examples/host"), "the examples' host")
    for name in package.examples():
        tap.equal(files_below(package.examples_folder() / name),
                  sorted(files_below(TOP / "examples" / name) + ["CMakeLists.txt", "Makefile"]), f"{name} is whole")
    told = []
    for name in files_below(prefix):
        data = (prefix / name).read_bytes()
        if not name.endswith(".a"):
            told += [f"{name}: {place}" for place in (str(TOP), str(package.build), "/usr/local")
                     if place.encode() in data]
    tap.equal(told, [], "no installed file names the source tree, the build folder or the prefix")


def test_pkg_config(package):
    def ask(*words):
        return package.run(["pkg-config", *words, "arm_vcpu"], package.folder)

    tap.equal(ask("--modversion").out.strip(), version(), "pkg-config's version")
    major, minor, patch = version().split(".")
    unit = package.folder / "version.c"
    unit.write_text(f"""#include <avc/avc.h>
        _Static_assert(AVC_VERSION_NUMBER == AVC_VERSION_OF({major}, {minor}, {patch}), "as a number");
        _Static_assert(sizeof(AVC_VERSION) == sizeof("{version()}"), "as long a text");
        _Static_assert(!__builtin_strcmp(AVC_VERSION, "{version()}"), "as text");\n""")
    result = package.run(["aarch64-linux-gnu-gcc", "-ffreestanding", "-fsyntax-only", "-I", package.prefix / "include",
                          unit], package.folder)
    tap.equal(result.transcript, "status 0", "the header's version is the same")
    for more in ([], ["--define-prefix"]):
        result = ask("--cflags", *more)
        words = result.out.split()
        tap.ok(len(words) == 1 and words[0][:2] == "-I" and (pathlib.Path(words[0][2:]) / "avc/avc.h").is_file(),
               f"Cflags is the folder of the headers: {more}", result.transcript)
        result = ask("--libs", *more)
        words = result.out.split()
        tap.ok(len(words) == 2 and (pathlib.Path(words[0][2:]) / "libavc.a").is_file() and words[1] == "-lavc",
               f"Libs is the archive: {more}", result.transcript)
    for variable, file in (("hostdir", "host.h"), ("examplesdir", f"{EXAMPLE}/main.c")):
        folder = ask(f"--variable={variable}").out.strip()
        tap.ok((pathlib.Path(folder) / file).is_file(), f"pkg-config's {variable}", folder)
    tap.contains(ask("--variable=kernel_cflags").out, "-mgeneral-regs-only", "pkg-config's kernel_cflags")


def test_archive(package):
    result = package.run(["aarch64-linux-gnu-nm", "-g", package.prefix / "lib/libavc.a"], package.folder)
    symbols = [line.split()[-2:] for line in result.out.splitlines() if re.search(r" [A-Za-z] \w+$", line)]
    have = {name for kind, name in symbols if kind not in "Uw"}
    wanted = {name for kind, name in symbols if kind in "Uw"} - have
    tap.ok(wanted <= {"memcmp", "memcpy", "memmove", "memset"},
           "the archive wants nothing but memcmp, memcpy, memmove and memset", wanted)
    tap.ok(have and all(name.startswith("avc_") for name in have), "and all its names begin with avc_",
           [name for name in have if not name.startswith("avc_")])


# ---- the three ways ----

def told_by_compiler(folder):
    """Returns the files that the objects in a folder were made of, from the compiler's dependency files."""
    return {word for file in folder.rglob("*.d") for word in file.read_text().split() if word.startswith("/")}


def booted(way, folder, result):
    """Makes one point: the program does what it should, and no file of the source tree took part."""
    wanted = (folder / "expected.txt").read_text()
    parts = [word for word in told_by_compiler(folder / "build") if word.startswith(f"{TOP}/")]
    return tap.ok(result.status == 0 and result.out == wanted and not result.err and not parts,
                  f"{EXAMPLE} by {way} boots, and prints what it should", f"{result.transcript}\n{parts}")


def by_pkg_config(package, cc):
    folder = package.copy_example(EXAMPLE, "by-pkg-config")
    make = package.make(cc)
    result = package.run([*make, "all"], folder)
    tap.ok(result.status == 0 and not result.err, f"{EXAMPLE} by pkg-config builds", result.transcript)
    booted("pkg-config", folder, package.run([*make, *BOOT], folder))
    tap.equal(package.run([*make, "-q", "all"], folder).status, 0, "a second make has nothing to do")
    package.run([*make, "all", "E2H=1"], folder)
    result = package.run([*make, "run", "E2H=1", "CPU=neoverse-n1"], folder)
    booted("pkg-config with E2H=1", folder, result)
    hcr = package.run(["aarch64-linux-gnu-nm", "build/kernel.elf"], folder)
    tap.contains(hcr.out, "0000000000000001 A host_e2h", "and was linked again for it")
    (folder / "main.c").write_text((folder / "main.c").read_text().replace("hello", "howdy"))
    result = package.run([*make, "check"], folder)
    tap.ok(result.status != 0 and "+howdy" in result.out and "FAILED on cortex-a53" in result.out,
           "make check fails where the output is not as expected, and shows the difference", result.transcript)
    result = package.run([*make, "clean"], folder, PKG_CONFIG_PATH=None)
    tap.ok(result.status == 0 and not (folder / "build").exists(), "make clean wants no package", result.transcript)


def cmake(package, folder, *words, toolchain=True, **env):
    shutil.rmtree(folder / "build", ignore_errors=True)
    line = ["cmake", "-B", "build", f"-DCMAKE_PREFIX_PATH={package.prefix}", *words]
    if toolchain:
        line.append(f"-DCMAKE_TOOLCHAIN_FILE={package.prefix}/lib/cmake/arm_vcpu/aarch64-gcc.cmake")
    return package.run(line, folder, PKG_CONFIG_PATH=None, **env)


def by_cmake_with_cxx(package):
    """The toolchain file names a C++ compiler. If that is not installed, clang stands in for it."""
    folder, path = package.copy_example(EXAMPLE, "by-cmake-cxx"), os.environ["PATH"]
    if not shutil.which("aarch64-linux-gnu-g++"):
        (package.folder / "bin").mkdir()
        shim = package.folder / "bin/aarch64-linux-gnu-g++"
        shim.write_text("#!/bin/sh\n"
                        'exec clang++-14 --target=aarch64-linux-gnu -Wno-unused-command-line-argument "$@"\n')
        shim.chmod(0o755)
        path = f"{shim.parent}:{path}"
    text = (folder / "CMakeLists.txt").read_text()
    text = text.replace("kernel C ASM", "kernel C CXX ASM").replace("*.c *.S", "*.c *.cpp *.S")
    (folder / "CMakeLists.txt").write_text(text)
    (folder / "more.cpp").write_text("#include <avc/avc.h>\nconst char *text() { return avc_status_text(AVC_OK); }\n")
    result = cmake(package, folder, PATH=path)
    built = package.run(["cmake", "--build", "build"], folder, PATH=path)
    tap.ok(result.status == 0 and built.status == 0 and not built.err and "/aarch64-linux-gnu-g++" in result.out,
           "C++ beside it is compiled for AArch64 as well", f"{result.transcript}\n{built.transcript}")


def by_cmake(package):
    folder = package.copy_example(EXAMPLE, "by-cmake")
    result = cmake(package, folder, f"-DQEMU={os.environ.get('AVC_QEMU', 'qemu-system-aarch64')}")
    tap.ok(result.status == 0 and not result.err, "CMake finds the package", result.transcript)
    result = package.run(["cmake", "--build", "build"], folder)
    tap.ok(result.status == 0 and not result.err, f"{EXAMPLE} by CMake builds", result.transcript)
    run = package.run(["make", "-s", "-C", "build", "run"], folder)
    run.out = "".join(line for line in run.out.splitlines(True) if not line.startswith("["))  # CMake's progress
    booted("CMake", folder, run)
    result = cmake(package, folder, toolchain=False)
    tap.ok(result.status != 0 and "arm_vcpu is for AArch64" in result.err and "aarch64-gcc.cmake" in result.err,
           "CMake without a toolchain file is told so", result.transcript)
    by_cmake_with_cxx(package)
    text = (folder / "CMakeLists.txt").read_text()
    minor = ".".join(version().split(".")[:2])
    for wanted, good in ((minor, True), (version(), True), (f"{version()} EXACT", True), ("0.0", False), ("0", False),
                         (f"{minor}.999", False), ("1.0", False), ("99", False)):
        asking = text.replace("find_package(arm_vcpu 0.1 ", f"find_package(arm_vcpu {wanted} ")
        (folder / "CMakeLists.txt").write_text(asking)
        result = cmake(package, folder)
        tap.ok((result.status == 0) == good and (good or f'requested version "{wanted}"' in result.err),
               f"CMake, version {wanted} wanted: {'found' if good else 'refused'}", result.transcript)


def listed(kind):
    text = (TOP / "src/sources.txt").read_text()
    return [line.split(" ", 1)[1] for line in text.splitlines() if line.startswith(kind + " ")]


def by_sources(package, cc):
    have = sorted(str(file.relative_to(TOP / "src")) for file in (TOP / "src").rglob("*")
                  if file.suffix in (".c", ".S"))
    tap.equal(sorted(listed("source") + listed("small")), have, "sources.txt lists each source once, and no other")
    # The copy has the files of the list, the headers, and the examples' host, and nothing else.
    tree = package.folder / "tree"
    headers = [str(file.relative_to(TOP)) for folder in ("src", "include") for file in (TOP / folder).rglob("*")
               if file.suffix in (".h", ".def", ".inc")]
    sources = [f"src/{file}" for kind in ("source", "small") for file in listed(kind)]
    for name in sources + headers + ["src/sources.txt", "src/sources.mk"]:
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(TOP / name, tree / name)
    shutil.copytree(TOP / "examples/host", tree / "examples/host")
    folder = package.copy_example(EXAMPLE, "by-sources")
    make = [*package.make(cc), "-j2", f"AVC_SOURCE={tree}"]
    plan = package.run(["make", "-n", *make[2:]], folder, PKG_CONFIG_PATH=None).out.splitlines()
    flagged = {re.search(r"-o \S*?/avc/(\S+)\.o ", line)[1] for line in plan
               if all(flag in line.split() for flag in listed("small-flag"))}
    tap.equal(sorted(flagged), sorted(listed("small")), "small files alone are compiled with small-flags")
    result = package.run([*make, "all"], folder, PKG_CONFIG_PATH=None, timeout=300)
    tap.ok(result.status == 0 and not result.err, "the library builds from the list alone", result.transcript)
    run = package.run([*make, *BOOT], folder, PKG_CONFIG_PATH=None)
    booted("sources", folder, run)
    tap.ok(any(word.startswith(str(tree)) for word in told_by_compiler(folder / "build")), "of the copied tree")


# For each part a function that only users of the part name.
PARTS = {
    "observers": "avc_vcpu_observe",
    "counters": "avc_vcpu_counters",
    "vectors for a host without": "avc_pcpu_install_vectors",
    "system-call tracing": "avc_syscalls_attach",
    "the decoder": "avc_decoder_attach",
    "calls to firmware": "avc_to_firmware",
    "the vGIC": "avc_vgic_attach",
    "PSCI": "avc_psci_attach",
    "making stage 2 tables": "avc_stage2_init",
    "changing stage 2 tables": "avc_stage2_map",
    "walking stage 2 tables": "avc_stage2_walk",
    "sizes": "avc_sizeof_vcpu",
}


def test_linked(package, cc):
    """A program links from the archive what it calls and what that needs, without the linker's garbage collection."""
    folder = package.copy_example(EXAMPLE, "linked")
    # Without host_vm.c, which calls PSCI for its users.
    make = [*package.make(cc), "all", "host_sources=host.c start.S"]

    def takes(name, wanted):
        result = package.run(make, folder)
        tap.equal(result.transcript.splitlines()[-1], "status 0", f"{name} is linked")
        names = set(package.run(["aarch64-linux-gnu-nm", "build/kernel.elf"], folder).out.split())
        tap.equal({part for part, function in PARTS.items() if function in names}, wanted,
                  f"{name} takes the parts that it calls, and no others")

    takes(EXAMPLE, {"PSCI", "making stage 2 tables", "changing stage 2 tables"})
    shutil.copy(TOP / "tests/guest/core-alone/main.c", folder)
    takes("tests/guest/core-alone", set())


def test_default_goal(package):
    """`make` without a goal makes the embedder's goal, whether the library's makefile is included before or after the
    first rule."""
    folder = package.folder / "goal"
    folder.mkdir()
    include = f"AVC_SOURCE := {TOP}\ninclude $(AVC_SOURCE)/src/sources.mk\n"
    rule = "kernel.elf: $(AVC_LIB)\n\t@echo mine\n"
    for name, text in (("before", include + rule), ("after", rule + include)):
        (folder / "Makefile").write_text(text)
        plan = package.run(["make", "-n"], folder)
        tap.ok(plan.out.endswith("echo mine\n"), f"sources.mk {name} the first rule leaves the default goal alone",
               plan.transcript[-400:])


# ---- messages when it cannot be built ----

def test_refusals(package):
    folder = package.copy_example(EXAMPLE, "refused")
    make = package.make()

    def refused(name, words, *parts, **env):
        result = package.run([*make, *words], folder, **env)
        tap.ok(result.status != 0 and all(part in result.err for part in parts), name,
               f"wanted {parts}\n{result.transcript}")

    refused("no package: make says what to do", [], "arm_vcpu", "export PKG_CONFIG_PATH=", "meson install",
            "AVC_SOURCE=", PKG_CONFIG_PATH=package.folder, PKG_CONFIG_LIBDIR=package.folder)
    refused("no pkg-config", ["PKG_CONFIG=no-pkg-config"], "no-pkg-config", "AVC_SOURCE=")
    refused("a compiler for this machine", ["CC=gcc"], "CC=gcc", "no compiler for AArch64", "CROSS_COMPILE")
    refused("no compiler", ["CROSS_COMPILE=none-"], "none-gcc", "no compiler for AArch64", "gcc-aarch64-linux-gnu")
    refused("no emulator", ["run", "QEMU=no-qemu"], "no-qemu")
    refused("AVC_SOURCE that is none", [f"AVC_SOURCE={package.folder}"], "AVC_SOURCE=", "src/sources.mk")
    (folder / "run").write_text("cpu=max colour=red\n")
    refused("a word in `run` that is none", [], "`run'", "colour=red")
    (folder / "run").write_text("cpu=max,cortex-a57 cpus=3\nqemu=7\n")
    tap.equal(package.run([*make, "models"], folder).out, "max cortex-a57\n", "the CPUs that `run` names")
    result = package.run(["make", "-n", "run"], folder)
    tap.ok("-smp 3 " in result.out and "-cpu max" in result.out, "make run is by what `run` says", result.transcript)


def test_configuration(package):
    def setup(*words):
        folder = package.folder / "configured"
        shutil.rmtree(folder, ignore_errors=True)
        return package.run(["meson", "setup", "--cross-file", TOP / "cross/aarch64-gcc.ini", *words, folder, TOP],
                           package.folder)

    result = setup()
    parts = "libfdt_dir=''", "-Dlibfdt_dir=FOLDER", "-Dvmm=false"
    tap.ok(result.status != 0 and all(part in result.out for part in parts),
           "meson without libfdt says what to do", result.transcript[-800:])
    result = setup("-Dvmm=false")
    tap.equal(result.status, 0, "meson that is told to do without the reference hypervisor configures")


def main():
    parser = command_line(__doc__)
    parser.add_argument("build", type=existing)
    parser.add_argument("--cc")
    options = parser.parse_args()
    with Installed(options.build) as package:
        test_contents(package)
        test_pkg_config(package)
        test_archive(package)
        by_pkg_config(package, options.cc)
        by_cmake(package)
        by_sources(package, options.cc)
        test_linked(package, options.cc)
        test_default_goal(package)
        test_refusals(package)
        test_configuration(package)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
