#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
#
# usage: debian-root.sh ROOT ARCHIVES
#
# Installs the arm64 packages in the folder ARCHIVES into the folder ROOT. The packages' own scripts are arm64 programs.
# qemu-aarch64-static executes them, and binfmt_misc calls it. The rest is done by this machine's dpkg, which is some
# ten times as fast. avc-machine.sh calls this as root, in a mount namespace of its own: what is mounted here goes away
# with it.
set -euo pipefail

root=$(realpath -- "$1")
archives=$(realpath -- "$2")
export DEBIAN_FRONTEND=noninteractive LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin
dpkg_options=(--force-unsafe-io --force-depends)

# Without a handler for arm64 programs, registers one until this script ends. F: the kernel opens the emulator now, so
# that it is found in another root.
binfmt=/proc/sys/fs/binfmt_misc
handler=
binfmt_take() {
    [[ -e $binfmt/register ]] || mount -t binfmt_misc binfmt_misc "$binfmt" 2>/dev/null || {
        echo 'This machine cannot start arm64 programs: there is no binfmt_misc.'
        exit 1
    }
    ! grep -lqs '/qemu-aarch64\|/aarch64-binfmt' "$binfmt"/* || return 0
    handler=avc-$$
    trap 'echo -1 >"$binfmt/$handler"' EXIT
    # EM_AARCH64 in an ELF header of 64 bits, little-endian; e_type is ET_EXEC or ET_DYN
    printf '%s' ":$handler:M::"'\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00:' \
        '\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff:' \
        "$(command -v qemu-aarch64-static):F" >"$binfmt/register"
}

# The packages' scripts need a shell and its tools before any package is configured. So the files are there first, and
# dpkg unpacks them once more. Debian 12 has bin, sbin and lib in usr.
unpack() {
    local name file
    mkdir -p "$root"/{usr/{bin,sbin,lib},dev,proc,sys,etc,var/lib/dpkg/updates}
    for name in bin sbin lib; do
        ln -sfn "usr/$name" "$root/$name"
    done
    for file in "$archives"/*.deb; do
        dpkg-deb --extract "$file" "$root"
    done
    : >"$root/var/lib/dpkg/status"
    printf '%s\n' '#!/bin/sh' 'exit 101' >"$root/usr/sbin/policy-rc.d" # no service starts here
    chmod 755 "$root/usr/sbin/policy-rc.d"
    # To this machine's dpkg the packages are of a foreign architecture; to the one that configures them they are not.
    printf '%s\n' arm64 "$(dpkg --print-architecture)" >"$root/var/lib/dpkg/arch"
    dpkg --root="$root" "${dpkg_options[@]}" --unpack "$archives"/base-passwd_*.deb "$archives"/base-files_*.deb
    dpkg --root="$root" "${dpkg_options[@]}" --unpack "$archives"/*.deb
    rm -- "$root/var/lib/dpkg/arch"
}

# The initial RAM disk has what this machine needs, and not all drivers: that takes minutes less.
configure() {
    printf '%s\n' MODULES=list >"$root/etc/initramfs-tools/conf.d/modules"
    printf '%s\n' virtio_mmio virtio_blk virtio_net ext4 >>"$root/etc/initramfs-tools/modules"
    chroot "$root" dpkg "${dpkg_options[@]}" --configure base-passwd base-files
    chroot "$root" dpkg --force-unsafe-io --configure -a
    rm -- "$root/usr/sbin/policy-rc.d"
}

binfmt_take
mkdir -p "$root"/{proc,dev}
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
unpack
configure
chroot "$root" /bin/bash -euo pipefail /setup
rm -- "$root/setup"
