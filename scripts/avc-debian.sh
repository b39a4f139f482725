# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
# shellcheck shell=bash
# shellcheck disable=SC2154 # build, top and others are set by ./avc and its other parts
#
# Debian's arm64 files: the guest's kernel and busybox, and libfdt for the hypervisor.
#
# A private apt under build/ fetches them. It has its own lists and an empty package database, so the machine's apt does
# not learn of a foreign architecture.

apt_home=$build/apt
sysroot=$build/sysroot
guest=$build/guest
guest_kernel=$guest/Image
guest_initrd=$guest/initrd.cpio
# Modules of the kernel's that the guest's devices need, in the order in which they are loaded.
guest_modules=(drivers/virtio/virtio_mmio.ko drivers/block/virtio_blk.ko lib/crc16.ko crypto/crc32c_generic.ko
    fs/mbcache.ko fs/jbd2/jbd2.ko fs/ext4/ext4.ko net/core/failover.ko drivers/net/net_failover.ko
    drivers/net/virtio_net.ko drivers/char/hw_random/virtio-rng.ko fs/netfs/netfs.ko fs/fscache/fscache.ko
    net/9p/9pnet.ko net/9p/9pnet_virtio.ko fs/9p/9p.ko)

private_apt_configure() {
    mkdir -p "$apt_home/lists/partial" "$apt_home/archives/partial"
    printf 'deb [arch=arm64 signed-by=%s] %s bookworm main\n' "$keyring" "$(debian_mirror)" \
        >"$apt_home/sources.list"
    # Clears the hooks of the machine's configuration, which are for the machine's apt.
    cat >"$apt_home/apt.conf" <<TEXT
#clear APT::Architectures;
#clear APT::Update;
#clear DPkg;
APT::Architecture "arm64";
APT::Architectures { "arm64"; };
APT::Sandbox::User "";
Acquire::Languages "none";
Acquire::Retries "3";
Dir::Etc::sourcelist "$apt_home/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::State::lists "$apt_home/lists";
Dir::State::status "/dev/null";
Dir::State::extended_states "$apt_home/extended_states";
Dir::Cache "$apt_home";
Dir::Cache::archives "$apt_home/archives";
TEXT
}

private_apt() { # COMMAND... of apt-get
    apt-get -c "$apt_home/apt.conf" "$@"
}

# One update is enough for a run of the launcher.
private_apt_updated=no

private_apt_update() {
    [[ $private_apt_updated == no ]] || return 0
    have apt-get || die 2 "Debian's arm64 files are needed, and there is no apt-get to fetch them"
    private_apt_configure
    logged "$build/log/debian.log" private_apt update ||
        die 2 "the list of Debian's arm64 packages could not be fetched" \
            "From $(debian_mirror); AVC_DEBIAN_MIRROR=URI names another place."
    private_apt_updated=yes
}

# Fetches a package, and prints the name of its file.
debian_fetch() { # PACKAGE
    local folder=$build/debian/$1
    rm -rf -- "$folder"
    mkdir -p "$folder"
    (cd "$folder" && logged "$build/log/debian.log" private_apt download "$1") ||
        die 2 "Debian's arm64 package $1 could not be fetched"
    compgen -G "$folder/*.deb"
}

# linux-image-arm64 is empty and depends on the package of the current kernel.
kernel_package() {
    apt-cache -c "$apt_home/apt.conf" depends linux-image-arm64 2>/dev/null |
        awk '$1 == "Depends:" && $2 ~ /^linux-image-.*-arm64$/ { print $2; exit }'
}

# Takes one file out of a package. If that fails, no part of the file is left.
package_file() { # PACKAGE-FILE PATTERN DESTINATION
    mkdir -p "$(dirname "$3")"
    if ! dpkg-deb --fsys-tarfile "$1" | tar -x -O --wildcards -f - "$2" >"$3.part" ||
        [[ ! -s $3.part ]]; then
        die 2 "$1 has no $2 in it"
    fi
    mv -- "$3.part" "$3"
}

libfdt_ensure() {
    [[ ! -e $sysroot/usr/include/libfdt.h ]] || return 0
    local package
    lock_take
    say "fetching libfdt for arm64 from Debian"
    private_apt_update
    package=$(debian_fetch libfdt-dev)
    rm -rf -- "$sysroot.part"
    dpkg-deb -x "$package" "$sysroot.part"
    rm -rf -- "$sysroot"
    mv -- "$sysroot.part" "$sysroot"
}

guest_ensure() {
    local name package
    if [[ ! -e $guest_kernel ]]; then
        lock_take
        private_apt_update
        name=$(kernel_package)
        [[ -n $name ]] || die 2 "Debian's lists name no kernel for arm64"
        say "fetching Debian's kernel: $name (about 70 MB)"
        package=$(debian_fetch "$name")
        package_file "$package" './boot/vmlinuz-*' "$guest_kernel"
    fi
    if [[ ! -e $guest/busybox ]]; then
        lock_take
        private_apt_update
        say "fetching Debian's busybox-static"
        package=$(debian_fetch busybox-static)
        package_file "$package" '*/bin/busybox' "$guest/busybox"
    fi
    initrd_ensure
}

# Sets firmware_file. QEMU_EFI.fd is what the package's AAVMF_CODE.fd begins with; the rest of that are zeros.
firmware_ensure() { # uboot|edk2
    local package=u-boot-qemu file='*/u-boot/qemu_arm64/u-boot.bin' fetched
    [[ $1 == uboot ]] || { package=qemu-efi-aarch64 && file='*/qemu-efi-aarch64/QEMU_EFI.fd'; }
    firmware_file=$build/firmware/$package.bin
    [[ ! -e $firmware_file ]] || return 0
    lock_take
    say "fetching Debian's $package"
    private_apt_update
    fetched=$(debian_fetch "$package")
    package_file "$fetched" "$file" "$firmware_file"
}

# The same initrd with drivers. Sets guest_initrd.
guest_drivers_ensure() {
    local name package list=() missing=no
    for name in "${guest_modules[@]}"; do
        list+=("$guest/modules/${name##*/}")
        [[ -e ${list[-1]} ]] || missing=yes
    done
    if [[ $missing == yes ]]; then
        lock_take
        package=$(compgen -G "$build/debian/linux-image-*-arm64/*.deb") || die 2 "there is no package of the kernel's" \
            "Remove $guest_kernel, and it is fetched again."
        say "unpacking drivers of Debian's kernel"
        # All at once, because the package is decompressed for it.
        rm -rf -- "$guest/modules.part"
        mkdir -p "$guest/modules.part"
        dpkg-deb --fsys-tarfile "$package" | tar -x -C "$guest/modules.part" --transform 's,.*/,,' --wildcards -f - \
            "${guest_modules[@]/#/./lib/modules/*/kernel/}" ||
            die 2 "$package lacks a driver that is wanted"
        rm -rf -- "$guest/modules"
        mv -- "$guest/modules.part" "$guest/modules"
    fi
    guest_initrd=$guest/initrd-drivers.cpio
    initrd_ensure "${list[@]}"
}

initrd_ensure() { # MODULE...
    local input
    for input in "$guest/busybox" "$top/vmm/initrd/init" "$top/vmm/initrd/mkinitrd.py" "$@"; do
        if [[ ! $guest_initrd -nt $input ]]; then
            lock_take
            python3 "$top/vmm/initrd/mkinitrd.py" "$guest_initrd.part" \
                "$top/vmm/initrd/init" "$guest/busybox" "$@"
            mv -- "$guest_initrd.part" "$guest_initrd"
            return
        fi
    done
}
