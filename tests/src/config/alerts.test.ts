import { describe, expect, test } from 'vitest'
import { alertKinds } from '../../../src/core/alerts.js'
import { projectOf } from './project-of.js'

const env = {
  KEY: 'pk_canary_1234567890',
  HOOK: 'https://hooks.example.com/5ecret?sig=5ecret',
  SLACK: 'https://hooks.slack.com/services/T/B/5ecret',
  SMTP: 'smtps://weir:pa55word@smtp.example.com',
  OPS: 'ops@example.com',
}
const yaml = (defaults: string, connection: string, sync: string) => `version: 1
defaults: ${defaults || '{}'}
connections:
  klaviyo: { type: klaviyo, api_key: "\${KEY}"${connection} }
syncs:
  klaviyo: { from: klaviyo${sync} }
`
const project = (defaults: string, connection = '', sync = '') => projectOf(yaml(defaults, connection, sync), { env })

test('targets are compiled with their defaults; what they refer to stays out', async () => {
  const { manifest, secrets } = await project(
    '{ alerts: [ { webhook: "${HOOK}" }, { slack: "${SLACK}", on: [stale, failed, stale], repeat: 1h, quota_wait: 2h, allow_private_hosts: true }, { email: { to: ["${OPS}", ana@example.com], from: weir@example.com, smtp: "${SMTP}" } } ] }',
  )
  const shared = { on: [...alertKinds], repeatMs: 86_400_000, quotaWaitMs: 1_800_000 }
  expect(manifest.syncs.klaviyo!.alerts).toEqual([
    { kind: 'webhook', url: '${HOOK}', ...shared },
    { kind: 'slack', url: '${SLACK}', on: ['stale', 'failed'], repeatMs: 3_600_000, quotaWaitMs: 7_200_000, allowPrivateHosts: true },
    { kind: 'email', smtp: '${SMTP}', from: 'weir@example.com', to: ['${OPS}', 'ana@example.com'], ...shared },
  ])
  expect(JSON.stringify(manifest)).not.toMatch(/5ecret|pa55word|ops@/)
  expect(secrets).toEqual(expect.arrayContaining([env.HOOK, env.SLACK, env.SMTP, env.OPS]))
})

describe('the list of the innermost layer counts, whole, and says where it stands', () => {
  const one = ', alerts: [ { webhook: "${HOOK}", on: [failed] } ]'
  const outer = '{ alerts: [ { slack: "${SLACK}" }, { webhook: "${HOOK}" } ] }'
  test.each([
    ['nobody', '', '', '', [], 'built-in'],
    ['defaults', outer, '', '', ['slack', 'webhook'], 'weir.yaml:2:21'],
    ['the connection', outer, one, '', ['webhook'], 'weir.yaml:4:56'],
    ['the sync', outer, one, ', alerts: []', [], 'weir.yaml:6:37'],
  ])('%s', async (_, defaults, connection, sync, kinds, origin) => {
    const { manifest } = await project(defaults, connection, sync)
    expect((manifest.syncs.klaviyo!.alerts ?? []).map(({ kind }) => kind)).toEqual(kinds)
    expect(manifest.origins.klaviyo!.alerts).toBe(origin)
  })
})

test('an address on this machine may stand in the file, and be plain', async () => {
  const { manifest } = await project(
    '{ alerts: [ { webhook: "http://127.0.0.1:8080/hook" }, { email: { to: [a@b.example], from: c@d.example, smtp: "smtp://localhost:2525" } } ] }',
  )
  expect(manifest.syncs.klaviyo!.alerts).toMatchObject([{ url: 'http://127.0.0.1:8080/hook' }, { smtp: 'smtp://localhost:2525' }])
})

test('a freshness cascades to the sync; a stream may have its own, or none', async () => {
  const { manifest } = await project(
    '{ freshness: { warn: 4h, fail: 12h } }',
    '',
    ', streams: { events: {}, profiles: { freshness: { fail: 2d } }, metrics: { freshness: off } }',
  )
  const { freshness, streams } = manifest.syncs.klaviyo!
  expect(freshness).toEqual({ warnMs: 14_400_000, failMs: 43_200_000 })
  expect(Object.values(streams).map((stream) => stream.freshness)).toEqual([undefined, { failMs: 172_800_000 }, 'off'])
  expect(manifest.origins.klaviyo).toMatchObject({
    freshness: 'weir.yaml:2:24',
    'streams.profiles.freshness': expect.stringMatching(/^weir.yaml:6:/),
  })
  expect((await project('{ freshness: { warn: 4h } }', '', ', freshness: off')).manifest.syncs.klaviyo!.freshness).toBeUndefined()
})
