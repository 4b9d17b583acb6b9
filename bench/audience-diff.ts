/**
 * What comparing costs when almost nothing has changed: a mirror of a million people of whom one in a hundred changed, was added, or left.
 *
 *   npm run build && node dist/bench/audience-diff.js       MEMBERS=1000000 DESTINATION=meta PORT=36100 EXPLAIN=plans.log
 *
 * The first comparison fills the ledger as if all had been sent. The second one is what is measured: its time, and the memory of the process that does it.
 */
import { createHmac } from 'node:crypto'
import { copyFile, mkdtemp, rm } from 'node:fs/promises'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { startPostgres } from '../cli/dev/postgres.js'
import { number } from '../cli/print.js'
import { destinations as klaviyo } from '../connectors/klaviyo/audience.js'
import { destinations as meta } from '../connectors/meta/audience.js'
import type { AudienceDefinition } from '../src/core/audience.js'
import { encoder } from '../src/engine/audience/encode.js'
import type { Prepared } from '../src/warehouse/contract/audiences.js'
import { createWarehouse } from '../src/warehouse/postgres/warehouse.js'
import { ownPeakMb, resetPeak, treeCpu } from './processes.js'

const members = Number(process.env.MEMBERS ?? 1_000_000)
const { destination } = process.env.DESTINATION === 'klaviyo' ? klaviyo.list : meta.custom_audience
const explainTo = process.env.EXPLAIN
const folder = await mkdtemp(join(tmpdir(), 'weir-bench-'))
const postgres = await startPostgres({
  dataDir: join(folder, 'postgres'),
  logFile: join(folder, 'postgres.log'),
  port: Number(process.env.PORT ?? 36_100),
  log: () => {},
  // Of statements that take longer, the plan with its times.
  ...(explainTo
    ? {
        settings: {
          session_preload_libraries: 'auto_explain',
          'auto_explain.log_min_duration': '300ms',
          'auto_explain.log_analyze': 'on',
          'auto_explain.log_buffers': 'on',
          'auto_explain.log_parameter_max_length': '0',
        },
      }
    : {}),
})
const warehouse = createWarehouse(postgres.url, { key: 'a'.repeat(44) })
const db = new pg.Client({ connectionString: postgres.url })

const definition: AudienceDefinition = {
  version: 1,
  project: 'bench',
  audience: 'everybody',
  model: { name: 'people', sql: 'SELECT id, email, consent, ltv FROM crm.people', key: 'id' },
  identity: { email: 'email' },
  hashed: [],
  consent: { column: 'consent', granted: ['granted'], refused: ['denied'] },
  suppress: [{ model: { name: 'stopped', sql: 'SELECT email FROM crm.stopped', key: 'email' }, by: 'email' }],
  gates: { minSize: 1, otherwise: 'ask' },
  approval: { when: [], by: [], expiresMs: 3_600_000 },
  destinations: {
    there: {
      connection: { name: 'there', type: 'there', settings: {} },
      kind: destination.kind,
      target: 'everybody',
      create: true,
      mode: 'mirror',
      map: { ltv: { column: 'ltv' } },
      settings: {},
    },
  },
}
const encode = encoder(definition, 'there', destination, (text) => createHmac('sha256', 'bench').update(text).digest('hex').slice(0, 32))

async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  resetPeak(process.pid)
  const [startedAt, cpu, served] = [performance.now(), process.cpuUsage(), treeCpu(postgres.pid)]
  const answer = await work()
  const { user, system } = process.cpuUsage(cpu)
  process.stdout.write(
    `${what}: ${((performance.now() - startedAt) / 1000).toFixed(1)} s; CPU seconds: PostgreSQL ${(treeCpu(postgres.pid) - served).toFixed(1)}, this process ${((user + system) / 1e6).toFixed(1)}; memory of this process at most ${Math.round(ownPeakMb(process.pid))} MB; load ${loadavg()[0]!.toFixed(1)}\n`,
  )
  return answer
}

async function compare(run: string): Promise<Prepared> {
  await warehouse.audiences.begin({ run, audience: 'everybody', definition: 'none', kind: 'manual' })
  await warehouse.audiences.target(run, 'there', { id: '1', name: 'everybody' })
  return warehouse.audiences.prepare({
    run,
    definition,
    destinations: { there: { canRemove: true } },
    encode: (_, people) => encode(people),
    onProgress: () => undefined,
  })
}

try {
  process.stdout.write(`${new Date().toISOString()}  ${cpus().length} cores, ${number(members)} people\n`)
  await warehouse.migrate()
  await db.connect()
  await db.query('CREATE SCHEMA crm')
  await db.query('CREATE TABLE crm.stopped AS SELECT DISTINCT $1 || n AS email FROM generate_series(1, 1000) AS n', [
    'stopped@example.test',
  ])
  await db.query(
    `CREATE TABLE crm.people AS SELECT n AS id, 'person' || n || '@example.test' AS email,
       CASE WHEN n % 10 = 0 THEN 'denied' ELSE 'granted' END AS consent, n % 977 AS ltv FROM generate_series(1, ${members}) AS n`,
  )
  await timed('first comparison, all are new', () => compare('first'))
  await timed('the ledger as if all were sent', async () => {
    await db.query(
      `INSERT INTO _weir.audience_members (audience, destination, key, identity, state, cause, print, content, identifiers, run_id, added_at, marks)
       SELECT 'everybody', destination, key, identity, 'accepted', cause, print, content, identifiers, run_id, now(), marks FROM _weir.audience_changes`,
    )
    await db.query('TRUNCATE _weir.audience_changes')
    await warehouse.audiences.finish('first', 'completed')
    await db.query('VACUUM ANALYZE _weir.audience_members')
  })
  await db.query('DELETE FROM crm.people WHERE id % 400 = 1')
  await db.query("UPDATE crm.people SET email = 'moved' || id || '@example.test' WHERE id % 400 = 2")
  await db.query("UPDATE crm.people SET consent = 'denied' WHERE id % 400 = 3")
  await db.query(
    `INSERT INTO crm.people SELECT n, 'person' || n || '@example.test', 'granted', 1 FROM generate_series(${members + 1}, ${members + Math.ceil(members / 400)}) AS n`,
  )
  const { changeSet: _, ...seen } = await timed('second comparison, a hundredth has changed', () => compare('second'))
  process.stdout.write(`${JSON.stringify(seen)}\n`)
} finally {
  await db.end()
  await warehouse.close()
  await postgres.stop()
  if (explainTo) await copyFile(join(folder, 'postgres.log'), explainTo)
  await rm(folder, { recursive: true, force: true })
}
