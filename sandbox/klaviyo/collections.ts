/** Klaviyo's collections, revision 2026-07-15: what each may be asked for, and how much. */
import type { Collection } from './collection.js'
import type { FieldRule, FieldValue, Operator } from './filter.js'
import type { EventRow, MemberRow, ProfileRow, ThingRow } from './rows.js'

export const all: readonly Operator[] = ['greater-than', 'greater-or-equal', 'less-than', 'less-or-equal']
export const text = (...operators: Operator[]): FieldRule => ({ type: 'text', operators })
export const date = (...operators: Operator[]): FieldRule => ({ type: 'datetime', operators })
const identifier = text('any', 'equals')
export const listOf = (...operators: Operator[]): FieldRule => ({ type: 'text', operators, listOnly: true })
export const flag: FieldRule = { type: 'boolean', operators: ['equals'] }
const suppression = 'subscriptions.email.marketing.suppression'

export const profileFields =
  'email phone_number external_id first_name last_name organization locale title image created updated last_event_date location properties'.split(
    ' ',
  )

export const profiles: Collection<ProfileRow> = {
  type: 'profile',
  tier: 'L',
  scopes: ['profiles:read'],
  page: { standard: 20, max: 100 },
  filters: {
    id: identifier,
    email: identifier,
    phone_number: identifier,
    external_id: identifier,
    _kx: text('equals'),
    // No or-equal here: whoever resumes from a date must ask from a second before.
    created: date('greater-than', 'less-than'),
    updated: date('greater-than', 'less-than'),
    [`${suppression}.reason`]: text('equals'),
    [`${suppression}.timestamp`]: date(...all),
    'subscriptions.email.marketing.list_suppressions.reason': text('equals'),
    'subscriptions.email.marketing.list_suppressions.timestamp': date(...all),
    'subscriptions.email.marketing.list_suppressions.list_id': text('equals'),
  },
  sorts: ['id', 'created', 'updated', 'email', `${suppression}.timestamp`],
  fields: profileFields,
  additional: { subscriptions: null, predictive_analytics: 'M' },
  includes: ['lists', 'segments', 'push-tokens', 'conversations'],
  unsortable: (field) => field === `${suppression}.timestamp`,
  value(row, field): FieldValue {
    switch (field) {
      case 'updated':
        return row.updatedMs
      case 'created':
        return row.createdMs
      case 'email':
        return row.email
      case 'phone_number':
        return row.phone
      case 'external_id':
        return row.externalId
      case `${suppression}.timestamp`:
        return row.suppressions.map(({ atMs }) => atMs)
      case `${suppression}.reason`:
        return row.suppressions.map(({ reason }) => reason)
      case 'id':
        return row.id
      default:
        return null
    }
  },
}

export const events: Collection<EventRow> = {
  type: 'event',
  tier: 'XL',
  scopes: ['events:read'],
  page: { standard: 200, max: 1000 },
  filters: {
    datetime: date(...all),
    timestamp: { type: 'number', operators: all },
    metric_id: text('equals'),
    profile_id: text('equals'),
    profile: { type: 'relation', operators: ['has'] },
    metric: { type: 'relation', operators: ['has'] },
  },
  sorts: ['datetime', 'timestamp'],
  fields: ['timestamp', 'datetime', 'uuid', 'event_properties'],
  includes: ['metric', 'profile', 'attributions'],
  value(row, field): FieldValue {
    switch (field) {
      case 'datetime':
        return row.atMs
      case 'timestamp':
        return row.atMs / 1000
      case 'metric_id':
        return row.metric
      case 'metric':
        return row.metric === '' ? null : row.metric
      case 'profile_id':
      case 'profile':
        return row.profile
      default:
        return row.id
    }
  },
}

/** The two kinds of dates: most resources say `updated`, campaigns `updated_at`. */
export function thing(row: ThingRow, field: string): FieldValue {
  switch (field) {
    case 'updated':
    case 'updated_at':
      return row.updatedMs
    case 'created':
    case 'created_at':
      return row.createdMs
    case 'id':
      return row.id
    case 'name':
      return row.name
    case 'messages.channel':
      return row.more.channel as string
    case 'builder':
      return 'wizard'
    case 'integration.name':
    case 'integration.category': {
      const { name, category } = row.more.integration as { name: string; category: unknown }
      return field === 'integration.name' ? name : typeof category === 'string' ? category : (category as { name: string }).name
    }
    default: {
      const value = row.more[field]
      return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null
    }
  }
}

export const metrics: Collection<ThingRow> = {
  type: 'metric',
  tier: 'M',
  scopes: ['metrics:read'],
  page: { fixed: 200 },
  filters: { 'integration.name': text('equals'), 'integration.category': text('equals') },
  sorts: [],
  fields: ['name', 'created', 'updated', 'integration'],
  includes: ['flow-triggers'],
  value: thing,
}

