import { describe, expect, test } from 'vitest'
import { loadVendors } from '../../../cli/vendors.js'
import { errorLine } from '../../../src/config/errors.js'
import { validateOffline } from '../../../src/config/project.js'
import { env, folderOf, now } from './project-of.js'

const vendors = await loadVendors()

/** An audience with these keys of its own, of its model and of `defaults`; lines are counted from here. */
async function read({ own = '', model = '', defaults = '' }: { own?: string; model?: string; defaults?: string }) {
  const file = `version: 1
defaults: { timezone: Europe/Berlin${defaults} }
connections: { k: { type: klaviyo, api_key: "\${KEY}" } }
syncs:
  crm: { from: k, streams: { profiles: {} } }
  shop: { from: k, schema: shop, streams: { events: {} } }
models:
  vip: { table: crm.people, key: id${model} }
  stopped: { table: crm.stopped, key: id, depends_on: [sync/shop/events] }
audiences:
  vip: { model: vip, identity: { email: email }, destinations: { mail: { connection: k, list: VIP } }${own} }
`
  const answer = await validateOffline({ dir: folderOf(file), vendors, env, now })
  if (!('project' in answer)) return { lines: answer.errors.map(errorLine) }
  const { audiences, pushes } = answer.project.manifest
  return { lines: [], audience: audiences.vip!, when: pushes.vip! }
}

describe('when an audience is pushed', () => {
  test('by hand, unless it says otherwise: a schedule of all syncs is none of an audience', async () => {
    expect((await read({ defaults: ', every: 15m' })).when).toEqual({ after: [] })
  })

  test.each([
    [', every: 6h', { schedule: { everyMs: 21_600_000 }, after: [] }],
    [
      ', schedule: { cron: "15 6 * * *", jitter: 3m, catch_up: 6h }',
      { schedule: { cron: '15 6 * * *', timezone: 'Europe/Berlin', jitterMs: 180_000, catchUpMs: 21_600_000 }, after: [] },
    ],
    [', schedule: { cron: "15 6 * * *", timezone: UTC }', { schedule: { cron: '15 6 * * *', timezone: 'UTC' }, after: [] }],
    [', after: [sync/crm, sync/shop]', { after: ['crm', 'shop'] }],
  ])('%s', async (own, when) => {
    expect(await read({ own })).toMatchObject({ lines: [], when })
  })

  test.each([
    [', every: 6h, after: [sync/crm]', /both "after" and "every" are given/],
    [', every: 6h, schedule: { cron: "1 1 * * *" }', /both "every" and "schedule" are given/],
    [', after: [sync/crn]', /no sync "crn".*"crm"/],
    [', after: [crm]', /expected a sync as "sync\/NAME", found "crm"/],
    [', schedule: { cron: "1 1 * *" }', /five fields/],
  ])('%s is refused', async (own, line) => {
    expect((await read({ own })).lines.join('\n')).toMatch(line)
  })
})

describe('what a model depends on, and what is checked of it', () => {
  test('is what its audience runs after, what its models name, each once', async () => {
    const own = ', after: [sync/crm], suppress: [{ model: stopped }], max_staleness: 24h'
    const { audience } = await read({ own, model: ', depends_on: [sync/crm/profiles, sync/shop/events]' })
    expect(audience!.dependsOn).toEqual([{ sync: 'crm' }, { sync: 'shop', stream: 'events' }])
    expect(audience!.maxStaleness).toEqual({ ageMs: 86_400_000, otherwise: 'hold' })
    const last = await read({ own: ', after: [sync/crm], max_staleness: { max: 2h, otherwise: use_last }' })
    expect(last.audience!.maxStaleness).toEqual({ ageMs: 7_200_000, otherwise: 'use_last' })
  })

  test('checks are those of tables, by the model’s columns', async () => {
    const { audience } = await read({
      model: ', quality: [{ unique: email, severity: block }, { row_count_change: { max: 30%, against: last } }]',
    })
    expect(audience!.model.quality).toEqual([
      { check: 'unique', columns: ['email'], severity: 'block' },
      { check: 'row_count_change', maxPercent: 30, against: 'last', severity: 'warn' },
    ])
  })

  test.each([
    [{ own: ', max_staleness: 24h' }, /nothing says what it depends on/],
    [{ own: ', after: [sync/crm], max_staleness: never' }, /expected a duration such as 24h/],
    [{ model: ', depends_on: [sync/crn]' }, /no sync "crn"/],
    [{ model: ', depends_on: [sync/crm/profile]' }, /reads no stream "profile".*"profiles"/],
    [{ model: ', depends_on: [crm.people]' }, /expected sync\/NAME or sync\/NAME\/STREAM/],
    [{ model: ', quality: [{ reconcile: { total: count } }]' }, /no total of a model/],
    [{ model: ', quality: [{ freshness: { max: 2d } }]' }, /no cursor to be fresh by/],
    [{ model: ', quality: [{ uniqe: email }]' }, /uniqe/],
  ])('%j is refused', async (given, line) => {
    expect((await read(given)).lines.join('\n')).toMatch(line)
  })
})
