/** The Data Manager API, v1, as far as audiences need it: user lists, members in and out, and how a request stands. */
import type { Company } from '../company/company.js'
import { answered, type Reply, type Request, type Router, type Trouble } from '../kit/http.js'
import type { Pushed } from '../kit/pushed.js'
import { FixedWindows } from '../kit/windows.js'
import { type Access, datamanager, reach } from './access.js'
import { denied, rpcError, violated } from './data-manager-errors.js'
import { expiredToken, Refused } from './errors.js'
import { KnownPeople } from './known-people.js'
import type { GoogleAdsLimits } from './limits.js'
import { type DataManagerSwitches, Members } from './members.js'
import { type UserList, UserLists } from './user-lists.js'

export interface DataManager {
  lists: UserLists
  known: KnownPeople
  /** How often each identifier was effectively added to and removed from a list, by calls of the API. */
  pushed: Pushed
  /** Identifiers that a list holds now: `email:…`, `phone:…`, `address:…`. */
  held: (list: UserList) => string[]
}

/** Of a Cloud project: uploads, and all else together. */
const quotas = {
  Ingestion: [
    { calls: 300, seconds: 60 },
    { calls: 100_000, seconds: 86_400 },
  ],
  Other: [
    { calls: 300, seconds: 60 },
    { calls: 50_000, seconds: 86_400 },
  ],
} as const

export interface DataManagerParts {
  company: Company
  access: Access
  limits: GoogleAdsLimits | undefined
  switches: DataManagerSwitches
  now: () => number
}

export function addDataManager(router: Router, { company, access, limits, switches, now }: DataManagerParts): DataManager {
  const lists = new UserLists()
  const known = new KnownPeople(company)
  const members = new Members({ lists, known, switches, now, reaches })
  const windows = { Ingestion: windowsOf('Ingestion', limits), Other: windowsOf('Other', limits) }

  const on = (pattern: string, quota: keyof typeof quotas, make: (request: Request) => Reply) =>
    router.on(pattern, (request) => {
      const who = access.identify(request, datamanager)
      if (!('project' in who)) return who
      const verdict = windows[quota]?.look(Date.now())
      if (verdict?.allowed === false) return exhausted(quota)
      windows[quota]?.spend()
      return answered(() => make(request))
    })
  on('POST /v1/audienceMembers:ingest', 'Ingestion', (request) => members.take('ingest', request))
  on('POST /v1/audienceMembers:remove', 'Ingestion', (request) => members.take('remove', request))
  on('POST /v1/audienceMembers:removeAll', 'Ingestion', (request) => members.removeAll(request))
  on('GET /v1/requestStatus:retrieve', 'Other', (request) => members.status(request))

  const path = '/v1/accountTypes/GOOGLE_ADS/accounts/:cid/userLists'
  /** These have no field for the account that one logs in through: a header names it. */
  const ofLists = (pattern: string, make: (account: string, request: Request) => Reply) =>
    on(pattern, 'Other', (request) => {
      const account = request.params.cid ?? ''
      const header = request.headers['login-account']
      const login = header === undefined ? undefined : /^accountTypes\/GOOGLE_ADS\/accounts\/(\d{10})$/.exec(String(header))?.[1]
      if ((header !== undefined && login === undefined) || !reaches(account, login)) throw denied()
      return make(account, request)
    })
  ofLists(`GET ${path}`, (account, request) => lists.page(account, request))
  ofLists(`POST ${path}`, (account, request) => lists.create(account, request))
  ofLists(`GET ${path}/:id`, (account, { params }) => lists.get(account, params.id ?? ''))
  ofLists(`PATCH ${path}/:id`, (account, request) => lists.update(account, request.params.id ?? '', request))
  ofLists(`DELETE ${path}/:id`, (account, { params }) => lists.delete(account, params.id ?? ''))

  return { lists, known, pushed: members.pushed, held: (list) => members.held(list) }
}

const windowsOf = (quota: keyof typeof quotas, limits: GoogleAdsLimits | undefined) =>
  limits === undefined ? undefined : new FixedWindows(quotas[quota], limits.scale)

/** Troubles as this API words them. */
export function dataManagerTrouble(trouble: Trouble): Reply {
  if (trouble.kind === 'throttled') return exhausted('Ingestion')
  if (trouble.kind === 'expired-token') return expiredToken()
  if (trouble.kind === 'expired-cursor') return violated({ field: 'page_token', reason: 'INVALID_PAGE_TOKEN' }).reply
  return rpcError(trouble.status, 'The service failed.')
}

const exhausted = (quota: keyof typeof quotas): Reply =>
  rpcError(429, 'Resource has been exhausted (e.g. check quota).', 'RESOURCE_EXHAUSTED', {
    quota_limit: `${quota}MutateRequestsPerMinutePerProject`,
  })

/** As the Ads API judges it; "not found" is a denial here. */
function reaches(account: string, login: string | undefined): boolean {
  try {
    reach(account, login)
    return true
  } catch (error) {
    if (error instanceof Refused) return false
    throw error
  }
}
