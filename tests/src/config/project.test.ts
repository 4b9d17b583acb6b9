import { existsSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ConfigErrors } from '../../../src/config/errors.js'
import { definitionHash } from '../../../src/config/hash.js'
import { loadProject } from '../../../src/config/project.js'
import { asFailure } from '../../../src/core/failure.js'
import { env, folderOf, now, projectOf, validated } from './project-of.js'
import { vendors } from './vendors.js'

const head = 'version: 1\nconnections:\n  klaviyo: { type: klaviyo, api_key: "${KEY}" }\n'
const whole = `${head}syncs:\n  klaviyo: { from: klaviyo }\n`

describe('the smallest file', () => {
  test('reads the default set into a schema of the sync’s name, in the embedded warehouse', async () => {
    const { manifest } = await projectOf(`${head}syncs:\n  klaviyo: { from: klaviyo, every: 15m }\n`)
    expect(manifest.warehouse.url).toBe('embedded')
    expect(manifest.syncs).toEqual({
      klaviyo: {
        version: 1,
        project: 'weir',
        sync: 'klaviyo',
        schema: 'klaviyo',
        connection: { name: 'klaviyo', type: 'klaviyo', apiVersion: '2026-07-15', settings: { api_key: '${KEY}' } },
        streams: { events: { mode: 'merge' }, profiles: { mode: 'merge' }, metrics: { mode: 'replace' } },
        deadLetters: { maxRows: 1000, maxPercent: 0.5 },
        concurrency: 4,
        timezone: 'UTC',
      },
    })
    expect(manifest.schedules).toEqual({ klaviyo: { everyMs: 900_000 } })
    expect(manifest.origins.klaviyo?.every).toMatch(/^weir\.yaml:\d+:\d+$/)
    expect(manifest.notes).toEqual([])
  })

  test('nothing but the secret’s name is in the manifest', async () => {
    const { manifest, secrets } = await projectOf(whole)
    expect(JSON.stringify(manifest)).not.toContain(env.KEY)
    expect(secrets).toEqual([env.KEY])
  })

  test('is found in config/ as well', async () => {
    const { file } = await projectOf({ 'config/weir.yaml': whole })
    expect(file).toMatch(/\/config\/weir\.yaml$/)
  })

  test('what is wrong is thrown as a failure of reason config that lists it', async () => {
    const thrown = await loadProject({ dir: folderOf('version: 1\n'), vendors, env, now }).catch((error: unknown) => error)
    expect(thrown).toBeInstanceOf(ConfigErrors)
    expect(asFailure(thrown).reason).toBe('config')
    expect((thrown as ConfigErrors).errors).toHaveLength(2)
  })
})

