# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
# shellcheck shell=bash
# shellcheck disable=SC2154 # variables of ./avc and its other parts
#
# Debian 12 on a disk, for `./avc run debian`: GPT, EFI system partition with GRUB, ext4, systemd, an SSH server, a user
# with the host's public key. It is built once, of Debian's packages alone, and is the user's from then on.

machine=${AVC_MACHINE:-$build/machine}
machine_disk=$machine/debian.img
machine_vars=$machine/debian-vars.fd
machine_key=$machine/id_ed25519 # one that may log in, besides the user's own
machine_user=debian
machine_size=4G # of the disk; the file takes what is used of it
machine_packages=(linux-image-arm64 initramfs-tools zstd grub-efi-arm64 systemd-sysv systemd-resolved libnss-resolve
    dbus udev kmod e2fsprogs dosfstools openssh-server sudo apt iproute2 iputils-ping less nano)

# Prints the public keys that may log in, one a line.
machine_keys() {
    local file
    [[ -e $machine_key ]] || ssh-keygen -q -t ed25519 -N '' -C avc -f "$machine_key"
    cat -- "$machine_key.pub"
    for file in "${HOME:-/nonexistent}"/.ssh/id_*.pub; do
        [[ ! -r $file ]] || cat -- "$file"
    done
}

