import { randomBytes, randomUUID } from 'node:crypto'
import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { PayloadCodec } from '@temporalio/common'
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest'
import { machineFindings } from '../../cli/doctor/machine.js'
import { startSandbox } from '../../sandbox/serve.js'
import type { Manifest } from '../../src/config/compile.js'
import type { Finding } from '../../src/core/types.js'
import { createActivities } from '../../worker/activities/index.js'
import { payloadCodec } from '../../worker/codec.js'
import { createDeps } from '../../worker/deps.js'
import { workerSettings } from '../../worker/settings.js'
import { weirHere } from '../support/command.js'
import { type Database, freshDatabase } from '../support/postgres.js'
import { makeProject, type Project } from '../support/project.js'
import { withWorker } from '../support/workflows.js'

type Groups = { ok: boolean; groups: { group: string; findings: Finding[] }[] }

describe('weir doctor and weir explain', { timeout: 120_000 }, () => {
  let database: Database
  let project: Project
  let sandbox: Awaited<ReturnType<typeof startSandbox>>

  beforeAll(async () => {
    database = await freshDatabase()
    sandbox = await startSandbox({ people: 50 })
    project = await makeProject(`version: 1
defaults: { lookback: 2h, columns: { email: mask } }
connections:
  shop: { type: klaviyo, base_url: "${sandbox.url}", api_key: "\${SHOP_KEY}" }
syncs:
  shop: { from: shop, every: 15m, streams: { profiles: { mode: append }, metrics: {} } }
models:
  vip: { table: crm.people, key: id }
audiences:
  vip: { model: vip, identity: { email: email }, destinations: { mail: { connection: shop, list: Nowhere yet, create: true } } }
`)
    await writeFile(join(project.folder, '.env'), `SHOP_KEY=${sandbox.klaviyo.apiKey}\n`, { mode: 0o600 })
  })
  afterAll(async () => {
    await sandbox.stop()
    await project.remove()
    await database.drop()
  })

  const key = randomBytes(32).toString('base64')
  const env = (queue: string) => ({
    TEMPORAL_ADDRESS: inject('temporalAddress'),
    WAREHOUSE_URL: database.url,
    WEIR_TASK_QUEUE: queue,
    WEIR_KEY: key,
  })
  const doctor = async (queue: string, more: Record<string, string> = {}): Promise<{ code: number; answer: Groups }> => {
    const { code, stdout } = await weirHere(['doctor', '--json', '--config', join(project.folder, 'weir.yaml')], { ...env(queue), ...more })
    return { code, answer: JSON.parse(stdout) as Groups }
  }
  const wrong = ({ groups }: Groups) => groups.flatMap(({ findings }) => findings).filter(({ ok }) => !ok)

  /** While a worker asks for work that can ask the vendor, with what it needs of the environment. */
  const whileWorking = async (codec: PayloadCodec | undefined, work: (queue: string) => Promise<void>) => {
    const settings = workerSettings({
      TEMPORAL_ADDRESS: inject('temporalAddress'),
      WAREHOUSE_URL: database.url,
      WEIR_PROJECT_DIR: project.folder,
      WEIR_LOG_LEVEL: 'error',
    })
    const deps = createDeps(settings)
    try {
      await deps.warehouse.migrate()
      const activities = createActivities({ ...deps, startSync: async () => {}, startPush: async () => ({ isStarted: true }) })
      await withWorker({ ...activities, ...(codec ? { codec } : {}) }, ({ queue }) => work(queue))
    } finally {
      await deps.close()
    }
  }
  /** That a worker polls shows a moment after it began to. */
  const findsNothingWrong = (queue: string, more: Record<string, string> = {}) =>
    vi.waitFor(
      async () => {
        const found = await doctor(queue, more)
        expect(wrong(found.answer)).toEqual([])
        return found
      },
      { timeout: 60_000, interval: 500 },
    )

  it('finds nothing wrong where all is set up, the vendor included', async () => {
    await whileWorking(undefined, async (queue) => {
      const { code, answer } = await findsNothingWrong(queue)
      expect(code).toBe(0)
      expect(answer.groups.map(({ group }) => group)).toEqual([
        'project and machine',
        'warehouse',
        'Temporal',
        'connection shop',
        'audience vip',
      ])
      expect(answer.groups.at(-1)!.findings).toEqual([
        { name: 'mail, list', ok: true, message: 'Nowhere yet is not there yet: the first push makes it' },
      ])
      expect([...sandbox.klaviyo.store.lists.values()].some(({ name }) => name === 'Nowhere yet')).toBe(false)
      const names = answer.groups.flatMap(({ findings }) => findings.map(({ name }) => name))
      expect(names).toEqual(
        expect.arrayContaining(['disk', '.env', 'WEIR_KEY', 'rights', 'clock of the warehouse', 'clock of Temporal', 'worker']),
      )
    })
  })

  it('asks a vendor in cipher where payloads are encrypted, and nobody where the key to do so is missing', async () => {
    await whileWorking(payloadCodec(key, true), async (queue) => {
      await findsNothingWrong(queue, { WEIR_ENCRYPT_PAYLOADS: 'true' })
      const { answer } = await doctor(queue, { WEIR_KEY: '', WEIR_ENCRYPT_PAYLOADS: 'true' })
      expect(wrong(answer)).toEqual([
        expect.objectContaining({ name: 'WEIR_KEY', message: 'not set, and needed by audience/vip' }),
        { name: 'vendors', ok: false, message: expect.stringContaining('WEIR_KEY is not') },
      ])
    })
  })

  it('looks where the environment says that Temporal is', async () => {
    const elsewhere = `nowhere-${randomUUID()}`
    const { answer } = await doctor('weir', { TEMPORAL_NAMESPACE: elsewhere })
    const hints = wrong(answer).flatMap(({ name, hint }) => (name === 'Temporal' ? [hint] : []))
    expect(hints).toEqual([expect.stringContaining(elsewhere)])
    const file = join(project.folder, 'temporal.toml')
    await writeFile(file, `[profile.elsewhere]\naddress = "${inject('temporalAddress')}"\nnamespace = "${elsewhere}"\n`)
    const profiled = await doctor('weir', { TEMPORAL_ADDRESS: '', TEMPORAL_CONFIG_FILE: file, TEMPORAL_PROFILE: 'elsewhere' })
    const [machine] = profiled.answer.groups
    expect(machine!.findings.find(({ name }) => name === '.weir')?.message).toBe('there is none, nor is one needed')
    expect(wrong(profiled.answer).find(({ name }) => name === 'Temporal')?.hint).toContain(elsewhere)
  })

  it('says what to do about each thing that is wrong', async () => {
    await chmod(join(project.folder, '.env'), 0o644)
    try {
      const { code, answer } = await doctor(`nobody-${randomUUID()}`, { WEIR_KEY: 'short' })
      expect(code).toBe(1)
      expect(wrong(answer).map(({ name }) => name)).toEqual(['.env', 'WEIR_KEY', 'worker', 'vendors'])
      expect(wrong(answer).every(({ hint }) => hint !== undefined)).toBe(true)
    } finally {
      await chmod(join(project.folder, '.env'), 0o600)
    }
  })

  it('asks for WEIR_KEY where an audience is to be sent', async () => {
    const audiences = { vip: {} } as unknown as Manifest['audiences']
    const manifest = { temporal: { address: '127.0.0.1:9' }, syncs: {}, audiences } as unknown as Manifest
    const keyOf = async (given: Manifest) =>
      (await machineFindings({ file: '', projectDir: project.folder, manifest: given })).find(({ name }) => name === 'WEIR_KEY')
    expect(await keyOf(manifest)).toMatchObject({ ok: false, message: 'not set, and needed by audience/vip' })
    expect(await keyOf({ ...manifest, audiences: {} })).toMatchObject({ ok: true })
  })

  it('says so when Temporal, the warehouse or the file is not there', async () => {
    const away = await doctor('weir', { TEMPORAL_ADDRESS: '127.0.0.1:9', WAREHOUSE_URL: 'postgres://nobody:s3cretword@127.0.0.1:9/x' })
    expect(away.code).toBe(1)
    expect(wrong(away.answer).map(({ name }) => name)).toEqual(['warehouse', 'Temporal'])
    expect(JSON.stringify(away.answer)).not.toContain('s3cretword')
    const { code, stdout } = await weirHere(['doctor', '--config', '/nowhere/weir.yaml'], {})
    expect(code).toBe(1)
    expect(stdout).toContain('FAIL project file')
  })

  it('explains every value of a sync with where it comes from', async () => {
    const explained = async (...args: string[]) =>
      JSON.parse((await weirHere(['explain', ...args, '--json', '--config', join(project.folder, 'weir.yaml')], {})).stdout)
    const { settings, streams } = await explained('sync/shop', '--stream', 'profiles')
    expect(settings).toEqual(
      expect.arrayContaining([
        { setting: 'from', value: 'shop', origin: expect.stringMatching(/weir\.yaml:6:17$/) },
        { setting: 'schema', value: 'shop', origin: 'built-in' },
        { setting: 'every', value: 'runs every 15m', origin: expect.stringMatching(/weir\.yaml:6:30$/) },
        { setting: 'timezone', value: 'UTC', origin: 'built-in' },
        { setting: 'connection.api_key', value: '${SHOP_KEY}', origin: expect.stringMatching(/weir\.yaml:4:/) },
      ]),
    )
    expect(streams).toHaveLength(1)
    expect(streams[0].settings).toEqual(
      expect.arrayContaining([
        { setting: 'mode', value: 'append', origin: expect.stringMatching(/weir\.yaml:6:/) },
        { setting: 'lookback', value: '2h', origin: expect.stringMatching(/weir\.yaml:2:23$/) },
        { setting: 'parallel', value: expect.any(String), origin: 'connector' },
        { setting: 'columns.email', value: 'mask', origin: expect.stringMatching(/weir\.yaml:2:45$/) },
        { setting: 'on_schema_change', value: 'evolve', origin: 'built-in' },
      ]),
    )
    expect((await weirHere(['explain', 'sync/shopp', '--config', join(project.folder, 'weir.yaml')], {})).stderr).toContain(
      'did you mean "shop"',
    )
  })
})
