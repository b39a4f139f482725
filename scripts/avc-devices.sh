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

# Takes an option's value apart: the first part, and then NAME or NAME=VALUE. If a file has the whole value's name, it
# is the first part. Sets device_first and device_more.
device_split() { # VALUE
    device_first=$1
    device_more=()
    [[ $1 == *,* && ! -e $1 ]] || return 0
    device_first=${1%%,*}
    IFS=, read -ra device_more <<<"${1#*,}"
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
