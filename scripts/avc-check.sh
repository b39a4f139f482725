# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
# shellcheck shell=bash
# shellcheck disable=SC2154 # variables of ./avc and its other parts
#
# ./avc check: all builds, all tests, one line that says how many passed and failed.

check_usage() {
    cat <<TEXT
usage: ./avc check [--long] [BUILD...]

Installs what is missing, builds everything, runs the tests, and ends with one line:
N passed, N failed. The status is 0 if nothing failed. What failed is shown with its log;
all logs are kept in $build/log.

  --long  the tests too that take many minutes each (meson's suite \`long')

BUILD, to do less: $(check_builds | paste -sd ' ')
TEXT
}

check_builds() {
    printf '%s\n' host host-clang coverage target target-clang
}

# Which of meson's test set-ups runs (meson.build): short, or long with all tests.
check_setup=short

# If something ends the check early, it still prints the count as its last line.
check_counted=yes

# The process that builds Debian's disk, if one does.
check_machine=

check_cleanup() {
    [[ -z $check_machine ]] || kill "$check_machine" 2>/dev/null || true
    if [[ $check_counted == no ]]; then
        error "the check could not be finished"
        printf '0 passed, 1 failed\n'
    fi
}

check() {
    local name builds=() results=() status=0
    while [[ $# -gt 0 ]]; do
        case $1 in
        -h | --help)
            check_usage
            exit 0
            ;;
        --long) check_setup=long ;;
        *)
            check_builds | grep -qxF -- "$1" || die_usage check "no such build: $1"
            builds+=("$1")
            ;;
        esac
        shift
    done
    [[ ${#builds[@]} -gt 0 ]] || mapfile -t builds < <(check_builds)
    check_counted=no
    trap check_cleanup EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP

    # shellcheck disable=SC2046 # one word, or none
    packages_ensure qemu tools build examples check machine $([[ $check_setup == short ]] || echo prove)
    libfdt_ensure
    guest_ensure
    lock_take
    # shellcheck disable=SC2034 # avc-common.sh reads it
    log_tails=later
    # If one of these fails, the tests that need it fail, and say why. Debian's disk is built beside the builds: most of
    # that keeps one CPU busy alone.
    if [[ " ${builds[*]} " == *' target'* ]]; then
        tfa_ensure || true
        (machine_ensure) &
        check_machine=$!
    fi
    for name in "${builds[@]}"; do
        # The log of an earlier check must not be counted.
        rm -f -- "$build/$name/meson-logs/testlog-$check_setup.json"
        if check_build "$name"; then
            results+=("$name=$build/$name/meson-logs/testlog-$check_setup.json")
        else
            results+=(--failed "build $name=$build/log/$name.log")
        fi
    done
    wait || true
    check_machine=
    # Tests start launchers, which take the lock themselves.
    lock_drop
    for name in "${results[@]}"; do
        [[ $name != *.json ]] || check_test "${name%%=*}"
    done

    python3 "$top/scripts/testcount.py" "${results[@]}" || status=$?
    check_counted=yes
    exit "$status"
}

# Empties the build's log first, so that after a failure it shows only this check's steps.
check_build() { # NAME
    mkdir -p "$build/log"
    : >"$build/log/$1.log"
    say "build $1"
    build_make "$1"
}

# Shows meson's line for each test that ends. All other output goes to the log.
check_test() { # NAME
    local name=$1 log=$build/log/$1-test.log
    say "test $name"
    [[ $name != coverage ]] || coverage_forget
    export AVC_TEST_BUILD=$build/$name
    meson test -C "$build/$name" --no-rebuild --setup "$check_setup" --print-errorlogs </dev/null 2>&1 |
        tee "$log" | grep --line-buffered -E '^ *[0-9]+/[0-9]+ ' >&2 || true
}
