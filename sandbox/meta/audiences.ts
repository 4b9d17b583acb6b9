/** Custom audiences, custom conversions and the log of changes. Times of audiences are unix seconds, unlike all others. */
import { day } from '../company/catalogue.js'
import { adId, adSetId, audienceId, campaignId, campaignsOf, conversionId, placesOf, stamp } from './accounts.js'
import { lifeOf } from './clockwork.js'
import { type At, adName, type Json } from './nodes.js'

const audiences = [
  ['Website visitors, 30 days', 'WEBSITE', 21_400],
  ['Cart, 14 days', 'WEBSITE', 1_900],
  ['Customers (list)', 'CUSTOM', 4_300],
  ['Lookalike (1%), customers', 'LOOKALIKE', 410_000],
  ['Too few', 'CUSTOM', -1],
] as const

export const audienceNodes = ({ times, account, nowMs }: At): Json[] =>
  audiences.map(([name, subtype, count], i) => {
    const createdAt = Math.floor((times.foundedMs + (40 + i * 55) * day) / 1000)
    const updatedAt = Math.floor((nowMs - (nowMs % day)) / 1000) - i * 3_600
    return {
      id: audienceId(account, i),
      account_id: account.id,
      name,
      subtype,
      approximate_count_lower_bound: count < 0 ? -1 : count,
      approximate_count_upper_bound: count < 0 ? -1 : Math.round(count * 1.18),
      delivery_status:
        count < 0
          ? { code: 300, description: 'This audience is too small to use.' }
          : { code: 200, description: 'This audience is ready for use.' },
      operation_status: { code: 200, description: 'Normal' },
      data_source: { type: subtype === 'WEBSITE' ? 'EVENT_BASED' : 'FILE_IMPORTED', sub_type: 'ANYTHING' },
      retention_days: subtype === 'WEBSITE' ? 30 : 0,
      time_created: createdAt,
      time_updated: updatedAt,
      time_content_updated: updatedAt,
      ...(subtype === 'LOOKALIKE' ? { lookalike_spec: { ratio: 0.01, country: account.n === 0 ? 'DE' : 'US', type: 'custom_ratio' } } : {}),
    }
  })

export const conversionNodes = ({ times, account }: At): Json[] =>
  (['PURCHASE', 'LEAD'] as const).map((event, i) => ({
    id: conversionId(account, i),
    account_id: account.id,
    name: `Custom ${event.toLowerCase()}`,
    custom_event_type: event,
    rule: JSON.stringify({ and: [{ url: { i_contains: event === 'LEAD' ? '/thanks' : '/order' } }] }),
    is_archived: i === 1,
    creation_time: stamp(account.timeZone, times.foundedMs + 90 * day),
    last_fired_time: stamp(account.timeZone, times.openedMs),
    default_conversion_value: 0,
    data_sources: [{ id: '908070605040302', source_type: 'PIXEL', name: 'Acme pixel' }],
  }))

/** Every creation and edit, newest first; the vendor gives no id. */
export function activityNodes(at: At): Json[] {
  const { times, account, nowMs } = at
  const told: { atMs: number; node: Json }[] = []
  const tell = (atMs: number, type: string, object: { id: string; name: string; type: string }, extra: Json) => {
    if (atMs > nowMs) return
    told.push({
      atMs,
      node: {
        event_time: stamp(account.timeZone, atMs),
        event_type: type,
        translated_event_type: type.replaceAll('_', ' '),
        actor_id: '122100000000000001',
        actor_name: 'Ads system user',
        object_id: object.id,
        object_name: object.name,
        object_type: object.type,
        extra_data: JSON.stringify(extra),
      },
    })
  }
  const lifeTold = (object: { id: string; name: string; type: string }, life: ReturnType<typeof lifeOf>, create: string, edit: string) => {
    tell(life.createdAtMs, create, object, { new_value: object.name })
    for (const [i, atMs] of life.editedAtMs.entries()) tell(atMs, edit, object, { old_value: i, new_value: i + 1 })
  }
  for (const one of campaignsOf(account)) {
    const campaign = { id: campaignId(one), name: one.name, type: 'CAMPAIGN' }
    lifeTold(campaign, lifeOf(times, one, 'campaign', 0, nowMs), 'create_campaign_group', 'update_campaign_budget')
    for (let group = 0; group < one.groups; group++)
      lifeTold(
        { id: adSetId(one, group), name: `${one.name} ${group}`, type: 'ADSET' },
        lifeOf(times, one, 'adset', group, nowMs),
        'create_ad_set',
        'update_ad_set_bidding',
      )
  }
  for (const { campaign, group, ad } of placesOf(account)) {
    const life = lifeOf(times, campaign, 'ad', group * campaign.ads + ad, nowMs)
    lifeTold({ id: adId(campaign, group, ad), name: adName(campaign, group, ad), type: 'AD' }, life, 'create_ad', 'update_ad_creative')
  }
  return told.sort((a, b) => b.atMs - a.atMs || (String(a.node.object_id) < String(b.node.object_id) ? -1 : 1)).map(({ node }) => node)
}
