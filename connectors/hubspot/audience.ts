/**
 * HubSpot as a destination: records of an object, and manual lists of contacts. Membership is not consent: nothing here subscribes anybody.
 * Reference of 2026-09 and its guides, read 2026-11-23.
 */
import * as z from 'zod'
import { type Answer, type Destination, missingTarget, type Outgoing, refused, type Target, type Wanted } from '../../src/core/audience.js'
import { Failure } from '../../src/core/failure.js'
import type { Finding, Http, Rec } from '../../src/core/types.js'
import { email, plain } from '../../src/identity/normalize.js'
import { path } from './api.js'
import { type Mapped, mapped } from './mapping.js'
import { batched } from './records.js'
import { matchOf, upsert } from './upsert.js'

const people = {
  identifiers: { email: { normalize: email, hash: false }, external_id: { normalize: plain, hash: false } },
  needs: [['email'], ['external_id']],
  names: true,
  // Inputs of an upsert. Of memberships a call takes more: 100,000 is documented of its neighbours.
  batch: 100,
  takesFields: true,
} as const satisfies Partial<Destination>

const object: Destination = {
  ...people,
  kind: 'object',
  description: 'Records of an object (contacts, companies, a custom one), made or updated. None is ever archived.',
  modes: ['upsert'],
  open: async (http, wanted) => targetOf(wanted.target, wanted.target, await fitting(http, wanted.target, wanted)),
  check: (http, wanted) => checkMapping(http, wanted.target, wanted),
  add: async (http, target, members) => ({ outcomes: await upsert(http, howOf(target), members) }),
}

const list: Destination = {
  ...people,
  kind: 'list',
  description: 'A manual list of contacts: they are made or updated, and put on it. It grants no consent to marketing.',
  modes: ['mirror', 'add', 'remove'],
  open: openList,
  check: checkList,
  add: addToList,
  remove: removeFromList,
}

const keys = z.object({
  match: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Property that tells records apart: `email` (contacts), or one with unique values, which takes identity.external_id. Default for contacts: email.',
    ),
})

export const destinations = { object: { destination: object, keys }, list: { destination: list, keys } }

const targetOf = (id: string, name: string, how: Mapped): Target => ({ id, name, with: { ...how } })
const howOf = ({ with: how }: Target): Mapped => how as unknown as Mapped

/** @throws Failure `config` naming each field that does not fit */
async function fitting(http: Http, name: string, wanted: Wanted): Promise<Mapped> {
  const { how, problems } = await mapped(http, name, wanted)
  if (problems.length === 0) return how
  throw new Failure('config', `HubSpot's ${name} and the destination do not fit: ${problems.join('; ')}.`)
}

async function* checkMapping(http: Http, name: string, wanted: Wanted): AsyncIterable<Finding> {
  const { how, problems } = await mapped(http, name, wanted)
  for (const message of problems) yield { name: 'mapping', ok: false, message }
  if (problems.length === 0)
    yield { name: 'mapping', ok: true, message: `${Object.keys(wanted.map).length} fields of ${name}, told apart by ${how.match}` }
}

async function openList(http: Http, wanted: Wanted): Promise<Target> {
  const how = await fitting(http, 'contacts', wanted)
  const { target: name, create } = wanted
  const found = await findList(http, name)
  if (found) return targetOf(String(found.listId), String(found.name ?? name), how)
  if (!create) throw missingTarget(missing(name))
  const { status, body } = await http.request({
    method: 'POST',
    path: path(http, 'lists'),
    body: { name, objectTypeId: '0-1', processingType: 'MANUAL' },
    refusals: [400, 409],
  })
  // Refused as a duplicate: an attempt of which no answer came had made it.
  const made = status >= 400 ? await findList(http, name) : (body.list as Rec)
  if (!made) throw new Failure('config', `HubSpot made no list ${JSON.stringify(name)}: ${String(body.message ?? status)}`)
  return { ...targetOf(String(made.listId), name, how), isNew: true }
}

