# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 the arm_vcpu authors
# shellcheck shell=bash
# shellcheck disable=SC2154 # variables of ./avc and its other parts
#
# ./avc examples and ./avc bench: what there is to be looked at.

examples_usage() {
    cat <<TEXT
usage: ./avc examples [NAME...]

Installs the library into $examples_prefix,
builds all examples, or those named, against what was installed there, runs them one after
the other in QEMU, and compares what each prints with its expected.txt. NAME may be the number
alone.
There are: $(examples_all | paste -sd ' ')
TEXT
}

examples_prefix=$build/install
example_seconds=60

examples_all() {
    find "$top/examples" -mindepth 2 -maxdepth 2 -path '*/[0-9][0-9]-*/main.c' -printf '%h\n' |
        sed 's|.*/||' | sort
}

examples() {
    local name names=() failed=()
    while [[ $# -gt 0 ]]; do
        case $1 in
        -h | --help)
            examples_usage
            exit 0
            ;;
        *) names+=("$(example_find "$1")") || exit ;;
        esac
        shift
    done
    [[ ${#names[@]} -gt 0 ]] || mapfile -t names < <(examples_all)
    packages_ensure qemu build examples
    lock_take
    build_make package || exit 1
    rm -rf -- "$examples_prefix"
    logged "$build/log/package.log" env -u DESTDIR meson install -C "$build/package" --no-rebuild || exit 1
    lock_drop
    say "by hand: export PKG_CONFIG_PATH=$examples_prefix/lib/pkgconfig," \
        "and make run in a copy of an example's folder"
    for name in "${names[@]}"; do
        example_run "$name" || failed+=("$name")
    done
    [[ ${#failed[@]} -eq 0 ]] || die 1 "failed: ${failed[*]}"
}

# Prints the whole name of an example that is given by name or number.
example_find() { # NAME
    local name all
    all=$(examples_all)
    name=$(grep -xF -- "$1" <<<"$all") ||
        { [[ $1 =~ ^[0-9]{1,2}$ ]] && name=$(grep -m 1 -- "^$(printf '%02d' "$((10#$1))")-" <<<"$all"); } ||
        die_usage examples "no such example: $1" "There are: $(paste -sd ' ' <<<"$all")"
    printf '%s\n' "$name"
}

# Runs make in a folder, without the variables of the caller that would change the build.
example_make() { # FOLDER ARGUMENT...
    timeout --foreground -k 10 "$example_seconds" \
        env -u CC -u AR -u CFLAGS -u LDFLAGS -u OBJCOPY -u CROSS_COMPILE -u AVC_SOURCE -u E2H -u CPUS -u MAKEFLAGS \
        PKG_CONFIG_PATH="$examples_prefix/lib/pkgconfig" make -s -C "$@" </dev/null
}

# Builds and runs a copy of the installed folder. An example powers the board off when it is done.
example_run() { # NAME
    local status=0 folder=$build/examples/$1 log=$build/log/example-$1.log models cpu needs
    rm -rf -- "$folder"
    mkdir -p "$build/examples"
    : >"$log"
    cp -r -- "$examples_prefix/share/arm_vcpu/examples/$1" "$folder" &&
        logged "$log" example_make "$folder" || return
    models=$(example_make "$folder" models) || return
    cpu=max
    [[ " $models " == *' max '* ]] || cpu=${models%% *}
    needs=$(sed -n 's/.*qemu=\([0-9]*\).*/\1/p' "$folder/run" 2>/dev/null) || true
    if [[ -n ${AVC_QEMU_OLD-} && ${needs:-0} -gt ${AVC_QEMU_OLD:-0} ]]; then
        say "example $1 is left out: it needs QEMU $needs, and this is $AVC_QEMU_OLD"
        return
    fi
    say "example $1, on $cpu"
    [[ $cpu != max || ${AVC_QEMU_OLD-} != 7 ]] || cpu+=,sme=off # see machine_describe
    example_make "$folder" run QEMU="$qemu" CPU="$cpu" | tee "$folder/output.txt" || status=$?
    if [[ $status -eq 124 ]]; then
        error "$1 did not end within $example_seconds seconds"
    elif [[ $status -ne 0 ]]; then
        error "$1 ended with status $status"
    elif ! diff -u "$folder/expected.txt" "$folder/output.txt" >&2; then
        error "$1 did not print what its expected.txt says"
        status=1
    fi
    return "$status"
}

bench_usage() {
    cat <<'TEXT'
usage: ./avc bench [OPTION...] [CPU...]

Builds the bench guests, runs them in the deterministic mode, prints what an exit costs in
instructions, as the guest sees it, beside what it costs under other hypervisors, and draws a
picture into the build folder; and what EL2 executes for it, by class of instruction. Then boots
Debian's Linux under the reference hypervisor and prints EL2's share of it.
docs/performance.md says how it is measured.

CPU: models of the emulator, without Linux; default: max cortex-a72 neoverse-n1, and Linux on max

  --profile [ROW...]  show where the instructions at EL2 are, by function, on the first model; of
                   the rows named, by default of those that have a goal
  --members        show also the members of families, of which the table has the dearest only
  --growth         show what exits cost with more VMs, vCPUs and claims instead
  --sizes          show what the library takes of memory instead: .text, structs, stack
  --linux          Linux alone
  --worst [--long] [--update] [PROGRAM...]
                   show how long EL2 takes no interrupt at worst, and holds each lock, instead; --update
                   writes the table of docs/assurance.md
  --check          compare with the budget, bench/budget.tsv, as ./avc check does; with --linux
                   with bench/linux.tsv, which is of one version of Debian's kernel
  --update-budget  make these figures the budget; also writes the tables and the picture
                   of docs/performance.md, and bench/sizes.tsv
TEXT
}

bench() {
    local word rows= worst=
    for word in "$@"; do
        case $word in
        -h | --help)
            bench_usage
            exit 0
            ;;
        --profile) rows=1 ;;
        --worst) worst=1 ;;
        --long | --update) [[ $worst ]] || die_usage bench "$word is for --worst" ;;
        --members | --growth | --sizes | --linux | --check | --check-growth | --check-sizes | --update-budget) rows= ;;
        -*) die_usage bench "unknown option: $word" ;;
        max | cortex-* | neoverse-* | a64fx) ;;
        *) [[ $rows || $worst ]] || die_usage bench "no CPU model of the emulator: $word" ;;
        esac
    done
    [[ -e $top/bench/bench.py ]] || die 1 "this tree has no bench yet: bench/bench.py is missing"
    packages_ensure qemu build tools bench profile
    libfdt_ensure
    guest_ensure
    lock_take
    build_make target || exit 1
    lock_drop
    AVC_QEMU=$qemu exec python3 "$top/bench/bench.py" --build "$build/target" "$@"
}