machine_ensure() {
    local root=$machine/root archives=$machine/archives log=$build/log/machine.log
    [[ ! -e $machine_disk ]] || return 0
    [[ $EUID -eq 0 ]] || die 2 "the disk has the files of several users, and only root may make it" \
        'Run ./avc run debian as root once. From then on any user who may write the disk can.'
    packages_ensure machine
    lock_take
    mkdir -p "$machine"
    rm -rf --one-file-system -- "$root" "$machine"/*.part
    private_apt_update
    say "building Debian's disk (log: $log)"
    say '  1 of 4: fetching its packages (about 150 MB)'
    mkdir -p "$archives/partial"
    rm -f -- "$archives"/*.deb
    logged "$log" private_apt -o "Dir::Cache::archives=$archives" --yes --no-install-recommends --download-only \
        install '?essential' '?priority(required)' "${machine_packages[@]}" ||
        die 2 "Debian's packages could not be fetched" "From $(debian_mirror)."
    say '  2 of 4: installing them (minutes: their scripts are emulated)'
    mkdir -p "$root"
    machine_setup "$(cat /proc/sys/kernel/random/uuid)" >"$root/setup"
    logged "$log" unshare --mount --propagation private "$top/scripts/debian-root.sh" "$root" "$archives" ||
        die 2 "Debian's packages could not be installed into $root" 'The log above says why.'
    say '  3 of 4: writing the disk'
    logged "$log" machine_write "$root" ||
        die 2 "the disk could not be written: $machine_disk" 'The log above says why.'
    say "  4 of 4: done: $machine_disk"
    rm -rf --one-file-system -- "$root" "$archives"
}

# Prints the script that completes the installation, in the new root. Its file system will have this UUID.
machine_setup() { # UUID
    local mirror
    mirror=$(debian_mirror)
    cat <<TEXT
uuid=$1 user=$machine_user
keys='$(machine_keys)'
mirror=${mirror%/}
TEXT
    cat <<'TEXT'
echo "$uuid" >/fs-uuid
echo "$user" >/etc/hostname
printf '%s\n' '127.0.0.1 localhost' "127.0.1.1 $user" >/etc/hosts
printf '%s\n' "UUID=$uuid / ext4 errors=remount-ro 0 1" 'LABEL=EFI /boot/efi vfat umask=0077 0 1' >/etc/fstab
: >/etc/machine-id # made at the first boot
printf '%s\n' "deb $mirror bookworm main" "deb $mirror bookworm-updates main" \
    'deb http://security.debian.org/debian-security bookworm-security main' >/etc/apt/sources.list

# The network: whatever card there is, by DHCP.
printf '%s\n' '[Match]' 'Type=ether' '' '[Network]' 'DHCP=yes' >/etc/systemd/network/80-dhcp.network
systemctl enable systemd-networkd systemd-resolved
systemctl disable systemd-networkd-wait-online # nothing here needs the network to be there at boot

# The user: by key over the network, by password on the console.
useradd --create-home --shell /bin/bash --groups sudo "$user"
echo "$user:$user" | chpasswd
printf '%s\n' "$user ALL=(ALL:ALL) NOPASSWD: ALL" >/etc/sudoers.d/$user
printf '%s\n' 'PasswordAuthentication no' >/etc/ssh/sshd_config.d/keys-only.conf
install -d -m 700 -o "$user" -g "$user" "/home/$user/.ssh"
printf '%s\n' "$keys" >"/home/$user/.ssh/authorized_keys"
chown "$user:$user" "/home/$user/.ssh/authorized_keys"
printf '%s\n' "Log in as $user; the password is $user, too. \n \l" '' >/etc/issue

# GRUB, where firmware looks for a removable disk. update-grub will write another grub.cfg when the kernel changes.
sed -i -e 's/^GRUB_TIMEOUT=.*/GRUB_TIMEOUT=1/' -e 's/^GRUB_CMDLINE_LINUX=.*/GRUB_CMDLINE_LINUX="console=ttyAMA0"/' \
    -e 's/^#GRUB_TERMINAL=.*/GRUB_TERMINAL=console/' /etc/default/grub
mkdir -p /boot/grub /boot/efi/EFI/BOOT
cat >/boot/grub/grub.cfg <<GRUB
set timeout=1
menuentry 'Debian GNU/Linux' {
    search --no-floppy --fs-uuid --set=root $uuid
    linux /vmlinuz root=UUID=$uuid ro console=ttyAMA0
    initrd /initrd.img
}
GRUB
printf '%s\n' "search --no-floppy --fs-uuid --set=root $uuid" 'set prefix=($root)/boot/grub' >/early.cfg
grub-mkimage -O arm64-efi -p /boot/grub -c /early.cfg -o /boot/efi/EFI/BOOT/BOOTAA64.EFI \
    part_gpt ext2 fat search search_fs_uuid normal configfile linux gzio echo ls cat test reboot halt
rm /early.cfg
apt-get clean
rm -rf /var/lib/apt/lists/* /var/log/*.log
TEXT
}

# Makes the file systems, and puts them into one file as GPT's partitions.
machine_write() { # ROOT
    local root=$1 uuid start sectors esp=$machine/esp.part system=$machine/system.part disk=$machine/disk.part
    uuid=$(<"$root/fs-uuid")
    rm -- "$root/fs-uuid"
    truncate -s "$machine_size" "$disk"
    printf '%s\n' 'label: gpt' 'size=64MiB, type=uefi, name=EFI' 'type=linux, name=system' | sfdisk --quiet "$disk"
    truncate -s 64M "$esp"
    mkfs.vfat -F 32 -n EFI "$esp"
    mcopy -s -i "$esp" "$root/boot/efi/EFI" ::
    rm -rf -- "$root/boot/efi/EFI"
    read -r start sectors < <(sfdisk --dump "$disk" |
        sed -n '/name="system"/s/.*start= *\([0-9]*\), size= *\([0-9]*\),.*/\1 \2/p')
    truncate -s "$((sectors * 512))" "$system"
    mke2fs -q -t ext4 -U "$uuid" -d "$root" "$system"
    dd if="$esp" of="$disk" bs=1M seek=1 conv=notrunc,sparse status=none
    dd if="$system" of="$disk" bs=1M seek="$((start / 2048))" conv=notrunc,sparse status=none
    rm -f -- "$esp" "$system"
    mv -- "$disk" "$machine_disk"
}

# The first port from 2222 on that nobody listens at.
machine_port() {
    local port listening
    listening=$(cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk '$4 == "0A" { sub(".*:", "", $2); print $2 }')
    for ((port = 2222; port < 2322; port++)); do
        if ! grep -qx "$(printf '%04X' "$port")" <<<"$listening"; then
            printf '%d\n' "$port"
            return
        fi
    done
    die 2 'no port from 2222 to 2321 is free for ssh'
}

# Sets machine_options, which come before the user's own: these are the arguments.
machine_options_set() { # OPTION...
    local port
    machine_ensure
    machine_options=(--firmware edk2 --flash-vars "$machine_vars" --disk "$machine_disk" --memory 1024)
    [[ " $*" != *' --net'* ]] || return 0
    port=$(machine_port)
    machine_options+=(--net "user,hostfwd=tcp::$port-:22")
    say "to log in, once it has booted: ssh -i $machine_key -p $port $machine_user@127.0.0.1"
}
