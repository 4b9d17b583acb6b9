/** An audience driven without Temporal: a model in a real database, a destination in memory. */
import { createHmac } from 'node:crypto'
import type { Answer, AudienceDefinition, Destination, DestinationDefinition, Outgoing, Target } from '../../src/core/audience.js'
import { encoder } from '../../src/engine/audience/encode.js'
import { pushBatches } from '../../src/engine/audience/push-batch.js'
import { email, phone } from '../../src/identity/normalize.js'
import type { Prepared } from '../../src/warehouse/contract/audiences.js'
import type { Warehouse } from '../../src/warehouse/driver.js'
import { noHttp } from './fake-source.js'

export const audienceKey = 'a'.repeat(44)
export const mark = (text: string) => createHmac('sha256', 'test').update(text).digest('hex').slice(0, 32)

export const fakeAudience = (overrides: Partial<AudienceDefinition> = {}): AudienceDefinition => ({
  version: 1,
  project: 'test',
  audience: 'vip',
  model: { name: 'vip', sql: 'SELECT * FROM people', key: 'id' },
  identity: { email: 'email' },
  hashed: [],
  suppress: [],
  gates: { minSize: 1, otherwise: 'ask' },
  approval: { when: [], by: [], expiresMs: 3_600_000 },
  destinations: { there: fakeDestinationDefinition() },
  ...overrides,
})

export const fakeDestinationDefinition = (overrides: Partial<DestinationDefinition> = {}): DestinationDefinition => ({
  connection: { name: 'fake', type: 'fake', settings: {} },
  kind: 'list',
  target: 'vip',
  create: true,
  mode: 'mirror',
  map: {},
  settings: {},
  ...overrides,
})

export interface FakeDestination {
  destination: Destination
  /** Who is held, by identifier, with the fields sent last. */
  held: Map<string, unknown>
  calls: { action: 'add' | 'remove'; members: readonly Outgoing[] }[]
}

/** Takes people by e-mail and answers for each. @param answer may throw, or answer in the destination's place */
export function fakeDestination(
  overrides: Partial<Destination> = {},
  answer: (action: 'add' | 'remove', members: readonly Outgoing[]) => Answer | undefined = () => undefined,
): FakeDestination {
  const held = new Map<string, unknown>()
  const calls: FakeDestination['calls'] = []
  const call = async (action: 'add' | 'remove', members: readonly Outgoing[]) => {
    calls.push({ action, members })
    const given = answer(action, members) ?? { outcomes: [] }
    const refused = new Set(given.outcomes.flatMap((one) => ('refused' in one ? [one.ref] : [])))
    for (const { ref, identifiers, vendorId, fields } of members) {
      const who = identifiers.email ?? Buffer.from(vendorId!, 'hex').toString()
      if (refused.has(ref)) continue
      if (action === 'add') held.set(who, fields)
      else held.delete(who)
    }
    const ids = members
      .filter(({ ref }) => !refused.has(ref))
      .map(({ ref, identifiers }) => ({ ref, vendorId: Buffer.from(identifiers.email ?? '').toString('hex') }))
    return { ...given, outcomes: [...given.outcomes, ...(action === 'add' ? ids : [])] }
  }
  return {
    held,
    calls,
    destination: {
      kind: 'list',
      description: 'people in memory',
      modes: ['mirror', 'add', 'remove', 'upsert'],
      identifiers: { email: { normalize: email, hash: false }, phone: { normalize: phone, hash: false } },
      needs: [['email']],
      names: true,
      batch: 3,
      takesFields: true,
      open: async () => ({ id: '1', name: 'vip' }),
      add: (_http, _target, members) => call('add', members),
      remove: (_http, _target, members) => call('remove', members),
      ...overrides,
    },
  }
}

export interface Push {
  warehouse: Warehouse
  run: string
  definition?: AudienceDefinition
  fake: FakeDestination
  /** What the destinations stand for. */
  target?: Target
  isOwedOnly?: boolean
  /** Called before each batch. */
  before?: () => Promise<void>
}

export const encodeFor = (definition: AudienceDefinition, destination: Destination) => {
  const encoders = Object.fromEntries(
    Object.keys(definition.destinations).map((name) => [name, encoder(definition, name, destination, mark)]),
  )
  return (name: string, people: Parameters<(typeof encoders)[string]>[0]) => encoders[name]!(people)
}

const vip: Target = { id: '1', name: 'vip' }

export async function prepare({ warehouse, run, definition = fakeAudience(), fake, target = vip }: Push): Promise<Prepared> {
  const { audience } = definition
  await warehouse.audiences.begin({ run, audience, definition: 'none', kind: 'manual' })
  for (const name of Object.keys(definition.destinations)) await warehouse.audiences.target(run, name, target)
  const { renewAfterMs } = fake.destination
  return warehouse.audiences.prepare({
    run,
    definition,
    destinations: Object.fromEntries(Object.keys(definition.destinations).map((name) => [name, { renewAfterMs, canRemove: true }])),
    encode: encodeFor(definition, fake.destination),
    onProgress: () => undefined,
  })
}

/** Sends what is prepared, batch by batch. */
export async function send({
  warehouse,
  run,
  definition = fakeAudience(),
  fake,
  target = vip,
  isOwedOnly = false,
  before,
}: Push): Promise<void> {
  for (const name of Object.keys(definition.destinations)) {
    for (;;) {
      await before?.()
      const { members, askAgainMs } = await pushBatches({
        warehouse,
        http: noHttp(),
        definition,
        name,
        destination: fake.destination,
        target,
        run,
        isOwedOnly,
      })
      if (members === 0 && askAgainMs === undefined) break
    }
  }
}

export async function push(input: Push): Promise<Prepared> {
  const prepared = await prepare(input)
  await send(input)
  await input.warehouse.audiences.finish(input.run, 'completed')
  return prepared
}
