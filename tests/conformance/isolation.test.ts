import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { registry } from '../../connectors/registry.js'
import { type Sandbox, startSandbox } from '../../sandbox/serve.js'
import type { Keys, Opened } from '../../sandbox/stand-in.js'
import { asFailure, type Failure, reasons } from '../../src/core/failure.js'
import type { Http, Rec, Slice, Stream } from '../../src/core/types.js'
import type { Scope } from '../../src/http/scopes.js'
import { outages } from './outages.js'
import { fieldsOf, now, openAt, slicesOf } from './reading.js'

/** What a person at the vendor does fails what it touches and no more, and the failure says who must act. */
let sandbox: Sandbox
beforeEach(async () => {
  sandbox = await startSandbox({ people: 50, activitiesPerPerson: 2, now, limits: 'off', adsSince: new Date('2026-11-18') })
})
afterEach(() => sandbox.stop())

const handles = (type: string) => sandbox[type as keyof Sandbox['truth']] as { connection: Keys } & Opened

type Planned = readonly { stream: Stream; slices: readonly Slice[] }[]

async function plan(streams: readonly Stream[], open: () => Http): Promise<Planned> {
  const planned: { stream: Stream; slices: Slice[] }[] = []
  for (const stream of streams) {
    const http = open()
    const slices: Slice[] = []
    for (const pass of stream.passes) slices.push(...(await slicesOf(pass, http, Number.POSITIVE_INFINITY)))
    planned.push({ stream, slices })
  }
  return planned
}

/** Plans each stream anew and reads the first page of every slice: what fails, by `stream` or `stream/parent`. */
async function failing(planned: Planned, open: () => Http): Promise<Map<string, Failure>> {
  const failed = new Map<string, Failure>()
  for (const { stream, slices } of planned) {
    const http = open()
    const nameOf = ({ parent }: Slice) => (parent === undefined ? stream.name : `${stream.name}/${parent}`)
    try {
      const fields = await fieldsOf(stream, http)
      await plan([stream], () => http)
      for (const slice of slices) {
        const pass = stream.passes.find(({ name }) => name === slice.pass)!
        await pass
          .read({ http, slice, fields })
          [Symbol.asyncIterator]()
          .next()
          .catch((error: unknown) => failed.set(nameOf(slice), asFailure(error)))
      }
    } catch (error) {
      for (const slice of slices) failed.set(nameOf(slice), asFailure(error))
    }
  }
  return failed
}

const allNames = (planned: Planned) =>
  planned.flatMap(({ stream, slices }) => slices.map(({ parent }) => (parent === undefined ? stream.name : `${stream.name}/${parent}`)))

/** What a person is asked for although the sandbox reads without it: HubSpot does not say whether both sides of an association are looked at. */
const asksForBoth: Readonly<Record<string, RegExp>> = { hubspot: /_associations$/ }

const alternatives = (scope: Scope): readonly string[] => (typeof scope === 'string' ? [scope] : scope)

/** Every slice of every stream is asked for, twice. */
const timeout = 120_000

describe.each(Object.keys(registry))('%s', { timeout }, async (type) => {
  const connector = await registry[type]!()
  const { source, consent } = connector
  const streams = Object.values(source.streams)
  const open = (settings: Rec = {}) => openAt(sandbox.url, connector, { ...handles(type).connection, ...settings })

  it.each(outages[type]!.map((outage) => [outage.what, outage] as const))('%s stops only what it touches', async (_, outage) => {
    const { settings, custom = {}, strike, stops, reason, says = '' } = outage
    const own = Object.entries(custom).map(([name, keys]) => source.custom!(name, keys))
    const planned = await plan([...streams, ...own], () => open(settings))
    strike(sandbox)
    const failed = await failing(planned, () => open(settings))
    const touched = new Set(stops ? allNames(planned).filter((name) => stops.test(name)) : [])
    expect(touched.size > 0).toBe(stops !== undefined)
    expect(new Set(failed.keys())).toEqual(touched)
    for (const [name, failure] of failed) {
      expect(failure, name).toMatchObject({ reason })
      expect(failure.message, name).toContain(says)
      expect(reasons[failure.reason].who, name).toMatch(/^user/)
    }
  })

  it('a credential that was revoked stops all, and asks for another', async () => {
    const planned = await plan(streams, () => open())
    handles(type).access.revoke()
    const failed = await failing(planned, () => open())
    expect(new Set(failed.keys())).toEqual(new Set(allNames(planned)))
    expect(new Set([...failed.values()].map(({ reason }) => reason))).toEqual(new Set(['auth']))
  })

  const { always = [], ofStream } = consent ?? {}
  it.runIf(ofStream)('a missing scope stops the streams that need it, and no other', async () => {
    const needs = new Map(streams.map(({ name }) => [name, ofStream!(name, undefined)]))
    const every = [...new Map([...needs.values()].flat().map((scope) => [String(scope), scope])).values()]
    const planned = await plan(streams, () => open())
    for (const missing of every) {
      const without = alternatives(missing)
      handles(type).access.grant([...always, ...every].flatMap(alternatives).filter((scope) => !without.includes(scope)))
      const failed = await failing(planned, () => open())
      const touched = new Set([...failed.keys()].map((name) => name.split('/')[0]!))
      const needing = [...needs].filter(([, scopes]) => scopes.some((scope) => String(scope) === String(missing))).map(([name]) => name)
      expect(
        [...touched].filter((name) => !needing.includes(name)),
        `without ${missing}`,
      ).toEqual([])
      expect(
        needing.filter((name) => !touched.has(name) && !asksForBoth[type]?.test(name)),
        `without ${missing}`,
      ).toEqual([])
      for (const [name, { reason, message }] of failed) {
        expect(reason, name).toBe('permission')
        expect(message, name).toContain(without[0])
      }
    }
  })
})
