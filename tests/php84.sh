#!/usr/bin/env bash
# Builds the extension for PHP 8.4 against a Debian 13 in a folder, loads it there and runs its promises, so that a second PHP
# version is more than a hope. Needs root, debootstrap and about 1.5 GB below target/. PHP 8.4 never touches this machine.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
room="$root/target/trixie"
if ! command -v debootstrap >/dev/null || [ "$(id -u)" -ne 0 ]; then
    echo "skipped: PHP 8.4 needs root and debootstrap"
    exit 0
fi

# The mirror is the one that this machine uses itself.
mirror="$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | grep -v security | head -n 1)"
[ -n "$mirror" ] || { echo "php84: apt names no mirror" >&2; exit 1; }

if [ ! -e "$room/.ready" ]; then
    rm -rf "$room"
    debootstrap --variant=minbase --include=ca-certificates trixie "$room" "$mirror" >"$root/target/debootstrap.log" 2>&1 ||
        { tail -n 20 "$root/target/debootstrap.log" >&2; exit 1; }
    for file in /etc/apt/apt.conf.d/*proxy* /etc/apt/apt.conf.d/*auth* /etc/apt/auth.conf /etc/apt/auth.conf.d; do
        if [ -e "$file" ]; then cp -a --parents "$file" "$room"; fi
    done
    printf '#!/bin/sh\nexit 101\n' >"$room/usr/sbin/policy-rc.d"
    chmod 755 "$room/usr/sbin/policy-rc.d"
    chroot "$room" sh -c 'apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends php8.4-cli php8.4-dev' \
        >"$root/target/debootstrap.log" 2>&1 || { tail -n 20 "$root/target/debootstrap.log" >&2; exit 1; }
    touch "$room/.ready"
fi

# ext-php-rs asks these two; the headers that they name lie in the folder.
tools="$root/target/php84-tools"
mkdir -p "$tools"
cat >"$tools/php" <<SH
#!/bin/sh
exec chroot "$room" php8.4 "\$@"
SH
cat >"$tools/php-config" <<SH
#!/bin/sh
chroot "$room" php-config8.4 "\$@" | sed 's#-I/#-I$room/#g'
SH
chmod 755 "$tools/php" "$tools/php-config"

cd "$root"
PHP="$tools/php" PHP_CONFIG="$tools/php-config" CARGO_TARGET_DIR="$root/target/php84" cargo build -q --lib --profile fast
mkdir -p "$room/tmp/halt-tracker/tests"
cp target/php84/fast/libhalt_tracker.so "$room/tmp/halt-tracker/"
cp -r tests/php "$room/tmp/halt-tracker/tests/"
run() { chroot "$room" php8.4 -n -d extension=/tmp/halt-tracker/libhalt_tracker.so "$@"; }
run -r 'echo PHP_VERSION, " with Halt Tracker ", json_decode(Halt\Tracker\Engine::version())->version, "\n";'
run /tmp/halt-tracker/tests/php/surface.php | diff -u tests/php/surface.txt -
run /tmp/halt-tracker/tests/php/engine.php >"$root/target/php84.log" || { cat "$root/target/php84.log"; exit 1; }
if grep -q '^FAILED' "$root/target/php84.log" || ! grep -q '^ok' "$root/target/php84.log"; then cat "$root/target/php84.log"; exit 1; fi
echo "PHP 8.4: $(grep -c '^ok' "$root/target/php84.log") promises hold"
