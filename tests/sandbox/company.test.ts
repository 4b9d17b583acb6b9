import { describe, expect, it } from 'vitest'
import { type Sandbox, type SandboxOptions, startSandbox } from '../../sandbox/serve.js'

const now = new Date('2026-11-20T12:00:00Z')
const later = new Date('2026-11-23T09:30:00Z')

async function within<T>(options: SandboxOptions, run: (sandbox: Sandbox) => T | Promise<T>): Promise<T> {
  const sandbox = await startSandbox({ people: 200, limits: 'off', ...options })
  try {
    return await run(sandbox)
  } finally {
    await sandbox.stop()
  }
}
const everything = ({ truth: { klaviyo, hubspot } }: Sandbox) => ({
  profiles: klaviyo.profiles(),
  events: klaviyo.events(),
  campaigns: klaviyo.campaigns(),
  members: klaviyo.lists().map(({ id }) => klaviyo.listMembers(id).map((member) => member.id)),
  contacts: hubspot.contacts(),
  deals: hubspot.deals(),
  tickets: hubspot.tickets(),
})

describe('the company', () => {
  it('is the same for the same seed and instant, however the clock got there', async () => {
    const straight = await within({ now: later }, everything)
    const turned = await within({ now }, (sandbox) => {
      sandbox.clock.advance(3_600_000)
      sandbox.clock.set(new Date('2026-11-21T00:00:00.001Z'))
      sandbox.clock.set(later)
      return everything(sandbox)
    })
    expect(turned).toEqual(straight)
    const other = await within({ now: later, seed: 2 }, everything)
    expect(other.profiles[0]?.attributes.email).not.toBe(straight.profiles[0]?.attributes.email)
  })

  it('grows with the clock: people, edits, activities (some late), archived contacts', async () => {
    await within({ now, people: 400 }, (sandbox) => {
      const before = everything(sandbox)
      sandbox.clock.advance(14 * 86_400_000)
      const after = everything(sandbox)
      expect(after.profiles.length).toBeGreaterThan(before.profiles.length)
      const known = new Map(before.contacts.map((contact) => [contact.id, contact]))
      const moved = after.contacts.filter(({ id, updatedAt }) => known.has(id) && known.get(id)!.updatedAt !== updatedAt)
      expect(moved.length).toBeGreaterThan(10)
      for (const { updatedAt } of moved) expect(updatedAt > now.toISOString()).toBe(true)
      expect(after.contacts.filter(({ archived }) => archived).length).toBeGreaterThan(
        before.contacts.filter(({ archived }) => archived).length,
      )
      const old = new Set(before.events.map(({ id }) => id))
      const fresh = after.events.filter(({ id }) => !old.has(id))
      expect(fresh.length).toBeGreaterThan(50)
      expect(fresh.some(({ attributes }) => Number(attributes.timestamp) * 1000 < now.getTime())).toBe(true)
    })
  })

  it('knows the same people under differing addresses', async () => {
    await within({ now }, ({ truth }) => {
      const emails = new Set(truth.klaviyo.profiles().map(({ attributes }) => attributes.email))
      const crm = truth.hubspot.contacts().flatMap(({ properties }) => properties.email ?? [])
      const bare = (email: string) => email.trim().toLowerCase().replace('+crm@', '@')
      const shared = crm.filter((email) => emails.has(bare(email)))
      expect(shared.length).toBeGreaterThan(100)
      expect(shared.filter((email) => !emails.has(email)).length).toBeGreaterThan(20)
      expect(emails.size).toBeGreaterThan(170)
    })
  })

  it('is untidy: odd keys, two types for one key, nulls, letters beyond ASCII, shared instants', async () => {
    await within({ now, people: 400 }, ({ truth }) => {
      const profiles = truth.klaviyo.profiles()
      const properties = profiles.map(({ attributes }) => attributes.properties as Record<string, unknown>)
      expect(new Set(properties.flatMap((one) => Object.keys(one)))).toEqual(
        expect.objectContaining(new Set(['$source', 'last.order.total', 'Größe', 'plan', 'Plan'])),
      )
      expect(new Set(properties.map(({ seats }) => typeof seats))).toEqual(new Set(['number', 'string']))
      expect(new Set(profiles.map(({ attributes }) => typeof (attributes.location as { latitude: unknown }).latitude))).toEqual(
        new Set(['number', 'string', 'object']),
      )
      expect(profiles.some(({ attributes }) => attributes.first_name === null)).toBe(true)
      const counts = new Map<unknown, number>()
      for (const { attributes } of profiles) counts.set(attributes.updated, (counts.get(attributes.updated) ?? 0) + 1)
      expect(Math.max(...counts.values())).toBeGreaterThan(8)
    })
  })

  it('never turns its clock back', async () => {
    await within({ now }, (sandbox) => {
      expect(() => sandbox.clock.set(new Date('2026-11-19T00:00:00Z'))).toThrow(RangeError)
      expect(() => sandbox.clock.advance(-1)).toThrow(RangeError)
      sandbox.clock.set(later)
      expect(sandbox.clock.now()).toEqual(later)
    })
  })

  it('follows a clock that is given as a function', async () => {
    let at = now
    await within({ now: () => at }, (sandbox) => {
      const before = sandbox.truth.klaviyo.events().length
      at = later
      expect(sandbox.truth.klaviyo.events().length).toBeGreaterThan(before)
    })
  })
})
