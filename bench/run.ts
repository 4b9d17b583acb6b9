/**
 * Loads Klaviyo-shaped profiles from a local server into PostgreSQL through the real `weir sync`, beside what the same data
 * costs without Weir, all in one run. Compare the ratios: machines differ and are noisy.
 *
 *   make bench            ROWS=100000 LATENCY_MS=0
 */
import { execFile, spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { cpus, release, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { startStack } from '../cli/dev/stack.js'
import { number, tableText } from '../cli/print.js'
import { workerCommand } from '../cli/worker-command.js'
import { searchAttributes } from '../src/core/search-attributes.js'
import { peakMb, resetPeak, treeCpu } from './processes.js'

const execute = promisify(execFile)
const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const rows = Number(process.env.ROWS ?? 100_000)
const latencyMs = Number(process.env.LATENCY_MS ?? 0)

const folder = await mkdtemp(join(tmpdir(), 'weir-bench-'))
const mock = spawn(process.execPath, [here('./mock.js'), '--port', '0', '--rows', String(rows), '--latency', String(latencyMs)], {
  stdio: ['ignore', 'pipe', 'inherit'],
})
const url = String(await new Promise((resolve) => mock.stdout.once('data', (text: Buffer) => resolve(text.toString().trim()))))
await writeFile(
  join(folder, 'weir.yaml'),
  `version: 1\nconnections: { klaviyo: { type: klaviyo, base_url: "${url}", api_key: pk_bench, budget: "off" } }\nsyncs: { klaviyo: { from: klaviyo, streams: { profiles: {} } } }\n`,
)
const stack = await startStack({
  projectDir: folder,
  worker: workerCommand(),
  searchAttributes,
  log: () => {},
  ports: { postgres: 26_432, temporal: 26_233, temporalUi: 26_333 },
})
try {
  const bytes = async () => (await (await fetch(`${url}/_stats`)).json()) as { bytes: number; requests: number }
  const limit = async (mode: string) =>
    JSON.parse((await execute(process.execPath, [here('./limits.js'), mode, url, stack.info.warehouseUrl])).stdout) as {
      rows: number
      seconds: number
    }
  const fetched = await limit('fetch')
  const copied = await limit('copy')
  const mb = (await bytes()).bytes / 2 / 1e6

  const parts = ['worker', 'postgres', 'temporal'] as const
  const sync = async () => {
    const { pids } = stack.info
    const before = parts.map((part) => treeCpu(pids[part]!))
    for (const part of parts) resetPeak(pids[part]!)
    const requests = (await bytes()).requests
    const startedAt = performance.now()
    const { stdout } = await execute(process.execPath, [here('../../bin/weir'), 'sync', '--json'], { cwd: folder })
    const seconds = (performance.now() - startedAt) / 1000
    const [stream] = (
      JSON.parse(stdout) as { runs: { streams: { read: number; loaded: number; startedAt: string; finishedAt: string }[] }[] }
    ).runs[0]!.streams
    const cpu = parts.map((part, i) => treeCpu(pids[part]!) - before[i]!)
    return {
      ...stream!,
      seconds,
      streamSeconds: (Date.parse(stream!.finishedAt) - Date.parse(stream!.startedAt)) / 1000,
      cpu,
      peaks: parts.map((part) => peakMb(pids[part]!)),
      requests: (await bytes()).requests - requests - 1,
    }
  }
  const full = await sync()
  if (full.loaded !== rows) throw new Error(`loaded ${full.loaded} of ${rows} rows`)
  const nothing = await sync()
  await fetch(`${url}/_touch?percent=1`)
  const one = await sync()

  const rate = (seconds: number) => Math.round(rows / seconds)
  const line = (name: string, seconds: number, rest: (number | string)[] = Array(7).fill('')) => [
    name,
    seconds.toFixed(2),
    rate(seconds),
    (mb / seconds).toFixed(1),
    ...rest,
  ]
  const cost = ({ cpu, peaks, requests }: typeof full) => [...cpu.map((seconds) => seconds.toFixed(2)), ...peaks, requests]
  process.stdout.write(
    `${new Date().toISOString()}  ${cpus().length} cores, ${cpus()[0]!.model}, Linux ${release()}, Node ${process.version}; ${number(rows)} profiles, ${mb.toFixed(0)} MB, ${latencyMs} ms a request\n\n`,
  )
  process.stdout.write(
    `${tableText(
      [
        'what',
        'seconds',
        'rows/s',
        'MB/s',
        'CPU-s worker',
        'CPU-s postgres',
        'CPU-s temporal',
        'peak MB worker',
        'peak MB postgres',
        'peak MB temporal',
        'requests',
      ],
      [
        line('fetch and parse alone', fetched.seconds),
        line('COPY of ready lines alone', copied.seconds),
        line('weir sync, the stream', full.streamSeconds, cost(full)),
        line('weir sync, the whole command', full.seconds),
        ['re-sync, nothing new', nothing.seconds.toFixed(2), '', '', ...cost(nothing)],
        [`re-sync, ${number(one.loaded)} rows changed`, one.seconds.toFixed(2), '', '', ...cost(one)],
      ],
    )}\n`,
  )
} finally {
  await stack.stop()
  mock.kill()
  await rm(folder, { recursive: true, force: true })
}
