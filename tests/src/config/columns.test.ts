import { expect, test } from 'vitest'
import { head } from './broken/broken.js'
import { projectOf } from './project-of.js'

const hubspot = 'version: 1\nconnections:\n  hubspot: { type: hubspot, access_token: "${KEY}" }\n'

test('rules reach the streams that have such a field, and the innermost one counts', async () => {
  const { manifest } = await projectOf(`${head}defaults: { raw: keep, columns: { email: mask, "properties.ssn": drop } }
syncs:
  klaviyo:
    from: klaviyo
    columns: { email: { hash: sha256 } }
    streams:
      events: {}
      profiles: { raw: off, columns: { email: drop, id: hash } }
`)
  const { streams, columns } = manifest.syncs.klaviyo!
  expect(streams.events).toMatchObject({ raw: 'keep', columns: { email: 'hash', 'properties.ssn': 'drop' } })
  expect(streams.profiles?.columns).toEqual({ email: 'drop', 'properties.ssn': 'drop', id: 'hash' })
  expect(streams.profiles).not.toHaveProperty('raw')
  expect(columns).toEqual({ email: 'hash', 'properties.ssn': 'drop' })
  expect(manifest.notes).toEqual([])
})

test('a rule that a stream overrides is not held against it', async () => {
  const { manifest } = await projectOf(`${head}defaults: { columns: { id: mask } }
syncs:
  klaviyo: { from: klaviyo, streams: { events: { columns: { id: hash } } } }
`)
  expect(manifest.syncs.klaviyo?.streams.events?.columns).toEqual({ id: 'hash' })
})

test('a definition without rules says nothing of them', async () => {
  const { manifest } = await projectOf(`${head}syncs:\n  klaviyo: { from: klaviyo }\n`)
  expect(JSON.stringify(manifest.syncs.klaviyo)).not.toMatch(/columns|raw/)
})

test('a field that only the vendor can know is a note, and its rule is kept', async () => {
  const { manifest } = await projectOf(`${hubspot}syncs:\n  hubspot:\n    from: hubspot\n    columns: { ssn: drop }\n`)
  expect(manifest.syncs.hubspot?.streams.contacts?.columns).toEqual({ ssn: 'drop' })
  expect(manifest.notes).toEqual([
    'weir.yaml:7:16: whether there is a field "ssn" only the vendor knows: `weir discover CONNECTION --stream NAME` lists fields.',
  ])
})
