# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
# shellcheck shell=bash
# shellcheck disable=SC2154 # variables of ./avc and its other parts
#
# ./avc run: options, their checks, the guest's place in memory, the boot.

default_append='console=ttyAMA0 earlycon panic=1'
debian_memory=64 # MiB: Debian's kernel reaches our prompt with 64, not with 56

run_usage() {
    cat <<TEXT
usage: ./avc run [OPTION...] [-- QEMU-ARGUMENT...]
       ./avc run debian [OPTION...] [-- QEMU-ARGUMENT...]

Boots a guest in a virtual machine made by the library, under the reference hypervisor at
EL2, in QEMU: Debian's Linux to a busybox prompt, or a kernel or program of your own.
Installs, builds and fetches what is missing first, and says so.

With debian: Debian 12 from a disk of its own, by edk2 and GRUB, with systemd and an SSH server; with
--net user, --memory 1024, and what else you say. The disk is built once, as root, and is yours from
then on: $machine_disk

  --kernel FILE       an arm64 Image, the same in a gzip file, or an ELF file, which goes to
                      the physical addresses that it says (default: Debian's kernel)
  --kernel FILE,addr=ADDRESS
                      any file: it goes to this address as it is, and is entered there.
                      Memory begins at 0x40000000; QEMU puts such files to 0x40080000
  --initrd FILE       its initial RAM disk (default: busybox with Debian's kernel, none with
                      --kernel)
  --append STRING     the guest's command line, in place of the default:
                      '$default_append'
                      With our initrd, avc.exec=COMMAND at its end runs COMMAND and powers
                      off.
  --firmware uboot|edk2|FILE
                      the guest begins in this firmware, at the start of its flash, and finds
                      what --kernel, --initrd and --append say by fw_cfg; without --kernel it
                      looks for something to boot. uboot and edk2 are Debian's.
  --flash-vars FILE   where firmware keeps its variables: the guest's second flash bank, of
                      64 MiB; made if it does not exist (default: they are lost at the end)
  --disk FILE[,ro][,serial=TEXT]
                      a disk of the guest's: a raw or qcow2 image, or a block device. May be given
                      several times: the first one is Linux's /dev/vda
  --net user[,restrict][,hostfwd=RULE]...
                      a network of QEMU's own, behind this machine's; restrict: it reaches only
                      what rules forward. RULE is tcp:[ADDRESS]:PORT-[GUEST-ADDRESS]:PORT, or udp
  --net tap=INTERFACE a network by a tap of this machine's; --net none is the default
  --share FOLDER[,tag=TAG][,ro]
                      a folder of this machine's, by 9P: mount -t 9p TAG /mnt (default: share)
  --rng               a source of entropy
  --cpus N            the guest's CPUs, 1 to 8 (default: 2)
  --memory SIZE       the guest's memory: MiB, or with G at its end GiB (default: 512)
  --host-cpus N       the emulated board's CPUs, 1 to 8 (default: 2)
  --host-cpu MODEL    their model, one of QEMU's (default: max)
  --host-vhe on|off   the hypervisor runs with HCR_EL2.E2H set or clear (default: on where
                      the model has FEAT_VHE)
  --prefault          all of the guest's memory cleared and mapped, in blocks of 2 MiB, before
                      its first instruction (default: each block when it is first touched)
  --count             deterministic: an instruction is a nanosecond, a clock that starts at
                      the same time, fixed seeds; two runs are the same to the instruction
  --strace            the guest's system calls in the log, a line each: address space, kernel
                      stack, name, arguments, result; needs FEAT_FGT (max has it)
  --strace=NAME,NAME  these alone
  --stat              when the guest has ended, the log has a table of what took it to the
                      hypervisor, how often, and how long in ticks (instructions, with --count
                      and --host-cpus 1); with --quiet the table alone; after a time-out none
  --profile           when QEMU has ended, a table on stderr of what the hypervisor executed: by kind
                      of exit and class of instruction, by the guest's PC, by function; needs
                      QEMU $qemu_wanted; the guest executes the same instructions
  --timeout SEC       stop after so many seconds, with status 124
  --quiet             no messages and no log, but errors

The guest's console is stdin and stdout. The hypervisor's log goes to stderr, each line
beginning with [avc]. On a terminal, Ctrl-A x leaves, Ctrl-A twice sends one, and all other
keys are the guest's; elsewhere all bytes are the guest's, and the end of stdin does not stop it.

Exit status: 0 the guest powered off; 1 the build or the emulator failed, or was left by
Ctrl-A x; 2 wrong usage, an unusable file, something missing; 3 the guest crashed; 124
time-out; 128+N ended by signal N.

Environment: AVC_QEMU=FILE a QEMU of your own, AVC_DEBIAN_MIRROR=URI where Debian is
fetched from, AVC_VMM_IMAGE=FILE (for tests) another hypervisor than the tree's,
AVC_MACHINE=FOLDER another place for Debian's disk.
TEXT
}

run() {
    local kernel='' kernel_name='' kernel_at=0 initrd='' append=$default_append cpus=2 memory=512 host_cpus=2
    local firmware='' firmware_file='' firmware_at='' flash_vars='' vars_fd=
    local host_cpu=max host_vhe='' strace='' stat='' prefault='' count=no timeout=0 qemu_arguments=()
    local profile='' modules=() host_memory=0 status=0
    if [[ ${1-} == debian ]]; then
        shift
        [[ " $* " != *' --help '* && " $* " != *' -h '* ]] || run_options --help
        machine_options_set "$@"
        run_options "${machine_options[@]}"
    fi
    run_options "$@"
    run_check_files
    run_ensure
    run_check_cpu
    device_check_emulator
    run_place
    lock_drop
    run_boot || status=$?
    exit "$status"
}

run_number() { # OPTION VALUE LOW HIGH WHAT: prints it in decimal
    if [[ ! $2 =~ ^[0-9]{1,9}$ ]] || ((10#$2 < $3 || 10#$2 > $4)); then
        die_usage run "$1 wants $5, $3 to $4, and was given '$2'"
    fi
    printf '%d\n' $((10#$2))
}

run_memory() { # VALUE: prints it in MiB
    local value=${1%[MmGg]} most=262144 unit=1
    [[ $1 != *[Gg] ]] || unit=1024
    if [[ ! $value =~ ^[0-9]{1,9}$ ]] || ((10#$value < 1 || 10#$value * unit > most)); then
        die_usage run "--memory wants a number of MiB, 1 to $most, or of GiB with G at its end, and was given '$1'"
    fi
    printf '%d\n' $((10#$value * unit))
}

run_kernel() { # FILE[,addr=ADDRESS]
    [[ -n $1 ]] || die_usage run '--kernel wants a file'
    kernel=$1
    kernel_at=0
    [[ $1 == *,addr=* && ! -e $1 ]] || return 0
    kernel=${1%,addr=*}
    [[ -n $kernel ]] || die_usage run '--kernel wants a file before ,addr='
    local address=${1##*,addr=}
    if [[ ! $address =~ ^(0[xX][0-9a-fA-F]{1,12}|[1-9][0-9]{0,14})$ ]] || ((address < 0x40000000)); then
        die_usage run "--kernel: addr= wants an address in the guest's memory, and was given '$address'" \
            'Memory begins at 0x40000000.'
    fi
    kernel_at=$((address))
    ((kernel_at % 4 == 0)) || die_usage run "--kernel: addr=$address is no multiple of 4" \
        'The guest begins at this address, and instructions have 4 bytes each.'
}

# Options of QEMU, which people try.
run_unknown() { # OPTION
    local ours=
    case ${1%%=*} in
    -kernel | -initrd | -append) ours=-${1%%=*} ;;
    -m | -mem | --m) ours=--memory ;;
    -bios | --bios) ours=--firmware ;;
    -pflash | --pflash) ours='--firmware or --flash-vars' ;;
    -smp | --smp) ours=--cpus ;;
    -cpu | --cpu) ours="--host-cpu: the guest's CPUs are like the board's" ;;
    -drive | --drive | -hda | --hda) ours=--disk ;;
    -net | -netdev | -nic | --netdev | --nic) ours=--net ;;
    -virtfs | --virtfs) ours=--share ;;
    -dtb | --dtb)
        die_usage run "unknown option: $1" 'The hypervisor makes the device tree of the machine that it emulates.'
        ;;
    -M | -machine | -device | -nographic)
        die_usage run "unknown option: $1" \
            "Arguments of QEMU come after --. They are the board's, and not the guest's." \
            "The guest's own devices are --disk, --net, --share and --rng."
        ;;
    *) die_usage run "unknown option: $1" ;;
    esac
    die_usage run "unknown option: $1" "You want $ours."
}

