/** Rows as Klaviyo's JSON:API shows them. */
import { place, roll, uuid } from '../company/dice.js'
import type { Times } from '../company/history.js'
import type { Drift } from '../kit/drift.js'
import type { Resource, View } from './collection.js'
import { eventProperties } from './event-properties.js'
import { type EventRow, iso, type MemberRow, type ProfileRow, type ThingRow } from './rows.js'

const dated = (ms: number | null | undefined) => (ms == null ? null : iso(ms))

export class Show {
  constructor(
    private readonly drift: Drift,
    private readonly times: Times,
  ) {}

  profile(row: ProfileRow, { request, additional, revision }: View, member?: MemberRow): Resource {
    const self = `${request.origin}/api/profiles/${row.id}`
    const attributes: Record<string, unknown> = {
      email: row.email,
      phone_number: row.phone,
      external_id: row.externalId,
      ...(revision < '2026-01-15' ? { anonymous_id: null } : {}),
      first_name: row.first,
      last_name: row.last,
      organization: row.organization,
      locale: row.locale,
      title: row.title,
      image: null,
      created: iso(row.createdMs),
      updated: iso(row.updatedMs),
      last_event_date: dated(row.lastEventMs),
      location: row.location,
      properties: row.properties,
      ...(additional.has('subscriptions') ? { subscriptions: subscriptions(row) } : {}),
      ...(additional.has('predictive_analytics') ? { predictive_analytics: analytics(row) } : {}),
      ...(member === undefined ? {} : { joined_group_at: iso(member.joinedMs) }),
    }
    const link = (name: string) => ({ links: { self: `${self}/relationships/${name}/`, related: `${self}/${name}/` } })
    return {
      type: 'profile',
      id: row.id,
      attributes: this.drift.apply('klaviyo', 'profile', row.id, attributes),
      relationships: { lists: link('lists'), segments: link('segments') },
      links: { self: `${self}/` },
    }
  }

  event(row: EventRow, { request }: View): Resource {
    const self = `${request.origin}/api/events/${row.id}`
    const link = (name: string) => ({ links: { self: `${self}/relationships/${name}/`, related: `${self}/${name}/` } })
    const attributes = {
      timestamp: row.atMs / 1000,
      datetime: iso(row.atMs),
      uuid: uuid(this.times.seed, place(row.id)),
      event_properties: eventProperties(this.times, row.activity),
    }
    return {
      type: 'event',
      id: row.id,
      attributes: this.drift.apply('klaviyo', 'event', row.id, attributes),
      relationships: {
        profile: { data: { type: 'profile', id: row.profile }, ...link('profile') },
        metric: row.metric === '' ? link('metric') : { data: { type: 'metric', id: row.metric }, ...link('metric') },
        attributions: { data: [] },
      },
      links: { self: `${self}/` },
    }
  }

  /** Metrics, lists, segments, flows and templates differ in their further attributes only. */
  thing(type: string, row: ThingRow, { request, additional }: View): Resource {
    // Some metrics carry a date with a blank for the `T`.
    const date = (ms: number) => (type === 'metric' && row.name.includes('Email') ? iso(ms).replace('T', ' ') : iso(ms))
    const definition = additional.has('definition') ? { definition: { version: 1 } } : {}
    const attributes = { name: row.name, ...row.more, ...definition, created: date(row.createdMs), updated: date(row.updatedMs) }
    return {
      type,
      id: row.id,
      attributes: this.drift.apply('klaviyo', type, row.id, attributes),
      links: { self: `${request.origin}/api/${type}s/${row.id}/` },
    }
  }

  campaign(row: ThingRow, { request, revision }: View): Resource {
    const { status, archived, channel, audience, message, send_time, scheduled_at } = row.more
    const dates = { created_at: iso(row.createdMs), updated_at: iso(row.updatedMs) }
    const attributes =
      revision >= '2026-10-15'
        ? {
            ...dates,
            definition: {
              name: row.name,
              builder: 'wizard',
              archived,
              color: null,
              description: null,
              send_settings: { send_time: dated(send_time as number | null) },
            },
          }
        : {
            name: row.name,
            status,
            archived,
            audiences: { included: [audience], excluded: [] },
            send_options: { use_smart_sending: true },
            tracking_options: channel === 'email' ? { is_tracking_opens: true, is_tracking_clicks: true } : { add_tracking_params: true },
            send_strategy: { method: 'static', datetime: dated(send_time as number | null), options: null },
            ...dates,
            scheduled_at: dated(scheduled_at as number | null),
            send_time: dated(send_time as number | null),
          }
    const self = `${request.origin}/api/campaigns/${row.id}`
    return {
      type: 'campaign',
      id: row.id,
      attributes: this.drift.apply('klaviyo', 'campaign', row.id, attributes),
      relationships: {
        'campaign-messages': {
          data: [{ type: 'campaign-message', id: message }],
          links: { self: `${self}/relationships/campaign-messages/`, related: `${self}/campaign-messages/` },
        },
      },
      links: { self: `${self}/` },
    }
  }

  message(row: ThingRow, { request }: View): Resource {
    const { channel, message, send_time } = row.more
    const content =
      channel === 'email'
        ? { subject: `${row.name} ✨`, preview_text: null, from_email: 'hello@shop.example', from_label: 'Shop', reply_to_email: null }
        : { body: row.name }
    return {
      type: 'campaign-message',
      id: String(message),
      attributes: {
        definition: { channel, label: row.name, content },
        send_times: send_time == null ? [] : [{ datetime: iso(send_time as number), is_local: false }],
        created_at: iso(row.createdMs),
        updated_at: iso(row.updatedMs),
      },
      relationships: { campaign: { data: { type: 'campaign', id: row.id } } },
      links: { self: `${request.origin}/api/campaign-messages/${message}/` },
    }
  }
}

/** `can_receive_email_marketing` says only that nothing suppresses the profile: it is true for those who never subscribed. */
function subscriptions({ consent, suppressions, phone }: ProfileRow) {
  const asked = consent.state !== 'never'
  const word = consent.state === 'never' ? 'NEVER_SUBSCRIBED' : consent.state === 'unsubscribed' ? 'UNSUBSCRIBED' : 'SUBSCRIBED'
  return {
    email: {
      marketing: {
        can_receive_email_marketing: suppressions.length === 0,
        consent: word,
        consent_timestamp: asked ? iso(consent.atMs) : null,
        last_updated: asked ? iso(consent.atMs) : null,
        method: asked ? 'FORM' : null,
        method_detail: null,
        custom_method_detail: null,
        double_optin: asked ? false : null,
        suppression: suppressions.map(({ reason, atMs }) => ({ reason, timestamp: iso(atMs) })),
        list_suppressions: [],
      },
    },
    sms:
      phone === null
        ? null
        : { marketing: { can_receive_sms_marketing: false, consent: 'NEVER_SUBSCRIBED', consent_timestamp: null, last_updated: null } },
    mobile_push: null,
  }
}

function analytics({ id }: ProfileRow) {
  const clv = Math.round(roll(1, place(id)) * 90_000) / 100
  return {
    historic_clv: clv,
    predicted_clv: clv / 4,
    total_clv: clv * 1.25,
    historic_number_of_orders: Math.floor(clv / 60),
    predicted_number_of_orders: clv / 200,
    average_days_between_orders: clv > 100 ? 30.5 : null,
    average_order_value: 60,
    churn_probability: roll(2, place(id)),
    expected_date_of_next_order: null,
    ranked_channel_affinity: [],
  }
}
