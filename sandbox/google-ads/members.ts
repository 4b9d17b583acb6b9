/** Members added and removed by the Data Manager API: a request is taken or refused whole, and worked on later. */
import { jsonObject, type Reply, type Request } from '../kit/http.js'
import { none, Pushed } from '../kit/pushed.js'
import { denied, type Violation, violated } from './data-manager-errors.js'
import { addressName, type KnownPeople } from './known-people.js'
import type { UserList, UserLists } from './user-lists.js'

/** Limits of a request; statuses are kept for 50 days (proto comments of v1). */
const most = { members: 10_000, destinations: 10, identifiers: 10, keptMs: 50 * 86_400_000 }

export interface DataManagerSwitches {
  /** How often a request is asked for before it is worked on. */
  statusPolls: number
  /** Hashes whose members are refused once their request is worked on, and for which reason. */
  lateRefusals: ReadonlyMap<string, string>
  /** Who comes without consent is refused, as people of the European Economic Area may be. */
  needsConsent: boolean
}

interface Consent {
  adUserData?: string
  adPersonalization?: string
}
interface Member {
  names: string[]
  consent: Consent | undefined
  /** References of destinations; without them all. */
  to: string[] | undefined
}
interface Goal {
  given: Record<string, unknown>
  reference: string | undefined
  list: UserList
  answer?: Record<string, unknown>
}
interface Job {
  id: string
  kind: 'ingest' | 'remove' | 'removeAll'
  createdMs: number
  asked: number
  goals: Goal[]
  members: Member[]
  asOfMs?: number
  isDone: boolean
}

export interface MembersParts {
  lists: UserLists
  known: KnownPeople
  switches: DataManagerSwitches
  now: () => number
  /** May this user reach the account through that login? */
  reaches: (account: string, login: string | undefined) => boolean
}

export class Members {
  /** By a list's id, and there by identifier. */
  readonly pushed = new Pushed(none)
  /** In the order in which they came: later ones build on earlier ones. */
  private readonly jobs: Job[] = []
  private made = 0

  constructor(private readonly parts: MembersParts) {}

  take(kind: 'ingest' | 'remove', request: Request): Reply {
    const body = jsonObject(request) ?? {}
    const goals = this.goalsOf(body)
    if (kind === 'remove')
      for (const name of ['consent', 'termsOfService'])
        if (name in body) throw violated({ field: name, reason: 'INVALID_ARGUMENT', description: `Unknown name "${name}".` })
    const rows = Array.isArray(body.audienceMembers) ? (body.audienceMembers as Record<string, unknown>[]) : []
    const field = 'audience_members'
    if (rows.length === 0) throw violated({ field, reason: 'REQUIRED_FIELD_MISSING' })
    if (rows.length > most.members) throw violated({ field, reason: 'TOO_MANY_AUDIENCE_MEMBERS' })
    if (body.encoding !== 'HEX' && body.encoding !== 'BASE64') throw violated({ field: 'encoding', reason: 'REQUIRED_FIELD_MISSING' })
    const terms = (body.termsOfService as { customerMatchTermsOfServiceStatus?: unknown } | undefined)?.customerMatchTermsOfServiceStatus
    if (kind === 'ingest' && terms !== 'ACCEPTED') throw violated({ field: 'terms_of_service', reason: 'TERMS_AND_CONDITIONS_NOT_SIGNED' })
    const violations: Violation[] = []
    const members = rows.map((row, at) => memberOf(row, at, body, violations))
    if (violations.length > 0) throw violated(...violations)
    return this.queue(body, { kind, goals, members })
  }

  removeAll(request: Request): Reply {
    const body = jsonObject(request) ?? {}
    const goals = this.goalsOf(body)
    const asOfMs = body.removeAsOfTime === undefined ? this.parts.now() : Date.parse(String(body.removeAsOfTime))
    if (!(asOfMs <= this.parts.now())) throw violated({ field: 'remove_as_of_time', reason: 'INVALID_REMOVE_AS_OF_TIME' })
    return this.queue(body, { kind: 'removeAll', goals, members: [], asOfMs })
  }

  status({ query }: Request): Reply {
    const job = this.jobs.find(({ id }) => id === query.get('requestId'))
    if (job === undefined) throw violated({ field: 'request_id', reason: 'INVALID_REQUEST_ID' })
    if (this.parts.now() - job.createdMs > most.keptMs) throw violated({ field: 'request_id', reason: 'REQUEST_TOO_OLD' })
    if (++job.asked >= this.parts.switches.statusPolls)
      for (const one of this.jobs.slice(0, this.jobs.indexOf(job) + 1)) if (!one.isDone) this.work(one)
    return {
      status: 200,
      body: {
        requestStatusPerDestination: job.goals.map(({ given, answer }) => ({
          destination: given,
          ...(answer ?? { requestStatus: 'PROCESSING' }),
        })),
      },
    }
  }

