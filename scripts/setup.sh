#!/usr/bin/env bash
# From a fresh clone to a built Weir: packages when package-lock.json changed since the last time, then the build. May be repeated.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' 2>/dev/null; then
  echo "Weir needs Node 20.19 or newer; found $(node --version 2>/dev/null || echo none). See https://nodejs.org." >&2
  exit 1
fi

if [ -L node_modules ]; then
  echo "node_modules is a symbolic link to $(readlink node_modules): npm ci would replace the link or empty what it leads to. Remove it, and run this again." >&2
  exit 1
fi

stamp=node_modules/.weir-setup
wanted="$(node -p 'process.version + " " + require("crypto").createHash("sha256").update(require("fs").readFileSync("package-lock.json")).digest("hex")')"
if [ "$(cat "$stamp" 2>/dev/null || true)" != "$wanted" ]; then
  npm ci --no-audit --no-fund
  echo "$wanted" >"$stamp"
fi

npm run --silent build
