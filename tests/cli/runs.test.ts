import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { Context } from '@temporalio/activity'
import { ApplicationFailure, Client, Connection } from '@temporalio/client'
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest'
import { pauseRuns, resumeRuns, runningRun, runsUnderWay } from '../../cli/runs.js'
import type { Session } from '../../cli/session.js'
import type { Activities } from '../../src/core/activities.js'
import type { PauseActivities } from '../../src/core/pause.js'
import { noCounts } from '../../src/core/receipt.js'
import { viewOf } from '../../src/status/view.js'
import { weirHere } from '../support/command.js'
import { syncOnce } from '../support/engine.js'
import { fakeDefinition, fakeStream } from '../support/fake-source.js'
import { type Opened, openedDatabase } from '../support/postgres.js'
import { makeProject, type Project } from '../support/project.js'
import { fakeActivities, withWorker } from '../support/workflows.js'

/** Names of syncs are this file's own: the servers are shared. */
const shop = `shop_${randomUUID().slice(0, 8)}`
const records = Array.from({ length: 12 }, (_, i) => ({ id: String(i), name: `name ${i}`, updated: '2026-01-01T00:00:00Z' }))

let opened: Opened
let project: Project
let connection: Connection
let session: Session

const weir = (...args: string[]) =>
  weirHere([...args, '--config', join(project.folder, 'weir.yaml')], {
    TEMPORAL_ADDRESS: inject('temporalAddress'),
    WAREHOUSE_URL: opened.url,
  })
/** What a command answers with --json; it must have gone well. */
const answer = async (...args: string[]) => {
  const { code, stdout, stderr } = await weir(...args, '--json')
  if (code !== 0) throw new Error(`exit code ${code}: ${stderr}`)
  return JSON.parse(stdout)
}

beforeAll(async () => {
  opened = await openedDatabase()
  connection = await Connection.connect({ address: inject('temporalAddress') })
  session = { warehouse: opened.warehouse, temporal: new Client({ connection }) } as Session
  project = await makeProject(`
version: 1
name: acme
connections:
  klaviyo: { type: klaviyo, base_url: "http://127.0.0.1:9", api_key: pk_test, budget: "off" }
syncs:
  ${shop}: { from: klaviyo, streams: { profiles: {}, events: {} } }
`)
})
afterAll(async () => {
  await project.remove()
  await connection.close()
  await opened.close()
})

