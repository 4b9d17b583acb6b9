/** What stands in an event, by its metric; made when asked for. */
import { campaign } from '../company/catalogue.js'
import { Dice, place } from '../company/dice.js'
import type { Times } from '../company/history.js'
import type { Activity } from '../company/story.js'
import { goods } from '../company/words.js'

export function eventProperties({ seed, foundedMs }: Times, act: Activity): Record<string, unknown> {
  const dice = new Dice(seed, place('event-properties'), act.n)
  const mail = act.campaign === null ? undefined : campaign(seed, foundedMs, act.campaign)
  const slug = mail?.name.toLowerCase().replace(/[^a-z0-9]+/g, '-')
  switch (act.metric) {
    case 'Placed Order':
    case 'Fulfilled Order':
    case 'Refunded Order':
      return {
        $value: act.value,
        $event_id: `A${10_000 + act.n}`,
        OrderId: `A${10_000 + act.n}`,
        'Item Count': 1 + dice.below(4),
        Items: Array.from({ length: 1 + dice.below(3) }, () => dice.pick(goods)),
        'Discount Codes': dice.chance(0.2) ? ['WELCOME10'] : [],
        ...(slug === undefined ? {} : { utm_source: 'klaviyo', utm_campaign: slug }),
      }
    case 'Received Email':
    case 'Opened Email':
    case 'Clicked Email':
      return {
        'Campaign Name': mail?.name ?? null,
        Subject: `${mail?.name ?? 'News'} ✨`,
        $message: mail === undefined ? null : `m${act.campaign}`,
        ...(act.metric === 'Clicked Email' ? { URL: `https://shop.example/?utm_source=klaviyo&utm_campaign=${slug}` } : {}),
        ...(act.metric === 'Opened Email'
          ? { 'Client Name': dice.pick(['Apple Mail', 'Gmail', null]), machine_open: dice.chance(0.4) }
          : {}),
      }
    case 'Viewed Product':
    case 'Added to Cart':
      return {
        ProductName: dice.pick(goods),
        ProductID: dice.chance(0.5) ? String(dice.below(400)) : dice.below(400),
        Price: dice.below(9000) / 100,
      }
    default:
      return { page: dice.pick(['/', '/sale', '/über-uns', null]), browser: dice.pick(['Firefox', 'Safari', 'Chrome']) }
  }
}