const later = date('greater-than')

export const lists: Collection<ThingRow> = {
  type: 'list',
  tier: 'L',
  scopes: ['lists:read'],
  page: { standard: 10, max: 10 },
  filters: { id: identifier, name: listOf('any', 'equals'), created: later, updated: later },
  sorts: ['created', 'id', 'name', 'updated'],
  fields: ['name', 'created', 'updated', 'opt_in_process'],
  includes: ['tags', 'flow-triggers'],
  value: thing,
}

export const segments: Collection<ThingRow> = {
  ...lists,
  type: 'segment',
  scopes: ['segments:read'],
  filters: { ...lists.filters, is_active: { type: 'boolean', operators: ['any', 'equals'] }, is_starred: flag },
  fields: ['name', 'definition', 'created', 'updated', 'is_active', 'is_processing', 'is_starred'],
}

export const full = date('equals', ...all)

export const campaigns: Collection<ThingRow> = {
  type: 'campaign',
  tier: 'M',
  scopes: ['campaigns:read'],
  page: { standard: 100, max: 100 },
  filters: {
    'messages.channel': text('equals'),
    id: listOf('any'),
    name: text('contains'),
    status: text('any', 'equals'),
    archived: flag,
    created_at: date(...all),
    scheduled_at: date(...all),
    updated_at: date(...all),
  },
  sorts: ['created_at', 'id', 'name', 'scheduled_at', 'updated_at'],
  fields: [
    'name',
    'status',
    'archived',
    'audiences',
    'send_options',
    'tracking_options',
    'send_strategy',
    'created_at',
    'scheduled_at',
    'updated_at',
    'send_time',
  ],
  includes: ['tags', 'campaign-messages'],
  mustFilter: {
    field: 'messages.channel',
    detail: "A channel filter is required to list campaigns: equals(messages.channel,'email'|'sms'|'mobile_push').",
  },
  value: thing,
}

/** From 2026-10-15 a campaign is a shell around other resources; channel, status and schedule are gone from it. */
export const campaignShells: Collection<ThingRow> = (({ mustFilter: _, ...rest }) => ({
  ...rest,
  filters: {
    id: listOf('any'),
    name: text('contains'),
    archived: flag,
    builder: text('equals'),
    created_at: date(...all),
    updated_at: date(...all),
  },
  sorts: ['created_at', 'id', 'name', 'updated_at'],
  fields: ['created_at', 'updated_at', 'definition'],
}))(campaigns)

export const flows: Collection<ThingRow> = {
  type: 'flow',
  tier: 'S',
  scopes: ['flows:read'],
  page: { standard: 50, max: 50 },
  filters: {
    id: listOf('any'),
    name: text('contains', 'ends-with' as Operator, 'equals', 'starts-with'),
    status: text('equals'),
    archived: flag,
    created: full,
    updated: full,
    trigger_type: text('equals'),
  },
  sorts: ['created', 'id', 'name', 'status', 'trigger_type', 'updated'],
  fields: ['name', 'status', 'archived', 'created', 'updated', 'trigger_type'],
  additional: { definition: null },
  includes: ['tags', 'flow-actions'],
  value: thing,
}

export const templates: Collection<ThingRow> = {
  type: 'template',
  tier: 'L',
  scopes: ['templates:read'],
  page: { standard: 10, max: 10 },
  filters: { id: listOf('any'), name: text('any', 'equals'), created: full, updated: full },
  sorts: ['created', 'id', 'name', 'updated'],
  fields: ['name', 'editor_type', 'html', 'text', 'amp', 'created', 'updated'],
  additional: { definition: null },
  value: thing,
}

/** Members of a list or segment. `find` gives the profile behind a member. `updated` cannot be asked for here. */
export function members(of: 'list' | 'segment', find: (id: string) => ProfileRow | undefined): Collection<MemberRow> {
  return {
    type: 'profile',
    tier: 'L',
    scopes: [`${of}s:read`, 'profiles:read'],
    page: { standard: 20, max: 100 },
    filters: {
      joined_group_at: date(...all),
      email: listOf('any', 'equals'),
      phone_number: listOf('any', 'equals'),
      push_token: listOf('any', 'equals'),
      _kx: text('equals'),
      ...(of === 'segment' ? { profile_id: listOf('any') } : {}),
    },
    sorts: ['joined_group_at'],
    fields: [...profileFields, 'joined_group_at'],
    additional: { subscriptions: null, predictive_analytics: 'M' },
    value(row, field): FieldValue {
      if (field === 'joined_group_at') return row.joinedMs
      if (field === 'profile_id' || field === 'id') return row.id
      const profile = find(row.id)
      return profile === undefined ? null : profiles.value(profile, field)
    },
  }
}