describe('what is told of a run', () => {
  const run = `run-${randomUUID()}`
  beforeAll(async () => {
    const { warehouse } = opened
    const definition = fakeDefinition({ sync: shop, schema: shop })
    await warehouse.definitions.put(`hash-${shop}`, definition)
    await warehouse.runs.start({ run, sync: shop, definition: `hash-${shop}`, kind: 'manual', workflow: `sync/${shop}` })
    for (const name of ['events', 'profiles'])
      await syncOnce({ warehouse, stream: fakeStream({ name, pages: () => [records] }), run, definition })
    const message = '1 of 2 streams did not complete. profiles: the key was refused.'
    await warehouse.runs.finish(run, 'partial', { ...noCounts(), read: 24, loaded: 24 }, { reason: 'auth', message })
  })

  it('is the same in the commands, in the views and on the status page', async () => {
    const shown = await answer('runs', 'show', run.slice(0, 12))
    const listed = (await answer('runs', shop)).runs[0]
    const { rows: reports } = await opened.db.query('SELECT * FROM _weir.run_report WHERE run_id = $1', [run])
    const { rows: streams } = await opened.db.query('SELECT * FROM _weir.stream_report WHERE run_id = $1 ORDER BY stream', [run])
    const { rows: statuses } = await opened.db.query('SELECT * FROM _weir.stream_status WHERE sync = $1 ORDER BY stream', [shop])
    const overview = await opened.warehouse.reports.overview({ days: 2, runs: 5, withinMs: 5_000 })
    const page = viewOf(overview, { backfills: [], temporalUi: undefined, namespace: 'default', days: 2 })
    const status = (await answer('status')).syncs[0]

    const story = { status: 'partial', read: 24, loaded: 24, unchanged: 0, deadLetters: 0 }
    for (const told of [shown.run, listed, page.runs[0]]) expect(told).toMatchObject({ ...story, run, sync: shop })
    expect(reports).toMatchObject([
      { status: 'partial', read: '24', loaded: '24', streams: 2, streams_done: 2, acts: 'user: credentials', next_command: 'weir check' },
    ])
    expect(shown.run).toMatchObject({ acts: 'user: credentials', next: 'weir check', failure: { reason: 'auth' } })
    expect(page.runs[0]!.trouble).toMatch(/key was refused.*auth.*user: credentials.*weir check/)

    const each = ['events', 'profiles'].map((stream) => ({ stream, status: 'completed' }))
    for (const told of [shown.streams, streams, statuses, page.syncs[0]!.streams]) expect(told).toMatchObject(each)
    expect(status.streams.map((one: { stream: string }) => one.stream).sort()).toEqual(['events', 'profiles'])
    expect(shown.streams.map((one: { loaded: number }) => one.loaded)).toEqual(streams.map((row) => Number(row.loaded)))
    for (const { stream, upTo } of status.streams) {
      const row = statuses.find((one) => one.stream === stream)
      expect(upTo).toBe(row.complete_up_to?.toISOString())
      expect(page.syncs[0]!.streams.find((one) => one.stream === stream)!.completeUpTo).toBe(upTo)
    }
    // Each row says which run wrote it.
    const { rows } = await opened.db.query(`SELECT DISTINCT _weir_run_id AS run FROM "${shop}".events`)
    expect(rows).toEqual([{ run }])
  })

  it('counts what is committed before the run has ended', async () => {
    const open = `run-${randomUUID()}`
    const { warehouse, db } = opened
    await warehouse.runs.start({ run: open, sync: `${shop}-open`, definition: 'none', kind: 'manual' })
    await db.query(`INSERT INTO _weir.stream_runs (run_id, sync, stream, status) VALUES ($1, $2, 'a', 'running')`, [open, `${shop}-open`])
    await db.query(
      `INSERT INTO _weir.checkpoints (sync, stream, slice, pass, run_id, read, loaded, spent, waiting_until, waiting_for)
       VALUES ($1, 'a', 's1', 'main', $2, 5, 4, '{"M": 2}', NULL, NULL), ($1, 'a', 's2', 'main', $2, 2, 2, '{"M": 1}', now() + interval '1 hour', 'quota')`,
      [`${shop}-open`, open],
    )
    const [report] = await warehouse.reports.runs({ run: open, limit: 1 })
    expect(report).toMatchObject({ status: 'waiting', read: 7, loaded: 6, streams: 1, streamsDone: 0 })
    expect(report!.wait).toMatchObject({ for: 'quota' })
    expect(await warehouse.reports.streams(open)).toMatchObject([{ status: 'waiting', read: 7, spent: { M: 3 } }])
  })

  it('finds a run that is open however many ended after it, and counts all its dead letters', async () => {
    const { warehouse, db } = opened
    const sync = `${shop}-old`
    const old = randomUUID()
    await warehouse.runs.start({ run: old, sync, definition: 'none', kind: 'scheduled', workflow: `sync/${sync}-2026` })
    await db.query(`UPDATE _weir.runs SET started_at = now() - interval '9 days' WHERE run_id = $1`, [old])
    await db.query(
      `INSERT INTO _weir.runs (run_id, sync, definition, kind, status, finished_at)
       SELECT $1 || '-' || i, $1, 'none', 'scheduled', 'completed', now() FROM generate_series(1, 120) i`,
      [sync],
    )
    expect((await warehouse.reports.runs({ isOpen: true })).map(({ run }) => run)).toContain(old)
    const running = { workflow: { getHandle: () => ({ describe: async () => ({ status: { name: 'RUNNING' }, runId: old }) }) } }
    const found = await runsUnderWay({ ...session, temporal: running } as unknown as Session, sync)
    expect(found).toContainEqual({ sync, run: old, workflow: `sync/${sync}-2026` })

    await db.query(
      `INSERT INTO _weir.dead_letters (sync, stream, run_id, kind, reason, message, payload, fingerprint, form)
       SELECT $1, 'orders', $2, 'record', CASE WHEN i <= 700 THEN 'record' ELSE 'permanent' END, 'no', '{}', i::text, 'record' FROM generate_series(1, 705) i`,
      [sync, old],
    )
    const { lines } = await answer('logs', old)
    const letters = lines.filter(({ what }: { what: string }) => what === 'dead letters').map(({ text }: { text: string }) => text)
    expect(letters.sort()).toEqual([
      expect.stringMatching(/^5 met last here, reason permanent/),
      expect.stringMatching(/^700 met last here, reason record/),
    ])
  })

  it.each(['RUNNING', 'PAUSED', 'COMPLETED'])('takes a workflow that is %s for what it is', async (name) => {
    const temporal = { workflow: { getHandle: () => ({ describe: async () => ({ status: { name }, runId: 'r' }) }) } }
    expect(await runningRun({ temporal } as unknown as Session, 'backfill/shop/b')).toBe(name === 'COMPLETED' ? undefined : 'r')
  })

  it('asks for more of an id that fits several runs, and says where there is none', async () => {
    expect(await weir('runs', 'show', 'run-')).toMatchObject({ code: 2, stderr: expect.stringContaining('More than one run begins') })
    expect(await weir('logs', 'nothing-like-it')).toMatchObject({ code: 2, stderr: expect.stringContaining('weir runs') })
  })
})

