#!/usr/bin/env bash
# Gives a Debian or Ubuntu machine what the end-to-end tests and the demo need, and refuses to start any service or to
# trust any archive but the one this machine already uses: the mirror comes from its own apt sources, the signatures
# are checked by apt itself. Running it again changes nothing.
#
# --browser adds what looks at the pages: Chromium and Node from the distribution, and two npm packages below target/.
set -euo pipefail

browser=no
if [ "${1:-}" = --browser ]; then browser=yes; fi

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
target="$root/target"
# WORDPRESS_SUITE=trixie takes the WordPress of that suite, into a folder of its own; without it the newest one is taken.
suite="${WORDPRESS_SUITE:-}"
wordpress="$target/wordpress${suite:+-$suite}"
debs="$wordpress-debs"
unpacked="$wordpress-root"
export LC_ALL=C DEBIAN_FRONTEND=noninteractive

say() { printf 'packages: %s\n' "$*"; }
fail() { printf 'packages: %s\n' "$*" >&2; exit 1; }

if [ "$(id -u)" = 0 ]; then as_root=(); else as_root=(sudo); fi
command -v apt-get >/dev/null || fail "this needs Debian or Ubuntu (there is no apt-get)."

# ---- the machine's own packages ---------------------------------------------------------------------------------

installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# The release's own PHP: 8.2 where there is one, otherwise whatever php-cli stands for.
php_version() {
    if installed php8.2-cli || apt-cache show php8.2-cli >/dev/null 2>&1; then echo 8.2; return; fi
    { apt-cache depends php-cli 2>/dev/null || true; } | sed -n 's/.*Depends: php\([0-9.]*\)-cli$/\1/p' | head -n 1
}

wanted() {
    local php="$1" part
    for part in cli fpm dev mysql xml mbstring curl; do echo "php$php-$part"; done
    printf '%s\n' mariadb-server nginx-light libclang-dev clang curl jq ca-certificates
    if [ "$browser" = yes ]; then browser_wanted; fi
}

# Chromium draws no letter without a font. A Node that is there already is good enough, wherever it came from.
browser_wanted() {
    # Where the distribution has none (Ubuntu has only a snap), tests/run-all.sh says so.
    if ! command -v chromium >/dev/null && apt-cache show chromium >/dev/null 2>&1; then echo chromium; fi
    if ! command -v node >/dev/null; then echo nodejs; fi
    if ! command -v npm >/dev/null; then echo npm; fi
    echo fonts-liberation
}

list_missing() {
    local name
    for name in $(wanted "$1"); do installed "$name" || echo "$name"; done
}

# Package scripts start services unless this policy answers 101; a policy that is there already is the owner's.
policy=/usr/sbin/policy-rc.d
policy_is_ours=no
drop_policy() { if [ "$policy_is_ours" = yes ]; then "${as_root[@]}" rm -f "$policy"; policy_is_ours=no; fi; }
trap drop_policy EXIT

install_missing() {
    local php missing
    php="$(php_version)"
    missing="$(list_missing "${php:-8.2}")"
    if [ -z "$missing" ]; then say "everything from the distribution is installed."; return; fi
    say "updating the package lists."
    "${as_root[@]}" apt-get -qq update
    php="$(php_version)"
    [ -n "$php" ] || fail "this release offers no PHP."
    missing="$(list_missing "$php")"
    say "installing from the distribution, without starting any service:" $missing
    if [ ! -e "$policy" ]; then
        policy_is_ours=yes
        printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
        "${as_root[@]}" chmod 755 "$policy"
    fi
    # shellcheck disable=SC2086  # one word for each package
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -y install --no-install-recommends $missing
    drop_policy
}

# ---- WordPress from the distribution's newest suite ---------------------------------------------------------------

# apt with lists and cache of its own below target/, so that the machine never sees the newer suite. Everything else
# (proxies, credentials, certificates, mirror methods, keyrings) is the machine's own configuration. A mirror that lags
# is good enough for tests, so its date is not held against it; its signature is.
private_apt() {
    local tool="$1"; shift
    "$tool" -qq -o "Dir::Etc::SourceList=$target/wordpress-apt/sources.list" -o Dir::Etc::SourceParts=/dev/null \
        -o "Dir::State::Lists=$target/wordpress-apt/lists" -o "Dir::Cache=$target/wordpress-apt/cache" \
        -o Acquire::Languages=none -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false \
        -o Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled=false \
        -o APT::Sandbox::User=root -o Acquire::Check-Valid-Until=false \
        -o APT::Update::Error-Mode=any "$@"
}

# Every archive the machine already uses, from .list and .sources alike: apt lists what it made of them.
archives() {
    apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | awk '!seen[$0]++'
}

keyring() {
    local file
    for file in /usr/share/keyrings/debian-archive-keyring.gpg /usr/share/keyrings/ubuntu-archive-keyring.gpg; do
        if [[ "$file" == *"/$1-"* && -r "$file" ]]; then echo "[signed-by=$file]"; return; fi
    done
}

