# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
# shellcheck shell=bash
# shellcheck disable=SC2154 # variables of ./avc and its other parts
#
# The emulated machine: its command line, the two UARTs, the time-out, the exit status.
#
# The first UART is the guest's. It is stdout, byte for byte. The second is the hypervisor's log; where the board has
# one UART only, the log goes to a UART on a PCI card. The log's last line, "vmm: exit STATUS: REASON", says how the
# guest ended.

# Prints the CPU models with an AArch64 EL2 that QEMU's virt machine has, from QEMU's own list.
cpu_models() {
    "$qemu" -cpu help 2>/dev/null |
        awk '$1 ~ /^(cortex-a(3[4-9]|[5-9][0-9]|[0-9][0-9][0-9]+[a-z]*)|neoverse-.*|a64fx|max)$/ { print $1 }'
}

# The models named here are Armv8.0 and have no FEAT_VHE. All others have it.
cpu_has_vhe() { # MODEL
    case $1 in
    cortex-a3[45] | cortex-a53 | cortex-a57 | cortex-a7[23]) return 1 ;;
    esac
}

# QEMU takes a comma as the end of a value, and two commas as one.
qemu_quote() { # VALUE
    printf '%s' "${1//,/,,}"
}

qemu_machine=() # arguments that make the board

# pauth-impdef makes pointer authentication cheaper to emulate. A guest executes the same instructions with it.
machine_describe() { # CPU-MODEL CPUS MEMORY-MIB COUNT(yes|no)
    local machine=virt,virtualization=on,gic-version=3 cpu=$1
    [[ ${1%%,*} != max ]] || cpu+=,pauth-impdef=on
    # QEMU 7 has SME without FEAT_FGT, which each CPU with SME has. Only FEAT_FGT can keep EL1's TPIDR2_EL0 from a
    # guest.
    [[ ${1%%,*} != max || ${AVC_QEMU_OLD-} != 7 ]] || cpu+=,sme=off
    if [[ $4 == yes ]]; then
        machine+=,dtb-randomness=off
        cpu+=,cntfrq=1000000000
    fi
    qemu_machine=(-M "$machine" -cpu "$cpu" -smp "$2" -m "$3" -accel tcg
        -nic none -display none -no-reboot -global virtio-mmio.force-legacy=false)
    if [[ $4 == yes ]]; then
        qemu_machine+=(-icount 'shift=0,sleep=off' -rtc 'base=2026-01-01T00:00:00,clock=vm' -seed 1)
    fi
}

# What must end with the launcher, or must be restored.
scratch=
saved_terminal=
emulator=  # process id while it runs
plugin=    # QEMU's -plugin value without out=; the plugin writes $scratch/profile
stopped=   # the exit status that a signal asked for
log_fd=

emulator_cleanup() {
    if [[ -n $emulator ]]; then
        kill -TERM "$emulator" 2>/dev/null || true
        wait "$emulator" 2>/dev/null || true
    fi
    # A launcher in the background must not change the terminal, which is another's.
    [[ -z $saved_terminal ]] || (trap '' TTOU; stty "$saved_terminal" <&0) 2>/dev/null || true
    [[ -z $scratch ]] || rm -rf -- "$scratch"
}

scratch_make() {
    [[ -z $scratch ]] || return 0
    scratch=$(mktemp -d "${TMPDIR:-/tmp}/avc.XXXXXX") || die 2 "no temporary folder could be made"
    trap emulator_cleanup EXIT
}

emulator_signalled() { # STATUS
    stopped=$1
    [[ -z $emulator ]] || kill -TERM "$emulator" 2>/dev/null || true
}

# Shows the hypervisor's log, each line with a prefix, and keeps a copy. --quiet hides the log, but not a table that the
# user asked for.
log_show() { # KEPT-COPY
    local line
    while IFS= read -r line || [[ -n $line ]]; do
        line=${line%$'\r'}
        printf '%s\n' "$line" >>"$1"
        [[ $quiet == yes && $line != 'vmm: stat: '* ]] || printf '[avc] %s\n' "$line" >&2
    done
}

# Drops two messages of QEMU's: that a signal has stopped it, and that with --count it waits for a key.
emulator_errors() {
    local line
    while IFS= read -r line || [[ -n $line ]]; do
        case $line in
        *'terminating on signal '* | *'icount sleep disabled and no active timers'*) ;;
        *) printf '%s\n' "$line" >&2 ;;
        esac
    done
}

# Boots the board of qemu_machine with more arguments. stdin and stdout are the first UART. Returns QEMU's status, 124
# after the time-out, or the status of a signal. The log is in $scratch/vmm.log.
emulator_run() { # TIMEOUT(0: none) ARGUMENT...
    local limit=$1 console='stdio,id=guest,signal=off' log=(-serial chardev:log)
    local status=0 readers=() grace=2
    shift
    # The board of an old QEMU has one UART, so the hypervisor looks for another on the PCI bus.
    [[ -z ${AVC_QEMU_OLD-} ]] || log=(-device 'pci-serial,chardev=log')
    scratch_make
    trap 'emulator_signalled 129' HUP
    trap 'emulator_signalled 130' INT
    trap 'emulator_signalled 143' TERM
    if [[ -t 0 ]]; then
        # Ctrl-A goes to QEMU, every other key to the guest.
        console+=,mux=on
        saved_terminal=$(stty -g)
    fi
    mkfifo "$scratch/log" "$scratch/errors"
    : >"$scratch/vmm.log"
    # The launcher keeps both pipes open until QEMU has ended. Otherwise a reader could wait for ever for their
    # beginning, or never see their end.
    exec {log_fd}<>"$scratch/log" {err_fd}<>"$scratch/errors" {in_fd}<&0
    log_show "$scratch/vmm.log" <"$scratch/log" {log_fd}>&- {err_fd}>&- {in_fd}<&- &
    readers=($!)
    emulator_errors <"$scratch/errors" {log_fd}>&- {err_fd}>&- {in_fd}<&- &
    readers+=($!)
    [[ -z $plugin ]] || set -- "$@" -plugin "$plugin,out=$(qemu_quote "$scratch/profile")"
    # setpriv: if somebody kills the launcher, the emulator ends, too, and restores the terminal itself.
    setpriv --pdeathsig TERM timeout --foreground -k "$grace" "$limit" \
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
    # 137 means that timeout had to kill it, because it did not end when the time was up.
    [[ $status -ne 137 || $limit -eq 0 ]] || status=124
    return "$status"
}

# Prints the last line of the hypervisor's log if it has the exit status; otherwise nothing.
log_exit_line() {
    grep -aE '^vmm: exit [0-9]+(:|$)' "$scratch/vmm.log" | tail -n 1
}
