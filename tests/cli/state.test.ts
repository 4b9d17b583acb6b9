import { randomUUID } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Client, Connection } from '@temporalio/client'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import type { Warehouse } from '../../src/warehouse/driver.js'
import { createWarehouse } from '../../src/warehouse/postgres/warehouse.js'
import { weirHere } from '../support/command.js'
import { syncOnce } from '../support/engine.js'
import { fakeDefinition, fakeStream } from '../support/fake-source.js'
import { type Database, freshDatabase } from '../support/postgres.js'
import { makeProject, type Project } from '../support/project.js'

const day = (n: number) => new Date(Date.UTC(2026, 0, n)).toISOString()

/** The command, against a warehouse and a Temporal that run. Names of syncs are this file's own: the servers are shared. */
describe('weir state', () => {
  const shop = `shop_${randomUUID().slice(0, 8)}`
  const other = `other_${randomUUID().slice(0, 8)}`
  let database: Database
  let warehouse: Warehouse
  let project: Project
  let connection: Connection

  const runOf = async (sync: string, stream: string, run: string, upTo: number) =>
    syncOnce({
      warehouse,
      stream: fakeStream({ name: stream, pages: () => [[]] }),
      run,
      now: day(upTo),
      definition: fakeDefinition({ sync, schema: sync }),
    })
  const env = () => ({ TEMPORAL_ADDRESS: inject('temporalAddress'), WAREHOUSE_URL: database.url })
  const state = (...args: string[]) => weirHere(['state', ...args, '--config', join(project.folder, 'weir.yaml')], env())
  /** What a command answers with --json; it must have gone well. */
  const answer = async (...args: string[]) => {
    const { code, stdout, stderr } = await state(...args, '--json')
    if (code !== 0) throw new Error(`exit code ${code}: ${stderr}`)
    return JSON.parse(stdout)
  }
  const marks = async (sync = shop) =>
    Object.fromEntries((await warehouse.state.read({ sync })).watermarks.map(({ stream, watermark }) => [stream, watermark]))

  beforeAll(async () => {
    database = await freshDatabase()
    warehouse = createWarehouse(database.url)
    await warehouse.migrate()
    connection = await Connection.connect({ address: inject('temporalAddress') })
    project = await makeProject(`
version: 1
name: acme
connections:
  klaviyo: { type: klaviyo, base_url: "http://127.0.0.1:9", api_key: pk_test, budget: "off" }
syncs:
  ${shop}: { from: klaviyo, streams: { profiles: {}, events: {} } }
  ${other}: { from: klaviyo, streams: { profiles: {} } }
`)
    await runOf(shop, 'profiles', 'r1', 4)
    await runOf(shop, 'events', 'r1', 4)
    await runOf(shop, 'profiles', 'r2', 6)
    await runOf(shop, 'events', 'r3', 8)
    await runOf(other, 'profiles', 'r9', 5)
    // Read once, taken out of the project file since.
    await runOf(other, 'lists', 'r10', 5)
  })
  afterAll(async () => {
    await project?.remove()
    await connection?.close()
    await warehouse?.close()
    await database?.drop()
  })

  it('shows the history, newest first, as a table and as JSON', async () => {
    const { history } = await answer('show', shop, '--history', '--limit', '2')
    expect(history).toMatchObject([
      { stream: 'events', run: 'r3', kind: 'run', before: day(4), after: day(8) },
      { stream: 'profiles', run: 'r2', kind: 'run', before: day(4), after: day(6) },
    ])
    const { stdout } = await state('show', shop, '--history', '--stream', 'profiles')
    expect(stdout.split('\n')[0]).toMatch(/^at +stream +pass +by +run +from +to +settled +open +rows/)
    expect(stdout).toContain(day(6))
    expect(stdout).not.toContain('events')
  })

  it('says what changed since a run, and between two', async () => {
    expect((await answer('diff', shop, '--from-run', 'r1')).diff).toEqual([
      { stream: 'events', pass: 'main', before: { watermark: day(4), open: 0 }, after: { watermark: day(8), open: 0 } },
      { stream: 'profiles', pass: 'main', before: { watermark: day(4), open: 0 }, after: { watermark: day(6), open: 0 } },
    ])
    expect((await answer('diff', shop, '--from-run', 'r1', '--to-run', 'r2', '--stream', 'profiles')).diff).toMatchObject([
      { stream: 'profiles', before: { watermark: day(4) }, after: { watermark: day(6) } },
    ])
  })

  it.each([
    ['a run that nobody knows', ['r77'], 'There is no run r77 in this warehouse.'],
    ["another sync's run", ['r9'], `Run r9 is of sync ${other}, not of ${shop}.`],
    ['a run that did not read the stream', ['r2', '--stream', 'events'], `Run r2 of sync ${shop} did not read events.`],
  ])('refuses to go back to %s, and names those that may be meant', async (_, args, message) => {
    const { code, stderr } = await state('rollback', shop, '--to-run', ...args, '--yes')
    expect(code).toBe(2)
    expect(stderr).toContain(message)
    expect(stderr).toMatch(/newest first: r3 \(/)
  })

  it('says what a rollback would read again, and changes nothing in a dry run', async () => {
    const { code, stdout } = await state('rollback', shop, '--to-run', 'r1', '--dry-run')
    expect(code).toBe(0)
    expect(stdout).toMatch(new RegExp(`events +main +${day(4)} +${day(8)}`))
    expect(stdout).toContain('Rows are not taken back.')
    expect(await marks()).toEqual({ events: day(8), profiles: day(6) })
  })

  it('asks before it changes, or wants --yes', async () => {
    const { code, stderr } = await state('rollback', shop, '--to-run', 'r1')
    expect(code).toBe(2)
    expect(stderr).toContain('Answer with --yes.')
    expect(await marks()).toEqual({ events: day(8), profiles: day(6) })
  })

  it('goes back in one stream, and the other stays', async () => {
    expect(await answer('rollback', shop, '--to-run', 'r1', '--stream', 'events', '--yes')).toMatchObject({
      changed: true,
      again: [{ stream: 'events', from: day(4), to: day(8) }],
    })
    expect(await marks()).toEqual({ events: day(4), profiles: day(6) })
    expect((await answer('show', shop, '--history', '--limit', '1')).history).toMatchObject([{ kind: 'rollback', run: 'r1' }])
  })

  it('exports what the sync reads, so that an import takes it, and says what it leaves out', async () => {
    const file = join(project.folder, 'other.json')
    const { code, stderr } = await state('export', other, '--file', file)
    expect(code, stderr).toBe(0)
    expect(stderr).toContain(`Left out, as sync ${other} no longer reads it: lists.`)
    expect(Object.keys(JSON.parse(await readFile(file, 'utf8')).streams)).toEqual(['profiles'])
    expect(await answer('import', other, '--file', file, '--yes')).toMatchObject({ streams: ['profiles'], changed: true })
    expect(await marks(other)).toEqual({ lists: day(5), profiles: day(5) })
    expect((await state('export', other, '--stream', 'lists')).stderr).toContain('does not read a stream "lists"')
  })

  it('exports, and imports what was edited', async () => {
    const file = join(project.folder, 'state.json')
    await answer('export', shop, '--file', file)
    const document = JSON.parse(await readFile(file, 'utf8'))
    expect(document).toEqual({ ...(await answer('export', shop)), exportedAt: document.exportedAt })
    expect(JSON.parse((await state('export', shop)).stdout).streams).toEqual(document.streams)
    document.streams.profiles.watermarks.main = day(2)
    document.streams.events.watermarks.main = day(1)
    await writeFile(file, JSON.stringify(document))
    const before = await marks()
    expect(await answer('import', shop, '--file', file, '--dry-run')).toMatchObject({ changed: false })
    expect(await marks()).toEqual(before)
    expect(await answer('import', shop, '--file', file, '--stream', 'profiles', '--yes')).toMatchObject({
      changed: true,
      streams: ['profiles'],
      diff: [{ stream: 'profiles', before: { watermark: before.profiles }, after: { watermark: day(2) } }],
    })
    expect(await marks()).toEqual({ ...before, profiles: day(2) })
  })

  it('takes the state of another sync only when told so', async () => {
    const file = join(project.folder, 'other.json')
    await answer('export', other, '--file', file)
    const refused = await state('import', shop, '--file', file, '--yes')
    expect(refused.code).toBe(2)
    expect(refused.stderr).toContain(
      `${file} holds the state of sync ${other}, not of ${shop}. To put it into ${shop}: weir state import ${other} --file ${file} --as ${shop}`,
    )
    expect(await answer('import', other, '--file', file, '--as', shop, '--yes')).toMatchObject({ sync: shop, streams: ['profiles'] })
    expect(await marks()).toMatchObject({ profiles: day(5) })
  })

  it.each([
    ['a file that is not there', undefined, [], 'cannot be read: ENOENT.'],
    [
      'a pass that the connector does not have',
      { profiles: { watermarks: { first: day(1) }, slices: [] } },
      [],
      'cannot be imported:\n  streams.profiles.watermarks.first: the stream has no such pass',
    ],
    [
      'a stream that the sync does not read',
      { lists: { watermarks: {}, slices: [] } },
      [],
      'cannot be imported:\n  streams.lists: the sync reads no such stream; it reads profiles, events',
    ],
    [
      'a stream that the file does not hold',
      { profiles: { watermarks: {}, slices: [] } },
      ['--stream', 'events'],
      'holds no stream "events". It holds profiles.',
    ],
    ['no stream', {}, [], `holds no stream. To forget a state: weir state reset ${shop}`],
  ])('refuses %s and changes nothing', async (_, content, args, message) => {
    const file = join(project.folder, `${randomUUID()}.json`)
    const head = { format: 'weir-state', version: 1, project: 'acme', sync: shop, exportedAt: day(1) }
    if (content !== undefined) await writeFile(file, typeof content === 'string' ? content : JSON.stringify({ ...head, streams: content }))
    const before = await marks()
    const { code, stderr } = await state('import', shop, '--file', file, '--yes', ...args)
    expect(code).toBe(2)
    expect(stderr).toContain(`${file} ${message}`)
    expect(await marks()).toEqual(before)
  })

  it('changes nothing under a run, nor under a stream that outlived its run, unless forced', async () => {
    const client = new Client({ connection })
    const file = join(project.folder, 'now.json')
    await answer('export', shop, '--file', file)
    const before = await marks()
    for (const workflowId of [`sync/${shop}`, `stream/${shop}/events`]) {
      // No worker listens there: it stays under way until it is ended below.
      const handle = await client.workflow.start('syncConnection', { workflowId, taskQueue: `nobody-${randomUUID()}`, args: [] })
      try {
        const commands = [
          ['reset', shop],
          ['import', shop, '--file', file],
          ['rollback', shop, '--to-run', 'r1'],
        ]
        for (const args of commands) {
          const { code, stderr } = await state(...args, '--yes')
          expect(code).toBe(2)
          expect(stderr).toContain(`A run of sync ${shop} is under way (${workflowId}).`)
        }
        expect(await marks()).toEqual(before)
        if (workflowId.startsWith('sync/')) continue
        expect(await answer('rollback', shop, '--to-run', 'r1', '--yes', '--force')).toMatchObject({ changed: true })
        expect(await marks()).toEqual({ events: day(4), profiles: day(4) })
      } finally {
        await handle.terminate()
      }
    }
    expect(await answer('reset', shop, '--yes')).toMatchObject({ forgotten: 2 })
    expect((await answer('show', shop, '--history', '--limit', '1')).history[0]).toMatchObject({ kind: 'reset', before: day(4) })
  })
})
