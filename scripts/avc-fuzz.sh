# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
# shellcheck shell=bash
# shellcheck disable=SC2154 # variables of ./avc and its other parts
#
# ./avc fuzz: libFuzzer on one of the targets of tests/fuzz, for as long as one likes.

fuzz_usage() {
    cat <<TEXT
usage: ./avc fuzz [OPTION...] TARGET...
       ./avc fuzz --merge TARGET...

Installs what is missing, builds the target with clang and its sanitizers, and feeds it inputs. It begins with the
corpus (tests/fuzz/corpus) and with what earlier runs have found, which is in $build/fuzz.
Prints how many inputs were executed. The status is 0 if none failed; an input that fails is kept and named.

  --seconds S  how long, for each target (default: 60)
  --runs N     how many inputs instead, for each target
  --jobs J     processes at the same time (default: 1)
  --merge      do not run: add to the corpus those new inputs that reach more, and drop what is not needed

TARGET: all, or one of $(fuzz_targets | paste -sd ' ')
TEXT
}

fuzz_targets() {
    find "$top/tests/fuzz" -maxdepth 1 -name 'fuzz_*.c' -printf '%f\n' | sed 's/^fuzz_//; s/\.c$//' | sort
}

fuzz_number() { # OPTION VALUE
    [[ $2 =~ ^[1-9][0-9]{0,11}$ ]] || die_usage fuzz "$1 wants a number from 1 on, not '$2'"
}

fuzz() {
    local targets=() options=() limit=() programs=() name status=0
    while [[ $# -gt 0 ]]; do
        case $1 in
        -h | --help)
            fuzz_usage
            exit 0
            ;;
        --seconds | --runs | --jobs)
            [[ $# -ge 2 ]] || die_usage fuzz "$1 wants a value"
            fuzz_number "$1" "$2"
            if [[ $1 == --jobs ]]; then
                options+=("$1" "$2")
            elif [[ ${#limit[@]} -gt 0 && ${limit[0]} != "$1" ]]; then
                die_usage fuzz "--seconds and --runs: one of them"
            else
                limit=("$1" "$2")
            fi
            shift
            ;;
        --merge) options+=(--merge) ;;
        -*) die_usage fuzz "unknown option: $1" ;;
        all) mapfile -t targets < <(fuzz_targets) ;;
        *)
            fuzz_targets | grep -qxF -- "$1" ||
                die_usage fuzz "no such target: $1" "There are: $(fuzz_targets | paste -sd ' ')"
            targets+=("$1")
            ;;
        esac
        shift
    done
    [[ ${#targets[@]} -gt 0 ]] || die_usage fuzz "which target?" "There are: $(fuzz_targets | paste -sd ' '), or all"
    [[ ${#limit[@]} -gt 0 ]] || limit=(--seconds 60)
    packages_ensure tools build check
    lock_take
    for name in "${targets[@]}"; do
        programs+=("tests/fuzz/fuzz_$name")
    done
    build_make host-clang "${programs[@]}" || exit 1
    lock_drop
    python3 "$top/scripts/fuzz.py" --top "$top" --build "$build/host-clang" "${limit[@]}" "${options[@]}" \
        "${targets[@]}" || status=$?
    exit "$status"
}
