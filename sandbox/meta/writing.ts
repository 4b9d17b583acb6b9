/** Custom audiences written to: made, filled and emptied by batches of rows, and asked how an upload went. */
import type { Company } from '../company/company.js'
import type { Reply, Request } from '../kit/http.js'
import { type HeldList, heldList } from '../kit/pushed.js'
import type { Access } from './access.js'
import { type Account, accounts, audienceId } from './accounts.js'
import { audienceNodes } from './audiences.js'
import { page } from './edges.js'
import { invalidParameter, refuse, unknownNode } from './errors.js'
import { chosen, pick } from './fields.js'
import { Membership } from './membership.js'
import type { At, Json } from './nodes.js'
import { type Parameters, textOf } from './parameters.js'
import { judged, rowsOf } from './rows.js'
import { Sessions } from './sessions.js'
import type { MetaSwitches } from './switches.js'

const writers = ['ads_management']
const readers = ['ads_read', 'ads_management']
const sources = ['USER_PROVIDED_ONLY', 'PARTNER_PROVIDED_ONLY', 'BOTH_USER_AND_PARTNER_PROVIDED']
/** Of files, in an account. */
const most = 500
/** Fewer matched people than this are not delivered to; counts below a thousand are not told. */
const small = { delivered: 100, told: 1_000 }

interface Made {
  account: Account
  id: string
  name: string
  retentionDays: number
  createdMs: number
}

export class Writing {
  readonly sessions = new Sessions()
  private readonly made: Made[] = []
  private readonly memberships = new Map<string, Membership>()

  constructor(
    private readonly company: Company,
    private readonly access: Access,
    private readonly switches: MetaSwitches,
    private readonly at: (account: Account) => At,
  ) {}

  /** By an audience's id; kept from the first row on. */
  membership(id: string): Membership {
    const known = this.memberships.get(id) ?? new Membership(this.company.people)
    this.memberships.set(id, known)
    return known
  }

  held(): HeldList[] {
    return [...this.memberships].flatMap(([id, membership]) => {
      const found = this.find(id)
      return found ? [heldList('custom audience', String(found.node.name), membership.members().length, membership.pushed)] : []
    })
  }

  /** All audiences of an account: the seeded ones, and those made since. */
  nodes(at: At): Json[] {
    const nodes = [...audienceNodes(at), ...this.made.filter(({ account }) => account === at.account).map((one) => this.node(one, at))]
    return nodes.map((node) =>
      this.switches.flaggedAudiences.includes(String(node.id))
        ? { ...node, operation_status: { code: 471, description: 'Flagged for integrity' } }
        : node,
    )
  }

  find(id: string): { account: Account; node: Json } | undefined {
    for (const account of accounts) {
      const node = this.nodes(this.at(account)).find((one) => one.id === id)
      if (node) return { account, node }
    }
    return undefined
  }

  create(who: string, account: Account, parameters: Parameters): Reply {
    this.access.demand(who, writers)
    this.demandTerms()
    const name = textOf(parameters, 'name')
    if (name === undefined) throw invalidParameter('The parameter name is required')
    if (textOf(parameters, 'subtype') !== 'CUSTOM') throw invalidParameter('subtype must be CUSTOM')
    if (!sources.includes(textOf(parameters, 'customer_file_source') ?? ''))
      throw invalidParameter(`customer_file_source must be one of ${sources.join(', ')}`)
    const mine = this.made.filter((one) => one.account === account).length
    if (mine >= most) throw invalidParameter(`An ad account holds up to ${most} custom audiences of files`)
    const retentionDays = Number(textOf(parameters, 'retention_days') ?? 0)
    const id = audienceId(account, 50 + mine)
    this.made.push({ account, id, name, retentionDays, createdMs: this.at(account).nowMs })
    return { status: 200, body: { id } }
  }

