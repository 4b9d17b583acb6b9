/** The paths of marketing: some have a dated form, forms and the v1 endpoints have none. */
import type { Reply, Request } from '../kit/http.js'
import type { EmailEvents } from './email-events.js'
import { invalid, notFound } from './errors.js'
import { showForms, submissionsOf } from './forms.js'
import { marketingCampaigns, marketingEmails } from './marketing.js'
import { names, readLimit } from './objects.js'
import type { HubspotStore } from './store.js'

type On = (method: string, paths: readonly string[], scopes: () => readonly string[], handle: (request: Request) => Reply) => void

export function addMarketing(
  on: On,
  dated: (path: string) => string[],
  { company }: HubspotStore,
  events: EmailEvents,
  now: () => number,
): void {
  const content = () => ['content']
  on('GET', ['/marketing/v3/emails', ...dated('/marketing/emails/:v')], content, (request) => {
    const { query } = request
    const bound = (name: string, standard: number) => (query.has(name) ? instantOf(query.get(name) as string) : standard)
    const after = bound('updatedAfter', Number.NEGATIVE_INFINITY)
    const before = bound('updatedBefore', Number.POSITIVE_INFINITY)
    const rows = marketingEmails(company.times, now(), query.get('includeStats') === 'true').filter(({ updatedAt }) => {
      const ms = Date.parse(String(updatedAt))
      return ms > after && ms < before
    })
    return page(request, rows, 100, 10, true)
  })
  on(
    'GET',
    ['/marketing/v3/campaigns', ...dated('/marketing/campaigns/:v')],
    () => ['marketing.campaigns.read'],
    (request) => page(request, marketingCampaigns(company.times, names(request, 'properties')), 100, 50, true),
  )
  const forms = () => ['forms']
  on('GET', ['/marketing/v3/forms'], forms, (request) =>
    page(request, showForms(company, names(request, 'formTypes').includes('all')), 100, 20, false),
  )
  on('GET', ['/form-integrations/v1/submissions/forms/:guid'], forms, (request) => {
    const rows = submissionsOf(company, request.params.guid ?? '')
    if (rows === undefined) throw notFound('Form not found.')
    return page(request, rows, 50, 20, false)
  })
  on('GET', ['/email/public/v1/events'], content, (request) => {
    const limit = readLimit(request, 1000, 10)
    const bound = (name: string, standard: number) => (request.query.has(name) ? Number(request.query.get(name)) : standard)
    const rows = events.within(bound('startTimestamp', 0), bound('endTimestamp', Number.POSITIVE_INFINITY))
    const from = place(request.query.get('offset'))
    const shown = rows.slice(from, from + limit)
    const end = from + shown.length
    return { status: 200, body: { hasMore: end < rows.length, offset: token(end), events: shown } }
  })
}

function page(request: Request, rows: readonly unknown[], max: number, standard: number, hasTotal: boolean): Reply {
  const limit = readLimit(request, max, standard)
  const from = place(request.query.get('after'))
  const results = rows.slice(from, from + limit)
  const after = token(from + results.length)
  const isLast = from + results.length >= rows.length
  const paging = isLast ? {} : { paging: { next: { after, link: `${request.origin}${request.path}?after=${after}` } } }
  return { status: 200, body: { ...(hasTotal ? { total: rows.length } : {}), results, ...paging } }
}

/** Places as the vendor gives them: opaque. */
export const token = (at: number) => Buffer.from(String(at)).toString('base64url')

function place(given: string | null): number {
  const at = given === null || given === '' ? 0 : Number(Buffer.from(given, 'base64url').toString())
  if (!Number.isInteger(at) || at < 0) throw invalid('The offset is not valid.')
  return at
}

function instantOf(text: string): number {
  const ms = Date.parse(text)
  if (Number.isNaN(ms)) throw invalid(`Invalid date: ${text}`)
  return ms
}
