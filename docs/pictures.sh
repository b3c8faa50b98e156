#!/usr/bin/env bash
# Makes the pictures of README again, from the demo: docs/pictures.sh [PROGRAM]. Needs Chromium.
set -euo pipefail
here=$(realpath "$(dirname "$0")")
program=$(realpath "${1:-$here/../target/release/classy-sync}")
cd "$here"
work=$(mktemp -d)
"$program" demo >"$work/said" 2>&1 &
demo=$!
trap 'kill -INT $demo 2>/dev/null || true; wait $demo 2>/dev/null || true; rm -rf "$work"' EXIT
for _ in $(seq 120); do grep -q 'The dashboard is at' "$work/said" && break; sleep 1; done
at=$(grep -o 'The dashboard is at http://[^/]*' "$work/said" | grep -o 'http.*')
# People give meanwhile.
sleep 30
mkdir -p pictures
picture() {
  chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking \
    --disable-component-update --disable-sync --hide-scrollbars --user-data-dir="$work/$1" \
    --window-size="$3" --screenshot="pictures/$1.png" "$at$2" >/dev/null 2>&1
}
picture home / 1280,1000
picture giving /organizations/10001/giving 1280,1500
picture held /organizations/10003/held 1280,900
picture phone /organizations/10001 420,1100
ls -l pictures
