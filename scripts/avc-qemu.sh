# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
# shellcheck shell=bash
# shellcheck disable=SC2154 # variables of ./avc and its other parts
#
# The emulated machine: its command line, the two UARTs, the time-out, the exit status.
#
# The first UART is the guest's and is stdout, byte for byte. The second, of a PCI card where the
# board has only one, is the hypervisor's log; its last line, "vmm: exit STATUS: REASON", says how
# the guest ended.

# CPU models of QEMU's virt machine that have an AArch64 EL2, out of QEMU's own list.
cpu_models() {
    "$qemu" -cpu help 2>/dev/null |
        awk '$1 ~ /^(cortex-a(3[4-9]|[5-9][0-9]|[0-9][0-9][0-9]+[a-z]*)|neoverse-.*|a64fx|max)$/ { print $1 }'
}

# Models of Armv8.0, which have no FEAT_VHE. All others do.
cpu_has_vhe() { # MODEL
    case $1 in
    cortex-a3[45] | cortex-a53 | cortex-a57 | cortex-a7[23]) return 1 ;;
    esac
}

# QEMU takes a comma in a value for the end of it, and two for one.
qemu_quote() { # VALUE
    printf '%s' "${1//,/,,}"
}

qemu_machine=() # arguments that make the board

# pauth-impdef only makes pointer authentication cheaper to emulate; a guest executes the
# same instructions with it.
machine_describe() { # CPU-MODEL CPUS MEMORY-MIB COUNT(yes|no)
    local machine=virt,virtualization=on,gic-version=3 cpu=$1
    [[ ${1%%,*} != max ]] || cpu+=,pauth-impdef=on
    # QEMU 7 has SME, but not FEAT_FGT that comes with it in real CPUs, and by which alone EL1's
    # TPIDR2_EL0 could be kept from a guest.
    [[ ${1%%,*} != max || ${AVC_QEMU_OLD-} != 7 ]] || cpu+=,sme=off
    if [[ $4 == yes ]]; then
        machine+=,dtb-randomness=off
        cpu+=,cntfrq=1000000000
    fi
    qemu_machine=(-M "$machine" -cpu "$cpu" -smp "$2" -m "$3" -accel tcg
        -nic none -display none -no-reboot)
    if [[ $4 == yes ]]; then
        qemu_machine+=(-icount 'shift=0,sleep=off' -rtc 'base=2026-01-01T00:00:00,clock=vm' -seed 1)
    fi
}

# Everything that must not outlive the launcher, or must be put back.
scratch=
saved_terminal=
emulator=  # process id while it runs
plugin=    # for QEMU, with its arguments but for out=; it leaves $scratch/profile
stopped=   # exit status that a signal asked for
log_fd=

emulator_cleanup() {
    if [[ -n $emulator ]]; then
        kill -TERM "$emulator" 2>/dev/null || true
        wait "$emulator" 2>/dev/null || true
    fi
    # Not as the terminal's foreground? Then leave it to who is.
    [[ -z $saved_terminal ]] || (trap '' TTOU; stty "$saved_terminal" <&0) 2>/dev/null || true
    [[ -z $scratch ]] || rm -rf -- "$scratch"
}

emulator_signalled() { # STATUS
    stopped=$1
    [[ -z $emulator ]] || kill -TERM "$emulator" 2>/dev/null || true
}

# Prefixes the hypervisor's log and keeps a copy. A table that was asked for is not silenced.
log_show() { # KEPT-COPY
    local line
    while IFS= read -r line || [[ -n $line ]]; do
        line=${line%$'\r'}
        printf '%s\n' "$line" >>"$1"
        [[ $quiet == yes && $line != 'vmm: stat: '* ]] || printf '[avc] %s\n' "$line" >&2
    done
}

# QEMU says on stderr that it has been stopped, which is no news to who stopped it, and that
# with --count nothing will happen until a key is pressed.
emulator_errors() {
    local line
    while IFS= read -r line || [[ -n $line ]]; do
        case $line in
        *'terminating on signal '* | *'icount sleep disabled and no active timers'*) ;;
        *) printf '%s\n' "$line" >&2 ;;
        esac
    done
}

# Boots the board of qemu_machine with further arguments, stdin and stdout at the first UART.
# Returns QEMU's status, 124 after the time-out, or that of a signal. The log is left in
# $scratch/vmm.log.
emulator_run() { # TIMEOUT(0: none) ARGUMENT...
    local limit=$1 console='stdio,id=guest,signal=off' log=(-serial chardev:log)
    local status=0 readers=()
    shift
    # The board of an old QEMU has one UART. The hypervisor then looks for one on the PCI bus.
    [[ -z ${AVC_QEMU_OLD-} ]] || log=(-device 'pci-serial,chardev=log')
    scratch=$(mktemp -d "${TMPDIR:-/tmp}/avc.XXXXXX") || die 2 "no temporary folder could be made"
    trap emulator_cleanup EXIT
    trap 'emulator_signalled 129' HUP
    trap 'emulator_signalled 130' INT
    trap 'emulator_signalled 143' TERM
    if [[ -t 0 ]]; then
        # The guest gets every key but Ctrl-A, which leads to QEMU.
        console+=,mux=on
        saved_terminal=$(stty -g)
    fi
    mkfifo "$scratch/log" "$scratch/errors"
    : >"$scratch/vmm.log"
    # Held open for writing until QEMU has ended, or a reader might never see an end, or
    # wait for ever for a beginning.
    exec {log_fd}<>"$scratch/log" {err_fd}<>"$scratch/errors" {in_fd}<&0
    log_show "$scratch/vmm.log" <"$scratch/log" {log_fd}>&- {err_fd}>&- {in_fd}<&- &
    readers=($!)
    emulator_errors <"$scratch/errors" {log_fd}>&- {err_fd}>&- {in_fd}<&- &
    readers+=($!)
    [[ -z $plugin ]] || set -- "$@" -plugin "$plugin,out=$(qemu_quote "$scratch/profile")"
    # setpriv: should the launcher be killed outright, the emulator ends, too, and puts the
    # terminal back itself.
    setpriv --pdeathsig TERM timeout --foreground -k 10 "$limit" \
        "$qemu" "${qemu_machine[@]}" -chardev "$console" -serial chardev:guest \
        -chardev "file,id=log,path=$(qemu_quote "$scratch/log")" "${log[@]}" \
        -monitor none -parallel none "$@" \
        <&"$in_fd" 2>"$scratch/errors" {log_fd}>&- {err_fd}>&- {in_fd}<&- &
    emulator=$!
    wait "$emulator" || status=$?
    while [[ -n $stopped ]] && kill -0 "$emulator" 2>/dev/null; do
        wait "$emulator" || true
    done
    emulator=
    exec {log_fd}>&- {err_fd}>&- {in_fd}<&-
    wait "${readers[@]}" || true
    [[ -z $stopped ]] || return "$stopped"
    # 137: it had to be killed, for it did not go when the time was up.
    [[ $status -ne 137 || $limit -eq 0 ]] || status=124
    return "$status"
}

# The status that the hypervisor's log ends with; nothing if there is no such line.
log_exit_line() {
    grep -aE '^vmm: exit [0-9]+(:|$)' "$scratch/vmm.log" | tail -n 1
}