# Reads the options into the variables of run().
run_options() {
    local option value
    while [[ $# -gt 0 ]]; do
        option=$1
        shift
        case $option in
        -h | --help)
            run_usage
            exit 0
            ;;
        --)
            qemu_arguments=("$@")
            break
            ;;
        --count) count=yes && continue ;;
        --quiet) quiet=yes && continue ;;
        --strace) strace=strace && continue ;;
        --strace=*)
            run_check_strace "${option#*=}"
            strace=$option && strace=${strace#--}
            continue
            ;;
        --stat) stat=stat && continue ;;
        --rng) device_rng && continue ;;
        --prefault) prefault=prefault && continue ;;
        --profile) profile=profile && continue ;;
        --firmware=* | --flash-vars=* | --kernel=* | --initrd=* | --append=* | --disk=* | --net=* | --share=* | \
            --cpus=* | --memory=* | --host-cpus=* | --host-cpu=* | --host-vhe=* | --timeout=*)
            value=${option#*=}
            option=${option%%=*}
            ;;
        --firmware | --flash-vars | --kernel | --initrd | --append | --disk | --net | --share | --cpus | --memory | \
            --host-cpus | --host-cpu | --host-vhe | --timeout)
            [[ $# -gt 0 && $1 != -- ]] || die_usage run "$option wants a value"
            value=$1
            shift
            ;;
        -*) run_unknown "$option" ;;
        *) die_usage run "unexpected argument: $option" \
            "A guest of your own is named by --kernel; QEMU's arguments come after --." ;;
        esac
        run_option "$option" "$value"
    done
}

