/** Meta's Marketing API in small: its reading side, reports at once and by job, and custom audiences that are written to. Facts and guesses are told apart in README.md. */
import type { Company } from './company/company.js'
import type { Drift } from './kit/drift.js'
import { answered, type Reply, type Request, type Vendor } from './kit/http.js'
import type { HeldList } from './kit/pushed.js'
import { Access, allScopes, metaApp, metaLimitedToken, metaToken } from './meta/access.js'
import { type Account, accounts } from './meta/accounts.js'
import { answerBatch } from './meta/batch.js'
import { listing, page, repeatPage } from './meta/edges.js'
import { graphError, invalidParameter, refuse, sessionExpired, tooLarge, unknownNode } from './meta/errors.js'
import { chosen, pick } from './meta/fields.js'
import { question, rowsOf } from './meta/insights.js'
import { Jobs } from './meta/jobs.js'
import { Limits, type MetaLimits, type Use } from './meta/limits.js'
import { type At, accountNode, type Json } from './meta/nodes.js'
import { debugToken, dialog, token } from './meta/oauth.js'
import { type Parameters, parametersOf, textOf } from './meta/parameters.js'
import { freshSwitches, type MetaSwitches } from './meta/switches.js'
import { accountOf, edges, type MetaTruth, truthOf } from './meta/truth.js'
import { Writing } from './meta/writing.js'
import { standIn } from './stand-in.js'

export interface Meta {
  vendor: Vendor
  access: Access
  switches: MetaSwitches
  truth: MetaTruth
  /** Audiences as they are written to. */
  writing: Writing
  held: () => HeldList[]
}

const served = ['v25.0', 'v26.0']
/** Their Marketing endpoints have expired; the last one on 2026-10-06. */
const expired = ['v19.0', 'v20.0', 'v21.0', 'v22.0', 'v23.0', 'v24.0']
const readers = allScopes.slice(0, 2)

export interface MetaOptions {
  /** Day before which there are no figures. */
  sinceMs: number | undefined
  /** Undefined counts no calls, and report jobs are done at once. */
  limits: MetaLimits | undefined
}

