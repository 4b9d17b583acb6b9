/**
 * Custom audiences as destinations. People are known by hashes; Meta counts those that it took and names, by their values, up to a hundred
 * that it refused. Marketing API, custom audiences and `/users`; models of the Python SDK 26.0.3; read 2026-11-23.
 */
import { randomBytes } from 'node:crypto'
import * as z from 'zod'
import {
  type Answer,
  type Destination,
  missingTarget,
  type Outcome,
  type Outgoing,
  refused,
  type Target,
  type Wanted,
} from '../../src/core/audience.js'
import { asFailure, Failure } from '../../src/core/failure.js'
import type { Http, Rec } from '../../src/core/types.js'
import { at } from '../../src/extract/paginate.js'
import { walk } from '../../src/extract/walk.js'
import { accountId, adAccounts, path } from './api.js'
import { columns, identifiers } from './identifiers.js'
import { pages, sparing } from './pages.js'

const keys = z.object({
  ad_account: accountId.optional().meta({ description: 'Ad account of the audience. Default: the connection’s, where it has one alone.' }),
  customer_file_source: z
    .enum(['USER_PROVIDED_ONLY', 'PARTNER_PROVIDED_ONLY', 'BOTH_USER_AND_PARTNER_PROVIDED'])
    .optional()
    .meta({ description: 'From whom the people of an audience that is made are known. Default: USER_PROVIDED_ONLY.' }),
})

const customAudience: Destination = {
  kind: 'custom_audience',
  description: 'A custom audience of a customer list: people are put in and taken out by hashes of what they are known by.',
  modes: ['mirror', 'add', 'remove'],
  identifiers,
  needs: [['email'], ['phone'], ['mobile_id']],
  names: false,
  // Rows of a call.
  batch: 10_000,
  open,
  add: (http, target, members) => upload(http, target, 'POST', members),
  remove: (http, target, members) => upload(http, target, 'DELETE', members),
}

export const destinations = { custom_audience: { destination: customAudience, keys } }

/** All audiences of the account are looked through: Meta does not say whether they can be asked for by name. */
async function open(http: Http, wanted: Wanted): Promise<Target> {
  const { target, create, settings } = wanted
  const account = await accountOf(http, settings.ad_account as string | undefined)
  // By id: a walk that starts over gives again what it gave.
  const found = new Map<unknown, Rec>()
  const request = {
    path: path(http, `act_${account}/customaudiences`),
    query: { fields: 'name,subtype,operation_status', limit: 100 },
    payer: account,
  }
  for await (const { records } of walk({ http: sparing(http), paginator: pages, requests: () => [request], resume: undefined }))
    for (const record of records) if (record.name === target || record.id === target) found.set(record.id, record)
  const shown = `${JSON.stringify(target)} in ad account act_${account}`
  if (found.size > 1) throw new Failure('config', `Meta has ${found.size} custom audiences ${shown}: name the one that is meant by its id.`)
  const [one] = found.values()
  if (one) {
    demandOpen(one, shown)
    return { id: String(one.id), name: String(one.name ?? target), with: { account } }
  }
  if (!create) throw missingTarget(`Meta has no custom audience ${shown}: create it there, or set "create: true".`)
  // Asked twice it would make two: who asks anew looks for it first.
  const made = await http.request({
    method: 'POST',
    path: path(http, `act_${account}/customaudiences`),
    body: { name: target, subtype: 'CUSTOM', customer_file_source: settings.customer_file_source ?? 'USER_PROVIDED_ONLY' },
    payer: account,
    once: true,
  })
  return { id: String(made.body.id), name: target, isNew: true, with: { account } }
}

async function accountOf(http: Http, chosen: string | undefined): Promise<string> {
  if (chosen !== undefined) return chosen.replace(/^act_/, '')
  const all: string[] = []
  for await (const id of adAccounts(http)) all.push(id)
  const [only] = all
  if (only !== undefined && all.length === 1) return only
  throw new Failure(
    'config',
    `The connection has ${all.length} ad accounts: say with "ad_account" of the destination in which of them the audience is.`,
  )
}