const missing = (name: string) => `HubSpot has no list ${JSON.stringify(name)} of contacts: create it there, or set "create: true".`

async function* checkList(http: Http, wanted: Wanted): AsyncIterable<Finding> {
  const found = await findList(http, wanted.target)
  const message = found ? `${String(found.name)} (${String(found.listId)})` : wanted.create ? 'it will be made' : missing(wanted.target)
  yield { name: 'list', ok: found !== undefined || wanted.create, message }
  yield* checkMapping(http, 'contacts', wanted)
}

/**
 * By exact name, else by id.
 * @throws Failure `config` for a list whose members are not ours to say
 */
async function findList(http: Http, target: string): Promise<Rec | undefined> {
  const tails = [`/object-type-id/0-1/name/${encodeURIComponent(target)}`, ...(/^\d+$/.test(target) ? [`/${target}`] : [])]
  for (const tail of tails) {
    const { status, body } = await http.request({ path: path(http, 'lists', tail), refusals: [404] })
    const found = status === 404 ? undefined : (body.list as Rec | undefined)
    if (!found || (found.deletedAt ?? null) !== null) continue
    if (found.processingType === 'DYNAMIC')
      throw new Failure('config', `HubSpot's list ${JSON.stringify(target)} is dynamic, its filters say who is on it: name a manual one.`)
    if (found.objectTypeId !== '0-1') throw new Failure('config', `HubSpot's list ${JSON.stringify(target)} holds no contacts.`)
    return found
  }
  return undefined
}

/** Lists take ids of records: contacts are written first. */
async function addToList(http: Http, target: Target, members: readonly Outgoing[]): Promise<Answer> {
  const outcomes = await upsert(http, howOf(target), members)
  const ids = outcomes.flatMap((one) => ('refused' in one || one.vendorId === undefined ? [] : [one.vendorId]))
  const unknown = new Set(await changeMembers(http, target, 'add', ids))
  const early = 'HubSpot wrote the contact, and its lists do not know it yet.'
  return {
    outcomes: outcomes.map((one) => ('vendorId' in one && unknown.has(one.vendorId ?? '') ? refused(one.ref, early) : one)),
  }
}

/** Who is not on it is no failure, nor is a contact that is gone. One that was merged lives on under another id, and leaves by that. */
async function removeFromList(http: Http, target: Target, members: readonly Outgoing[]): Promise<Answer> {
  const how = howOf(target)
  const values = members.flatMap((member) => (member.vendorId === undefined ? (matchOf(how, member) ?? []) : []))
  const looked = await idsOf(http, values, how.match)
  const known = members.flatMap(({ vendorId }) => vendorId ?? [])
  const gone = await changeMembers(http, target, 'remove', [...known, ...looked])
  const survivors = await idsOf(http, gone)
  await changeMembers(
    http,
    target,
    'remove',
    survivors.filter((id) => !gone.includes(id)),
  )
  return { outcomes: [] }
}

/** @returns ids that HubSpot does not know; those that change nothing are passed over in silence */
async function changeMembers(http: Http, { id }: Target, change: 'add' | 'remove', ids: readonly string[]): Promise<string[]> {
  if (ids.length === 0) return []
  const body = [...new Set(ids)]
  const answer = await http.request({ method: 'PUT', path: path(http, 'lists', `/${id}/memberships/${change}`), body })
  // Live answers leave an empty array out.
  return ((answer.body.recordIdsMissing ?? []) as unknown[]).map(String)
}

/** Ids of the contacts that have these values, or that these ids stand for. */
async function idsOf(http: Http, values: readonly string[], property?: string): Promise<string[]> {
  if (values.length === 0) return []
  const inputs = [...new Set(values)].map((id) => ({ id }))
  const found = await batched(http, 'contacts', inputs, property === undefined ? {} : { idProperty: property })
  return found.map(({ id }) => String(id))
}
