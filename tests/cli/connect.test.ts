import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { temporal } from '@temporalio/proto'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest'
import {
  googleAdsOAuth,
  hubspotOAuth,
  klaviyoOAuth,
  metaAdAccounts,
  metaApp,
  type Sandbox,
  salesforceOAuth,
  startSandbox,
} from '../../sandbox/serve.js'
import type { StoredToken } from '../../src/core/ports.js'
import { createWarehouse } from '../../src/warehouse/postgres/warehouse.js'
import { createActivities } from '../../worker/activities/index.js'
import { type AlertDeps, createDeps } from '../../worker/deps.js'
import { workerSettings } from '../../worker/settings.js'
import { type Talk, weirHere } from '../support/command.js'
import { click } from '../support/consent.js'
import { type Database, freshDatabase } from '../support/postgres.js'
import { makeProject, type Project } from '../support/project.js'
import { type Running, withWorker } from '../support/workflows.js'

const key = Buffer.alloc(32, 7).toString('base64')
const browser = fileURLToPath(new URL('../support/browser.mjs', import.meta.url))
/** Commands wait for workers, and the machine may have others to serve. */
const patience = 180_000
vi.setConfig({ testTimeout: patience, hookTimeout: patience })

/** Of connections, which are their syncs, too: their workflows share a server with other tests. */
const tag = randomUUID().slice(0, 8)
type VendorName = 'klaviyo' | 'hubspot' | 'google_ads' | 'meta' | 'salesforce'
const vendors: Record<VendorName, { keys: string; stream: string; rotates: boolean; scope?: string }> = {
  klaviyo: {
    keys: `client_id: ${klaviyoOAuth.clientId}, client_secret: ${klaviyoOAuth.clientSecret}`,
    stream: 'lists',
    rotates: true,
    scope: 'lists:read',
  },
  hubspot: {
    keys: `client_id: ${hubspotOAuth.clientId}, client_secret: ${hubspotOAuth.clientSecret}`,
    stream: 'owners',
    rotates: true,
    scope: 'crm.objects.owners.read',
  },
  google_ads: {
    keys: `client_id: ${googleAdsOAuth.clientId}, client_secret: ${googleAdsOAuth.clientSecret}, login_customer_id: "5555555555"`,
    stream: 'labels',
    rotates: false,
    scope: 'https://www.googleapis.com/auth/adwords',
  },
  meta: {
    keys: `app_id: "${metaApp.clientId}", app_secret: ${metaApp.clientSecret}, ad_accounts: [${metaAdAccounts.join(', ')}]`,
    stream: 'ad_accounts',
    rotates: false,
    scope: 'ads_read',
  },
  salesforce: {
    keys: `client_id: ${salesforceOAuth.clientId}, client_secret: ${salesforceOAuth.clientSecret}`,
    stream: 'users',
    rotates: true,
    scope: 'refresh_token',
  },
}
const names = Object.keys(vendors) as VendorName[]
const secretsOfApps = [klaviyoOAuth, hubspotOAuth, googleAdsOAuth, metaApp, salesforceOAuth].map(({ clientSecret }) => clientSecret)

let sandbox: Sandbox
let database: Database
let project: Project
let deps: AlertDeps
let running: Running
let stop: () => Promise<void>

/** A worker of its own queue until it is stopped. */
async function startWorker(given: AlertDeps): Promise<{ running: Running; stop: () => Promise<void> }> {
  let end: () => void = () => undefined
  const until = new Promise<void>((resolve) => {
    end = resolve
  })
  return new Promise((resolve, reject) => {
    const whole = withWorker(createActivities(given), async (running) => {
      resolve({
        running,
        stop: async () => {
          end()
          await whole
        },
      })
      await until
    })
    whole.catch(reject)
  })
}
const settings = (more: Record<string, string> = {}) =>
  workerSettings({
    TEMPORAL_ADDRESS: inject('temporalAddress'),
    WAREHOUSE_URL: database.url,
    WEIR_PROJECT_DIR: project.folder,
    WEIR_RETRY_MS: '100',
    WEIR_LOG_LEVEL: 'debug',
    WEIR_HEARTBEAT_MS: '2000',
    ...more,
  })

