#!/usr/bin/env bash
# Puts what is handed out into target/dist: the release build of the extension and the plugin as a zip. The zip never holds
# a shared object or a hidden file: WordPress would put them where a web server delivers them. Another built module and
# another folder may be named.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
built="${1:-$root/target/release/libhalt_tracker.so}"
dist="${2:-$root/target/dist}"
rm -rf "$dist"
mkdir -p "$dist/halt-tracker"
cp -f "$built" "$dist/halt_tracker.so"
(cd "$root/php-shim" && find . -type f -not -name '*.so' -not -name '*.so.*' -not -path '*/.*' -print0 | sort -z | xargs -0 cp --parents -t "$dist/halt-tracker")
find "$dist/halt-tracker" -type d -exec chmod 755 {} + ; find "$dist/halt-tracker" -type f -exec chmod 644 {} +

# Debian's PHP has no zip; Python is there wherever apt's helpers are.
if command -v zip >/dev/null; then
    (cd "$dist" && find halt-tracker -type f | sort | zip -q -X halt-tracker.zip -@)
elif command -v python3 >/dev/null; then
    (cd "$dist" && find halt-tracker -type f | sort | python3 -c 'import sys, zipfile
with zipfile.ZipFile("halt-tracker.zip", "w", zipfile.ZIP_DEFLATED) as archive:
    [archive.write(line.rstrip("\n")) for line in sys.stdin]')
else
    echo "dist: neither zip nor python3 is installed, so there is no halt-tracker.zip; the folder is target/dist/halt-tracker." >&2
    exit 1
fi
rm -rf "$dist/halt-tracker"
(cd "$dist" && sha256sum halt_tracker.so halt-tracker.zip | tee SHA256SUMS)
echo "dist: target/dist holds the extension for $(php -n -r 'echo "PHP ", PHP_MAJOR_VERSION, ".", PHP_MINOR_VERSION, PHP_ZTS ? " ZTS" : " NTS";') on $(uname -m), and the plugin."
