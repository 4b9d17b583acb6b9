/** User lists, as the Data Manager API makes and shows them: two of each account, and those that are made. */
import { jsonObject, type Reply, type Request } from '../kit/http.js'
import { accounts } from './accounts.js'
import { notFound, violated } from './data-manager-errors.js'

const daySeconds = 86_400
/** Memberships last 540 days at most, and so long where nothing is said. */
const longestSeconds = 540 * daySeconds

export interface UserList {
  id: string
  account: string
  name: string
  status: 'OPEN' | 'CLOSED'
  durationSeconds: number
  /** Of lists that are filled by uploads. */
  keyType?: 'CONTACT_ID' | 'MOBILE_ID' | 'USER_ID'
  /** When each identifier was added last. */
  addedMs: Map<string, number>
}

const seeds = (account: string): UserList[] => [
  { id: '5100', account, name: 'All visitors', status: 'OPEN', durationSeconds: 30 * daySeconds, addedMs: new Map() },
  { id: '5101', account, name: 'High value', status: 'OPEN', durationSeconds: longestSeconds, keyType: 'CONTACT_ID', addedMs: new Map() },
]

export class UserLists {
  private readonly all: UserList[] = accounts.flatMap(({ id }) => seeds(id))
  private made = 0

  of(account: string): UserList[] {
    return this.all.filter((list) => list.account === account)
  }

  find(account: string, id: string): UserList | undefined {
    return this.all.find((list) => list.account === account && list.id === id)
  }

  /** Those that were made since the beginning, for the Ads API to show. */
  madeIn(account: string): UserList[] {
    return this.of(account).filter(({ id }) => id !== '5100' && id !== '5101')
  }

  page(account: string, { query }: Request): Reply {
    const filter = query.get('filter')
    const wanted = filter === null ? undefined : /^display_name = ("(?:[^"\\]|\\.)*")$/.exec(filter)?.[1]
    if (filter !== null && wanted === undefined)
      throw violated({ field: 'filter', reason: 'INVALID_FILTER', description: 'Invalid filter.' })
    const name = wanted === undefined ? undefined : (JSON.parse(wanted) as string)
    const found = this.of(account).filter((list) => name === undefined || list.name === name)
    const size = Math.min(1_000, Number(query.get('pageSize') || 50))
    const from = Number(query.get('pageToken') ?? 0)
    const next = from + size < found.length ? { nextPageToken: String(from + size) } : {}
    return { status: 200, body: { ...(found.length === 0 ? {} : { userLists: found.slice(from, from + size).map(shown) }), ...next } }
  }

  create(account: string, request: Request): Reply {
    const given = jsonObject(request) ?? {}
    const name = given.displayName
    if (typeof name !== 'string' || name === '') throw violated({ field: 'user_list.display_name', reason: 'REQUIRED_FIELD_MISSING' })
    if (this.of(account).some((list) => list.name === name))
      throw violated({ field: 'user_list.display_name', reason: 'DISPLAY_NAME_ALREADY_USED' })
    const durationSeconds = durationOf(given.membershipDuration)
    const types = (given.ingestedUserListInfo as { uploadKeyTypes?: unknown[] } | undefined)?.uploadKeyTypes ?? []
    if (types.length !== 1)
      throw violated({ field: 'user_list.ingested_user_list_info.upload_key_types', reason: 'REQUIRED_FIELD_MISSING' })
    const keyType = types[0] as NonNullable<UserList['keyType']>
    const list: UserList = {
      id: String(777_888_000 + ++this.made),
      account,
      name,
      status: 'OPEN',
      durationSeconds,
      keyType,
      addedMs: new Map(),
    }
    this.all.push(list)
    return { status: 200, body: shown(list) }
  }

  get(account: string, id: string): Reply {
    return { status: 200, body: shown(this.known(account, id)) }
  }

  update(account: string, id: string, request: Request): Reply {
    const list = this.known(account, id)
    const given = jsonObject(request) ?? {}
    const mask = (request.query.get('updateMask') ?? '').split(',')
    if (mask.includes('displayName')) list.name = String(given.displayName)
    if (mask.includes('membershipStatus')) list.status = given.membershipStatus === 'CLOSED' ? 'CLOSED' : 'OPEN'
    if (mask.includes('membershipDuration')) list.durationSeconds = durationOf(given.membershipDuration)
    return { status: 200, body: shown(list) }
  }

  delete(account: string, id: string): Reply {
    this.all.splice(this.all.indexOf(this.known(account, id)), 1)
    return { status: 200, body: {} }
  }

  private known(account: string, id: string): UserList {
    const list = this.find(account, id)
    if (list === undefined) throw notFound()
    return list
  }
}

function durationOf(given: unknown): number {
  if (given === undefined) return longestSeconds
  const seconds = Number(/^(\d+)s$/.exec(String(given))?.[1] ?? Number.NaN)
  const field = 'user_list.membership_duration'
  if (!(seconds % daySeconds === 0)) throw violated({ field, reason: 'INVALID_MEMBERSHIP_DURATION' })
  if (seconds > longestSeconds) throw violated({ field, reason: 'MEMBERSHIP_DURATION_TOO_LONG' })
  return seconds
}

const shown = ({ id, account, name, status, durationSeconds, keyType }: UserList) => ({
  name: `accountTypes/GOOGLE_ADS/accounts/${account}/userLists/${id}`,
  id,
  displayName: name,
  membershipStatus: status,
  membershipDuration: `${durationSeconds}s`,
  accessReason: 'OWNED',
  ...(keyType === undefined
    ? {}
    : {
        ingestedUserListInfo: {
          uploadKeyTypes: [keyType],
          ...(keyType === 'CONTACT_ID' ? { contactIdInfo: { dataSourceType: 'DATA_SOURCE_TYPE_FIRST_PARTY' } } : {}),
        },
      }),
})