export function createMeta(company: Company, drift: Drift, now: () => Date, { limits, sinceMs }: MetaOptions): Meta {
  const access = new Access()
  const switches = freshSwitches(limits === undefined ? 0 : 2)
  const budget = new Limits(limits, switches)
  const jobs = new Jobs(switches)
  const at = (account: Account): At => ({
    times: company.times,
    account,
    nowMs: now().getTime(),
    sinceMs: sinceMs ?? company.times.foundedMs,
  })
  const writing = new Writing(company, access, switches, at)
  const statusOf = (id: string) => switches.accountStatus[id] ?? 1

  /** A call, understood and answered; the version is already taken off the path. */
  function call(request: Request, steps: readonly string[], parameters: Parameters): Reply {
    const [node = '', edge] = steps
    if (steps.join('/') === 'oauth/access_token') return token(access, parameters)
    if (node === 'debug_token') return debugToken(access, parameters)
    if (parameters.has('ids'))
      throw refuse({
        code: 100,
        status: 500,
        message: 'The ids query parameter is deprecated in v26.0+. Use batch requests or individual node requests instead.',
      })
    if (parameters.has('date_format')) throw invalidParameter('The date_format query parameter is deprecated in v26.0+')
    const who = access.identify(request, parameters)
    const id = node.replace(/^act_/, '')
    const account = node.startsWith('act_') && !switches.goneAccounts.includes(id) ? accountOf(id) : undefined
    if (account) {
      const use: Use = edge === 'insights' ? 'ads_insights' : edge === 'customaudiences' ? 'custom_audience' : 'ads_management'
      const headers = budget.spend(id, use, request.method === 'POST')
      return { ...answered(() => ofAccount(request, parameters, { who, account, edge })), headers }
    }
    const written = writing.find(node)
    if (written && !switches.goneAccounts.includes(written.account.id)) {
      const headers = budget.spend(written.account.id, 'custom_audience', request.method !== 'GET')
      return { ...answered(() => writing.answer(request, parameters, who, node, edge)), headers }
    }
    const job = jobs.find(node, now().getTime())
    if (!job || job.token !== who) throw unknownNode(node)
    const headers = budget.spend(job.account.id, 'ads_insights', false)
    return { ...answered(() => ({ status: 200, body: ofJob(request, parameters, job, edge) })), headers }
  }

  function ofAccount(
    request: Request,
    parameters: Parameters,
    { who, account, edge }: { who: string; account: Account; edge: string | undefined },
  ): Reply {
    access.demand(who, readers)
    const here = at(account)
    const options = { request, parameters, cellsMax: switches.cellsMax }
    const fields = textOf(parameters, 'fields')
    if (edge === undefined) {
      const parts = chosen('AdAccount', fields)
      return { status: 200, body: pick(accountNode(here, statusOf(account.id)), parts) }
    }
    if (edge === 'insights') {
      const asked = question(parameters, here)
      if (request.method === 'POST') return { status: 200, body: jobs.submit(who, asked, here) }
      const rows = rowsOf(asked, here, true)
      if (rows.length > switches.rowsMax) throw tooLarge()
      return { status: 200, body: page(rows, asked.fields.length, (row) => row, options) }
    }
    if (edge === 'customaudiences' && request.method === 'POST') return writing.create(who, account, parameters)
    const known = edges[edge]
    if (!known || request.method !== 'GET') throw invalidParameter(`Tried accessing nonexisting field (${edge}) on node type (AdAccount)`)
    const nodes = (edge === 'customaudiences' ? writing.nodes(here) : known.nodes(here)).map((node) =>
      drift.apply('meta', edge, String(node.id), node),
    )
    return { status: 200, body: listing(known.type, edge === 'activities' ? between(nodes, parameters, here) : nodes, options) }
  }

  function ofJob(request: Request, parameters: Parameters, job: NonNullable<ReturnType<Jobs['find']>>, edge: string | undefined): Json {
    const fields = textOf(parameters, 'fields')
    if (edge === 'insights') {
      const columns = job.asked.fields.length
      return page(jobs.read(job), columns, (row) => row, { request, parameters, cellsMax: switches.cellsMax })
    }
    const parts = chosen('AdReportRun', fields)
    return pick(jobs.poll(job, now().getTime()), parts)
  }

  function handle(request: Request): Reply {
    const [, version = '', ...steps] = request.path.split('/')
    const headers = { date: now().toUTCString(), 'facebook-api-version': served.includes(version) ? version : 'v25.0' }
    const reply = answered(() => {
      const parameters = parametersOf(request)
      if (steps.join('/') === 'dialog/oauth') return dialog(access, request)
      if (steps.length === 0 && request.method === 'POST') return answerBatch(request, parameters, handle)
      if (!expired.includes(version)) return call(request, steps, parameters)
      const warning = { 'x-ad-api-version-warning': `The call has been auto-upgraded to v25.0 as ${version} has been deprecated.` }
      if (switches.oldVersions === 'fail')
        throw refuse({
          code: 2635,
          message: `(#2635) You are calling a deprecated version of the Ads API. Please update to the latest version: v26.0.`,
          headers: warning,
        })
      const upgraded = call(request, steps, parameters)
      return { ...upgraded, headers: { ...upgraded.headers, ...warning } }
    })
    return { ...reply, headers: { ...headers, ...reply.headers } }
  }

  const vendor: Vendor = {
    name: 'meta',
    roots: [...served, ...expired].map((version) => `/${version}`),
    handle,
    trouble(trouble, request) {
      if (trouble.kind === 'throttled')
        return budget.refusal(
          accounts[0]?.id ?? '',
          request.path.includes('insights') ? 'ads_insights' : 'ads_management',
          Math.ceil((Number(trouble.retryAfter) || 0) / 60),
        )
      if (trouble.kind === 'expired-token') return sessionExpired().reply
      if (trouble.kind === 'expired-cursor') return invalidParameter('Invalid cursors values').reply
      return graphError({ code: 2, status: trouble.status, message: 'Service temporarily unavailable', transient: true })
    },
    page: {
      records: (body) => (body as { data?: unknown[] } | undefined)?.data,
      repeat: repeatPage,
      moveNext(body, origin) {
        const paging = (body as { paging?: { next?: string } } | undefined)?.paging
        if (paging?.next !== undefined) paging.next = `${origin}/moved`
      },
    },
  }
  const reached = () => accounts.filter(({ id }) => !switches.goneAccounts.includes(id)).map(at)
  return {
    vendor,
    access,
    switches,
    writing,
    held: () => writing.held(),
    truth: {
      ...truthOf(reached, statusOf),
      custom_audiences: () => reached().flatMap((here) => writing.nodes(here)),
    },
  }
}

/** Activities of a range; without one, of the last week. */
function between(nodes: readonly Json[], parameters: Parameters, { nowMs }: At): Json[] {
  const since = Number(textOf(parameters, 'since') ?? nowMs / 1000 - 7 * 86_400)
  const until = Number(textOf(parameters, 'until') ?? nowMs / 1000)
  const atOf = (node: Json) => Date.parse(String(node.event_time)) / 1000
  return nodes.filter((node) => atOf(node) >= since && atOf(node) <= until)
}

/** As the settings of a connection name them. */
export const metaAdAccounts: readonly string[] = accounts.map(({ id }) => `act_${id}`)

export const metaStandIn = standIn({
  open: ({ company, drift, now, sinceMs }, limits: MetaLimits | undefined) => ({
    ...createMeta(company, drift, now, { sinceMs, limits }),
    token: metaToken,
    /** May read no ads. */
    limitedToken: metaLimitedToken,
    app: metaApp,
    adAccounts: metaAdAccounts,
    credentials: { token: metaToken, appSecret: metaApp.clientSecret, adAccounts: metaAdAccounts },
  }),
  connection: () => ({ access_token: metaToken, app_secret: metaApp.clientSecret, ad_accounts: metaAdAccounts }),
})
