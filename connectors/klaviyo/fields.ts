import type { Fields, FieldType } from '../../src/core/types.js'
import { typed } from '../../src/extract/define.js'

/** Columns of each stream: Klaviyo's attributes at revision 2026-07-15, lifted to the top level beside `id`. */

const resource = (fields: Record<string, FieldType>): Fields => typed({ id: 'text', ...fields })

const person = {
  email: 'text',
  phone_number: 'text',
  external_id: 'text',
  first_name: 'text',
  last_name: 'text',
  organization: 'text',
  locale: 'text',
  title: 'text',
  image: 'text',
  created: 'timestamp',
  updated: 'timestamp',
  last_event_date: 'timestamp',
  // latitude and longitude in it are text for some profiles and numbers for others
  location: 'json',
  // free-form; keys keep their case, spaces and $
  properties: 'json',
} as const

/** A stream that is read by this field cannot go on when the vendor no longer sends it. */
const ordered = (fields: Fields, cursor: string): Fields => ({ ...fields, [cursor]: { ...fields[cursor]!, required: true } })

export const profile = ordered(
  resource({
    ...person,
    // consent, and suppressions with their reasons; "can receive" is true for people who never subscribed, too
    subscriptions: 'json',
  }),
  'updated',
)

export const event = ordered(
  resource({
    datetime: 'timestamp',
    // unix seconds
    timestamp: 'bigint',
    uuid: 'text',
    event_properties: 'json',
    profile_id: 'text',
    // may be missing since 2026-07-15: events whose metric is gone are given too. Names change; ids stay.
    metric_id: 'text',
    attributions: 'json',
  }),
  'datetime',
)

export const metric = resource({
  name: 'text',
  // with a space instead of a T for some accounts; still instants
  created: 'timestamp',
  updated: 'timestamp',
  integration: 'json',
})

export const list = resource({ name: 'text', created: 'timestamp', updated: 'timestamp', opt_in_process: 'text' })

export const segment = resource({
  name: 'text',
  definition: 'json',
  created: 'timestamp',
  updated: 'timestamp',
  is_active: 'boolean',
  is_processing: 'boolean',
  is_starred: 'boolean',
})

const member = (parent: string): Fields => ({
  [parent]: { type: 'text' },
  profile_id: { type: 'text' },
  // starts anew when a profile leaves and comes back
  joined_group_at: { type: 'timestamp' },
})
export const listMember = member('list_id')
export const segmentMember = member('segment_id')

export const campaign = resource({
  name: 'text',
  // words with spaces and colons, such as "Cancelled: No Recipients"
  status: 'text',
  archived: 'boolean',
  audiences: 'json',
  send_options: 'json',
  tracking_options: 'json',
  send_strategy: 'json',
  created_at: 'timestamp',
  scheduled_at: 'timestamp',
  updated_at: 'timestamp',
  send_time: 'timestamp',
})

export const flow = resource({
  name: 'text',
  status: 'text',
  archived: 'boolean',
  created: 'timestamp',
  updated: 'timestamp',
  trigger_type: 'text',
})

export const template = resource({
  name: 'text',
  editor_type: 'text',
  html: 'text',
  text: 'text',
  amp: 'text',
  created: 'timestamp',
  updated: 'timestamp',
})

export const campaignMessage = resource({
  campaign_id: 'text',
  // channel, label and content, whose members differ by channel
  definition: 'json',
  send_times: 'json',
  created_at: 'timestamp',
  updated_at: 'timestamp',
  template_id: 'text',
  image_id: 'text',
})

export const flowAction = resource({ flow_id: 'text', definition: 'json', created: 'timestamp', updated: 'timestamp' })

export const flowMessage = resource({
  flow_action_id: 'text',
  channel: 'text',
  definition: 'json',
  created: 'timestamp',
  updated: 'timestamp',
})

export const form = resource({ name: 'text', status: 'text', ab_test: 'boolean', created_at: 'timestamp', updated_at: 'timestamp' })

export const tag = resource({ name: 'text', tag_group_id: 'text' })

export const image = resource({
  name: 'text',
  image_url: 'text',
  format: 'text',
  size: 'bigint',
  hidden: 'boolean',
  updated_at: 'timestamp',
})

export const coupon = resource({ external_id: 'text', description: 'text', monitor_configuration: 'json' })

export const catalogItem = resource({
  external_id: 'text',
  title: 'text',
  description: 'text',
  price: 'numeric',
  url: 'text',
  image_full_url: 'text',
  image_thumbnail_url: 'text',
  images: 'json',
  custom_metadata: 'json',
  published: 'boolean',
  created: 'timestamp',
  updated: 'timestamp',
})
