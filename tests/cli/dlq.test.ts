import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { type Sandbox, startSandbox } from '../../sandbox/serve.js'
import { type Database, freshDatabase } from '../support/postgres.js'
import { makeProject, type Project } from '../support/project.js'

const worker = fileURLToPath(new URL('../../dist/worker/main.js', import.meta.url))

describe('weir dlq, on a project whose warehouse refused some records for a while', () => {
  let sandbox: Sandbox
  let database: Database
  let project: Project
  let child: ChildProcess
  let db: pg.Client
  let refused = 0
  const answer = async (...args: string[]) => JSON.parse((await project.weir(['dlq', ...args, '--json'])).stdout)

  beforeAll(async () => {
    sandbox = await startSandbox({ people: 100, now: new Date('2026-11-20T12:00:00Z'), limits: 'off' })
    database = await freshDatabase()
    const env = {
      TEMPORAL_ADDRESS: inject('temporalAddress'),
      WAREHOUSE_URL: database.url,
      WEIR_TASK_QUEUE: `dlq-${process.pid}`,
      WEIR_KEY: 'a key of thirty-two letters, or so',
      WEIR_RETRY_MS: '200',
    }
    const name = `klaviyo_${process.pid}`
    project = await makeProject(
      `
version: 1
connections:
  klaviyo: { type: klaviyo, base_url: "${sandbox.url}", api_key: "${sandbox.klaviyo.apiKey}", budget: "off" }
syncs:
  ${name}: { from: klaviyo, schema: klaviyo, streams: { profiles: { dead_letters: { max_percent: 100, encrypt: true } }, metrics: {} } }
`,
      env,
    )
    child = spawn(process.execPath, [worker], { env: { ...process.env, ...env }, stdio: ['ignore', 'inherit', 'inherit'] })
    db = new pg.Client({ connectionString: database.url })
    await db.connect()
    expect((await project.weir(['sync', name])).stderr).toContain('run')
    await db.query('ALTER TABLE klaviyo.profiles ADD CONSTRAINT closed CHECK (false) NOT VALID')
    sandbox.clock.advance(3_600_000)
    sandbox.company.editMany(7, 'email-tool')
    const second = await project.weir(['sync', name, '--stream', 'profiles', '--full'])
    expect(second.code, second.stderr).toBe(3)
    expect(second.stdout).toMatch(new RegExp(`records became dead letters; look at them with: weir dlq list ${name}`))
    refused = (await db.query("SELECT count(*)::int AS n FROM _weir.dead_letters WHERE status = 'open'")).rows[0].n
  }, 180_000)

  afterAll(async () => {
    await db?.end()
    if (child && child.exitCode === null) {
      child.kill('SIGTERM')
      await once(child, 'exit')
    }
    await project?.remove()
    await database?.drop()
    await sandbox?.stop()
  }, 60_000)

  it('lists them by filters, never with what they hold', { timeout: 120_000 }, async () => {
    expect(refused).toBeGreaterThanOrEqual(7)
    const { total, letters } = await answer('list', '--stream', 'profiles', '--since', '1h', '--limit', '3')
    expect([total, letters.length]).toEqual([refused, 3])
    expect(letters[0]).toMatchObject({ kind: 'record', reason: 'record', status: 'open', attempts: 1, sealedBy: expect.any(String) })
    expect((await answer('list', '--kind', 'slice')).total).toBe(0)
    expect((await answer('list', '--id', letters[1].id)).letters).toEqual([letters[1]])
    const { stdout } = await project.weir(['dlq', 'list'])
    expect(stdout).toMatch(/id +sync +stream +kind +reason +key +attempts/)
    expect(stdout).not.toContain('@')
  })

  it('shows what one holds masked, and in clear only when asked', { timeout: 120_000 }, async () => {
    const [{ id }] = (await answer('list', '--limit', '1')).letters
    const masked = await project.weir(['dlq', 'show', id])
    expect(masked.stdout).toMatch(/"email": "\S… \(\d+\)"/)
    expect(masked.stdout).not.toContain('@')
    const clear = await answer('show', id, '--reveal')
    expect(JSON.parse(clear.payloadText).email).toContain('@')
    const other = await project.weir(['dlq', 'show', id], { env: { WEIR_KEY: 'another key of thirty-two letters' } })
    expect([other.code, other.stderr]).toEqual([2, expect.stringContaining('sealed with another WEIR_KEY')])
  })

  it('acts on nothing without a word, and asks where nobody can answer', { timeout: 120_000 }, async () => {
    for (const [args, said] of [
      [['replay'], 'Say which dead letters'],
      [['discard', '--all'], 'Answer with --yes'],
      [['discard', '--id', 'x', '--yes'], 'not the id of a dead letter'],
    ] as const) {
      const { code, stderr } = await project.weir(['dlq', ...args])
      expect([code, stderr]).toEqual([2, expect.stringContaining(said)])
    }
    const dry = await project.weir(['dlq', 'discard', '--all', '--dry-run'])
    expect([dry.code, dry.stdout]).toEqual([0, expect.stringContaining(`${refused} open dead letters fit`)])
    expect((await answer('list')).total).toBe(refused)
  })

  it('replays them: what fails again is told one by one, what is mended is loaded, and a second time nothing is left', {
    timeout: 120_000,
  }, async () => {
    const again = await project.weir(['dlq', 'replay', '--all', '--limit', '2', '--yes'])
    expect(again.code, again.stderr).toBe(3)
    expect(again.stdout).toMatch(/0 loaded, 0 unchanged, 2 failed again/)
    expect(again.stdout).toMatch(/failed again +PostgreSQL refused it/)
    await db.query('ALTER TABLE klaviyo.profiles DROP CONSTRAINT closed')
    const { replays } = await answer('replay', '--all', '--yes')
    // The check refused every row that was read, also those that say what stands already.
    const [{ loaded, unchanged, failed }] = replays
    expect([loaded + unchanged, failed]).toEqual([refused, 0])
    expect(loaded).toBeGreaterThanOrEqual(7)
    expect(JSON.stringify(replays)).not.toContain('@')
    const runs = JSON.parse((await project.weir(['runs', '--json'])).stdout).runs
    expect(runs[0]).toMatchObject({ kind: 'replay', status: 'completed', read: refused, loaded })
    const none = await project.weir(['dlq', 'replay', '--all', '--yes'])
    expect([none.code, none.stdout]).toEqual([0, 'There are no open dead letters that fit.\n'])
  })

  it('has a stream that is replaced as a whole read again', { timeout: 120_000 }, async () => {
    await db.query(`INSERT INTO _weir.dead_letters (sync, stream, run_id, kind, reason, message, record_key, payload, fingerprint)
      SELECT sync, 'metrics', 'earlier', 'record', 'record', 'refused', 'gone', '{}', 'f' FROM _weir.dead_letters LIMIT 1`)
    const { code, stdout, stderr } = await project.weir(['dlq', 'replay', '--stream', 'metrics', '--yes'])
    expect(code, stderr).toBe(0)
    expect(stdout).toMatch(/metrics is read in mode replace: it is read again instead/)
    expect(stdout).toMatch(/metrics +completed/)
    expect((await answer('list', '--status', 'superseded', '--stream', 'metrics')).total).toBe(1)
  })
})
