#!/usr/bin/env bash
# Runs every check that this checkout has and counts each of them, so that one number says whether it may be shipped.
# It goes on after a failure, leaves out nothing in silence, and its last line is "N passed, N failed".
# tests/install-packages.sh must have run before; the site tests need root to become www-data.
set -uo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cd "$root" || exit 1
export LC_ALL=C CARGO_TERM_COLOR=never CARGO_TARGET_DIR="$root/target"
export HALT_TRACKER_EXTENSION="$root/target/fast/libhalt_tracker.so"
export HALT_TRACKER_SIM="$root/target/debug/examples/tracker-sim"

passed=0
failed=0
skipped=0
failures=()
title=""
began=$SECONDS
since=$SECONDS
log="$(mktemp)"
lanes_of="$(mktemp -d)"
trap 'rm -rf "$log" "$log.other" "$lanes_of"' EXIT

section() {
    end_section
    title="$1"
    since=$SECONDS
    printf '\n== %s ==\n' "$title"
}
end_section() { if [ -n "$title" ]; then printf -- '-- %s: %s s\n' "$title" "$((SECONDS - since))"; fi; title=""; }

passes() { passed=$((passed + 1)); printf 'ok      %s\n' "$1"; }
fails() { failed=$((failed + 1)); failures+=("$1"); printf 'FAILED  %s\n' "$1"; }
skips() { skipped=$((skipped + 1)); printf 'skipped %s\n' "$1"; }

# One command, one check; what it said is shown when it fails. What hangs is a failure too.
limit=1800
check() {
    local name="$1"; shift
    if timeout "$limit" "$@" >"$log" 2>&1; then passes "$name"; campaigns; else fails "$name"; show; fi
}
campaigns() { sed -nE 's/^(campaign|mutation) /        \1 /p' "$log"; }
show() { grep -vE '^ +(Checking|Compiling|Downloaded|Downloading|Fresh) ' "$log" | tail -n 60 | sed 's/^/        /'; }

# ---- several at a time ---------------------------------------------------------------------------------------------

# Tests of whole sites wait for servers and locks longer than they work: two at a time take little more than half the time.
# Each writes into a file of its own, and is judged when it ends, so that what they say is never mixed.
lanes=2
declare -A running=() job=() job_began=()

# `in_a_lane NAME JUDGE COMMAND...` starts a command as soon as a lane is free; `JUDGE NAME CODE` reads what it said from $log.
in_a_lane() {
    local name="$1" judge="$2"; shift 2
    while [ "${#running[@]}" -ge "$lanes" ]; do end_of_one; done
    timeout "$limit" "$@" >"$lanes_of/$name" 2>&1 </dev/null &
    running[$!]="$name"; job[$!]="$judge"; job_began[$!]=$SECONDS
}
end_of_one() {
    local pid="" code name
    wait -n -p pid "${!running[@]}"; code=$?
    name="${running[$pid]}"
    unset "running[$pid]"
    cp "$lanes_of/$name" "$log"
    printf -- '-- %s, %s s\n' "$name" "$((SECONDS - job_began[$pid]))"
    "${job[$pid]}" "$name" "$code"
}
end_of_all() { while [ "${#running[@]}" -gt 0 ]; do end_of_one; done; }

# A command that is one check.
one_check() { if [ "$2" -eq 0 ]; then passes "$1"; campaigns; else fails "$1"; show; fi; }

# A run of cargo test: the sums of its result lines, and a failure for a binary that ran none.
cargo_tests() {
    local name="$1" code="$2" good bad empty ignored
    grep -E '^(campaign |mutation |test .*(FAILED|ignored)|test result:|failures:|thread |error|assertion|  (left|right):| +Running )' "$log" | sed 's/^/        /'
    good=$(sed -n 's/^test result: .* \([0-9]*\) passed; .*/\1/p' "$log" | awk '{sum += $1} END {print sum + 0}')
    bad=$(sed -n 's/^test result: .* \([0-9]*\) failed; .*/\1/p' "$log" | awk '{sum += $1} END {print sum + 0}')
    ignored=$(sed -n 's/^test result: .* \([0-9]*\) ignored; .*/\1/p' "$log" | awk '{sum += $1} END {print sum + 0}')
    passed=$((passed + good)); failed=$((failed + bad)); skipped=$((skipped + ignored))
    # What a failed test said, whatever its words begin with.
    if [ "$bad" -gt 0 ]; then grep -A6 '^thread .* panicked at' "$log" | grep -v 'stack backtrace\|^note:' | head -n 60 | sed 's/^/        | /'; fi
    if [ "$bad" -gt 0 ]; then failures+=("$name: $(sed -n 's/^test \(.*\) \.\.\. FAILED$/\1/p' "$log" | tr '\n' ' ')"); fi
    printf '        %s: %s passed, %s failed, %s ignored\n' "$name" "$good" "$bad" "$ignored"
    if [ "$code" -ne 0 ] && [ "$bad" -eq 0 ]; then fails "$name: cargo ended with $code"; show; fi
    empty=$(awk '/^ +Running /{binary=$2" "$3} /^test result: .* 0 passed; 0 failed/{print binary}' "$log" | sed 's/ *(.*//')
    if [ -n "$empty" ]; then while IFS= read -r binary; do fails "no test ran in $binary"; done <<<"$empty"; fi
    if [ "$code" -eq 0 ] && ! grep -q '^test result:' "$log"; then fails "$name: no test binary ran"; fi
}

