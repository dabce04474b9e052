# shellcheck shell=bash
# Rarer checks: every Rust test with more random cases, the site tests again and again (ROUNDS), another WordPress, another
# PHP. Read by tests/torture.sh.

names="$(awk '/^\[/{inside = $0 == "[[test]]"} inside && /^name/{gsub(/"/, "", $3); print $3}' Cargo.toml)"
targets=(--lib)
sites=()
for name in $names; do
    path="$(awk -v name="\"$name\"" '/^\[/{inside = $0 == "[[test]]"} inside && /^name/{here = $3 == name} inside && here && /^path/{gsub(/"/, "", $3); print $3}' Cargo.toml)"
    if grep -rqE 'stack/mod\.rs|mod stack' --include='*.rs' "$(dirname "$path")"; then sites+=("$name"); else targets+=(--test "$name"); fi
done
check "Rust tests with twenty times as many random cases" env PROPTEST_CASES=5120 cargo test --no-default-features --no-fail-fast "${targets[@]}"
for round in $(seq 1 "${ROUNDS:-1}"); do
    for name in "${sites[@]}"; do
        check "$name, round $round" cargo test --no-default-features --no-fail-fast --test "$name" -- --test-threads=1 --show-output
    done
done

check "WordPress of Debian 13 is fetched" env WORDPRESS_SUITE=trixie tests/install-packages.sh
check "the same site tests on the WordPress of Debian 13" env WORDPRESS_SUITE=trixie \
    cargo test --no-default-features --no-fail-fast --test wordpress -- --test-threads=1
if [ "$(id -u)" -eq 0 ]; then
    command -v debootstrap >/dev/null || apt-get install -y -q debootstrap >/dev/null 2>&1 || true
    check "PHP 8.4, in a folder of Debian 13" tests/php84.sh
else
    skip "PHP 8.4" "root is needed for a folder of Debian 13"
fi
