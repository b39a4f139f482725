# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
# shellcheck shell=bash
# shellcheck disable=SC2154 # variables of ./avc and its other parts
#
# ./avc attack: guests that do what no guest should.

attack_usage() {
    cat <<TEXT
usage: ./avc attack [OPTION...] [ATTACK...]

Boots guests that attack the hypervisor, and says for each how that ended. Without options: the
same amount that ./avc check runs. docs/testing.md says what each attack does.

  --seed N         the first seed (default: $attack_seed); the next boots take the next ones
  --seconds S      go on for so long
  --repeat N       all attacks named, N times (default: once, without --seconds)
  --rounds N       rounds of each hostile vCPU in a boot, in place of the attack's own number
  --host-cpu MODEL the emulated CPU model (default: max)
  --mutants        run the attacks against mutants of the library instead, which they have to find

ATTACK: $(attack_names | paste -sd ' '); default: all

A run is clean; or ended by the guest itself, which is its right; or by a fault of QEMU's own that
is known and named; or it has FAILED, and then there is the command that repeats it.
Exit status: 0 nothing failed; 1 something did; 2 wrong usage, something missing.
TEXT
}

attack_seed=5

attack_names() {
    printf '%s\n' insn gic psci tables flood vms
}

attack() {
    local option value arguments=() host_cpu=max models
    while [[ $# -gt 0 ]]; do
        option=$1
        shift
        case $option in
        -h | --help)
            attack_usage
            exit 0
            ;;
        --mutants) arguments+=("$option") && continue ;;
        --seed=* | --seconds=* | --repeat=* | --rounds=* | --host-cpu=*)
            value=${option#*=}
            option=${option%%=*}
            ;;
        --seed | --seconds | --repeat | --rounds | --host-cpu)
            [[ $# -gt 0 ]] || die_usage attack "$option wants a value"
            value=$1
            shift
            ;;
        -*) die_usage attack "unknown option: $option" ;;
        *)
            attack_names | grep -qxF -- "$option" || die_usage attack "no such attack: $option" \
                "There are: $(attack_names | paste -sd ' ')"
            arguments+=("$option")
            continue
            ;;
        esac
        if [[ $option == --host-cpu ]]; then
            host_cpu=$value
        elif [[ ! $value =~ ^[0-9]{1,9}$ ]] || { [[ $option != --seed ]] && ((10#$value == 0)); }; then
            die_usage attack "$option wants a number, and was given '$value'"
        else
            value=$((10#$value))
        fi
        arguments+=("$option" "$value")
    done
    packages_ensure qemu build tools profile
    models=$(cpu_models)
    grep -qxF -- "$host_cpu" <<<"$models" || die 2 "--host-cpu: QEMU has no such AArch64 CPU: $host_cpu" \
        "It has: $(paste -sd ' ' <<<"$models")"
    libfdt_ensure
    lock_take
    build_make target || exit 1
    lock_drop
    AVC_QEMU=$qemu exec python3 "$top/tests/attack/attack.py" --build "$build/target" "${arguments[@]}"
}
