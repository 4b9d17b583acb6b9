import { shaped } from '../../connectors/salesforce/fields.js'
import type { Sandbox } from '../../sandbox/serve.js'
import type { Fields, Rec } from '../../src/core/types.js'

type Told = Record<string, () => Rec[]>

const sales = ['contacts', 'companies', 'deals', 'tickets'] as const

/** Which streams gather what the sandbox tells by parts: one list, one form, one kind of record at a time. */
const gathered: Record<string, Record<string, (sandbox: Sandbox) => unknown[]>> = {
  klaviyo: {
    list_members: ({ truth: { klaviyo: k } }) =>
      k.lists().flatMap(({ id }) => k.listMembers(id).map((member) => ({ ...member, list_id: id }))),
    segment_members: ({ truth: { klaviyo: k } }) =>
      k.segments().flatMap(({ id }) => k.segmentMembers(id).map((member) => ({ ...member, segment_id: id }))),
    campaign_messages: ({ truth: { klaviyo: k } }) =>
      k.campaign_messages().map((one) => ({ ...one, campaign_id: relatedId(one, 'campaign') })),
    flow_actions: ({ truth: { klaviyo: k } }) => k.flowActions().map((one) => ({ ...one, flow_id: relatedId(one, 'flow') })),
    flow_messages: ({ truth: { klaviyo: k } }) =>
      k.flowMessages().map((one) => ({ ...one, flow_action_id: relatedId(one, 'flow-action') })),
  },
  hubspot: {
    pipelines: ({ truth: { hubspot: h } }) =>
      (['deals', 'tickets'] as const).flatMap((objectType) => h.pipelines(objectType).map((one) => ({ ...one, objectType }))),
    list_memberships: ({ truth: { hubspot: h } }) =>
      h.lists().flatMap(({ listId }) => h.members(String(listId)).map((member) => ({ ...member, list_id: listId }))),
    form_submissions: ({ truth: { hubspot: h } }) =>
      h.forms().flatMap(({ id }) => h.submissions(String(id)).map((one) => ({ ...one, form_id: id }))),
    machines: ({ truth: { hubspot: h } }) => h.p999_machines(),
    deal_associations: ({ truth: { hubspot: h } }) => h.associations('deals', ['contacts', 'companies', 'line_items']),
    ticket_associations: ({ truth: { hubspot: h } }) => h.associations('tickets', ['contacts', 'companies', 'deals']),
    contact_associations: ({ truth: { hubspot: h } }) => h.associations('contacts', ['companies']),
    company_associations: ({ truth: { hubspot: h } }) => h.associations('companies', ['contacts']),
    engagement_associations: ({ truth: { hubspot: h } }) =>
      (['calls', 'emails', 'meetings', 'notes', 'tasks'] as const).flatMap((from) => h.associations(from, sales)),
    contact_history: ({ truth: { hubspot: h } }) => h.history('contacts'),
    company_history: ({ truth: { hubspot: h } }) => h.history('companies'),
    deal_history: ({ truth: { hubspot: h } }) => h.history('deals'),
    ticket_history: ({ truth: { hubspot: h } }) => h.history('tickets'),
  },
}

const relatedId = ({ relationships = {} }: { relationships?: Record<string, unknown> }, name: string) =>
  (relationships[name] as { data: { id: string } }).data.id

/**
 * What a stream holds at the vendor now, in the shape that its `record` takes.
 * @param fields as the table has them: one reader brings values into their form while it reads
 */
export function truthOf(sandbox: Sandbox, vendor: keyof Sandbox['truth'], stream: string, fields: Fields = {}): Rec[] {
  const parts = gathered[vendor]?.[stream]
  const told = (parts ? parts(sandbox) : (sandbox.truth[vendor] as unknown as Told)[stream]!()) as Rec[]
  return vendor === 'salesforce' ? told.map(shaped(fields)) : told
}
