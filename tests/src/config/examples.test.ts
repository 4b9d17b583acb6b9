import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import Ajv from 'ajv/dist/2020.js'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { loadVendors } from '../../../cli/vendors.js'
import { googleAdsOAuth, hubspotToken, klaviyoKey, metaApp, metaToken, salesforceToken } from '../../../sandbox/serve.js'
import { errorLine } from '../../../src/config/errors.js'
import { jsonSchema } from '../../../src/config/json-schema.js'
import { loadProject, validateOffline } from '../../../src/config/project.js'
import { vendors as fakes } from './vendors.js'

const root = join(import.meta.dirname, '../../..')
const folders = [
  'config',
  ...readdirSync(join(root, 'examples'), { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? [`examples/${entry.name}`] : [],
  ),
]
const env = { KLAVIYO_API_KEY: 'pk_x', HUBSPOT_ACCESS_TOKEN: 'pat-x', META_ACCESS_TOKEN: 'EAAB', META_APP_SECRET: 'x' }
// the fakes stand in for connectors that are not built yet
const vendors = { ...fakes, ...(await loadVendors()) }
const fits = new Ajv.default({ strict: false }).compile(jsonSchema(vendors))

describe.each(folders)('%s', (folder) => {
  test('is a valid project', async () => {
    const answer = await validateOffline({ file: join(root, folder, 'weir.yaml'), dir: root, vendors, env, now: new Date() })
    expect(answer.errors.map(errorLine)).toEqual([])
  })

  test('fits the schema for editors', () => {
    fits(parse(readFileSync(join(root, folder, 'weir.yaml'), 'utf8')))
    expect(fits.errors ?? []).toEqual([])
  })
})

test('the demo calls the sandbox with the keys that it knows, and nobody else with them', async () => {
  const demo = { file: join(root, 'config/weir.yaml'), dir: root, vendors, now: new Date() }
  const { connections } = await loadProject({ ...demo, env: {} })
  expect(new Set(Object.values(connections).map(({ baseUrl }) => baseUrl))).toEqual(new Set(['http://127.0.0.1:18790']))
  expect(connections).toMatchObject({
    klaviyo: { settings: { api_key: klaviyoKey } },
    hubspot: { settings: { access_token: hubspotToken } },
    google_ads: { settings: { client_secret: googleAdsOAuth.clientSecret, refresh_token: googleAdsOAuth.refreshToken } },
    meta: { settings: { access_token: metaToken, app_secret: metaApp.clientSecret } },
    salesforce: { settings: { access_token: salesforceToken } },
  })
  const elsewhere = await validateOffline({ ...demo, env: { SANDBOX_URL: 'https://a.example.com' } })
  expect(new Set(elsewhere.errors.map(({ message }) => message))).toEqual(new Set(['a secret stands in the file']))
  expect(elsewhere.errors.length).toBeGreaterThanOrEqual(Object.keys(connections).length)
})

test('the schema for editors refuses what the project refuses, and lets references stand anywhere', () => {
  const check = new Ajv.default({ strict: false }).compile(jsonSchema(fakes))
  const project = (connection: object, sync: object) => ({ version: 1, connections: { k: connection }, syncs: { k: sync } })
  const klaviyo = { type: 'klaviyo', api_key: '${KEY}' }
  expect(check(project(klaviyo, { from: 'k', concurrency: '${FEW}', streams: { events: null, profiles: { lookback: '1h' } } }))).toBe(true)
  expect(check(project({ ...klaviyo, access_token: 'x' }, { from: 'k' }))).toBe(false)
  expect(check(project({ type: 'klavio' }, { from: 'k' }))).toBe(false)
  expect(check(project(klaviyo, { from: 'k', concurrency: 99 }))).toBe(false)
  expect(check(project(klaviyo, { form: 'k' }))).toBe(false)
  expect(JSON.stringify(jsonSchema(fakes))).toContain('Private API key.')
})
