#!/usr/bin/env bash
# Keeps `unsafe` inside the binding to PHP, and each block beside the reason why it is sound. The compiler forbids it in the
# core when it is built without PHP; this looks at every line of src/, whatever features are on.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

code() { grep -rnE '\bunsafe\b' --include='*.rs' "$@" | grep -vE '^[^:]+:[0-9]+: *(//|#!\[)' || true; }
found="$(code src | grep -v '^src/php/' || true)"
if [ -n "$found" ]; then printf 'unsafe outside src/php/:\n%s\n' "$found"; exit 1; fi

blocks=0
while IFS=: read -r file line _; do
    [ -n "$file" ] || continue
    blocks=$((blocks + 1))
    from=$((line > 3 ? line - 3 : 1))
    if ! sed -n "${from},${line}p" "$file" | grep -q 'SAFETY:'; then echo "$file:$line: unsafe without SAFETY"; exit 1; fi
done <<<"$(code src/php)"
printf 'campaign unsafe: real source: %s blocks in src/php/, each with its reason; none elsewhere in %s files\n' "$blocks" "$(find src -name '*.rs' | wc -l)"
