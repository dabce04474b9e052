#!/usr/bin/env bash
# What the product is made of, and what it does with the memory of the process that it lives in: licences, bans and sources
# of its crates, a bill of materials, valgrind over the PHP tests, and a resident size that stays flat over a million calls.
# Tools that are missing are installed into target/tools; where that cannot be done it says so and fails.
set -uo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cd "$root" || exit 1
export CARGO_TARGET_DIR="$root/target" PATH="$root/target/tools/bin:$PATH"
extension="${HALT_TRACKER_EXTENSION:-$root/target/fast/libhalt_tracker.so}"
failed=0
fails() { printf 'FAILED %s\n' "$*"; failed=1; }
tool() { command -v "$1" >/dev/null || cargo install -q --locked --root target/tools --target-dir target/tools/build "$1"; }

tests/unsafe.sh || fails "unsafe"

if tool cargo-deny; then
    # Advisories need a database that is fetched: they are looked at where that can be done.
    if said="$(cargo deny --offline check licenses bans sources 2>&1)"; then
        printf 'campaign supply chain: real source: %s crates, %s\n' "$(grep -c '^\[\[package\]\]' Cargo.lock)" "$(tail -n 1 <<<"$said")"
    else
        tail -n 60 <<<"$said"
        fails "cargo deny"
    fi
    if timeout 60 cargo deny check advisories >target/advisories.log 2>&1; then
        echo "campaign supply chain: real source: no advisory is open"
    elif grep -qE '^error\[(vulnerability|unmaintained|unsound|yanked)\]' target/advisories.log; then
        cat target/advisories.log
        fails "advisories"
    else
        echo "skipped: the database of advisories cannot be fetched here"
    fi
else
    fails "cargo-deny cannot be had here"
fi

if tool cargo-cyclonedx; then
    rm -f sbom.json
    if cargo cyclonedx -q --format json --override-filename sbom && mkdir -p target/dist && mv sbom.json target/dist/sbom.cdx.json; then
        count="$(jq '.components | length' target/dist/sbom.cdx.json)"
        printf 'campaign bill of materials: real source: %s components in target/dist/sbom.cdx.json\n' "$count"
        jq -e 'all(.components[]; .purl and .version and (.licenses | length > 0)) and any(.components[]; .name == "ext-php-rs")' target/dist/sbom.cdx.json >/dev/null ||
            fails "a component without origin, version or licence"
    else
        fails "bill of materials"
    fi
else
    fails "cargo-cyclonedx cannot be had here"
fi

if command -v valgrind >/dev/null; then
    for script in engine surface stub; do
        log="target/valgrind-$script.log"
        # A forked child gives up its parent's handles on purpose: no fork here.
        USE_ZEND_ALLOC=0 ZEND_DONT_UNLOAD_MODULES=1 valgrind --error-exitcode=9 --log-file="$log" \
            --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite \
            php -n -d disable_functions=pcntl_fork -d "extension=$extension" "tests/php/$script.php" >"$log.out" || { cat "$log"; grep '^FAILED' "$log.out"; fails "valgrind $script"; }
        if grep -q '^FAILED' "$log.out"; then grep '^FAILED' "$log.out"; fails "$script under valgrind"; fi
        lost="$(sed -n 's/.*definitely lost: \([0-9,]*\) bytes.*/\1/p' "$log")"
        grep -q 'All heap blocks were freed' "$log" && lost=0
        printf 'campaign valgrind %s.php: real PHP: %s checks, %s, definitely lost: %s bytes\n' "$script" "$(grep -c '^ok ' "$log.out")" \
            "$(sed -n 's/.*ERROR SUMMARY: \([0-9]* errors\).*/\1/p' "$log")" "${lost:-unknown}"
    done
else
    fails "valgrind is not installed"
fi

php -n -d memory_limit=256M -d "extension=$extension" tests/php/resident.php || fails "the resident size"
exit "$failed"