# "name path" of every test that Cargo.toml declares, and whether it needs a whole site.
declared() { awk '/^\[/{inside = $0 == "[[test]]"} inside && /^name/{gsub(/"/, "", $3); name = $3} inside && /^path/{gsub(/"/, "", $3); print name, $3}' Cargo.toml; }
needs_site() { grep -rqE 'stack/mod\.rs|mod stack' --include='*.rs' "$(if [ "$(basename "$1")" = main.rs ]; then dirname "$1"; else echo "$1"; fi)"; }

plain=()
sites=()
while read -r name path; do
    if [ ! -e "$path" ]; then fails "Cargo.toml declares the test $name, but $path is missing"; continue; fi
    if [ "$name" = wordpress ] || needs_site "$path"; then sites+=("$name"); else plain+=("$name"); fi
done < <(declared)

# ---- the checks ----------------------------------------------------------------------------------------------------

section "Formatting"
check "cargo fmt --all --check" cargo fmt --all --check

section "PHP syntax"
while IFS= read -r -d '' file; do check "php -l $file" php -n -l "$file"; done < <(find php-shim tests -name '*.php' -not -path '*/node_modules/*' -print0 | sort -z)

section "Shell syntax"
while IFS= read -r file; do check "bash -n $file" bash -n "$file"; done < <(find tests .ci -maxdepth 2 -type f \( -name '*.sh' -o -path '.ci/*' \) | sort)

section "Lints"
check "cargo clippy, all targets without PHP" cargo clippy --no-default-features --all-targets -- -D warnings
check "cargo clippy, the library with PHP" cargo clippy --lib -- -D warnings
check "unsafe stands in src/php/ only, with its reasons" tests/unsafe.sh

section "Builds"
check "the extension" cargo build --lib --profile fast
check "the Tracker simulator and the other examples" cargo build --no-default-features --examples
check "the tests" cargo test --no-default-features --no-run

section "Generated files"
check "the plugin's tables and those of docs/reference.md agree with the engine's" cargo run -q --no-default-features --example generate -- --check
check "the texts for translators are in step with the code" php tests/pot.php --check

section "The extension in plain PHP"
limit=300
with_extension=(php -n -d "extension=$HALT_TRACKER_EXTENSION")
"${with_extension[@]}" tests/php/surface.php >"$log.other"
check "the public face is the one in tests/php/surface.txt" diff -u tests/php/surface.txt "$log.other"
"${with_extension[@]}" tests/php/stub.php >"$log.other"
check "the stubs are those of the loaded extension" diff -u tests/php/halt_tracker.stub.php "$log.other"
"${with_extension[@]}" -i >"$log.other"
check "phpinfo has its row" grep -x 'Halt Tracker => enabled' "$log.other"
timeout "$limit" "${with_extension[@]}" tests/php/engine.php >"$log" 2>&1
code=$?
while IFS= read -r line; do
    case "$line" in
        "ok "*) passes "${line#ok }" ;;
        "FAILED "*) fails "${line#FAILED }" ;;
        "skipped "*) skips "${line#skipped }" ;;
        *) printf '        %s\n' "$line" ;;
    esac
done <"$log"
if [ "$code" -ne 0 ] && ! grep -q '^FAILED ' "$log"; then fails "tests/php/engine.php ended with $code"; fi
grep -q '^ok ' "$log" || fails "tests/php/engine.php checked nothing"

section "Rust tests, whole sites, the demo and the pages in a browser, $lanes at a time"
limit=1800
test_binary() { in_a_lane "$1" cargo_tests cargo test --no-default-features --no-fail-fast "${@:2}" --show-output; }
if [ "${#sites[@]}" -eq 0 ]; then fails "Cargo.toml declares no test that runs on a whole site"; fi
if [ ! -x "$HALT_TRACKER_SIM" ] || [ ! -e "$HALT_TRACKER_EXTENSION" ]; then
    fails "extension or simulator was not built: nothing was tried on a whole site"
else
    if ! command -v chromium >/dev/null && ! apt-cache show chromium >/dev/null 2>&1; then
        skips "the pages in a browser: this distribution has no package of Chromium"
    else
        in_a_lane "every page in every state, at 1280, 390 and 320 pixels, from right to left and by keyboard, without a violation" one_check tests/browser/run.sh
    fi
    for name in "${sites[@]}"; do test_binary "$name" --test "$name" -- --test-threads=1; done
    in_a_lane "make demo ONCE=1 shows what it promises" one_check env ONCE=1 "$root/target/debug/examples/demo" --extension "$HALT_TRACKER_EXTENSION" --sim "$HALT_TRACKER_SIM"
fi
test_binary lib --lib --
for name in "${plain[@]}"; do test_binary "$name" --test "$name" --; done
end_of_all
end_section

printf '\nIn all %s s.' "$((SECONDS - began))"
if [ "$skipped" -gt 0 ]; then printf ' %s skipped.' "$skipped"; fi
printf '\n'
for name in "${failures[@]}"; do printf 'failed: %s\n' "$name"; done
printf '%s passed, %s failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
