/** The names and kinds of the properties that each object has in this account. */
import { dealPipelines, ticketPipelines } from '../company/catalogue.js'
import { industries, interests, plans } from '../company/words.js'
import type { Kind } from './properties.js'
import type { TypeName } from './types.js'

export type Declared = readonly [name: string, kind: Kind, options?: readonly string[]]

const stamps: readonly Declared[] = [
  ['hs_createdate', 'stamp'],
  ['hs_lastmodifieddate', 'stamp'],
  ['hs_object_id', 'calculated'],
]
const activity: readonly Declared[] = [...stamps, ['hs_timestamp', 'datetime'], ['hubspot_owner_id', 'select']]
const good: readonly Declared[] = [
  ['name', 'string'],
  ['createdate', 'stamp'],
  ['hs_lastmodifieddate', 'stamp'],
  ['hs_object_id', 'calculated'],
]

/** The vendor's own. */
export const own: Record<TypeName, readonly Declared[]> = {
  contacts: [
    ['email', 'string'],
    ['firstname', 'string'],
    ['lastname', 'string'],
    ['phone', 'phone'],
    ['jobtitle', 'string'],
    ['company', 'string'],
    ['city', 'string'],
    ['country', 'string'],
    ['lifecyclestage', 'select', ['subscriber', 'lead', 'opportunity', 'customer']],
    ['hubspot_owner_id', 'select'],
    ['hs_email_optout', 'bool'],
    ['num_notes', 'number'],
    ['createdate', 'stamp'],
    ['lastmodifieddate', 'stamp'],
    ['hs_object_id', 'calculated'],
    ['associatedcompanyid', 'number'],
    ['total_revenue', 'calculated'],
    // Where the person came from; what the two details hold depends on the source.
    ['hs_analytics_source', 'select', ['PAID_SEARCH', 'PAID_SOCIAL', 'OTHER_CAMPAIGNS', 'ORGANIC_SEARCH', 'DIRECT_TRAFFIC']],
    ['hs_analytics_source_data_1', 'string'],
    ['hs_analytics_source_data_2', 'string'],
  ],
  companies: [
    ['name', 'string'],
    ['domain', 'string'],
    ['industry', 'select', industries],
    ['country', 'string'],
    ['numberofemployees', 'number'],
    ['hubspot_owner_id', 'select'],
    ['createdate', 'stamp'],
    ['hs_lastmodifieddate', 'stamp'],
    ['hs_object_id', 'calculated'],
    ['description', 'textarea'],
  ],
  deals: [
    ['dealname', 'string'],
    ['pipeline', 'select', dealPipelines.map(({ id }) => id)],
    ['dealstage', 'select', dealPipelines.flatMap(({ stages }) => stages.map(({ id }) => id))],
    ['amount', 'number'],
    ['amount_in_home_currency', 'calculated'],
    ['deal_currency_code', 'select', ['EUR', 'USD']],
    ['closedate', 'datetime'],
    ['hubspot_owner_id', 'select'],
    ['createdate', 'stamp'],
    ['hs_lastmodifieddate', 'stamp'],
    ['hs_object_id', 'calculated'],
    ['hs_is_closed_won', 'bool'],
  ],
  tickets: [
    ['subject', 'string'],
    ['content', 'textarea'],
    ['hs_pipeline', 'select', ticketPipelines.map(({ id }) => id)],
    ['hs_pipeline_stage', 'select', ticketPipelines.flatMap(({ stages }) => stages.map(({ id }) => id))],
    ['hs_ticket_priority', 'select', ['LOW', 'MEDIUM', 'HIGH']],
    ['hs_ticket_category', 'select', ['GENERAL_INQUIRY', 'PRODUCT_ISSUE']],
    ['hubspot_owner_id', 'select'],
    ['createdate', 'stamp'],
    ['hs_lastmodifieddate', 'stamp'],
    ['hs_object_id', 'calculated'],
  ],
  calls: [
    ...activity,
    ['hs_call_title', 'string'],
    ['hs_call_duration', 'number'],
    ['hs_call_direction', 'select', ['INBOUND', 'OUTBOUND']],
  ],
  emails: [
    ...activity,
    ['hs_email_subject', 'string'],
    ['hs_email_text', 'textarea'],
    ['hs_email_direction', 'select', ['EMAIL', 'INCOMING_EMAIL']],
    ['hs_email_status', 'select', ['SENT', 'BOUNCED']],
  ],
  meetings: [
    ...activity,
    ['hs_meeting_title', 'string'],
    ['hs_meeting_start_time', 'datetime'],
    ['hs_meeting_end_time', 'datetime'],
    ['hs_meeting_outcome', 'select', ['SCHEDULED', 'COMPLETED', 'NO_SHOW']],
  ],
  notes: [...activity, ['hs_note_body', 'textarea']],
  tasks: [
    ...activity,
    ['hs_task_subject', 'string'],
    ['hs_task_status', 'select', ['NOT_STARTED', 'COMPLETED']],
    ['hs_task_priority', 'select', ['LOW', 'MEDIUM', 'HIGH']],
  ],
  products: [...good, ['price', 'number'], ['hs_sku', 'unique'], ['description', 'textarea']],
  line_items: [...good, ['hs_product_id', 'number'], ['quantity', 'number'], ['price', 'number'], ['amount', 'calculated']],
  quotes: [
    ...stamps,
    ['hs_title', 'string'],
    ['hs_status', 'select', ['DRAFT', 'APPROVAL_NOT_NEEDED']],
    ['hs_expiration_date', 'date'],
    ['hs_quote_amount', 'calculated'],
    ['hs_currency', 'string'],
  ],
  p999_machines: stamps,
}

/** What this account has added. */
export const added: Partial<Record<TypeName, readonly Declared[]>> = {
  contacts: [
    ['external_id', 'unique'],
    ['plan', 'select', plans],
    ['seats', 'number'],
    ['opted_in', 'bool'],
    ['birthday', 'date'],
    ['interests', 'checkbox', interests],
    ['last_demo_at', 'datetime'],
    ['order', 'string'],
    ['legacy_kundennr_2', 'string'],
    ['n2024_survey_score', 'number'],
    ['utm_source', 'string'],
    ['utm_medium', 'string'],
    ['utm_campaign', 'string'],
  ],
  companies: [
    ['customer_tier', 'select', ['A', 'B', 'C']],
    ['contract_value', 'number'],
  ],
  deals: [
    ['source_campaign', 'string'],
    ['probability_note', 'textarea'],
  ],
  tickets: [['csat', 'number']],
  p999_machines: [
    ['serial', 'unique'],
    ['model', 'select', ['M1', 'M2', 'M2 “Turbo”']],
    ['installed_on', 'date'],
    ['service_cost', 'number'],
  ],
}
