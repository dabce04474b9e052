# shellcheck shell=bash
# The security campaign: what attackers may send, read and try. Read by tests/torture.sh; about half an hour on two cores.

check "two million hostile inputs, by libFuzzer" tests/fuzz.sh
check "keys that rotate over ten thousand submissions" env ROTATION="${ROTATION:-10000}" \
    cargo test --profile fast --no-default-features --test simulation --test store -- --nocapture rotate
if has_test heap; then
    check "the heap that a large CV costs" cargo test --no-default-features --test heap -- --nocapture
fi
if [ "$(id -u)" -eq 0 ]; then
    check "what attackers may try at the webhook, on disk and on the pages" \
        env SAMPLES=100000 cargo test --no-default-features --no-fail-fast --test locked -- --test-threads=1 --nocapture
else
    skip "what attackers may try on a live site" "root is needed to become www-data"
fi
command -v valgrind >/dev/null || { [ "$(id -u)" -eq 0 ] && apt-get install -y -q valgrind >/dev/null 2>&1; } || true
check "what it is made of, and what it does with memory" tests/supply-chain.sh
