# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
# shellcheck shell=bash
# shellcheck disable=SC2154 # variables of ./avc and its other parts
#
# ./avc examples and ./avc bench: what there is to be looked at.

examples_usage() {
    cat <<TEXT
usage: ./avc examples [NAME...]

Builds the examples and runs them one after the other, or those named, each by itself in
QEMU, and shows what they print. There are: $(examples_all | paste -sd ' ')
TEXT
}

examples_all() {
    find "$top/examples" -mindepth 1 -maxdepth 1 -type d -name '[0-9]*' -printf '%f\n' | sort
}

example_seconds=60

examples() {
    local name names=() failed=()
    while [[ $# -gt 0 ]]; do
        case $1 in
        -h | --help)
            examples_usage
            exit 0
            ;;
        *)
            name=$(examples_all | grep -E -m 1 -- "^$1(-|\$)") || name=$(examples_all | grep -xF -- "$1") ||
                die_usage examples "no such example: $1" "There are: $(examples_all | paste -sd ' ')"
            names+=("$name")
            ;;
        esac
        shift
    done
    [[ ${#names[@]} -gt 0 ]] || mapfile -t names < <(examples_all)
    packages_ensure qemu build tools
    libfdt_ensure
    lock_take
    names=("${names[@]/#/examples/}")
    build_make target "${names[@]/%/.bin}" || exit 1
    lock_drop
    for name in "${names[@]}"; do
        name=${name#examples/}
        say "example $name"
        example_run "$name" || failed+=("$name")
    done
    [[ ${#failed[@]} -eq 0 ]] || die 1 "failed: ${failed[*]}"
}

# An example powers the board off when it is done.
example_run() { # NAME
    local status=0
    machine_describe max 2 256 no
    timeout --foreground -k 10 "$example_seconds" "$qemu" "${qemu_machine[@]}" \
        -monitor none -serial stdio -kernel "$build/target/examples/$1.bin" </dev/null || status=$?
    [[ $status -ne 124 ]] || error "$1 did not end within $example_seconds seconds"
    return "$status"
}

bench_usage() {
    cat <<'TEXT'
usage: ./avc bench [ARGUMENT...]

Builds the bench guests, runs them in the deterministic mode, and prints what an exit costs
in instructions, as the guest sees it. Arguments are handed to bench/bench.py.
TEXT
}

bench() {
    case ${1-} in
    -h | --help)
        bench_usage
        exit 0
        ;;
    esac
    [[ -e $top/bench/bench.py ]] || die 1 "this tree has no bench yet: bench/bench.py is missing"
    packages_ensure qemu build tools
    libfdt_ensure
    lock_take
    build_make target || exit 1
    lock_drop
    AVC_QEMU=$qemu exec python3 "$top/bench/bench.py" --build "$build/target" "$@"
}
