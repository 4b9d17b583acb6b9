/** The user list that a destination means: found by id or exact name, made where that is asked for, checked for what it can hold. */
import { missingTarget, type Wanted } from '../../src/core/audience.js'
import { Failure } from '../../src/core/failure.js'
import { dayMs } from '../../src/core/slices.js'
import type { Http, Rec } from '../../src/core/types.js'
import { at } from '../../src/extract/paginate.js'
import { loginOf, reachOf } from './accounts.js'
import { durationMs } from './api.js'
import { ask, refusedWhole } from './data-manager.js'

/** An account, and the one through which it is reached. */
export interface Place {
  customer: string
  login: string
}
export interface UserList {
  id: string
  name: string
  isNew: boolean
  durationMs: number
  place: Place
}

const longestDays = 540

/** @throws Failure `config` where there is none that members can go to */
export async function openList(http: Http, { target, create, mode, settings }: Wanted): Promise<UserList> {
  const customer = await customerOf(http, settings.customer_id)
  const place = { customer, login: await loginOf(http, customer) }
  const found = (await byName(http, place, target)) ?? (await byId(http, place, target))
  if (!found && !create)
    throw missingTarget(
      `Google Ads account ${customer} has no user list ${JSON.stringify(target)}: create it there, or set "create: true".`,
    )
  const list = found ?? (await make(http, place, target, Number(settings.membership_days ?? longestDays)))
  const name = String(list.displayName ?? target)
  const types = at(list, 'ingestedUserListInfo.uploadKeyTypes')
  if (!Array.isArray(types) || !types.includes('CONTACT_ID'))
    throw new Failure(
      'config',
      `User list ${JSON.stringify(name)} takes no contact data, and what a list takes cannot be changed: name another.`,
    )
  if (list.membershipStatus === 'CLOSED' && mode !== 'remove')
    throw new Failure('config', `User list ${JSON.stringify(name)} is closed to new members: open it in Google Ads.`)
  return { id: String(list.id), name, isNew: !found, durationMs: durationMs(list.membershipDuration) ?? longestDays * dayMs, place }
}

/** The setting, or the only account that is no manager. */
async function customerOf(http: Http, given: unknown): Promise<string> {
  if (given !== undefined) return String(given).replaceAll('-', '')
  const only = (http.settings.customer_ids as readonly unknown[] | undefined) ?? []
  if (only.length === 1) return String(only[0]).replaceAll('-', '')
  const advertisers = (await reachOf(http)).accounts.filter(({ isManager }) => !isManager)
  if (advertisers.length === 1) return advertisers[0]!.id
  throw new Failure(
    'config',
    `The connection reaches ${advertisers.length} Google Ads accounts: set customer_id to the one that has the list${
      advertisers.length === 0
        ? ''
        : ` (${advertisers
            .map(({ id }) => id)
            .slice(0, 20)
            .join(', ')})`
    }.`,
  )
}

const pathOf = ({ customer }: Place) => `/v1/accountTypes/GOOGLE_ADS/accounts/${customer}/userLists`
/** These methods have no field for the account that one logs in through. */
const headersOf = ({ login }: Place) => ({ 'login-account': `accountTypes/GOOGLE_ADS/accounts/${login}` })

/** Names are unique in an account. */
async function byName(http: Http, place: Place, name: string): Promise<Rec | undefined> {
  for (let pageToken: string | undefined; ; ) {
    const query = { filter: `display_name = ${JSON.stringify(name)}`, pageSize: 1_000, pageToken }
    const answer = await ask(http, { path: pathOf(place), query, headers: headersOf(place), budget: 'user_lists' })
    if (answer.status === 400) throw refusedWhole(`GET ${pathOf(place)}`, answer)
    const found = ((answer.body.userLists ?? []) as Rec[]).find(({ displayName }) => displayName === name)
    if (found) return found
    if (!answer.body.nextPageToken) return undefined
    pageToken = String(answer.body.nextPageToken)
  }
}

async function byId(http: Http, place: Place, id: string): Promise<Rec | undefined> {
  if (!/^\d+$/.test(id)) return undefined
  const path = `${pathOf(place)}/${id}`
  const answer = await ask(http, { path, headers: headersOf(place), budget: 'user_lists', refusals: [400, 404] })
  if (answer.status === 400) throw refusedWhole(`GET ${path}`, answer)
  return answer.status === 404 ? undefined : answer.body
}

async function make(http: Http, place: Place, displayName: string, days: number): Promise<Rec> {
  const answer = await ask(http, {
    method: 'POST',
    path: pathOf(place),
    headers: headersOf(place),
    budget: 'user_lists',
    body: {
      displayName,
      membershipStatus: 'OPEN',
      membershipDuration: `${(days * dayMs) / 1_000}s`,
      ingestedUserListInfo: { uploadKeyTypes: ['CONTACT_ID'], contactIdInfo: { dataSourceType: 'DATA_SOURCE_TYPE_FIRST_PARTY' } },
    },
  })
  if (answer.status !== 400) return answer.body
  // An answer that was lost made it all the same.
  const made = await byName(http, place, displayName)
  if (!made) throw refusedWhole(`POST ${pathOf(place)}`, answer)
  return made
}