/** @throws Failure `config` for an audience that takes no people */
function demandOpen({ subtype, operation_status: status }: Rec, shown: string): void {
  if (subtype !== 'CUSTOM')
    throw new Failure(
      'config',
      `The audience ${shown} is of subtype ${String(subtype)}: people can be put into customer lists (CUSTOM) only.`,
    )
  if (Number(at(status, 'code')) === 471)
    throw new Failure(
      'config',
      `Meta has flagged the audience ${shown} and takes no change of it: look at it in Audiences, or name another.`,
    )
}

/**
 * One batch, in a session of its own: the same batch sent again after a crash is another session, and none is ever late. Of more refused
 * entries than are named, the rest is sent again without those that were: adding and removing are repeatable.
 */
async function upload(http: Http, target: Target, method: 'POST' | 'DELETE', members: readonly Outgoing[]): Promise<Answer> {
  const outcomes: Outcome[] = []
  for (let left = members; left.length > 0; ) {
    const { invalid, samples } = await send(http, target, method, left)
    const named = refusedOf(left, samples)
    outcomes.push(...named.values())
    left = invalid > named.size && named.size > 0 ? left.filter(({ ref }) => !named.has(ref)) : []
  }
  return { outcomes }
}

/** How many entries were refused, and those that are named: value → why. */
async function send(
  http: Http,
  { id, with: more }: Target,
  method: 'POST' | 'DELETE',
  members: readonly Outgoing[],
): Promise<{ invalid: number; samples: Readonly<Record<string, unknown>> }> {
  const used = columns.filter(([kind]) => members.some((member) => member.identifiers[kind] !== undefined))
  const payload = {
    schema: used.map(([, key]) => key),
    data: members.map((member) => used.map(([kind]) => member.identifiers[kind] ?? '')),
  }
  for (let again = false; ; again = true) {
    const session = { session_id: sessionId(), batch_seq: 1, last_batch_flag: true, estimated_num_total: members.length }
    try {
      const request = { method, path: path(http, `${id}/users`), body: { session, payload }, payer: String(at(more, 'account')) }
      const { body } = await http.request(request)
      // Of what comes late Meta takes nothing, without a word; sent in halves it gets sessions of its own.
      if (Number(body.num_received) < members.length)
        throw new Failure('permanent', `Meta received ${Number(body.num_received)} of ${members.length} entries and does not say which.`)
      return { invalid: Number(body.num_invalid_entries ?? 0), samples: samplesOf(body.invalid_entry_samples) }
    } catch (error) {
      // The client has repeated a request whose answer was lost, and its session is over.
      if (again || asFailure(error).where.code !== sessionOver) throw error
    }
  }
}

const sessionOver = '2650/1870159'

/** Positive and unique in the ad account. Of its 63 bits, those that a JSON number holds. */
const sessionId = () => Number(randomBytes(8).readBigUInt64BE() >> 11n) + 1

/** An empty map comes as a list. */
const samplesOf = (given: unknown): Readonly<Record<string, unknown>> =>
  typeof given === 'object' && given !== null && !Array.isArray(given) ? (given as Record<string, unknown>) : {}

/** Members by their refusals: an answer names values alone, which several may share. */
function refusedOf(members: readonly Outgoing[], samples: Readonly<Record<string, unknown>>): Map<string, Outcome> {
  const found = new Map<string, Outcome>()
  if (Object.keys(samples).length === 0) return found
  for (const { ref, identifiers: own } of members)
    for (const [kind, key] of columns) {
      const value = own[kind]
      if (value === undefined || !Object.hasOwn(samples, value)) continue
      const why = String(samples[value]).replaceAll(value, '…')
      found.set(ref, refused(ref, `Meta refused its ${key}: ${why}`))
      break
    }
  return found
}