describe('what is done to runs that are under way', () => {
  /** A worker whose runs have rows, and whose slices stay under way until they are let go or cancelled. */
  const world = () => {
    const { warehouse } = opened
    const waiting: (() => void)[] = []
    let calls = 0
    const { startRun, finishRun } = fakeActivities()
    const work: Activities = fakeActivities({
      startRun: async (input) => {
        await warehouse.runs.start({ ...input, workflow: Context.current().info.workflowExecution!.workflowId })
        return startRun(input)
      },
      syncSlice: async ({ label }) => {
        calls++
        if (calls === 1) throw ApplicationFailure.create({ message: 'the vendor hung up', type: 'transient' })
        if (calls === 2) return { ...noCounts(), more: true, waitUntil: new Date(Date.now() + 200).toISOString() }
        const { cancellationSignal, heartbeat } = Context.current()
        const beat = setInterval(() => heartbeat({ label }), 100)
        try {
          await new Promise<void>((resolve, reject) => {
            waiting.push(resolve)
            cancellationSignal.addEventListener('abort', () => reject(cancellationSignal.reason))
          })
        } finally {
          clearInterval(beat)
        }
        return { ...noCounts(), read: 10, loaded: 10 }
      },
      finishRun: async (input) => {
        const receipt = await finishRun(input)
        await warehouse.runs.finish(input.run, receipt.status, receipt, receipt.failure)
        return receipt
      },
    })
    const control: PauseActivities & { ask: () => Promise<{ handover: string }> } = {
      ask: async () => ({ handover: 'none' }),
      notePause: ({ run, sync, stream, pause }) => warehouse.pauses.begin({ run, sync, stream }, pause),
      noteResume: ({ run, stream, ...end }) => warehouse.pauses.end({ run, stream }, end),
    }
    return { work, control, waiting, isReading: () => vi.waitFor(() => expect(waiting).toHaveLength(1), { timeout: 15_000 }) }
  }

  it('pauses and resumes them, says of each what became of it, and tells it in the order of time', { timeout: 60_000 }, async () => {
    const { work, control, waiting, isReading } = world()
    await withWorker({ work, control }, async ({ start }) => {
      const { handle, result } = await start({ sync: shop, streams: ['a'] })
      await isReading()
      const run = handle.firstExecutionRunId
      expect(await runsUnderWay(session, shop)).toEqual([{ sync: shop, run, workflow: `sync/${shop}` }])
      expect(await resumeRuns(session, shop, { by: 'anna' })).toMatchObject([
        { run, done: false, message: expect.stringContaining('not paused') },
      ])
      expect(await pauseRuns(session, shop, { by: 'anna', reason: 'lunch' })).toMatchObject([{ run, done: true }])
      expect(await opened.warehouse.reports.runs({ run, limit: 1 })).toMatchObject([
        { status: 'paused', pause: { by: 'anna', reason: 'lunch' } },
      ])
      expect((await weir('runs', 'show', run)).stdout).toMatch(/paused by anna .*lunch\. To go on: weir resume/)
      expect((await weir('status')).stdout).toContain('paused by anna')
      expect(await resumeRuns(session, shop, { by: 'ben' })).toMatchObject([{ done: true }])
      waiting[0]!()
      await result()
      const { lines, isWhole } = await answer('logs', run)
      expect(isWhole).toBe(true)
      const told = lines.map(({ what, text }: { what: string; text: string }) => `${what}: ${text}`)
      const places = [
        /^start: run/,
        /^retry: everything: attempt 2.*vendor hung up/,
        /^wait: quota of the vendor/,
        /^pause: paused by anna: lunch/,
        /^pause: resumed by ben/,
        /^slice: everything: done, 10 read/,
        /^end: completed: 10 read/,
      ].map((pattern) => told.findIndex((line: string) => pattern.test(line)))
      expect(places).toEqual([...places].sort((a, b) => a - b))
      expect(places).not.toContain(-1)
    })
  })

  it('cancels them, waits for their end, and says how they ended', { timeout: 60_000 }, async () => {
    const { work, control, isReading } = world()
    await withWorker({ work, control }, async ({ start }) => {
      const { handle, result } = await start({ sync: shop, streams: ['a'] })
      const ended = expect(result()).rejects.toThrow()
      await isReading()
      expect(await answer('cancel', shop)).toEqual({
        runs: [{ sync: shop, run: handle.firstExecutionRunId, workflow: `sync/${shop}`, status: 'cancelled' }],
      })
      await ended
      expect(await weir('cancel', shop)).toMatchObject({ code: 2, stderr: expect.stringContaining('Nothing of') })
    })
  })

  it('has nothing to pause where nothing runs', async () => {
    expect(await pauseRuns(session, `${shop}-none`, { by: 'anna', reason: 'lunch' })).toEqual([])
  })
})
