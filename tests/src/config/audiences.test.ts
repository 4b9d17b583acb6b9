import { describe, expect, test } from 'vitest'
import type { Vendors } from '../../../src/config/vendors.js'
import { env, folderOf, projectOf, validated } from './project-of.js'
import { vendors as known } from './vendors.js'

const vendors: Vendors = {
  ...known,
  klaviyo: {
    ...known.klaviyo!,
    destinations: { list: { modes: ['mirror', 'add'], identifiers: ['email'], needs: [['email']], takesFields: false } },
  },
}

const file = (gates: string, create: string) => `version: 1
connections:
  klaviyo: { type: klaviyo, api_key: "\${KEY}" }
models:
  people: { table: crm.people, key: id }
audiences:
  vip:
    model: people
    identity: { email: email }
    gates: { ${gates} }
    destinations:
      there: { connection: klaviyo, list: L1, create: ${create} }
`

describe('numbers, true and false of an audience', () => {
  test('may come from references, as text', async () => {
    const given = { vendors, env: { ...env, MIN: '5', ADD: '100', REMOVE: '20%', CREATE: 'true' } }
    const { manifest } = await projectOf(file('min_size: "${MIN}", max_add: "${ADD}", max_remove: "${REMOVE}"', '"${CREATE}"'), given)
    expect(manifest.audiences.vip).toMatchObject({
      gates: { minSize: 5, maxAdd: { people: 100 }, maxRemove: { percent: 20 } },
      destinations: { there: { create: true } },
    })
  })

  test('are told by what they should be when the text is neither', async () => {
    const given = { vendors, env: { ...env, WRONG: 'perhaps' } }
    const { lines } = await validated(folderOf(file('max_add: "${WRONG}"', '"${WRONG}"')), given)
    expect(lines).toEqual([
      expect.stringContaining(
        'audiences.vip.gates.max_add: expected a share such as 20%, or a number of people, which the value of "${WRONG}"',
      ),
      expect.stringContaining('audiences.vip.destinations.there.create: expected true or false, which the value of "${WRONG}"'),
    ])
  })

  test('stand in the file as they are', async () => {
    const { manifest } = await projectOf(file('max_add: 100, max_remove: 0', 'false'), { vendors })
    expect(manifest.audiences.vip).toMatchObject({
      gates: { maxAdd: { people: 100 }, maxRemove: { people: 0 } },
      destinations: { there: { create: false } },
    })
  })
})
