#!/usr/bin/env bash
# Looks at every page in a real browser, in every state, at 1280 and 390 pixels: no accessibility violation, no overflow, no
# PHP notice. Needs node, npm and chromium; the extension, the simulator and the example `browser` must be built.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
cd "$root/tests/browser"
if [ ! -d node_modules/playwright-core ]; then
    npm install --no-package-lock --no-audit --no-fund --silent
fi
exec "$root/target/debug/examples/browser" \
    --extension "$root/target/fast/libhalt_tracker.so" \
    --sim "$root/target/debug/examples/tracker-sim" \
    --out "$root/target/screens" "$@"
