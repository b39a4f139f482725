# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
# shellcheck shell=bash
# shellcheck disable=SC2154 # variables of ./avc and its other parts
#
# The guest's virtio devices: options of ./avc run, their checks, and the board's devices that they become. The
# hypervisor gives each device of the board's to the guest.

device_slots=32      # virtio-mmio transports of the board, and of the guest
device_arguments=()  # of QEMU, without the transport
device_drives=()     # what has no transport: -drive and the like

# Notes a device. The transport is added when their number is known.
device_add() { # DEVICE,PROPERTY=VALUE...
    device_arguments+=("$1")
    ((${#device_arguments[@]} <= device_slots)) ||
        die_usage run "there is no free slot: the guest has $device_slots, and more devices than these were asked for"
}

# Prints arguments of QEMU, one a line. The first device is at the lowest address, because a Linux names its disks and
# networks in this order.
device_place() {
    local i slot=$((device_slots - ${#device_arguments[@]}))
    ((${#device_drives[@]} == 0)) || printf '%s\n' "${device_drives[@]}"
    for i in "${!device_arguments[@]}"; do
        printf '%s\n' -device "${device_arguments[i]},bus=virtio-mmio-bus.$((slot + i))"
    done
}

# Takes an option's value apart: the first part, and then NAME or NAME=VALUE. The first part is as long as a file's name
# can be, because such a name may have commas. Sets device_first and device_more.
device_split() { # VALUE
    device_first=$1
    device_more=()
    while [[ $device_first == *,* && ! -e $device_first ]]; do
        device_first=${device_first%,*}
    done
    [[ -e $device_first ]] || device_first=${1%%,*}
    [[ $device_first != "$1" ]] || return 0
    IFS=, read -ra device_more <<<"${1#"$device_first",}"
    # A comma at the end is a mistake, too.
    [[ $1 != *, ]] || device_more+=('')
}

# ---- disks ----

disk_count=0

device_disk() { # FILE[,ro][,serial=TEXT]
    local file part write=yes serial='' driver=file format=raw id=disk$disk_count
    device_split "$1"
    file=$device_first
    [[ -n $file ]] || die_usage run '--disk wants a file'
    for part in "${device_more[@]}"; do
        case $part in
        ro) write=no ;;
        serial=?*) serial=${part#serial=} ;;
        *) die_usage run "--disk: unknown: '$part'" "FILE,ro and FILE,serial=TEXT are known, or both." ;;
        esac
    done
    [[ ${#serial} -le 20 && $serial != *[![:graph:]]* ]] ||
        die_usage run "--disk: serial= wants at most 20 letters, digits and the like, and was given '$serial'"
    disk_check "$file" "$write"
    disk_lock "$file" "$write"
    [[ ! -b $file ]] || driver=host_device
    [[ $(file_hex "$file" 0 4) != 514649fb ]] || format=qcow2
    file=$(readlink -f -- "$file")
    device_drives+=(-drive "if=none,id=$id,driver=$format,file.driver=$driver,file.filename=$(qemu_quote "$file")$(
        [[ $write == yes ]] && echo ',discard=unmap' || echo ',read-only=on'
    )")
    device_add "virtio-blk-device,drive=$id${serial:+,serial=$serial}"
    disk_count=$((disk_count + 1))
}

disk_check() { # FILE WRITE(yes|no)
    local file=$1 size
    if [[ ! -e $file ]]; then
        die 2 "the disk does not exist: $file" 'An empty one of 4 GiB is made by: truncate -s 4G FILE'
    elif [[ ! -b $file ]]; then
        file_check disk "$file"
        size=$(stat -Lc %s -- "$file")
        ((size % 512 == 0)) || die 2 "the disk is no image: $file" \
            "It has $size bytes, and a disk has sectors of 512 bytes each."
    elif [[ ! -r $file ]]; then
        die 2 "the disk can't be read: $file" "$(ls -ld -- "$file" 2>&1)"
    fi
    [[ $2 == no || -w $file ]] || die 2 "the disk can't be written: $file" "$(ls -ld -- "$file" 2>&1)" \
        "--disk $file,ro gives it to the guest to be read."
}

# Locks the file as long as this launcher or its emulator lives: for itself, or with others who only read. QEMU has a
# lock of its own, which finds a QEMU that another program has started.
disk_lock() { # FILE WRITE(yes|no)
    local file=$1 fd mode=-x
    if [[ $2 == yes ]]; then
        exec {fd}<>"$file"
    else
        exec {fd}<"$file"
        mode=-s
    fi
    flock -n "$mode" "$fd" || disk_in_use "$file" "$fd"
    ! disk_has_record_lock "$file" "$2" || disk_in_use "$file" "$fd"
}

# Does somebody hold byte ranges of the file, as QEMU does? Of those who only read, only a writer is in the way.
disk_has_record_lock() { # FILE WRITE(yes|no)
    local node kind='(READ|WRITE)'
    node=$(stat -Lc '%i' -- "$1") || return 1
    [[ $2 == yes ]] || kind=WRITE
    grep -Eq "(POSIX|OFDLCK) +ADVISORY +$kind +-?[0-9]+ [0-9a-f]+:[0-9a-f]+:$node " /proc/locks 2>/dev/null
}

disk_in_use() { # FILE FD
    local file=$1 fd pid seen='' who=()
    for fd in /proc/[0-9]*/fd/*; do
        pid=${fd#/proc/}
        pid=${pid%%/*}
        [[ $pid != "$$" && $pid != "$BASHPID" && $seen != *" $pid "* && $fd -ef $file ]] || continue
        seen+=" $pid "
        who+=("Process $pid has it: $(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | cut -c 1-100)")
    done
    [[ ${#who[@]} -gt 0 || ! -e /proc/$$/fd/$2 ]] || who=('It was named twice, or a process of another user has it.')
    die 2 "the disk is in use: $file" "${who[@]}"
}

# ---- networks ----

net_count=0

device_net() { # none | user[,restrict][,hostfwd=...]... | tap=IF
    local id=net$net_count backend part
    device_split "$1"
    case $device_first in
    none) backend= ;;
    user) backend=user ;;
    tap=?*) backend=tap,ifname=$(net_tap "${device_first#tap=}"),script=no,downscript=no || exit ;;
    *) die_usage run "--net: unknown: '$device_first'" 'user, none and tap=INTERFACE are known.' ;;
    esac
    for part in "${device_more[@]}"; do
        case $device_first,$part in
        user,restrict) backend+=,restrict=on ;;
        user,hostfwd=*) backend+=,hostfwd=$(net_forward "${part#hostfwd=}") || exit ;;
        *) die_usage run "--net $device_first: unknown: '$part'" \
            'user,restrict and user,hostfwd=tcp:ADDRESS:PORT-GUEST-ADDRESS:PORT are known.' ;;
        esac
    done
    [[ -n $backend ]] || return 0
    device_drives+=(-netdev "${backend%%,*},id=$id${backend#"${backend%%,*}"}")
    device_add "virtio-net-device,netdev=$id"
    net_count=$((net_count + 1))
}

# Prints a rule as QEMU takes it. Without an address it is for this machine's own programs; QEMU takes any's.
net_forward() { # tcp|udp:[ADDRESS]:PORT-[ADDRESS]:PORT
    local ip='[0-9]{1,3}(\.[0-9]{1,3}){3}'
    if [[ ! $1 =~ ^(tcp|udp):($ip)?:([0-9]{1,5})-($ip)?:([0-9]{1,5})$ ]] ||
        ((10#${BASH_REMATCH[4]} < 1 || 10#${BASH_REMATCH[4]} > 65535 || 10#${BASH_REMATCH[7]} < 1 ||
            10#${BASH_REMATCH[7]} > 65535)); then
        die_usage run "--net: hostfwd= wants tcp:ADDRESS:PORT-GUEST-ADDRESS:PORT, and was given '$1'" \
            'For example tcp::2222-:22: this machine'"'"'s port 2222 is port 22 of the guest.'
    fi
    printf '%s:%s:%d-%s:%d\n' "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]:-127.0.0.1}" "$((10#${BASH_REMATCH[4]}))" \
        "${BASH_REMATCH[5]}" "$((10#${BASH_REMATCH[7]}))"
}

net_tap() { # INTERFACE: prints its name
    [[ $1 =~ ^[A-Za-z0-9_.-]{1,15}$ && -e /sys/class/net/$1 ]] || die 2 "--net: there is no network interface $1" \
        'One is made by: ip tuntap add dev NAME mode tap user USER'
    [[ -e /sys/class/net/$1/tun_flags ]] || die 2 "--net: the network interface $1 is no tap"
    [[ -r /dev/net/tun && -w /dev/net/tun ]] || die 2 '--net: /dev/net/tun may not be used by this user'
    printf '%s\n' "$1"
}

# ---- shared folders ----

share_tags=()

device_share() { # FOLDER[,tag=TAG][,ro]
    local part tag=share folder other write=yes id=share${#share_tags[@]}
    device_split "$1"
    folder=$device_first
    [[ -n $folder ]] || die_usage run '--share wants a folder'
    [[ ${#share_tags[@]} -eq 0 ]] || tag=share${#share_tags[@]}
    for part in "${device_more[@]}"; do
        case $part in
        ro) write=no ;;
        tag=?*) tag=${part#tag=} ;;
        *) die_usage run "--share: unknown: '$part'" 'FOLDER,ro and FOLDER,tag=TAG are known, or both.' ;;
        esac
    done
    [[ $tag =~ ^[A-Za-z0-9_.-]{1,31}$ ]] ||
        die_usage run "--share: tag= wants at most 31 letters, digits and the like, and was given '$tag'"
    for other in "${share_tags[@]}"; do
        [[ $other != "$tag" ]] || die_usage run "--share: two folders have the tag $tag"
    done
    [[ -e $folder ]] || die 2 "the shared folder does not exist: $folder"
    [[ -d $folder ]] || die 2 "the share is no folder: $folder" 'A file goes to the guest in a folder, or as a --disk.'
    [[ -r $folder && -x $folder ]] || die 2 "the shared folder can't be read: $folder" "$(ls -ld -- "$folder" 2>&1)"
    [[ $write == no || -w $folder ]] || die 2 "the shared folder can't be written: $folder" \
        "$(ls -ld -- "$folder" 2>&1)" "--share $folder,ro gives it to the guest to be read."
    folder=$(readlink -f -- "$folder")
    device_drives+=(-fsdev "local,id=$id,path=$(qemu_quote "$folder"),security_model=none,multidevs=remap$(
        [[ $write == yes ]] || echo ',readonly=on'
    )")
    device_add "virtio-9p-device,fsdev=$id,mount_tag=$tag"
    share_tags+=("$tag")
}

# ---- entropy ----

device_rng() {
    [[ " ${device_arguments[*]} " != *' virtio-rng-device'* ]] || return 0
    device_drives+=(-object 'rng-random,id=rng0,filename=/dev/urandom')
    device_add virtio-rng-device,rng=rng0
}

# ---- what the emulator has ----

# Names what QEMU was built without.
device_check_emulator() {
    local device known netdevs
    [[ ${#device_arguments[@]} -gt 0 ]] || return 0
    known=$("$qemu" -device help 2>/dev/null) || true
    for device in "${device_arguments[@]}"; do
        device=${device%%,*}
        grep -qF "name \"$device\"" <<<"$known" ||
            die 2 "$qemu has no $device, which was asked for" 'It was built without.'
    done
    [[ " ${device_drives[*]} " == *' -netdev user,'* ]] || return 0
    netdevs=$("$qemu" -M none -netdev help 2>/dev/null) || true
    grep -qx user <<<"$netdevs" ||
        die 2 "$qemu has no network of kind user, which was asked for" 'It was built without.'
}
