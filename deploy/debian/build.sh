#!/usr/bin/env bash
# Makes the Debian package `webhooks` of release binaries, without root.
#
#   deploy/debian/build.sh [binaries [output]]
#
# binaries: folder with webhook-api and webhook-dispatcher; target/release unless given
# output:   folder for webhooks_<version>_<architecture>.deb; target/debian unless given
set -euo pipefail
cd "$(dirname "$0")/../.."
binaries=${1:-target/release}
output=${2:-target/debian}
here=deploy/debian
version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)
architecture=$(dpkg --print-architecture)
# The same commit makes the same bytes: no file is younger than the commit.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}
export SOURCE_DATE_EPOCH
maintainer=${MAINTAINER:-$(git log -1 --format='%an <%ae>' 2>/dev/null || echo "Webhooks <root@localhost>")}

for program in webhook-api webhook-dispatcher; do
  [ -x "$binaries/$program" ] || {
    echo "build.sh: $binaries/$program is missing: cargo build --release --locked --bins" >&2
    exit 1
  }
done

tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
chmod 755 "$tree"
put() { install -D -m "$1" "$2" "$tree/$3"; }

put 755 "$binaries/webhook-api" usr/bin/webhook-api
put 755 "$binaries/webhook-dispatcher" usr/bin/webhook-dispatcher
strip --strip-unneeded "$tree"/usr/bin/* 2>/dev/null || true
for unit in deploy/systemd/*.service; do put 644 "$unit" "usr/lib/systemd/system/$(basename "$unit")"; done
put 644 $here/webhooks.sysusers usr/lib/sysusers.d/webhooks.conf
# Settings hold passwords: 0640, and postinst gives them to the group of the services.
for settings in deploy/systemd/*.env; do put 640 "$settings" "etc/webhooks/$(basename "$settings")"; done
chmod 750 "$tree/etc/webhooks"
put 644 docs/systemd.md usr/share/doc/webhooks/README.md
put 644 $here/copyright usr/share/doc/webhooks/copyright
put 644 deploy/rabbitmq.conf usr/share/doc/webhooks/examples/rabbitmq.conf
put 644 deploy/prometheus/prometheus.yml usr/share/doc/webhooks/examples/prometheus.yml
put 644 $here/webhooks.lintian-overrides usr/share/lintian/overrides/webhooks
gzip -9n <CHANGELOG.md >"$tree/usr/share/doc/webhooks/CHANGELOG.md.gz"
gzip -9n >"$tree/usr/share/doc/webhooks/changelog.gz" <<TEXT
webhooks ($version) unstable; urgency=medium

  * CHANGELOG.md.gz lists the changes.

 -- $maintainer  $(LC_ALL=C date --utc --rfc-email --date="@$SOURCE_DATE_EPOCH")
TEXT
chmod 644 "$tree"/usr/share/doc/webhooks/*.gz

# Lower bounds of the C library, from the symbols that the programs ask for.
libraries() {
  local glibc
  glibc=$(objdump -T "$tree"/usr/bin/* 2>/dev/null | grep -o 'GLIBC_[0-9.]*' | sort -uV | tail -n 1)
  [ -z "$glibc" ] || printf 'libc6 (>= %s), ' "${glibc#GLIBC_}"
  if objdump -p "$tree"/usr/bin/* 2>/dev/null | grep -q libgcc_s; then printf 'libgcc-s1, '; fi
}

mkdir -p "$tree/DEBIAN"
sed -e "s/@VERSION@/$version/" -e "s/@ARCHITECTURE@/$architecture/" -e "s/@LIBRARIES@/$(libraries)/" \
  -e "s/@SIZE@/$(du -sk --exclude=DEBIAN "$tree" | cut -f 1)/" \
  -e "s/@MAINTAINER@/$maintainer/" $here/control.in >"$tree/DEBIAN/control"
(cd "$tree" && find etc -type f -printf '/%p\n' | LC_ALL=C sort) >"$tree/DEBIAN/conffiles"
for script in postinst prerm postrm; do install -m 755 "$here/$script" "$tree/DEBIAN/$script"; done
(cd "$tree" && find usr -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum) >"$tree/DEBIAN/md5sums"
chmod 644 "$tree/DEBIAN/conffiles" "$tree/DEBIAN/md5sums" "$tree/DEBIAN/control"
find "$tree" -newermt "@$SOURCE_DATE_EPOCH" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +

mkdir -p "$output"
package=$output/webhooks_${version}_$architecture.deb
dpkg-deb --root-owner-group --build "$tree" "$package" >/dev/null
echo "$package"
