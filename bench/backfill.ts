/**
 * What a backfill costs the live sync of its account: the same live syncs alone and beside a backfill, in turn, in one run, on one budget
 * that both must share. Compare the ratios.
 *
 *   npm run build && node dist/bench/backfill.js            ROUNDS=3 PER_SECOND=20 SHARE=30
 */
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { startStack } from '../cli/dev/stack.js'
import { number, tableText } from '../cli/print.js'
import { workerCommand } from '../cli/worker-command.js'
import { searchAttributes } from '../src/core/search-attributes.js'
import type { StreamRunRow } from '../src/warehouse/driver.js'
import { startMock } from './mock.js'

const execute = promisify(execFile)
const given = (name: string, byDefault: number) => Number(process.env[name] ?? byDefault)
const rounds = given('ROUNDS', 3)
const perSecond = given('PER_SECOND', 20)
const share = given('SHARE', 30)
/** One every 30 seconds from 2024 on: three weeks, 600 pages. The live sync holds the last three days of them. */
const rows = 60_000

const folder = await mkdtemp(join(tmpdir(), 'weir-bench-'))
const mock = await startMock({ rows, latencyMs: 20 })
await writeFile(
  join(folder, 'weir.yaml'),
  `version: 1
connections:
  klaviyo: { type: klaviyo, base_url: "${mock.url}", api_key: pk_bench, budget: { requests: ${perSecond}/1s, backfill_share: ${share}% } }
syncs:
  live: { from: klaviyo, streams: { profiles: { start: 2024-01-18 } } }
  past: { from: klaviyo, streams: { profiles: {} } }
`,
)
const stack = await startStack({
  projectDir: folder,
  worker: workerCommand(),
  searchAttributes,
  log: () => {},
  ports: { postgres: 26_632, temporal: 26_433, temporalUi: 26_533 },
})

const weir = async (...args: string[]) => {
  const { stdout } = await execute(process.execPath, [fileURLToPath(new URL('../../bin/weir', import.meta.url)), ...args, '--json'], {
    cwd: folder,
  })
  return JSON.parse(stdout)
}
const sent = async () => ((await (await fetch(`${mock.url}/_stats`)).json()) as { requests: number }).requests

interface Measured {
  seconds: number
  requests: number
  /** Of anybody else, meanwhile. */
  others: number
}

async function live(...args: string[]): Promise<Measured> {
  const before = await sent()
  const { runs } = await weir('sync', 'live', ...args)
  const [stream] = runs[0].streams as [StreamRunRow]
  const seconds = (Date.parse(stream.finishedAt!) - Date.parse(stream.startedAt)) / 1000
  // The question before it was one, too.
  return { seconds, requests: stream.requests, others: Math.max(0, (await sent()) - before - 1 - stream.requests) }
}

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1]!
const of = (all: readonly Measured[], what: keyof Measured) => median(all.map((one) => one[what]))

try {
  await live()
  const alone = { full: [] as Measured[], nothing: [] as Measured[] }
  const beside = { full: [] as Measured[], nothing: [] as Measured[] }
  for (let round = 0; round < rounds; round++) {
    alone.full.push(await live('--full'))
    alone.nothing.push(await live())
    const { backfill } = await weir('backfill', 'past', '--from', '2024-01-01', '--to', '2024-01-22', '--slice', '1d', '--detach')
    for (let slices = 0; slices === 0; ) slices = (await weir('backfill', 'show', backfill)).backfill.slices.done
    beside.full.push(await live('--full'))
    beside.nothing.push(await live())
    const { status, slices } = (await weir('backfill', 'show', backfill)).backfill
    if (status !== 'running') throw new Error(`the backfill ended (${status}, ${slices.done} slices) before the live syncs beside it did`)
    await weir('backfill', 'cancel', backfill)
  }
  const line = (what: string, one: Measured[], other: Measured[]) => [
    what,
    of(one, 'requests'),
    of(one, 'seconds').toFixed(1),
    of(other, 'seconds').toFixed(1),
    (of(other, 'seconds') / of(one, 'seconds')).toFixed(2),
    of(other, 'others'),
    `${((100 * of(other, 'others')) / (of(other, 'others') + of(other, 'requests'))).toFixed(0)} %`,
  ]
  process.stdout.write(
    `${new Date().toISOString()}  ${cpus().length} cores, load ${loadavg()[0]!.toFixed(1)}; ${number(perSecond)} requests a second, share of backfills ${share} %, medians of ${rounds}\n\n`,
  )
  process.stdout.write(
    `${tableText(
      ['live sync', 'requests', 'seconds alone', 'beside a backfill', 'ratio', "the backfill's requests meanwhile", 'of all'],
      [line('reads 86 pages', alone.full, beside.full), line('finds nothing new', alone.nothing, beside.nothing)],
    )}\n`,
  )
} finally {
  await stack.stop()
  await mock.stop()
  await rm(folder, { recursive: true, force: true })
}
