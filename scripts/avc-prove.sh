# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
# shellcheck shell=bash
# shellcheck disable=SC2154 # variables of ./avc and its other parts
#
# ./avc prove: proofs about the source, by Frama-C and by executing all cases there are.

prove_usage() {
    cat <<TEXT
usage: ./avc prove [NAME...]

Installs Frama-C and CVC4, and proves what docs/assurance.md lists: all of it, or the proofs named. Prints a line for
each, and the status is 0 if all hold. Logs are kept in $build/proof.

NAME: $(prove_names | paste -sd ' ')
TEXT
}

prove_names() {
    sed -n 's/^    "\([a-z]*\)": ("[a-z]*", .*/\1/p' "$top/tests/proof/prove.py"
}

prove() {
    local word status=0
    for word in "$@"; do
        case $word in
        -h | --help)
            prove_usage
            exit 0
            ;;
        *)
            prove_names | grep -qxF -- "$word" ||
                die_usage prove "no such proof: $word" "There are: $(prove_names | paste -sd ' ')"
            ;;
        esac
    done
    packages_ensure tools build check prove
    lock_take
    build_make host tests/proof/prove_words tests/proof/prove_calls || exit 1
    lock_drop
    python3 "$top/tests/proof/prove.py" --words "$build/host/tests/proof/prove_words" \
        --calls "$build/host/tests/proof/prove_calls" --work "$build/proof" "$@" || status=$?
    exit "$status"
}
