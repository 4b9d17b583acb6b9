#!/bin/sh
# Takes out of node_modules what a worker on this Linux does not load: Temporal's core of other platforms, and sources of packages.
set -eu
case "$(uname -m)" in
  x86_64) own=x86_64-unknown-linux-gnu ;;
  aarch64) own=aarch64-unknown-linux-gnu ;;
  *) echo "Temporal has no core for $(uname -m)." >&2; exit 1 ;;
esac
releases=node_modules/@temporalio/core-bridge/releases
for one in "$releases"/*; do
  [ "$(basename "$one")" = "$own" ] || rm -rf "$one"
done
find node_modules -name '*.map' -type f -delete
