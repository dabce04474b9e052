#!/usr/bin/env bash
# Puts the built extension into the PHP of this machine, for every kind of PHP that has a folder for ini files, and the plugin
# into a WordPress if its path is given. It restarts nothing and says what is left to do.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
built="$1"
wordpress="${2:-}"
say() { printf 'install: %s\n' "$*"; }
fail() { printf 'install: %s\n' "$*" >&2; exit 1; }

[ -f "$built" ] || fail "$built is missing."
[ -z "$wordpress" ] || [ -d "$wordpress/wp-content/plugins" ] || fail "$wordpress holds no wp-content/plugins."
folder="$(php -n -r 'echo ini_get("extension_dir");')"
[ -d "$folder" ] || fail "PHP's extension_dir $folder does not exist."

# A name of its own first, then a rename: a PHP that runs keeps the file that it has mapped.
install -m 0644 "$built" "$folder/halt_tracker.so.new"
mv -f "$folder/halt_tracker.so.new" "$folder/halt_tracker.so"
say "copied the extension to $folder/halt_tracker.so"

# Debian keeps one folder for each kind of PHP beside each other: .../8.2/cli/conf.d, .../8.2/fpm/conf.d, .../8.2/apache2/conf.d.
# Elsewhere the folders beside this one are other programs'.
scan="$(php -r 'echo PHP_CONFIG_FILE_SCAN_DIR;')"
[ -n "$scan" ] || fail "this PHP reads no further ini files; add extension=halt_tracker to $(php -r 'echo php_ini_loaded_file() ?: "its php.ini";')"
folders=("$scan")
kind="$(dirname "$scan")"
if [ "$(basename "$kind")" = cli ]; then
    for other in "$(dirname "$kind")"/*/"$(basename "$scan")"; do
        if [ "$other" != "$scan" ]; then folders+=("$other"); fi
    done
fi
for one in "${folders[@]}"; do
    [ -d "$one" ] || continue
    echo 'extension=halt_tracker' >"$one/30-halt_tracker.ini"
    say "wrote $one/30-halt_tracker.ini"
done
[[ $'\n'"$(php -m)"$'\n' == *$'\nhalt_tracker\n'* ]] || fail "the command line's PHP does not load it; see the messages above."
say "the command line's PHP loads version $(php -r 'echo json_decode(Halt\Tracker\Engine::version())->version;')"

if [ -n "$wordpress" ]; then
    plugins="$wordpress/wp-content/plugins"
    target="$plugins/halt-tracker"
    if [ -e "$target" ]; then
        [ -d "$target" ] && [ ! -L "$target" ] && grep -q 'Text Domain: *halt-tracker' "$target/halt-tracker.php" || fail "$target is there and is not this plugin; nothing was copied into it."
    fi
    # Whole and beside it first, then in its place: no request meets half a plugin, and no file of a former version stays.
    fresh="$plugins/.halt-tracker.new"
    former="$plugins/.halt-tracker.former"
    rm -rf "$fresh" "$former"
    mkdir -p "$fresh"
    (cd "$root/php-shim" && find . -type f -not -name '*.so' -not -name '*.so.*' -not -path '*/.*' -print0 | xargs -0 cp --parents -t "$fresh")
    chown -R --reference="$plugins" "$fresh"
    if [ -d "$target" ]; then mv "$target" "$former"; fi
    mv "$fresh" "$target"
    rm -rf "$former"
    say "copied the plugin to $target; activate it on the Plugins page"
else
    say "no plugin was copied; make install WP=/path/to/wordpress does that too"
fi
say "restart php-fpm (or your web server) so that it loads the extension"
