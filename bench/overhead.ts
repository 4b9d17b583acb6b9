/**
 * What a scheduled run costs that finds nothing new: wall-clock, events in Temporal's histories, rows in `_weir`; and what an idle worker
 * holds in memory. One stream; runs are started as a schedule starts them, without a command around them.
 *
 *   node dist/bench/overhead.js            RUNS=30
 */
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { cpus, loadavg, release, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Client, Connection } from '@temporalio/client'
import pg from 'pg'
import { startStack } from '../cli/dev/stack.js'
import { tableText } from '../cli/print.js'
import { workerCommand } from '../cli/worker-command.js'
import type { Definition } from '../src/core/definition.js'
import { runStart } from '../src/core/run-start.js'
import { searchAttributes } from '../src/core/search-attributes.js'
import { startMock } from './mock.js'
import { peakMb, resetPeak } from './processes.js'

const runs = Number(process.env.RUNS ?? 30)
const idleMs = 10_000
const execute = promisify(execFile)
const weir = fileURLToPath(new URL('../../bin/weir', import.meta.url))

const folder = await mkdtemp(join(tmpdir(), 'weir-overhead-'))
const mock = await startMock({ rows: 1_000, latencyMs: 0 })
const connections = `{ klaviyo: { type: klaviyo, base_url: "${mock.url}", api_key: pk_bench, budget: "off" } }`
await writeFile(
  join(folder, 'weir.yaml'),
  `version: 1\nconnections: ${connections}\nsyncs: { klaviyo: { from: klaviyo, streams: { profiles: {} } } }\n`,
)
const ports = { postgres: 26_532, temporal: 26_633, temporalUi: 26_733, status: 26_833 }
const stack = await startStack({ projectDir: folder, worker: workerCommand(), searchAttributes, log: () => {}, ports })
try {
  await execute(weir, ['sync'], { cwd: folder })
  const connection = await Connection.connect({ address: stack.info.temporalAddress })
  const client = new Client({ connection })
  const db = new pg.Client({ connectionString: stack.info.warehouseUrl })
  await db.connect()
  const { rows: known } = await db.query<{ hash: string; body: Definition }>(
    'SELECT d.hash, d.body FROM _weir.runs r JOIN _weir.definitions d ON d.hash = r.definition LIMIT 1',
  )
  const { hash, body: definition } = known[0]!
  const rowsOf = async () => {
    const tables = ['runs', 'stream_runs', 'state_history', 'checkpoints']
    const counts = tables.map((table) => `(SELECT count(*) FROM _weir.${table})`).join(' + ')
    return Number((await db.query<{ n: string }>(`SELECT ${counts} AS n`)).rows[0]!.n)
  }
  const before = await rowsOf()
  const start = runStart(definition, { sync: 'klaviyo', definition: hash, kind: 'scheduled' })
  const took: number[] = []
  let run = ''
  for (let i = 0; i < runs; i++) {
    const startedAt = performance.now()
    const handle = await client.workflow.start('syncConnection', { taskQueue: 'weir', ...start })
    await handle.result()
    took.push(performance.now() - startedAt)
    run = handle.firstExecutionRunId
  }
  const size = async (workflow: string, runId?: string) => {
    const { raw } = await client.workflow.getHandle(workflow, runId).describe()
    const { historyLength, historySizeBytes } = raw.workflowExecutionInfo!
    return { events: Number(historyLength), kb: Number(historySizeBytes) / 1_000 }
  }
  const [parent, child] = [await size(start.workflowId, run), await size('stream/klaviyo/profiles')]
  const written = (await rowsOf()) - before
  await new Promise((resolve) => setTimeout(resolve, idleMs))
  resetPeak(stack.info.pids.worker!)
  await fetch(`${stack.info.statusUrl}/status.json`)
  const idleMb = peakMb(stack.info.pids.worker!)
  took.sort((a, b) => a - b)
  const at = (share: number) => `${(took[Math.floor((took.length - 1) * share)]! / 1000).toFixed(2)} s`
  process.stdout.write(
    `${new Date().toISOString()}  ${cpus().length} cores, ${cpus()[0]!.model}, Linux ${release()}, Node ${process.version}, load ${loadavg()[0]!.toFixed(1)}; ${runs} runs\n\n`,
  )
  process.stdout.write(
    `${tableText(
      ['an empty run of one stream', ''],
      [
        ['wall-clock: median', at(0.5)],
        ['wall-clock: fastest', at(0)],
        ['wall-clock: 95 of 100', at(0.95)],
        ['events: the run, its stream', `${parent.events} + ${child.events}`],
        ['kB of history: the run, its stream', `${parent.kb.toFixed(1)} + ${child.kb.toFixed(1)}`],
        ['rows left in _weir', (written / runs).toFixed(1)],
        ['idle worker, MB (resident, status page served)', String(idleMb)],
      ],
    )}\n`,
  )
  await db.end()
  await connection.close()
} finally {
  await stack.stop()
  await mock.stop()
  await rm(folder, { recursive: true, force: true })
}