beforeAll(async () => {
  sandbox = await startSandbox({ people: 60, limits: 'off' })
  database = await freshDatabase()
  const connections = names.map(
    (name) => `  ${name}_${tag}: { type: ${name}, base_url: "${sandbox.url}", budget: "off", ${vendors[name].keys} }`,
  )
  const syncs = names.map((name) => `  ${name}_${tag}: { from: ${name}_${tag}, schema: ${name}, streams: { ${vendors[name].stream}: {} } }`)
  project = await makeProject(`version: 1\nname: acme\nconnections:\n${connections.join('\n')}\nsyncs:\n${syncs.join('\n')}\n`)
  deps = { startSync: async () => {}, startPush: async () => ({ isStarted: true }), ...createDeps(settings({ WEIR_KEY: key })) }
  await deps.warehouse.migrate()
  ;({ running, stop } = await startWorker(deps))
})
afterAll(async () => {
  await stop?.()
  await deps?.close()
  await project?.remove()
  await database?.drop()
  await sandbox?.stop()
})

interface Person {
  without?: string[]
  decision?: 'allow' | 'deny'
  state?: string
  meanwhile?: string
}
/** Where the browser of the newest command writes down what it was shown. */
let out = ''
/** The real command, with a browser in which a person does what is said. */
async function weir(args: string[], person: Person = {}, talk: Talk = {}, queue = running.queue) {
  out = join(project.folder, `browser-${randomUUID()}.txt`)
  const ran = await weirHere(
    args.includes('--config') ? args : [...args, '--config', join(project.folder, 'weir.yaml')],
    {
      TEMPORAL_ADDRESS: inject('temporalAddress'),
      WAREHOUSE_URL: database.url,
      WEIR_TASK_QUEUE: queue,
      BROWSER: browser,
      WEIR_TEST_PERSON: JSON.stringify({ ...person, out }),
    },
    talk,
  )
  if (!args.includes('--print')) printed += ran.stdout + ran.stderr
  return ran
}
let printed = ''
const connection = (name: VendorName) => `${name}_${tag}`
const kept = (name: VendorName): Promise<StoredToken | undefined> => deps.warehouse.tokens.read(connection(name))
const forget = async (name: VendorName) => {
  await query('DELETE FROM _weir.credentials WHERE connection = $1', [connection(name)])
}
async function query<T extends pg.QueryResultRow>(sql: string, values: unknown[] = []): Promise<T[]> {
  const client = new pg.Client({ connectionString: database.url })
  await client.connect()
  try {
    return (await client.query<T>(sql, values)).rows
  } finally {
    await client.end()
  }
}
/** Where the browser ended, and what it was shown there: the command may end a moment before it has read that. */
const shown = () => vi.waitFor(() => readFile(out, 'utf8'), { timeout: patience })

