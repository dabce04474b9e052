#!/usr/bin/env bash
# Looks at every page in a real browser, in every state, at 1280 and 390 pixels: no accessibility violation, no overflow, no
# PHP notice. `tests/install-packages.sh --browser` must have run; the extension, the simulator and the example `browser`
# must be built.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
if [ ! -d "$root/target/browser/node_modules/playwright-core" ]; then
    echo "browser: run tests/install-packages.sh --browser first" >&2
    exit 1
fi
# Node looks for packages beside the scripts, and the checkout holds none.
cp "$root"/tests/browser/*.mjs "$root/target/browser/"
exec "$root/target/debug/examples/browser" \
    --extension "$root/target/fast/libhalt_tracker.so" \
    --sim "$root/target/debug/examples/tracker-sim" \
    --out "$root/target/screens" "$@"
