#!/usr/bin/env bash
# Prints the path of a Chromium that starts on this machine, and nothing else.
#
# In order: $CHROME_PATH, a Chromium or Chrome on PATH, the pinned npm package
# (Linux x64, unpacked into .tools/chromium once), Debian's package when root.
set -euo pipefail

here=$(cd "$(dirname "$0")/chromium" && pwd)
home=$(cd "$here/../.." && pwd)/.tools/chromium

starts() { [ -x "$1" ] && "$1" --version >/dev/null 2>&1; }

answer() {
  printf '%s\n' "$1"
  exit 0
}

on_path() {
  local name path
  for name in chromium chromium-browser google-chrome google-chrome-stable; do
    path=$(command -v "$name") || continue
    if starts "$path"; then answer "$path"; fi
  done
}

if [ -n "${CHROME_PATH:-}" ]; then
  starts "$CHROME_PATH" && answer "$CHROME_PATH"
  echo "CHROME_PATH is $CHROME_PATH, which does not start" >&2
  exit 1
fi

on_path

if [ "$(uname -s)-$(uname -m)" = Linux-x86_64 ] && command -v npm >/dev/null; then
  mkdir -p "$home"
  if [ ! -s "$home/path" ] || ! cmp -s "$here/package-lock.json" "$home/package-lock.json" || ! starts "$(cat "$home/path")"; then
    rm -f "$home/path"
    cp "$here/package.json" "$here/package-lock.json" "$here/.npmrc" "$here/unpack.mjs" "$home/"
    # The package unpacks beside TMPDIR, so that one checkout cannot break another's browser.
    if (cd "$home" && npm ci --ignore-scripts && TMPDIR="$home" node unpack.mjs >path.new) >"$home/install.log" 2>&1; then
      mv "$home/path.new" "$home/path"
    fi
  fi
  if [ -s "$home/path" ] && starts "$(cat "$home/path")"; then answer "$(cat "$home/path")"; fi
fi

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  {
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium
  } >&2 </dev/null
  on_path
fi

echo "no Chromium found: install one, or set CHROME_PATH to its path" >&2
exit 1