  /** What a list holds now: identifiers whose membership has not ended. */
  held(list: UserList): string[] {
    return [...list.addedMs.keys()].filter((name) => this.isHeld(list, name))
  }

  private isHeld(list: UserList, name: string): boolean {
    const addedMs = list.addedMs.get(name)
    return addedMs !== undefined && this.parts.now() < addedMs + list.durationSeconds * 1000
  }

  private goalsOf(body: Record<string, unknown>): Goal[] {
    const given = Array.isArray(body.destinations) ? (body.destinations as Record<string, unknown>[]) : []
    if (given.length === 0) throw violated({ field: 'destinations', reason: 'REQUIRED_FIELD_MISSING' })
    if (given.length > most.destinations) throw violated({ field: 'destinations', reason: 'TOO_MANY_DESTINATIONS' })
    const goals = given.map((one, at) => this.goalOf(one, `destinations.destinations[${at}]`))
    const named = goals.flatMap(({ reference }) => reference ?? [])
    if (new Set(named).size < named.length) throw violated({ field: 'destinations', reason: 'DUPLICATE_DESTINATION_REFERENCE' })
    return goals
  }

  private goalOf(given: Record<string, unknown>, field: string): Goal {
    const account = given.operatingAccount as { accountType?: string; accountId?: unknown } | undefined
    const login = given.loginAccount as { accountId?: unknown } | undefined
    if (account?.accountType !== 'GOOGLE_ADS' || typeof account.accountId !== 'string')
      throw violated({ field: `${field}.operating_account`, reason: 'REQUIRED_FIELD_MISSING' })
    if (!this.parts.reaches(account.accountId, login === undefined ? undefined : String(login.accountId))) throw denied()
    const id = given.productDestinationId
    const list = typeof id === 'string' ? this.parts.lists.find(account.accountId, id) : undefined
    if (list === undefined) throw violated({ field: `${field}.product_destination_id`, reason: 'INVALID_USER_LIST_ID' })
    if (list.keyType !== 'CONTACT_ID') throw violated({ field: `${field}.product_destination_id`, reason: 'INVALID_USER_LIST_TYPE' })
    return { given, list, reference: typeof given.reference === 'string' ? given.reference : undefined }
  }

  private queue(body: Record<string, unknown>, job: Pick<Job, 'kind' | 'goals' | 'members' | 'asOfMs'>): Reply {
    const id = `sandbox-request-${++this.made}`
    if (body.validateOnly !== true) this.jobs.push({ ...job, id, createdMs: this.parts.now(), asked: 0, isDone: false })
    return { status: 200, body: { requestId: id } }
  }

  private work(job: Job): void {
    job.isDone = true
    for (const goal of job.goals) goal.answer = job.kind === 'removeAll' ? this.clear(goal.list, job.asOfMs ?? 0) : this.apply(job, goal)
  }

  private clear(list: UserList, asOfMs: number): Record<string, unknown> {
    for (const [name, addedMs] of list.addedMs) if (addedMs < asOfMs) this.drop(list, name)
    return { requestStatus: 'SUCCESS', removeAllAudienceMembersStatus: {} }
  }

  /** All that is told are counts: who was refused is not said, nor who was matched. */
  private apply({ kind, members }: Job, { list, reference }: Goal): Record<string, unknown> {
    const meant = members.filter(({ to }) => to === undefined || (reference !== undefined && to.includes(reference)))
    const refused = new Map<string, number>()
    let matched = 0
    for (const member of meant) {
      const reason = this.refusalOf(kind, member)
      if (reason !== undefined) {
        refused.set(reason, (refused.get(reason) ?? 0) + 1)
        continue
      }
      if (member.names.some((name) => this.parts.known.personBy(name) !== undefined)) matched++
      for (const name of member.names)
        if (kind === 'ingest') this.add(list, name)
        else this.drop(list, name)
    }
    const failed = [...refused.values()].reduce((sum, count) => sum + count, 0)
    const counts = {
      recordCount: String(meant.length),
      userIdentifierCount: String(meant.reduce((sum, { names }) => sum + names.length, 0)),
    }
    return {
      requestStatus: failed === 0 ? 'SUCCESS' : failed === meant.length ? 'FAILED' : 'PARTIAL_SUCCESS',
      ...(failed === 0
        ? {}
        : {
            errorInfo: {
              errorCounts: [...refused].map(([reason, count]) => ({
                recordCount: String(count),
                reason: `PROCESSING_ERROR_REASON_${reason}`,
              })),
            },
          }),
      ...(kind === 'ingest'
        ? { audienceMembersIngestionStatus: { userDataIngestionStatus: { ...counts, uploadMatchRateRange: range(matched, meant.length) } } }
        : { audienceMembersRemovalStatus: { userDataRemovalStatus: counts } }),
    }
  }

