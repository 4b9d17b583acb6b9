import type { Http, Rec } from '../../src/core/types.js'
import type { DeclaredStream } from '../../src/extract/define.js'
import { at, type Paginator } from '../../src/extract/paginate.js'
import { pages } from './api.js'
import { changed, flat, idsOf, related, whole } from './asking.js'
import * as fields from './fields.js'

/** What is sent and shown: campaigns, flows, their messages, templates, forms; and what an account keeps for them. */

const archivedOrNot = ['equals(archived,false)', 'equals(archived,true)']
const channels = ['email', 'sms', 'mobile_push']

const ofCampaigns = channels.flatMap((channel) => archivedOrNot.map((archived) => `equals(messages.channel,'${channel}'),${archived}`))

/**
 * Messages come beside their campaigns, a hundred at a time, and not one request each. To which campaign one belongs stands with the
 * campaign.
 */
const besideCampaigns: Paginator = {
  ...pages,
  records(body) {
    const owners = new Map<unknown, unknown>()
    for (const { id, relationships } of pages.records(body)) {
      const messages = at(relationships, 'campaign-messages.data')
      if (Array.isArray(messages)) for (const message of messages as Rec[]) owners.set(message.id, id)
    }
    const included = Array.isArray(body.included) ? (body.included as Rec[]) : []
    const messages = included.filter(({ type }) => type === 'campaign-message')
    return messages.map((raw) => ({ ...raw, campaign_id: owners.get(raw.id) ?? related(raw, 'campaign') }))
  },
}

const flowIds = idsOf(
  '/api/flows',
  'S',
  archivedOrNot.map((filter) => ({ filter })),
)

async function* actionIds(http: Http): AsyncIterable<string> {
  for await (const flow of flowIds(http)) yield* idsOf(`/api/flows/${flow}/flow-actions`, 'S')(http)
}

/** Parts of each flow or action: which change they follow is not said, so they are read whole. */
const partsOf = (
  parents: string,
  parts: string,
  ids: (http: Http) => AsyncIterable<string>,
  parentField: string,
  description: string,
  columns: typeof fields.flowAction,
  isDefault: boolean,
): DeclaredStream => ({
  description,
  isDefault,
  key: ['id'],
  fields: columns,
  mode: 'replace',
  modes: ['replace'],
  record: (raw) => ({ ...flat(raw), [parentField]: raw[parentField] }),
  passes: [
    {
      slicing: { by: 'parent', parents: ids },
      ask: ({ parent }) => ({ path: `/api/${parents}/${parent}/${parts}`, query: { 'page[size]': 50 }, budget: 'S' }),
      pages,
      parentField,
      mayBeGone: true,
    },
  ],
})

export const content = {
  campaigns: changed(
    '/api/campaigns',
    'Campaigns of every channel, archived ones included.',
    fields.campaign,
    'M',
    'updated_at',
    // The channel filter is mandatory, and without the other archived ones are left out.
    ofCampaigns,
  ),
  flows: changed('/api/flows', 'Flows, archived ones included.', fields.flow, 'S', 'updated', archivedOrNot),
  templates: changed('/api/templates', 'E-mail templates.', fields.template, 'L', 'updated'),
  campaign_messages: {
    description: 'Messages of campaigns: subject, sender, times of sending.',
    key: ['id'],
    fields: fields.campaignMessage,
    // Whether a changed message moves its campaign is not said.
    mode: 'replace',
    modes: ['replace', 'merge', 'history'],
    record: (raw) => ({
      ...flat(raw),
      campaign_id: raw.campaign_id,
      template_id: related(raw, 'template'),
      image_id: related(raw, 'image'),
    }),
    passes: [
      {
        slicing: { by: 'all' },
        ask: () =>
          ofCampaigns.map((terms) => ({
            path: '/api/campaigns',
            query: { filter: `and(${terms})`, include: 'campaign-messages' },
            budget: 'M',
          })),
        pages: besideCampaigns,
      },
    ],
  },
  flow_actions: partsOf('flows', 'flow-actions', flowIds, 'flow_id', 'What each flow does, step by step.', fields.flowAction, true),
  // A request for each action of each flow, 60 a minute.
  flow_messages: partsOf('flow-actions', 'flow-messages', actionIds, 'flow_action_id', 'Messages of flows.', fields.flowMessage, false),
  forms: changed('/api/forms', 'Sign-up forms.', fields.form, 'S', 'updated_at', [], 100),
  tags: whole('/api/tags', 'Tags.', fields.tag, 'S', { record: (raw) => ({ ...flat(raw), tag_group_id: related(raw, 'tag-group') }) }),
  images: changed('/api/images', 'Images of the library.', fields.image, 'M', 'updated_at', [], 100),
  coupons: whole('/api/coupons', 'Coupons; not their codes.', fields.coupon, 'L', { query: { 'page[size]': 100 } }),
  catalog_items: whole('/api/catalog-items', 'Goods of the catalogue.', fields.catalogItem, 'XL', { query: { 'page[size]': 100 } }),
} satisfies Record<string, DeclaredStream>