run_option() { # OPTION VALUE
    case $1 in
    --kernel) run_kernel "$2" ;;
    --initrd) [[ -n $2 ]] || die_usage run '--initrd wants a file' && initrd=$2 ;;
    --append) append=$2 ;;
    --firmware) [[ -n $2 ]] || die_usage run '--firmware wants uboot, edk2 or a file' && firmware=$2 ;;
    --flash-vars) [[ -n $2 ]] || die_usage run '--flash-vars wants a file' && flash_vars=$2 ;;
    --disk) device_disk "$2" ;;
    --net) device_net "$2" ;;
    --share) device_share "$2" ;;
    --cpus) cpus=$(run_number "$1" "$2" 1 8 'a number of CPUs') ;;
    --memory) memory=$(run_memory "$2") ;;
    --host-cpus) host_cpus=$(run_number "$1" "$2" 1 8 'a number of CPUs') ;;
    --host-cpu) host_cpu=$2 ;;
    --host-vhe)
        [[ $2 == on || $2 == off ]] || die_usage run "--host-vhe wants on or off, and was given '$2'"
        host_vhe=$2
        ;;
    --timeout) timeout=$(run_number "$1" "$2" 1 31536000 'a number of seconds') ;;
    esac
}

# The names are those of the hypervisor's own table.
run_check_strace() { # NAME,NAME...
    local name names table=$top/vmm/guest/syscalls.def
    [[ ${#1} -le 1000 ]] || die_usage run '--strace: too many names'
    IFS=, read -ra names <<<"$1,"
    [[ ${#names[@]} -gt 0 ]] || names=('')
    for name in "${names[@]}"; do
        if [[ ! $name =~ ^[a-z0-9_]+$ ]] || ! grep -q "^X([0-9]*, $name, " "$table"; then
            die_usage run "--strace: Linux has no system call named '$name'" "They are listed in $table."
        fi
    done
}

# Checks what can be checked before anything is installed, fetched or built.
run_check_files() {
    [[ -z $strace || $quiet == no ]] || die_usage run '--quiet would hide what --strace shows'
    if [[ $append == *[[:cntrl:]]* ]]; then
        die_usage run '--append has a control character in it (a newline?)'
    fi
    if [[ -n $firmware ]]; then
        run_check_firmware
    elif [[ -n $kernel ]]; then
        file_check kernel "$kernel"
        kernel_name=$kernel
        run_unpack
        run_check_memory
    elif ((memory < debian_memory)); then
        die 2 "the guest's memory is too small: --memory $memory" \
            "Debian's kernel needs $debian_memory MiB to get to a prompt."
    fi
    [[ -z $initrd ]] || file_check initrd "$initrd"
    [[ -z $flash_vars ]] || run_check_vars
    if ! cpu_has_vhe "${host_cpu%%,*}" && [[ $host_vhe == on ]]; then
        die_usage run "--host-vhe on: $host_cpu has no FEAT_VHE" \
            'cortex-a55, cortex-a76, neoverse-n1 and max, among others, have it.'
    fi
}

flash_bytes=$((64 << 20)) # of a bank

# Firmware decides what is a kernel, and where it goes.
run_check_firmware() {
    if [[ $firmware != uboot && $firmware != edk2 ]]; then
        file_check firmware "$firmware"
        firmware_file=$firmware
        (($(stat -Lc %s -- "$firmware") <= flash_bytes)) ||
            die 2 "the firmware is bigger than the guest's flash of 64 MiB: $firmware"
    fi
    ((kernel_at == 0)) || die_usage run '--kernel FILE,addr= is for a guest that begins without firmware'
    if [[ -n $kernel ]]; then
        file_check kernel "$kernel"
        run_unpack
    elif [[ -n $initrd ]]; then
        die_usage run '--initrd with --firmware wants --kernel'
    fi
}

# A file for flash has the size of the bank. One that is not there yet is made by run_ensure.
run_check_vars() {
    [[ -e $flash_vars ]] || return 0
    file_check 'file of --flash-vars' "$flash_vars"
    [[ -w $flash_vars ]] || die 2 "the file of --flash-vars can't be written: $flash_vars"
    (($(stat -Lc %s -- "$flash_vars") == flash_bytes)) ||
        die 2 "the file of --flash-vars has not $flash_bytes bytes (64 MiB): $flash_vars" \
            'A file that does not exist is made.'
}

# Makes the file, and keeps others of us from it. Its descriptor stays open until the guest has ended.
run_take_vars() {
    if [[ ! -e $flash_vars ]]; then
        truncate -s "$flash_bytes" -- "$flash_vars" 2>/dev/null ||
            die 2 "the file of --flash-vars can't be made: $flash_vars"
    fi
    exec {vars_fd}<"$flash_vars"
    flock -n "$vars_fd" || die 2 "the file of --flash-vars is in use by another ./avc run: $flash_vars"
}

# As QEMU does for a kernel in a gzip file. gzip's status is 2 for a warning: something follows the file, for example a
# signature.
kernel_most=$((1 << 30)) # bytes of a kernel that was unpacked: a small file may become terabytes

run_unpack() {
    local status=0 why
    [[ $kernel_at == 0 && $(file_hex "$kernel" 0 3) == 1f8b08 ]] || return 0
    scratch_make
    { gzip -dc -- "$kernel" | head -c "$((kernel_most + 1))" >"$scratch/kernel"; } 2>"$scratch/gzip" || status=$?
    why=$(head -n 1 -- "$scratch/gzip")
    if (($(stat -c %s -- "$scratch/kernel") > kernel_most)); then
        die 2 "the kernel has more than $((kernel_most >> 20)) MiB when it is unpacked: $kernel"
    elif [[ $why == *'No space left'* ]]; then
        die 2 "there is no room to unpack the kernel: $kernel" "${TMPDIR:-/tmp} is full; TMPDIR=FOLDER names another."
    elif ((status != 0 && status != 2)); then
        die 2 "the kernel is a damaged gzip file: $kernel" "$why"
    elif [[ ! -s $scratch/kernel ]]; then
        die 2 "the kernel is empty when it is unpacked: $kernel"
    fi
    kernel=$scratch/kernel
}

# The guest's memory holds the kernel, the initrd and a device tree. Each begins at a multiple of 2 MiB.
run_check_memory() {
    local need=4 initrd_bytes=0
    image_check "$kernel" "$kernel_at" "${kernel_name:-$kernel}"
    [[ $image_fixed == no ]] || need=0
    [[ -z $initrd ]] || initrd_bytes=$(stat -Lc %s -- "$initrd" 2>/dev/null || echo 0)
    need=$((need + (image_bytes + 0xfffff) / 0x100000 + (initrd_bytes + 0xfffff) / 0x100000))
    ((memory >= need)) || die 2 "the guest's memory is too small: --memory $memory" \
        "The kernel takes $(((image_bytes + 0xfffff) / 0x100000)) MiB and the initrd" \
        "$(((initrd_bytes + 0xfffff) / 0x100000)) MiB; at least --memory $need is needed."
}

# Installs, fetches and builds what the run needs.
run_ensure() {
    local groups=(qemu)
    [[ -n $kernel || -n $firmware ]] || groups+=(tools)
    [[ -n ${AVC_VMM_IMAGE-} ]] || groups+=(build tools)
    packages_ensure "${groups[@]}"
    if [[ -n $firmware ]]; then
        [[ -n $firmware_file ]] || firmware_ensure "$firmware"
    elif [[ -z $kernel ]]; then
        guest_ensure
        kernel=$guest_kernel
        [[ -n $initrd || ${#device_arguments[@]} -eq 0 ]] || guest_drivers_ensure
        [[ -n $initrd ]] || initrd=$guest_initrd
        run_check_memory
    fi
    vmm_ensure
    [[ -z $flash_vars ]] || run_take_vars
    [[ -z $profile ]] || profile_ensure
}

run_check_cpu() {
    local model=${host_cpu%%,*} models
    models=$(cpu_models)
    if ! grep -qxF -- "$model" <<<"$models"; then
        die 2 "--host-cpu: QEMU has no such AArch64 CPU: $model" \
            "It has: $(paste -sd ' ' <<<"$models")"
    fi
    if [[ -z $host_vhe ]]; then
        host_vhe=off
        ! cpu_has_vhe "$model" || host_vhe=on
    fi
}

# Places the files in the host's RAM. The hypervisor begins at 0x4000_0000, the guest's files at 0x5000_0000. The memory
# behind them is the hypervisor's own and the guest's. QEMU's guest-loader loads the files, and describes them in
# /chosen.
run_place() {
    local base=$((0x50000000)) step=$((0x200000)) at size available
    at=$base
    if [[ -n $firmware ]]; then
        size=$(stat -Lc %s -- "$firmware_file")
        firmware_at=$(printf '%#x,%d' "$at" "$size")
        modules=(-device "loader,addr=${firmware_at%,*},file=$(qemu_quote "$firmware_file"),force-raw=on")
        at=$(((at + size + step - 1) / step * step))
    fi
    if [[ -n $kernel ]]; then
        size=$(stat -Lc %s -- "$kernel")
        modules+=(-device "guest-loader,addr=$(printf '%#x' "$at"),kernel=$(qemu_quote "$kernel"),bootargs=$(
            qemu_quote "$append")")
        at=$(((at + size + step - 1) / step * step))
    fi
    if [[ -n $initrd ]]; then
        size=$(stat -Lc %s -- "$initrd")
        modules+=(-device "guest-loader,addr=$(printf '%#x' "$at"),initrd=$(qemu_quote "$initrd")")
        at=$(((at + size + step - 1) / step * step))
    fi
    host_memory=$(((((at - 0x40000000) >> 20) + memory + 64 + 63) / 64 * 64))
    available=$(awk '$1 == "MemTotal:" { print int($2 / 1024) }' /proc/meminfo 2>/dev/null) || true
    if [[ -n $available ]] && ((host_memory > available)); then
        die 2 "--memory $memory is more than this machine has" \
            "The emulated board would need $host_memory MiB, and there are $available MiB."
    fi
}

run_boot() {
    local status=0 line devices=() options="cpus=$cpus memory=$memory host-vhe=$host_vhe"
    ((kernel_at == 0)) || options+=" kernel-at=$(printf '%#x' "$kernel_at")"
    [[ -z $firmware ]] || options+=" firmware=$firmware_at"
    if [[ -n $flash_vars ]]; then
        options+=' flash-vars'
        modules+=(-drive "if=pflash,unit=1,format=raw,file=$(qemu_quote "$flash_vars")")
    fi
    options+="${strace:+ $strace}${stat:+ $stat}${prefault:+ $prefault}"
    machine_describe "$host_cpu" "$host_cpus" "$host_memory" "$count"
    say "booting: $cpus guest CPUs on $host_cpus of $host_cpu, E2H ${host_vhe}, $memory MiB"
    if [[ -t 0 ]]; then
        say "to leave: Ctrl-A, then x; or let the guest power off"
    fi
    [[ -z $profile ]] || run_profile
    mapfile -t devices < <(device_place)
    emulator_run "$timeout" \
        -kernel "$vmm_image" -append "$options" \
        "${modules[@]}" "${devices[@]}" "${qemu_arguments[@]}" || status=$?
    [[ -z $profile ]] || run_show_profile
    [[ -z $stopped ]] || return "$stopped"
    if [[ $status -eq 124 ]]; then
        say "time-out: stopped after $timeout seconds"
        return 124
    fi
    line=$(log_exit_line) || true
    if [[ -z $line ]]; then
        error "the emulator ended (status $status) before the guest did"
        run_show_log
        return 1
    fi
    line=${line#vmm: exit }
    status=${line%%:*}
    [[ $status -eq 0 ]] || run_explain "$status" "${line#*: }"
    return "$((status > 255 ? 1 : status))"
}

# left=: exits that the library does not complete itself go through avc_leave.
run_profile() {
    local left
    plugin=$(qemu_quote "$profile_plugin")
    [[ $count == no ]] || plugin+=,serial=on
    left=$(profile_report --address avc_leave) || return 0
    plugin+=,left=$left
}

profile_report() { # ARGUMENT...
    python3 "$top/bench/profiling.py" --elf "${vmm_image%.bin}.elf" "$@"
}

# Shows the profile also of a guest that was stopped, if QEMU could still write it.
run_show_profile() {
    if [[ -s $scratch/profile ]]; then
        profile_report "$scratch/profile" >&2 || error 'QEMU has left half a profile'
    else
        error 'QEMU has left no profile'
    fi
}

run_explain() { # STATUS REASON
    run_show_log
    case $1 in
    3) error "the guest crashed: $2" ;;
    *) error "the hypervisor ended with status $1: $2" ;;
    esac
}

# --quiet has hidden the log. After a failure its end is shown.
run_show_log() {
    [[ $quiet == yes ]] || return 0
    tail -n 60 -- "$scratch/vmm.log" | sed 's/^/[avc] /' >&2
}
