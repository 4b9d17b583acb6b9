/**
 * Loads a local vendor through the real product while faults strike, and proves afterwards that no row is lost or doubled.
 *
 *   make chaos                    SEED=7 MODES=merge,replace KINDS=worker FAULTS=30 ROWS=100000 FULL=1 REPORT=1
 *
 * FULL=1 takes five times as many faults, three times as many rows, so that loads last as long, and waits at their full length.
 */
import { writeFile } from 'node:fs/promises'
import { runCampaign } from './campaign.js'
import { faults } from './faults/index.js'
import { modes } from './modes.js'
import { markdown } from './report.js'

const settings = { ...process.env, ...Object.fromEntries(process.argv.slice(2).map((word) => word.split(/=(.*)/s).slice(0, 2))) }
const isFull = settings.FULL === '1'
const seed = Number(settings.SEED ?? Math.floor(Math.random() * 1_000_000))
const words = (text: string | undefined) =>
  text
    ?.split(',')
    .map((word) => word.trim())
    .filter(Boolean)

/** Those whose name holds one of the words. */
function chosen<T extends { name: string }>(
  all: readonly T[],
  names: readonly string[] | undefined,
  isSame: (name: string, word: string) => boolean,
): T[] {
  const these = names === undefined ? [...all] : all.filter(({ name }) => names.some((word) => isSame(name, word)))
  if (these.length > 0) return these
  process.stderr.write(`None is called ${names?.join(', ')}. There are: ${all.map(({ name }) => name).join(', ')}.\n`)
  process.exit(2)
}

const report = await runCampaign({
  seed,
  modes: chosen(modes, words(settings.MODES), (name, word) => name === word),
  kinds: chosen(faults, words(settings.KINDS), (name, word) => name.includes(word)),
  faults: Number(settings.FAULTS ?? (isFull ? 1_050 : 210)),
  rows: Number(settings.ROWS ?? (isFull ? 300_000 : 100_000)),
  isFull,
  port: Number(settings.PORT ?? 24_100),
  log: (line) => process.stderr.write(`${line}\n`),
})
const text = markdown(report)
process.stdout.write(text)
if (settings.REPORT === '1') await writeFile(new URL('../../bench/chaos-report.md', import.meta.url), text)
// Not left to itself: Node 20 may turn for ever over a connection that was reset (seen in its CleanupHandles).
process.exit(report.problems.length > 0 ? 1 : 0)
