# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
# shellcheck shell=bash
# shellcheck disable=SC2154 # variables of ./avc and its other parts
#
# ./avc coverage: which lines and branches of the library the tests of the build host execute.

coverage_usage() {
    cat <<TEXT
usage: ./avc coverage [--update]

Installs what is missing, builds the library for this machine with gcc's counters, runs the unit tests and replays the
fuzzers' inputs. Writes a report that shows each line into
$build/coverage/report, and compares
the counts of each file with docs/coverage.tsv, as ./avc check does. The status is 0 if nothing got worse.

  --update  write docs/coverage.tsv anew. Where a line is not executed, its last column wants the reason
TEXT
}

# Removes the counts of earlier runs. Counts add up over runs, and would hide what this run does not execute.
coverage_forget() {
    find "$build/coverage" -name '*.gcda' -delete
}

coverage() {
    local word update=() log=$build/log/coverage-test.log status=0
    for word in "$@"; do
        case $word in
        -h | --help)
            coverage_usage
            exit 0
            ;;
        --update) update=(--update) ;;
        *) die_usage coverage "unknown argument: $word" ;;
        esac
    done
    packages_ensure tools build check
    lock_take
    build_make coverage || exit 1
    coverage_forget
    say "running the tests (log: $log)"
    : >"$log"
    logged "$log" meson test -C "$build/coverage" --no-rebuild --print-errorlogs --suite unit --suite fuzz || exit 1
    python3 "$top/tests/check/coverage.py" --build "$build/coverage" --report "${update[@]}" || status=1
    lock_drop
    say "the report: $build/coverage/report/index.html"
    exit "$status"
}