describe.each(names)('a connection to %s', (name) => {
  const { stream, rotates, scope } = vendors[name]
  const secrets = new Set(secretsOfApps)

  it('says that it must be connected, before it is', async () => {
    for (const args of [
      ['check', connection(name)],
      ['sync', connection(name)],
    ]) {
      const { code, stdout, stderr } = await weir(args)
      expect([code, stdout + stderr]).toEqual([1, expect.stringContaining(`weir connect ${connection(name)}`)])
    }
    const { code, stderr } = await weir(['validate'])
    expect([code, stderr]).toEqual([0, expect.stringContaining(`weir connect ${connection(name)}`)])
  })

  it('keeps nothing when the person refuses, when a scope is missing, or when the code has ended', async () => {
    const cases: [Person, string][] = [
      [{ decision: 'deny' }, 'access_denied'],
      [{ without: [scope!] }, scope!],
      [{ meanwhile: `${sandbox.url}/_sandbox/access/${name}/expire-codes` }, `weir connect ${connection(name)}`],
    ]
    for (const [person, told] of cases) {
      const { code, stdout, stderr } = await weir(['connect', connection(name)], person)
      expect([code, stdout, stderr]).toEqual([1, '', expect.stringContaining(told)])
      expect(await shown()).toContain('It did not work')
      expect(await kept(name)).toBeUndefined()
      for (const code of codeOf(await shown())) secrets.add(code)
    }
  })

  it('is connected by a person’s consent, reads, and goes on with the tokens that it is given', async () => {
    const { code, stderr } = await weir(['connect', connection(name)])
    expect([code, stderr]).toEqual([0, expect.stringContaining('Open this address')])
    expect(await shown()).toMatch(/200 .*Done.*may be closed/s)
    const codes = codeOf(await shown())
    const first = (await kept(name))!
    expect(first.consentedTo).toBeDefined()
    const synced = await weir(['sync', connection(name)])
    expect([synced.code, synced.stderr]).toEqual([0, expect.anything()])
    const [row] = await query<{ n: number }>(`SELECT count(*)::int AS n FROM ${name}.${stream}`)
    expect(row!.n).toBeGreaterThan(0)
    const check = await weir(['check', connection(name)])
    expect(check.stdout).toMatch(/ok {3}credential: (refresh )?token by `weir connect` since 20/)

    if (name !== 'meta') {
      sandbox[name].access.expireTokens()
      expect((await weir(['sync', connection(name)])).code).toBe(0)
      const next = (await kept(name))!
      expect(next.accessToken).not.toBe(first.accessToken)
      expect(next.refreshToken === first.refreshToken).toBe(!rotates)
      expect([next.since, next.consentedTo]).toEqual([first.since, first.consentedTo])
      for (const one of [next.accessToken, next.refreshToken]) if (one) secrets.add(one)
    }
    for (const one of [first.accessToken, first.refreshToken, ...codes]) if (one) secrets.add(one)
  })

  it('leaves no secret in a table of Weir’s, a history, or what a command prints', async () => {
    expect(secrets.size).toBeGreaterThan(secretsOfApps.length + 3)
    const apps = new Set(secretsOfApps)
    const tables = await query<{ name: string }>("SELECT table_name AS name FROM information_schema.tables WHERE table_schema = '_weir'")
    // The sandbox's app secrets are literals of this project file, as the sandbox's may be; references stand there otherwise.
    const found = new Set<string>()
    for (const { name: table } of tables)
      for (const { row } of await query<{ row: string }>(`SELECT t::text AS row FROM _weir.${table} t`))
        for (const secret of secrets)
          if (row.includes(secret) && !(table === 'definitions' && apps.has(secret))) found.add(`${table}: ${secret}`)
    let histories = 0
    for await (const { workflowId, runId } of running.client.workflow.list({ query: `TaskQueue = '${running.queue}'` })) {
      const history = await running.client.workflow.getHandle(workflowId, runId).fetchHistory()
      histories++
      const bytes = Buffer.from(temporal.api.history.v1.History.encode(history).finish())
      for (const secret of secrets) if (bytes.includes(secret)) found.add(`${workflowId}: ${secret}`)
    }
    for (const secret of secrets) if (printed.includes(secret)) found.add(`printed: ${secret}`)
    expect(histories).toBeGreaterThan(5)
    expect([...found]).toEqual([])
  })
})

const codeOf = (text: string) => new URL(text.split('\n', 1)[0]!).searchParams.getAll('code')

