/**
 * The same load by one, two and four workers, who share its slices and its budget. Each worker has two slots and the vendor takes its time, so
 * that workers and not this machine's cores are the limit; then a budget is, which more workers must neither break nor be slowed by. Compare the
 * ratios of one run.
 *
 *   node dist/bench/scaling.js            ROWS=16000 LATENCY_MS=400 BUDGET=4
 */
import { execFile, spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type Child, startChild } from '../cli/dev/child.js'
import { projectKey } from '../cli/dev/project-folder.js'
import { startStack } from '../cli/dev/stack.js'
import { number, tableText } from '../cli/print.js'
import { workerCommand } from '../cli/worker-command.js'
import { searchAttributes } from '../src/core/search-attributes.js'
import { treeCpu } from './processes.js'

const execute = promisify(execFile)
const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const rows = Number(process.env.ROWS ?? 16_000)
const latencyMs = Number(process.env.LATENCY_MS ?? 400)
const budget = Number(process.env.BUDGET ?? 4)
const crews = [1, 2, 4]

const folder = await mkdtemp(join(tmpdir(), 'weir-scaling-'))
const mock = spawn(process.execPath, [here('./mock.js'), '--port', '0', '--rows', String(rows), '--latency', String(latencyMs)], {
  stdio: ['ignore', 'pipe', 'inherit'],
})
const url = String(await new Promise((resolve) => mock.stdout.once('data', (text: Buffer) => resolve(text.toString().trim()))))
const loads = { slots: '1000/1s', budget: `${budget}/1s` }
const nameOf = (load: string, workers: number) => `${load}_${workers}`
await writeFile(
  join(folder, 'weir.yaml'),
  [
    'version: 1',
    'connections:',
    // Accounts of their own, so that no load pays for the one before it.
    ...Object.entries(loads).flatMap(([load, requests]) =>
      crews.map(
        (n) =>
          `  ${nameOf(load, n)}: { type: klaviyo, base_url: "${url}", api_key: pk_${nameOf(load, n)}, budget: { requests: ${requests} } }`,
      ),
    ),
    'syncs:',
    ...Object.keys(loads).flatMap((load) =>
      crews.map((n) => `  ${nameOf(load, n)}: { from: ${nameOf(load, n)}, deletions: off, streams: { profiles: { parallel: 16 } } }`),
    ),
  ].join('\n'),
)
const { command, args, env } = workerCommand()
const stack = await startStack({
  projectDir: folder,
  worker: { command, args, env: { ...env, WEIR_SLOTS: '2' } },
  searchAttributes,
  log: () => {},
  ports: { postgres: 26_532, temporal: 26_633, temporalUi: 26_733 },
})
const others: Child[] = []
try {
  const { temporalAddress, warehouseUrl } = stack.info
  const hire = async () => {
    const own = { WEIR_SLOTS: '2', TEMPORAL_ADDRESS: temporalAddress, WAREHOUSE_URL: warehouseUrl, WEIR_KEY: await projectKey(folder) }
    others.push(await startChild({ command, args, env: { ...process.env, ...env, ...own }, cwd: folder, stopSignal: 'SIGTERM' }))
  }
  const requestsSoFar = async () => ((await (await fetch(`${url}/_stats`)).json()) as { requests: number }).requests
  const workerCpu = () => [stack.info.pids.worker!, ...others.map(({ pid }) => pid)].reduce((sum, pid) => sum + treeCpu(pid), 0)
  const measure = async (load: string, workers: number) => {
    const [requests, cpu] = [await requestsSoFar(), workerCpu()]
    const { stdout } = await execute(process.execPath, [here('../../bin/weir'), 'sync', nameOf(load, workers), '--json'], { cwd: folder })
    const [stream] = (JSON.parse(stdout) as { runs: { streams: { loaded: number; startedAt: string; finishedAt: string }[] }[] }).runs[0]!
      .streams
    if (stream!.loaded !== rows) throw new Error(`${load}, ${workers} workers: loaded ${stream!.loaded} of ${rows} rows`)
    const seconds = (Date.parse(stream!.finishedAt) - Date.parse(stream!.startedAt)) / 1_000
    return { load, workers, seconds, requests: (await requestsSoFar()) - requests - 1, cpu: workerCpu() - cpu }
  }
  const measured: Awaited<ReturnType<typeof measure>>[] = []
  for (const workers of crews) {
    while (others.length + 1 < workers) await hire()
    for (const load of Object.keys(loads)) measured.push(await measure(load, workers))
  }
  process.stdout.write(
    `${new Date().toISOString()}  ${cpus().length} cores, ${cpus()[0]!.model}, Node ${process.version}; ${number(rows)} profiles, ${latencyMs} ms a request, 2 slots a worker\n\n`,
  )
  for (const [load, limit] of Object.entries(loads)) {
    const own = measured.filter((one) => one.load === load)
    const lines = own.map(({ workers, seconds, requests, cpu }) => [
      workers,
      seconds.toFixed(1),
      (own[0]!.seconds / seconds).toFixed(2),
      requests,
      (requests / seconds).toFixed(1),
      cpu.toFixed(1),
    ])
    process.stdout.write(
      `budget ${limit}\n${tableText(['workers', 'seconds', 'times as fast', 'requests', 'requests/s', 'CPU-s workers'], lines)}\n\n`,
    )
  }
} finally {
  await Promise.all(others.map((worker) => worker.stop(25_000)))
  await stack.stop()
  mock.kill()
  await rm(folder, { recursive: true, force: true })
}
