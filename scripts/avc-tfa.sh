# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
# shellcheck shell=bash
# shellcheck disable=SC2154 # build, top and others are set by ./avc and its other parts
#
# Builds Trusted Firmware-A for the emulated board from Debian's source package: real firmware at EL3 for
# tests/system/tfa.py.
#
# It leaves in build/tfa: bl1.bin, fip.bin with a place for a BL33, and fiptool, which puts a BL33 there. If it fails,
# it writes the reason to build/tfa/failed, and the check goes on: those tests then fail and say why.

tfa=$build/tfa
tfa_log=$build/log/tfa.log
tfa_package=arm-trusted-firmware
tfa_entropy=$top/tests/guest/firmware/entropy.c # see that file
tfa_seconds=300 # the time limit of each step: the list of packages, the package, the build

# Runs a step whose failure does not stop the launcher. Keeps the reason and the end of the log.
tfa_step() { # REASON COMMAND...
    local reason=$1
    shift
    logged "$tfa_log" timeout --foreground -k 10 "$tfa_seconds" "$@" && return
    { printf '%s\n' "$reason" && tail -n 30 -- "$tfa_log"; } >"$tfa/failed"
    return 1
}

# A change of any of these makes a new build.
tfa_stamp() {
    cat -- "$top/scripts/avc-tfa.sh" "$tfa_entropy" | sha256sum
}

tfa_ensure() {
    local work status=0
    [[ ! -e $tfa/stamp || $(<"$tfa/stamp") != "$(tfa_stamp)" ]] || return 0
    lock_take
    say "building Trusted Firmware-A from Debian's source (about half a minute)"
    rm -rf -- "$tfa"
    mkdir -p "$tfa" "$build/log"
    : >"$tfa_log"
    # TF-A's makefiles take no path with a space.
    work=$(mktemp -d /tmp/avc-tfa.XXXXXX) || return 1
    { tfa_fetch "$work" && tfa_build "$work"; } || status=1
    rm -rf -- "$work"
    return "$status"
}

# Uses the private apt, with lists of its own. The archive's keyring authenticates the lists, and the lists' hashes
# authenticate each file, as for all packages.
tfa_fetch() { # FOLDER
    local lists=$apt_home/lists-source options
    private_apt_configure
    mkdir -p "$lists/partial"
    printf 'deb-src [signed-by=%s] %s bookworm main\n' "$keyring" "$(debian_mirror)" \
        >"$apt_home/source.list"
    options=(-c "$apt_home/apt.conf" -o "Dir::Etc::sourcelist=$apt_home/source.list"
        -o "Dir::State::lists=$lists")
    tfa_step "the list of Debian's source packages could not be fetched from $(debian_mirror)" \
        apt-get "${options[@]}" -o APT::Update::Error-Mode=any update || return
    (cd "$1" && tfa_step "Debian's source package $tfa_package could not be fetched" \
        apt-get "${options[@]}" source --download-only "$tfa_package/bookworm") || return
    rm -rf -- "$lists"
    tfa_step "Debian's source package $tfa_package could not be unpacked" \
        dpkg-source -x "$1/$tfa_package"_*.dsc "$1/source"
}

# PLAT=qemu with a GICv3, and with all that EL3 must open for EL2.
tfa_build() { # FOLDER
    local source=$1/source out=$1/out
    cp -- "$tfa_entropy" "$source/plat/qemu/common/entropy.c"
    printf 'BL33' >"$1/nothing"
    tfa_step "Trusted Firmware-A could not be built" \
        env -u CC -u CFLAGS -u CPPFLAGS -u LDFLAGS -u MAKEFLAGS BL31_SOURCES=plat/qemu/common/entropy.c \
        make -C "$source" -j "$(nproc)" BUILD_BASE="$out" PLAT=qemu CROSS_COMPILE=aarch64-linux-gnu- \
        LD='aarch64-linux-gnu-ld.bfd --no-warn-rwx-segments' QEMU_USE_GIC_DRIVER=QEMU_GICV3 \
        ENABLE_FEAT_FGT=1 ENABLE_FEAT_HCX=1 ENABLE_FEAT_ECV=1 TRNG_SUPPORT=1 \
        BL33="$1/nothing" all fip || return
    cp -- "$out/qemu/release/bl1.bin" "$out/qemu/release/fip.bin" "$source/tools/fiptool/fiptool" "$tfa" || return
    tfa_stamp >"$tfa/stamp"
}