describe('the cascade', () => {
  const cascade = `version: 1
defaults: { timezone: Europe/Berlin, concurrency: 2, start: 2024-01-01, lookback: 2h, dead_letters: { max_rows: 5, max_percent: 2% }, every: 1h }
connections:
  klaviyo: { type: klaviyo, api_key: "\${KEY}", lookback: 3h, parallel: 3 }
syncs:
  klaviyo:
    from: klaviyo
    concurrency: 8
    dead_letters: { max_rows: 7 }
    schedule: { cron: "15 */2 * * *", jitter: 3m, catch_up: 6h }
    streams:
      "*": { slice: 7d }
      events: { mode: append, start: -12w, lookback: 15m }
      campaign_values:
  other: { from: klaviyo, schema: other, streams: { profiles: { start: "2024-03-31T12:00:00+02:00" } } }
`
  test('the innermost word counts, and each setting knows where it comes from', async () => {
    const { manifest } = await projectOf(cascade)
    const { klaviyo, other } = manifest.syncs
    expect(klaviyo).toMatchObject({ timezone: 'Europe/Berlin', concurrency: 8, deadLetters: { maxRows: 7, maxPercent: 2 } })
    const midnight = '2023-12-31T23:00:00.000Z'
    expect(klaviyo?.streams).toEqual({
      events: { mode: 'append', start: '-84d', lookbackMs: 900_000, sliceDays: 7, parallel: 3 },
      profiles: { mode: 'merge', start: midnight, lookbackMs: 10_800_000, sliceDays: 7, parallel: 3 },
      metrics: { mode: 'replace', parallel: 3 },
      campaign_values: { mode: 'replace_slice', start: midnight, lookbackMs: 10_800_000, sliceDays: 7, parallel: 3 },
    })
    expect(other).toMatchObject({ concurrency: 2, streams: { profiles: { start: '2024-03-31T10:00:00.000Z' } } })
    expect(Object.keys(other?.streams ?? {})).toEqual(['profiles'])
    expect(manifest.schedules).toEqual({
      klaviyo: { cron: '15 */2 * * *', timezone: 'Europe/Berlin', jitterMs: 180_000, catchUpMs: 21_600_000 },
      other: { everyMs: 3_600_000 },
    })
    expect(manifest.origins.klaviyo).toMatchObject({
      timezone: 'weir.yaml:2:23',
      concurrency: 'weir.yaml:8:18',
      'dead_letters.max_rows': 'weir.yaml:9:31',
      'dead_letters.max_percent': 'weir.yaml:2:129',
      'streams.events.start': 'weir.yaml:13:38',
      'streams.profiles.lookback': 'weir.yaml:4:58',
      'streams.metrics.mode': 'connector',
    })
    expect(manifest.origins.other?.concurrency).toBe('weir.yaml:2:51')
  })

  test('dead letters are bounded and kept by the sync, and by a stream only where it says otherwise', async () => {
    const files = cascade
      .replace('{ max_rows: 7 }', '{ max_rows: 7, retention: 30d }')
      .replace('"*": { slice: 7d }', '"*": { dead_letters: { max_percent: 3 } }')
      .replace('mode: append,', 'mode: append, dead_letters: { max_percent: 4, encrypt: true },')
    const { manifest } = await projectOf(files)
    expect(manifest.syncs.klaviyo?.deadLetters).toEqual({ maxRows: 7, maxPercent: 2, retentionMs: 30 * 86_400_000 })
    expect(manifest.syncs.klaviyo?.streams.events?.deadLetters).toEqual({ maxPercent: 4, encrypt: true })
    expect(manifest.syncs.klaviyo?.streams.profiles?.deadLetters).toEqual({ maxPercent: 3 })
    expect(manifest.syncs.other?.streams.profiles).not.toHaveProperty('deadLetters')
    expect(manifest.origins.klaviyo).toMatchObject({
      'dead_letters.retention': 'weir.yaml:9:45',
      'streams.events.dead_letters.encrypt': expect.stringMatching(/^weir\.yaml:13:/),
    })
  })

  test('a definition’s hash depends on what it says, not on the day, the layout or the secret', async () => {
    const hash = async (files: string, given = {}) => definitionHash((await projectOf(files, given)).manifest.syncs.klaviyo!)
    const first = await hash(cascade)
    expect(first).toMatch(/^[0-9a-f]{64}$/)
    expect(await hash(cascade, { now: new Date('2027-01-01'), env: { KEY: 'pk_another' } })).toBe(first)
    expect(await hash(`# a comment\n${cascade.replace('mode: append, start: -12w', 'start: -84d, mode: append')}`)).toBe(first)
    expect(await hash(cascade.replace('-12w', '-13w'))).not.toBe(first)
  })
})

describe('environments', () => {
  const files = `${whole}environments:
  prod:
    warehouse: { url: "\${PROD_URL}" }
    connections: { klaviyo: { api_key: "\${PROD_KEY}" } }
    syncs:
      klaviyo: { schema: marts, streams: { events: {} } }
      second: { from: klaviyo, schema: second }
`
  test('are merged by name when they are selected', async () => {
    const url = 'postgres://weir:canary@db.example.com/w'
    const { manifest, secrets } = await projectOf(files, { environment: 'prod', env: { PROD_KEY: 'pk_prod', PROD_URL: url } })
    expect(manifest).toMatchObject({ environment: 'prod', warehouse: { url } })
    expect(manifest.syncs.klaviyo).toMatchObject({ schema: 'marts', connection: { settings: { api_key: '${PROD_KEY}' } } })
    expect(Object.keys(manifest.syncs)).toEqual(['klaviyo', 'second'])
    expect(secrets).toEqual(['pk_prod', 'canary'])
  })

  test('need their variables only then', async () => {
    const { manifest } = await projectOf(files)
    expect(manifest.syncs.klaviyo?.schema).toBe('klaviyo')
  })
})

describe('includes', () => {
  test('share out connections and syncs over files, relative to the file that names them', async () => {
    const { manifest, files } = await projectOf({
      'weir.yaml': 'version: 1\ninclude: [connections/*.yaml, "syncs/**/*.yaml"]\n',
      'connections/klaviyo.yaml': 'version: 1\nconnections:\n  klaviyo: { type: klaviyo, api_key: "${file:keys/klaviyo}" }\n',
      'connections/keys/klaviyo': 'pk_from_a_file\n',
      'connections/hubspot.yaml': 'connections:\n  hubspot: { type: hubspot, access_token: "${KEY}" }\n',
      'syncs/eu/one.yaml': 'include: ../two.yaml\nsyncs:\n  one: { from: klaviyo }\n',
      'syncs/two.yaml': 'syncs:\n  two: { from: hubspot }\n',
      'syncs/.hidden.yaml': 'not: read\n',
    })
    expect(Object.keys(manifest.syncs).sort()).toEqual(['one', 'two'])
    expect(files).toHaveLength(5)
    expect(manifest.connections.klaviyo?.settings).toEqual({ api_key: '${file:connections/keys/klaviyo}' })
  })

  test('a link inside the project is followed', async () => {
    const dir = folderOf({ 'weir.yaml': `${head}include: s.yaml\n`, 'real/s.yaml': 'syncs:\n  klaviyo: { from: klaviyo }\n' })
    symlinkSync('real/s.yaml', join(dir, 's.yaml'))
    expect((await validated(dir)).lines).toEqual([])
  })
})

