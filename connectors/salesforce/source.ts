import * as z from 'zod'
import type { Finding, Http, Rec, Stream } from '../../src/core/types.js'
import { type Connector, versionFinding } from '../../src/extract/connector.js'
import { type DeclaredStream, defineStreams } from '../../src/extract/define.js'
import { at, recordsAt } from '../../src/extract/paginate.js'
import { path, salesforce, settings } from './api.js'
import { destinations } from './audience.js'
import { consent } from './consent.js'
import { deletedDate, envelope, fieldsOf, withDeletion } from './fields.js'
import { changed, earliest, purged, smallestMs, total } from './records.js'

const minute = 60_000

/** From so many records on, a slice is read by a bulk job: five requests by REST, about as many as a job needs. */
const bulkFrom = 10_000

/** A first read goes by half years from the oldest record on, so that each slice has ends, and can be halved. */
const days = 180

interface Options {
  /** Users are deactivated, never deleted. */
  hasBin?: boolean
  isDefault?: boolean
  cursor?: string
  bulkFrom?: number
}

/**
 * An object of the org, with every field that the user may see. SystemModstamp moves with each change, deletion included, but not
 * with a formula's result. Long transactions show late: it stops five minutes short of now, and ten are read again.
 */
export function objectStream(object: string, description: string, options: Options = {}): DeclaredStream {
  const { hasBin = true, isDefault = true, cursor = 'SystemModstamp' } = options
  const reading = { object, cursor }
  return {
    description,
    key: ['Id'],
    fields: envelope(cursor, hasBin),
    discover: fieldsOf(object, cursor),
    total: total(reading, hasBin),
    mode: 'merge',
    modes: ['merge', 'append', 'replace', 'history'],
    isDefault,
    record: hasBin ? withDeletion(cursor) : (raw: Rec) => raw,
    // Salesforce cuts large tables by their ids itself, so pages come in no order of time.
    cursor: { field: cursor, ordered: false },
    ...(hasBin ? { deletedAt: deletedDate } : {}),
    passes: [
      {
        slicing: { by: 'time', days, lookbackMs: 10 * minute, lagMs: 5 * minute, first: 'whole', earliest: earliest(reading), smallestMs },
        read: changed(reading, options.bulkFrom ?? bulkFrom),
      },
      ...(hasBin
        ? [
            {
              name: 'purged',
              seesDeletions: true,
              slicing: { by: 'time', lookbackMs: 10 * minute, lagMs: 5 * minute, first: 'skip', smallestMs } as const,
              read: purged(reading),
            },
          ]
        : []),
    ],
  }
}

const objects: Readonly<Record<string, [object: string, description: string, options?: Options]>> = {
  accounts: ['Account', 'Companies, and persons where person accounts are on.'],
  contacts: ['Contact', 'People at accounts.'],
  leads: ['Lead', 'People not yet qualified; converted ones say what became of them.'],
  opportunities: ['Opportunity', 'Deals, with stage, amount and the campaign that brought them.'],
  opportunity_contact_roles: ['OpportunityContactRole', 'Who plays which part in an opportunity.'],
  opportunity_history: ['OpportunityHistory', 'Each change of an opportunity’s stage, amount or date.'],
  campaigns: ['Campaign', 'Campaigns, with cost and what they brought.'],
  campaign_members: ['CampaignMember', 'Which lead or contact is in which campaign, and whether they responded.'],
  campaign_member_statuses: ['CampaignMemberStatus', 'The statuses of each campaign’s members.'],
  tasks: ['Task', 'Calls, mails and to-dos, archived ones included.'],
  events: ['Event', 'Meetings, archived ones included.'],
  users: ['User', 'Users of the org, inactive ones included.', { hasBin: false }],
  cases: ['Case', 'Service cases.', { isDefault: false }],
}

/** All streams; a test may have them read by bulk jobs from fewer records on. */
export const streamsOf = (from: number = bulkFrom): Record<string, Stream> =>
  defineStreams(
    Object.fromEntries(
      Object.entries(objects).map(([name, [object, description, more]]) => [
        name,
        objectStream(object, description, { ...more, bulkFrom: from }),
      ]),
    ),
  )

/** An object that the user names, standard or custom. */
const custom = z.object({
  object: z
    .string()
    .regex(/^[A-Za-z]\w*$/, 'expected an object’s API name, such as Shipment__c')
    .meta({ description: 'API name of the object, such as Shipment__c.' }),
  cursor: z
    .string()
    .regex(/^[A-Za-z]\w*$/, 'expected a field’s API name')
    .optional()
    .meta({ description: 'The instant by which it is read, where SystemModstamp cannot be filtered: CreatedDate for what never changes.' }),
  deletable: z
    // A reference such as ${X} gives text.
    .union([z.boolean(), z.stringbool({ truthy: ['true'], falsy: ['false'] })], { error: 'expected true or false' })
    .optional()
    .meta({ description: 'Set false for an object without IsDeleted.' }),
})

function customStream(name: string, given: Rec): Stream {
  const { object, cursor, deletable = true } = custom.parse(given)
  return defineStreams({
    [name]: objectStream(object, `Records of ${object}.`, { hasBin: deletable, ...(cursor === undefined ? {} : { cursor }) }),
  })[name]!
}

/** A day's requests and jobs, as the org counts them. */
const quotas = { DailyApiRequests: 'API requests', DailyBulkV2QueryJobs: 'bulk query jobs' } as const
const scarce = 0.2

async function* check(http: Http): AsyncIterable<Finding> {
  const { body } = await http.request({ path: path(http, '/sobjects') })
  const seen = new Set(recordsAt('sobjects')(body).map(({ name }) => String(name)))
  yield { name: 'access', ok: true, message: `${seen.size} objects are open to Weir’s user` }
  yield versionFinding(salesforce, http, new Date())
  yield* limits(http)
  for (const [name, [object]] of Object.entries(objects)) {
    const ok = seen.has(object)
    yield {
      name: `object of ${name}`,
      ok,
      message: ok ? 'readable' : `${object} is not open to Weir’s user`,
      ...(ok ? {} : { hint: `Ask the org’s administrator for read access to ${object}, or leave ${name} out.` }),
    }
  }
}

async function* limits(http: Http): AsyncIterable<Finding> {
  const { body } = await http.request({ path: path(http, '/limits') })
  for (const [key, words] of Object.entries(quotas)) {
    const [most, left] = [Number(at(body, `${key}.Max`)), Number(at(body, `${key}.Remaining`))]
    if (!(most > 0)) continue
    const ok = left > most * scarce
    yield {
      name: words,
      ok,
      message: `${left} of ${most} left of 24 hours`,
      ...(ok
        ? {}
        : { hint: 'Below a fifth Weir rests, to leave the org’s other tools theirs. Sync less often, or ask for a higher limit.' }),
    }
  }
}

export const connector: Connector = {
  type: 'salesforce',
  title: 'Salesforce',
  settings,
  basics: ['client_id', 'client_secret'],
  custom,
  apiVersions: ['68.0', '67.0', '66.0', '65.0', '64.0', '63.0', '62.0'],
  api: salesforce,
  consent,
  source: { type: 'salesforce', streams: streamsOf(), custom: customStream, check },
  destinations,
}