describe('weir connect', () => {
  const name = 'klaviyo'

  it('turns away an answer with another state, and ends when nobody else comes in time', async () => {
    const before = await kept(name)
    const { code, stderr } = await weir(['connect', connection(name), '--wait', '3'], { state: 'of-another-try' })
    expect([code, stderr]).toEqual([1, expect.stringContaining('Nobody came back from the vendor')])
    expect(await shown()).toContain('400 ')
    expect(await kept(name)).toEqual(before)
  })

  it.each([
    ['the address that the browser was sent to', (back: URL) => back.href, 0, /is connected/],
    ['one of another try', (back: URL) => back.href.replace(/state=[^&]+/, 'state=another'), 2, /does not belong to this try/],
    ['the code alone', (back: URL) => back.searchParams.get('code')!, 2, /is no address/],
  ])('without a browser it takes %s', async (_, typed, code, told) => {
    const stdin = new PassThrough()
    let heard = ''
    const onNote = (text: string) => {
      heard += text
      const address = /^ {2}(http\S+)$/m.exec(heard)?.[1]
      if (address === undefined || !heard.includes('Paste the address')) return
      heard = ''
      void click(address).then((back) => stdin.end(`${typed(back)}\n`))
    }
    const ran = await weir(['connect', connection(name), '--no-browser'], {}, { stdin, onNote })
    expect([ran.code, ran.stdout + ran.stderr]).toEqual([code, expect.stringMatching(told)])
    expect(existsSync(out)).toBe(false)
  })

  it('prints the line for .env and keeps nothing, also where there is no WEIR_KEY; without --print that is refused before the person is asked', async () => {
    await forget(name)
    const keyless = { startSync: async () => {}, startPush: async () => ({ isStarted: true }), ...createDeps(settings()) }
    const other = await startWorker(keyless)
    try {
      const refused = await weir(['connect', connection(name)], {}, {}, other.running.queue)
      expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('WEIR_KEY is not set')])
      expect(existsSync(out)).toBe(false)
      const { code, stdout } = await weir(['connect', connection(name), '--print'], {}, {}, other.running.queue)
      expect(code).toBe(0)
      const [, variable, token] = /^(\w+)=(\S+)\n$/.exec(stdout)!
      expect(variable).toBe(`KLAVIYO_${tag}_REFRESH_TOKEN`.toUpperCase())
      expect(token).toBe(sandbox.klaviyo.access.currentRefreshToken())
      const rows = await query<{ row: string }>('SELECT h::text AS row FROM _weir.handovers h')
      expect(rows).toEqual([])
      expect(await query('SELECT FROM _weir.credentials WHERE connection = $1 AND sealed IS NOT NULL', [connection(name)])).toEqual([])
    } finally {
      await other.stop()
      await keyless.close()
    }
  })

  it('asks Google for audiences, too, where one goes out by the connection, and says so when that is not granted', async () => {
    const ads = `ads_${tag}`
    const sending = await makeProject(`version: 1
connections: { ${ads}: { type: google_ads, base_url: "${sandbox.url}", budget: "off", ${vendors.google_ads.keys} } }
syncs: { ${ads}: { from: ${ads}, streams: { labels: {} } } }
models: { vip: { sql: "SELECT id, email FROM crm.people", key: id } }
audiences:
  vip: { model: vip, identity: { email: email }, destinations: { ads: { connection: ${ads}, list: Best people, create: true, customer_id: "111-111-1111" } } }
`)
    const datamanager = 'https://www.googleapis.com/auth/datamanager'
    const config = ['--config', join(sending.folder, 'weir.yaml')]
    try {
      const refused = await weir(['connect', ads, ...config], { without: [datamanager] })
      expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining(`did not grant ${datamanager} (for audience/vip)`)])
      expect(await deps.warehouse.tokens.read(ads)).toBeUndefined()
      const { code, stderr } = await weir(['connect', ads, ...config])
      expect([code, stderr]).toEqual([0, expect.stringContaining(`Scopes: ${vendors.google_ads.scope}, ${datamanager}`)])
    } finally {
      await sending.remove()
    }
  })

  it('names what has no app to consent to, and what is no connection', async () => {
    const keyed = await makeProject(`version: 1
connections: { k: { type: klaviyo, base_url: "${sandbox.url}", api_key: pk_x } }
syncs: { k_${tag}: { from: k } }`)
    try {
      const env = { TEMPORAL_ADDRESS: inject('temporalAddress'), WAREHOUSE_URL: database.url, WEIR_TASK_QUEUE: running.queue }
      const config = ['--config', join(keyed.folder, 'weir.yaml')]
      const { code, stderr } = await weirHere(['connect', 'k', ...config], env)
      expect([code, stderr]).toEqual([2, expect.stringContaining('has no app that a person could consent to')])
      expect((await weirHere(['connect', 'nobody', ...config], env)).code).toBe(2)
    } finally {
      await keyed.remove()
    }
  })

  it('is sealed: another WEIR_KEY does not open it', async () => {
    expect((await weir(['connect', connection(name)])).code).toBe(0)
    const other = createWarehouse(database.url, { key: Buffer.alloc(32, 8).toString('base64') })
    await expect(other.tokens.read(connection(name))).rejects.toMatchObject({ reason: 'config' })
    await other.close()
  })
})