describe('references', () => {
  test('.env beside the file is read, and never overrides the environment', async () => {
    const dir = folderOf({
      'weir.yaml': `${whole}name: "\${NAME}"\ntemporal: { namespace: "\${SPACE}" }\n`,
      '.env': 'NAME=from-file\nSPACE=from-file\nKEY=pk_file\n',
    })
    const { project } = await validated(dir, { env: { NAME: 'from-env' } })
    expect(project?.manifest).toMatchObject({ project: 'from-env', temporal: { namespace: 'from-file' } })
    expect(project?.secrets).toEqual(['pk_file'])
    expect(process.env.SPACE).toBeUndefined()
  })

  test('defaults, literals and numbers', async () => {
    const { manifest } = await projectOf(
      `${head.replace('}"', () => '}", client_id: "a$${b}", owner: "${WHO:-ana} and ${EMPTY:-ben}"')}syncs:\n  klaviyo: { from: klaviyo, concurrency: "\${FEW:-2}", dead_letters: { max_percent: "\${SHARE}" } }\n`,
      { env: { ...env, SHARE: '1.5' } },
    )
    expect(manifest.syncs.klaviyo).toMatchObject({ concurrency: 2, deadLetters: { maxPercent: 1.5 } })
    expect(manifest.connections.klaviyo).toMatchObject({ owner: 'ana and ben', settings: { client_id: 'a$${b}' } })
  })

  test('the names that deployments use are read from the environment too', async () => {
    const { manifest } = await projectOf(whole, { env: { ...env, WAREHOUSE_URL: 'postgres://db/x', TEMPORAL_ADDRESS: 'temporal:7233' } })
    expect(manifest).toMatchObject({ warehouse: { url: 'postgres://db/x' }, temporal: { address: 'temporal:7233', namespace: 'default' } })
  })
})

describe('connections', () => {
  test('literal secrets, plain http and budget off are for a vendor on this machine', async () => {
    const { manifest, secrets } = await projectOf(
      'version: 1\nconnections:\n  crm: { type: hubspot, access_token: pat-sandbox, base_url: "http://LOCALHOST:18790/", budget: off, portal_id: "7" }\nsyncs:\n  crm: { from: crm }\n',
    )
    expect(manifest.connections.crm).toEqual({
      name: 'crm',
      type: 'hubspot',
      apiVersion: '2026-09',
      baseUrl: 'http://localhost:18790',
      budget: 'off',
      settings: { access_token: 'pat-sandbox', portal_id: 7 },
    })
    expect(secrets).toEqual(['pat-sandbox'])
  })

  test('a budget and private hosts', async () => {
    const { manifest } = await projectOf(
      `${whole.replace('}"', '}", base_url: "https://proxy.internal/klaviyo/", allow_private_hosts: true, budget: { requests: 10/s, per_day: 15000 }')}`,
    )
    expect(manifest.connections.klaviyo).toMatchObject({
      baseUrl: 'https://proxy.internal/klaviyo',
      allowPrivateHosts: true,
      budget: { requests: { count: 10, perMs: 1000 }, perDay: 15_000 },
    })
  })

  test('merge keys take over what a map does not give itself', async () => {
    const { manifest } = await projectOf(
      'version: 1\nconnections:\n  eu: &eu { type: klaviyo, api_key: "${KEY}", owner: ana }\n  us: { <<: *eu, owner: ben }\nsyncs:\n  eu: { from: eu }\n  us: { from: us }\n',
    )
    expect(manifest.connections.us).toMatchObject({ type: 'klaviyo', owner: 'ben' })
  })
})

test('a file with a byte order mark, Windows line ends and a document start is read', async () => {
  const { manifest } = await projectOf(`\uFEFF---\n${whole}...\n`.replaceAll('\n', '\r\n'))
  expect(Object.keys(manifest.syncs)).toEqual(['klaviyo'])
})

test('reading a project leaves nothing behind', async () => {
  const dir = folderOf(whole)
  await validated(dir)
  expect(existsSync(join(dir, '.env'))).toBe(false)
  writeFileSync(join(dir, '.env'), 'KEY=\n')
  expect((await validated(dir, { env: {} })).lines).toEqual(['weir.yaml:3:38: connections.klaviyo.api_key: "${KEY}" is set, but empty'])
})
