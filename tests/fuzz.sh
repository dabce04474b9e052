#!/usr/bin/env bash
# Drives the fuzz targets with libFuzzer, under the address sanitizer, on the stable tool chain: RUNS inputs in all, from the
# checked-in corpora. What it finds on the way is kept in target/fuzz-corpus. Without cargo-fuzz, which it installs into
# target/tools if it can, the same targets get as many inputs that are bent blindly.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cd "$root"
export CARGO_TARGET_DIR="$root/target" PATH="$root/target/tools/bin:$PATH"
runs="${RUNS:-2100000}"

if ! command -v cargo-fuzz >/dev/null && ! cargo install -q --locked --root target/tools --target-dir target/tools/build cargo-fuzz; then
    echo "cargo-fuzz cannot be had here: the targets are fed without it"
    exec env INPUTS="$runs" cargo test --profile fast --no-default-features --test fuzz -- --nocapture
fi
mapfile -t targets < <(sed -n 's|^name = "\([a-z]*\)"$|\1|p' tests/fuzz/Cargo.toml)
# Of a hundred inputs: what strangers reach first gets most, what opens a store or maps a submission takes longest.
declare -A share=([receiver]=30 [json]=30 [files]=20 [answers]=10 [mapping]=5 [stored]=5)
total=0
for target in "${targets[@]}"; do
    each=$((runs * ${share[$target]:?a target without its share} / 100))
    mkdir -p "target/fuzz-corpus/$target"
    log="target/fuzz-corpus/$target.log"
    if ! RUSTC_BOOTSTRAP=1 cargo fuzz run --fuzz-dir tests/fuzz "$target" "target/fuzz-corpus/$target" "tests/fuzz/corpus/$target" -- \
        -runs="$each" -max_len=4096 -timeout=10 -print_final_stats=1 >"$log" 2>&1; then
        tail -n 40 "$log"
        exit 1
    fi
    done="$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")"
    [ "${done:-0}" -ge "$each" ] || { echo "$target ended after ${done:-no} of $each inputs"; tail -n 20 "$log"; exit 1; }
    total=$((total + done))
    printf 'campaign fuzz %s: real engine: %s inputs, %s, 0 panics, 0 wrong accepts\n' "$target" "$done" \
        "$(grep -oE 'cov: [0-9]+' "$log" | tail -n 1 | sed 's/cov:/edges seen:/')"
done
printf 'campaign fuzz: real engine: %s inputs over %s targets\n' "$total" "${#targets[@]}"