# Debian's newest suite is sid; Ubuntu calls it devel and keeps WordPress in universe.
open_newest_suite() {
    local archive
    mkdir -p "$target/wordpress-apt/lists/partial" "$target/wordpress-apt/cache/archives/partial"
    : >"$target/wordpress-apt/log"
    while read -r archive; do
        for place in "debian ${suite:-sid} main" "ubuntu ${suite:-devel} main universe"; do
            echo "deb $(keyring "${place%% *}") $archive ${place#* }" >"$target/wordpress-apt/sources.list"
            if private_apt apt-get update >>"$target/wordpress-apt/log" 2>&1 &&
                private_apt apt-cache show wordpress >/dev/null 2>&1; then
                say "taking WordPress from the suite '${place#* }' of this machine's own archive."
                return
            fi
        done
    done < <(archives)
    cat "$target/wordpress-apt/log" >&2 || true
    fail "none of this machine's archives offers a newer WordPress."
}

# WordPress, the theme, and the libraries its files link to - not the web server and PHP it also asks for.
linked_packages() {
    local queue=(wordpress) seen=" " name
    while [ "${#queue[@]}" -gt 0 ]; do
        name="${queue[0]}"; queue=("${queue[@]:1}")
        [[ "$seen" == *" $name "* ]] && continue
        seen="$seen$name "; echo "$name"
        while read -r name; do queue+=("$name"); done < <(
            private_apt apt-cache depends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances "$name" |
                sed -n 's/.*\(Depends\|Recommends\): //p' | grep -E '^(libjs-|libphp-|php-getid3$|wordpress-theme-)' || true)
    done
}

fetch_debs() {
    if [ -f "$debs/SHA256SUMS" ] && (cd "$debs" && sha256sum --quiet -c SHA256SUMS 2>/dev/null); then
        say "the WordPress packages are in target/${debs##*/} already."
        return
    fi
    rm -rf "$debs"; mkdir -p "$debs"
    open_newest_suite
    local names
    names="$(linked_packages)"
    say "fetching (unpacked below target/ only, not installed):" $names
    # shellcheck disable=SC2086  # one word for each package
    (cd "$debs" && private_apt apt-get download $names)
    (cd "$debs" && sha256sum -- *.deb >SHA256SUMS)
    rm -rf "$target/wordpress-apt"
}

unpack() {
    local deb link to
    rm -rf "$unpacked" "$wordpress" "$wordpress.new"; mkdir -p "$unpacked"
    for deb in "$debs"/*.deb; do dpkg -x "$deb" "$unpacked"; done
    # The packages link to absolute paths of an installed system; point those into the unpacked folder.
    while IFS= read -r link; do
        to="$(readlink "$link")"
        if [[ "$to" == /* ]]; then ln -sfn "$unpacked$to" "$link"; fi
    done < <(find "$unpacked" -type l)
    # What links outside the packages (the certificates) comes from this machine; what has no target is left out.
    while IFS= read -r link; do
        to="$(readlink "$link")"; to="${to#"$unpacked"}"
        if [[ "$to" == /* && -e "$to" ]]; then ln -sfn "$to" "$link"; else rm -f "$link"; fi
    done < <(find "$unpacked/usr/share/wordpress" -xtype l)
    cp -rL "$unpacked/usr/share/wordpress" "$wordpress.new"
    rm -f "$wordpress.new/wp-config.php"
    find "$wordpress.new" -type d -exec chmod 755 {} + ; find "$wordpress.new" -type f -exec chmod 644 {} +
    sed -n "s/^\$wp_version = '\(.*\)';/\1/p" "$wordpress.new/wp-includes/version.php" >"$wordpress.new/.complete"
    mv "$wordpress.new" "$wordpress"
    rm -rf "$unpacked"
}

# ---- the two npm packages of the browser tests ---------------------------------------------------------------------

# Below target/, so that the checkout stays as it was; tests/browser/run.sh puts the scripts beside them.
fetch_npm() {
    local to="$target/browser"
    if cmp -s "$root/tests/browser/package.json" "$to/package.json" && [ -d "$to/node_modules/playwright-core" ] && [ -d "$to/node_modules/axe-core" ]; then
        say "the npm packages are in target/browser already."
        return
    fi
    say "fetching playwright-core and axe-core by npm into target/browser."
    rm -rf "$to"; mkdir -p "$to"
    cp "$root/tests/browser/package.json" "$to/package.json.new"
    (cd "$to" && cp package.json.new package.json && npm install --no-package-lock --no-audit --no-fund --ignore-scripts --silent) ||
        { rm -f "$to/package.json"; fail "npm could not fetch them."; }
    rm -f "$to/package.json.new"
}

install_missing
if [ "$browser" = yes ]; then fetch_npm; fi
if [ -s "$wordpress/.complete" ]; then
    say "WordPress $(cat "$wordpress/.complete") is in target/${wordpress##*/} already."
else
    fetch_debs
    unpack
    say "WordPress $(cat "$wordpress/.complete") is in target/${wordpress##*/}."
fi
