#!/usr/bin/env bash
# Longer and rarer checks than `make test`: more random cases, repeated site tests, memory errors, licences. What needs a tool
# that is not installed is named and left out; tools of cargo are built into target/tools. ROUNDS sets how often site tests repeat.
set -uo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cd "$root" || exit 1
export LC_ALL=C CARGO_TERM_COLOR=never CARGO_TARGET_DIR="$root/target"
export HALT_TRACKER_EXTENSION="$root/target/fast/libhalt_tracker.so"
export HALT_TRACKER_SIM="$root/target/debug/examples/tracker-sim"
rounds="${ROUNDS:-3}"
passed=0
failed=0
check() {
    local name="$1"; shift
    printf '\n== %s ==\n' "$name"
    if "$@"; then passed=$((passed + 1)); else failed=$((failed + 1)); printf 'FAILED %s\n' "$name"; fi
}
skip() { printf '\n== %s ==\nskipped: %s\n' "$1" "$2"; }

check "the extension builds" cargo build --lib --profile fast
check "the simulator builds" cargo build --no-default-features --example tracker-sim

names="$(awk '/^\[/{inside = $0 == "[[test]]"} inside && /^name/{gsub(/"/, "", $3); print $3}' Cargo.toml)"
targets=(--lib)
sites=()
for name in $names; do
    path="$(awk -v name="\"$name\"" '/^\[/{inside = $0 == "[[test]]"} inside && /^name/{here = $3 == name} inside && here && /^path/{gsub(/"/, "", $3); print $3}' Cargo.toml)"
    if grep -rqE 'stack/mod\.rs|mod stack' --include='*.rs' "$(dirname "$path")"; then sites+=("$name"); else targets+=(--test "$name"); fi
done
check "Rust tests with twenty times as many random cases" env PROPTEST_CASES=5120 cargo test --no-default-features --no-fail-fast "${targets[@]}"
check "delivery by seed, and ten thousand submissions with lost answers" env SEEDS="${SEEDS:-20000}" CAMPAIGN="${CAMPAIGN:-10000}" \
    cargo test --profile fast --no-default-features --test simulation -- --nocapture seeds campaign
check "keys that rotate over ten thousand submissions" env ROTATION="${ROTATION:-10000}" \
    cargo test --profile fast --no-default-features --test simulation --test store -- --nocapture rotate
check "two million hostile inputs, by libFuzzer" tests/fuzz.sh
check "the network matrix, whole, with faults up to three times in a row" env NETWORK_ROUNDS="${NETWORK_ROUNDS:-3}" cargo test --no-default-features --test wire -- --nocapture
for round in $(seq 1 "$rounds"); do
    for name in "${sites[@]}"; do
        check "$name, round $round of $rounds" cargo test --no-default-features --no-fail-fast --test "$name" -- --test-threads=1 --show-output
    done
done

check "WordPress of Debian 13 is fetched" env WORDPRESS_SUITE=trixie tests/install-packages.sh
check "the same site tests on the WordPress of Debian 13" env WORDPRESS_SUITE=trixie \
    cargo test --no-default-features --no-fail-fast --test wordpress -- --test-threads=1
check "PHP 8.4, in a folder of Debian 13" tests/php84.sh

check "what it is made of, and what it does with memory" tests/supply-chain.sh
printf '\n%s passed, %s failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
