#!/usr/bin/env bash
# Everything that takes longer than `make test` has time for: the fault campaign, the security campaign, and rarer checks.
# Every line of a part that begins with `campaign` or `mutation` says how much was tried and what came of it; they are
# collected in one summary at the end, simulated and real apart: the first word after a campaign's name is one of the two,
# or the line is a failure. `PARTS="faults security further"` says which parts are played.
# Tools that are missing are installed from the package registries, or the part says aloud that it was left out.
set -uo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cd "$root" || exit 1
export LC_ALL=C CARGO_TERM_COLOR=never CARGO_TARGET_DIR="$root/target" PATH="$root/target/tools/bin:$PATH"
export HALT_TRACKER_EXTENSION="$root/target/fast/libhalt_tracker.so"
export HALT_TRACKER_SIM="$root/target/debug/examples/tracker-sim"

passed=0
failed=0
failures=()
skipped=()
log="$(mktemp)"
said="$(mktemp)"
declare -A beside_pids beside_logs beside_since
trap 'rm -f "$log" "$said" "${beside_logs[@]}"; [ "${#beside_pids[@]}" -eq 0 ] || kill "${beside_pids[@]}"' EXIT

# One part: what it says is shown and searched for its counts. What hangs is a failure too.
check() {
    local name="$1" since=$SECONDS; shift
    printf '\n== %s ==\n' "$name"
    timeout "${LIMIT:-1800}" "$@" 2>&1 | tee "$log"
    judge "$name" "$since" "${PIPESTATUS[0]}" "$log"
}
# One more line of the summary, good when the code is 0.
expect() { if [ "$2" -eq 0 ]; then passed=$((passed + 1)); else failed=$((failed + 1)); failures+=("$1"); fi; }
judge() {
    local name="$1" since="$2" code="$3" log="$4"
    # A test's own line may come after the name of its test.
    grep -oE '(campaign|mutation) [a-z].*' "$log" | grep -vE '^(campaign|mutation)[^:]*$' >>"$said"
    grep -oiE 'skipped:? .*' "$log" | while IFS= read -r line; do printf 'skip %s: %s\n' "$name" "$line"; done >>"$said"
    expect "$name" "$code"
    printf -- '-- %s: %s s, %s\n' "$name" "$((SECONDS - since))" "$([ "$code" -eq 0 ] && echo passed || echo FAILED)"
}

# A part that waits for servers longer than it works, or that has time, runs beside the others; `meet` waits for all whose
# names begin so, and shows what they said.
beside() {
    local name="$1"; shift
    beside_logs["$name"]="$(mktemp)" beside_since["$name"]=$SECONDS
    timeout "${LIMIT:-1800}" "$@" >"${beside_logs["$name"]}" 2>&1 </dev/null &
    beside_pids["$name"]=$!
}
meet() {
    local name code
    for name in "${!beside_pids[@]}"; do
        [[ "$name" == "$1"* ]] || continue
        wait "${beside_pids["$name"]}"; code=$?
        printf '\n== %s ==\n' "$name"
        cat "${beside_logs["$name"]}"
        judge "$name" "${beside_since["$name"]}" "$code" "${beside_logs["$name"]}"
        rm -f "${beside_logs["$name"]}"
        unset "beside_pids[$name]" "beside_logs[$name]"
    done
}

skip() { printf '\n== %s ==\nskipped: %s\n' "$1" "$2"; skipped+=("$1: $2"); }

has_test() { grep -q "^name = \"$1\"" Cargo.toml; }

check "the extension builds" cargo build --lib --profile fast
check "the simulator builds" cargo build --no-default-features --example tracker-sim
# Half an hour is for playing, not for compiling.
check "the campaigns build" cargo test --no-run --profile fast --no-default-features --test simulation --test store --test faults
check "the tests of whole sites build" cargo test --no-run --no-default-features
for part in ${PARTS:-faults security further}; do
    began=$SECONDS
    # shellcheck source=/dev/null
    source "tests/torture/$part.sh"
    took=$((SECONDS - began))
    printf '\n%s took %s s\n' "$part" "$took" | tee -a "$said"
    # Half an hour is the bound of these two, so that they are played often; `further` has none.
    if [[ "$part" =~ ^(faults|security)$ ]]; then
        expect "$part within 1800 s (it took $took s)" "$([ "$took" -le 1800 ]; echo $?)"
    fi
done
expect "every campaign says whether it is simulated or real" \
    "$(! grep -E '^campaign' "$said" | grep -vE '^campaign [^:]+: (simulated|real)[ :,]' >&2; echo $?)"

printf '\n==== Summary ====\n'
printf '\nSimulated, on virtual time:\n'
grep -E '^campaign [^:]+: simulated[ :,]' "$said" | sed 's/^/  /'
printf '\nReal files, processes, sockets and time:\n'
grep -E '^campaign [^:]+: real[ :,]' "$said" | sed 's/^/  /'
printf '\nMechanisms switched off on purpose:\n'
grep -E '^mutation' "$said" | sort -u | sed 's/^/  /'
grep -E ' took [0-9]+ s$' "$said"
grep -E '^skip ' "$said"
for name in "${skipped[@]}"; do printf 'skipped: %s\n' "$name"; done
for name in "${failures[@]}"; do printf 'failed: %s\n' "$name"; done
printf '\n%s passed, %s failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