  private refusalOf(kind: Job['kind'], { names, consent }: Member): string | undefined {
    const { lateRefusals, needsConsent } = this.parts.switches
    const late = names.map((name) => lateRefusals.get(name.split(':')[1] ?? '')).find((reason) => reason !== undefined)
    if (late !== undefined || kind !== 'ingest') return late
    const stated = [consent?.adUserData, consent?.adPersonalization]
    if (stated.includes('CONSENT_DENIED')) return 'DENIED_CONSENT'
    return needsConsent && !stated.every((one) => one === 'CONSENT_GRANTED') ? 'NO_CONSENT' : undefined
  }

  private add(list: UserList, name: string): void {
    if (!this.isHeld(list, name)) this.pushed.count(list.id, name, 'added')
    list.addedMs.set(name, this.parts.now())
  }

  private drop(list: UserList, name: string): void {
    if (this.isHeld(list, name)) this.pushed.count(list.id, name, 'removed')
    list.addedMs.delete(name)
  }
}

function memberOf(row: Record<string, unknown>, at: number, body: Record<string, unknown>, violations: Violation[]): Member {
  const field = `audience_members.audience_members[${at}]`
  const inner = `${field}.user_data.user_identifiers`
  const given = (row.userData as { userIdentifiers?: unknown[] } | undefined)?.userIdentifiers
  const names: string[] = []
  if (!Array.isArray(given) || given.length === 0) violations.push({ field: inner, reason: 'REQUIRED_FIELD_MISSING' })
  else if (given.length > most.identifiers) violations.push({ field: inner, reason: 'TOO_MANY_USER_IDENTIFIERS' })
  else
    for (const one of given as Record<string, unknown>[]) {
      const { emailAddress, phoneNumber, address } = one
      const hash = (value: unknown, what: string) => hashOf(value, what, body.encoding, field, violations)
      if (emailAddress !== undefined) names.push(`email:${hash(emailAddress, 'Email')}`)
      else if (phoneNumber !== undefined) names.push(`phone:${hash(phoneNumber, 'Phone number')}`)
      else if (typeof address === 'object' && address !== null) {
        const { givenName, familyName, regionCode, postalCode } = address as Record<string, unknown>
        if ([givenName, familyName, regionCode, postalCode].some((part) => typeof part !== 'string' || part === ''))
          violations.push({ field: `${inner}.address`, reason: 'REQUIRED_FIELD_MISSING' })
        else names.push(addressName(hash(givenName, 'Given name'), hash(familyName, 'Family name'), String(regionCode), String(postalCode)))
      } else violations.push({ field: inner, reason: 'INVALID_AUDIENCE_MEMBER' })
    }
  return {
    names,
    consent: (row.consent ?? body.consent) as Consent | undefined,
    to: Array.isArray(row.destinationReferences) ? (row.destinationReferences as string[]) : undefined,
  }
}

function hashOf(value: unknown, what: string, encoding: unknown, field: string, violations: Violation[]): string {
  const text = String(value)
  const isHex = encoding === 'HEX'
  if (isHex ? !/^([0-9a-f]{2})+$/i.test(text) : !/^[A-Za-z0-9+/]+=*$/.test(text))
    violations.push({
      field: `${field}.user_data.user_identifiers`,
      description: `${what} is not ${isHex ? 'hex' : 'base64'} encoded.`,
      reason: isHex ? 'INVALID_HEX_ENCODING' : 'INVALID_BASE64_ENCODING',
    })
  const bytes = Buffer.from(text, isHex ? 'hex' : 'base64')
  if (bytes.length !== 32) violations.push({ field, reason: 'INVALID_SHA256_FORMAT' })
  return bytes.toString('hex')
}

/** Of all that was uploaded, how much was matched. */
function range(matched: number, all: number): string {
  const percent = (100 * matched) / Math.max(1, all)
  if (percent <= 20) return 'MATCH_RATE_RANGE_LESS_THAN_20'
  const low = percent <= 30 ? 20 : Math.ceil(percent / 10) * 10 - 9
  return `MATCH_RATE_RANGE_${low}_TO_${Math.ceil(percent / 10) * 10}`
}