  /** A call below an audience. `method=delete` makes a POST a removal. */
  answer(request: Request, parameters: Parameters, who: string, id: string, edge: string | undefined): Reply {
    const { account, node } = this.find(id) ?? gone(id)
    const method = request.method === 'POST' && textOf(parameters, 'method')?.toLowerCase() === 'delete' ? 'DELETE' : request.method
    if (edge === undefined && method === 'GET') {
      this.access.demand(who, readers)
      return { status: 200, body: pick(node, chosen('CustomAudience', textOf(parameters, 'fields'))) }
    }
    if (edge === 'sessions' && method === 'GET') {
      this.access.demand(who, readers)
      const asked = textOf(parameters, 'session_id')
      const sessions = this.sessions.of(id).filter((one) => asked === undefined || one.id === asked)
      return { status: 200, body: page(sessions as unknown as Json[], 1, shownSession, { request, parameters, cellsMax: most * most }) }
    }
    if (edge !== 'users' || method === 'GET')
      throw invalidParameter(`Tried accessing nonexisting field (${edge}) on node type (CustomAudience)`)
    this.access.demand(who, writers)
    this.demandTerms()
    if (node.subtype !== 'CUSTOM') throw invalidParameter(`Users cannot be added to or removed from an audience of subtype ${node.subtype}`)
    if ((node.operation_status as Json).code === 471)
      throw invalidParameter('This audience is flagged and cannot be edited', { subcode: 1_713_230 })
    return { status: 200, body: this.upload(parameters, account, id, method) }
  }

  /** What was received counts over the whole session. */
  private upload(parameters: Parameters, account: Account, id: string, method: string): Json {
    const rows = rowsOf(parameters)
    const { nowMs } = this.at(account)
    const entered = this.sessions.enter(account.id, id, parameters, nowMs)
    const session = entered?.session
    const membership = this.membership(id)
    const { valid, invalid, samples } = judged(entered?.isLate ? [] : rows, this.switches.invalidValues)
    if (method === 'DELETE') membership.remove(valid, nowMs)
    else membership.add(valid, nowMs)
    if (session && !entered.isLate) {
      session.received += rows.length
      session.invalid += invalid
      session.matched += membership.matches(valid)
    }
    return {
      audience_id: id,
      session_id: session?.id ?? '0',
      num_received: session?.received ?? rows.length,
      num_invalid_entries: invalid,
      invalid_entry_samples: samples,
    }
  }

  private demandTerms(): void {
    if (!this.switches.areTermsAccepted)
      throw refuse({ code: 200, subcode: 1_870_090, message: '(#200) The Custom Audience Terms have not been accepted', status: 403 })
  }

  private node({ account, id, name, retentionDays, createdMs }: Made, { nowMs }: At): Json {
    const matched = this.membership(id).sizeAt(nowMs)
    const seconds = Math.floor(createdMs / 1000)
    const isTold = matched >= small.told
    return {
      id,
      account_id: account.id,
      name,
      subtype: 'CUSTOM',
      approximate_count_lower_bound: isTold ? matched : -1,
      approximate_count_upper_bound: isTold ? Math.round(matched * 1.18) : -1,
      delivery_status:
        matched < small.delivered
          ? { code: 300, description: 'This audience is too small to use.' }
          : { code: 200, description: 'This audience is ready for use.' },
      operation_status: { code: 200, description: 'Normal' },
      data_source: { type: 'FILE_IMPORTED', sub_type: 'ANYTHING' },
      retention_days: retentionDays,
      time_created: seconds,
      time_updated: seconds,
      time_content_updated: seconds,
    }
  }
}

function gone(id: string): never {
  throw unknownNode(id)
}

/** Numbers are text here. */
const shownSession = ({ id, startedMs, endedMs, received, invalid, matched }: Json): Json => ({
  session_id: id,
  stage: endedMs === undefined ? 'RECEIVING' : 'FINISHED',
  progress: endedMs === undefined ? '0' : '100',
  num_received: String(received),
  num_matched: String(matched),
  num_invalid_entries: String(invalid),
  start_time: String(Math.floor(Number(startedMs) / 1000)),
  ...(endedMs === undefined ? {} : { end_time: String(Math.floor(Number(endedMs) / 1000)) }),
})
