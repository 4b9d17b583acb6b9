/** What an account has beside people and campaigns: forms, tags, images, coupons, goods, and what its flows do. */
import { day, flows } from '../company/catalogue.js'
import { code, place } from '../company/dice.js'
import type { Times } from '../company/history.js'
import { goods } from '../company/words.js'
import { Table } from '../kit/table.js'
import type { Resource, View } from './collection.js'
import { iso, type ThingRow, toSecond } from './rows.js'

const S = place('klaviyo shelf')

/** Here `more` holds all the attributes, as they are shown; `of` is the row it belongs to. */
export interface ShelfRow extends ThingRow {
  of?: string
}

export class Shelf {
  readonly forms = new Table<ShelfRow>()
  readonly tags = new Table<ShelfRow>()
  readonly images = new Table<ShelfRow>()
  readonly coupons = new Table<ShelfRow>()
  readonly items = new Table<ShelfRow>()
  /** By id of the flow, and by id of the action. */
  readonly actions = new Map<string, Table<ShelfRow>>()
  readonly messages = new Map<string, Table<ShelfRow>>()

  constructor({ seed, foundedMs }: Times, flowId: (n: number) => string) {
    const id = (what: string, n: number) => code(6, seed, S, place(what), n)
    const row = (id: string, name: string, n: number, more: Record<string, unknown>, of?: string): ShelfRow => {
      const createdMs = toSecond(foundedMs + n * 4 * day)
      return { id, name, createdMs, updatedMs: toSecond(createdMs + n * day), more, ...(of === undefined ? {} : { of }) }
    }
    const dates = ({ createdMs, updatedMs }: ShelfRow) => ({ created: iso(createdMs), updated: iso(updatedMs) })
    const dated = (it: ShelfRow): ShelfRow => ({ ...it, more: { ...it.more, ...dates(it) } })

    for (const [n, name] of ['Pop-up – 10 % off', 'Footer', 'Exit intent', 'Waitlist «Glow»', 'Quiz', 'Spin'].entries()) {
      const it = row(id('form', n), name, n, {})
      const { created, updated } = dates(it)
      const status = n % 3 === 2 ? 'draft' : 'live'
      this.forms.put({ ...it, more: { name, status, ab_test: n === 4, created_at: created, updated_at: updated } })
    }
    for (const [n, name] of ['Sale', 'Évergreen', 'Brand', 'Launch', 'Winter', 'Test: “do not use”'].entries())
      this.tags.put(row(id('tag', n), name, n, { name }))
    for (let n = 0; n < 130; n++) {
      const it = row(String(1_000 + n * 7), `image ${n}`, n, {})
      const image = {
        name: it.name,
        image_url: `https://img.shop.example/${n}.png`,
        format: n % 4 === 0 ? 'jpeg' : 'png',
        size: 900 + n * 31,
      }
      this.images.put({ ...it, more: { ...image, hidden: n % 9 === 0, updated_at: iso(it.updatedMs) } })
    }
    for (const [n, name] of ['10OFF', 'Été-20', 'WELCOME'].entries())
      this.coupons.put(
        row(id('coupon', n), name, n, { external_id: name, description: n === 1 ? null : name, monitor_configuration: { low: n } }),
      )
    for (let n = 0; n < goods.length * 10; n++) {
      const title = `${goods[n % goods.length]} №${Math.floor(n / goods.length) + 1}`
      const more = {
        external_id: `SKU-${n}`,
        title,
        description: n % 7 === 0 ? null : `About ${title}`,
        price: n % 11 === 0 ? null : 9.9 + n,
        url: `https://shop.example/${n}`,
        image_full_url: `https://img.shop.example/${n}.png`,
        image_thumbnail_url: null,
        images: [`https://img.shop.example/${n}.png`],
        custom_metadata: n % 5 === 0 ? { 'Größe (cm)': n, tags: ['a', 'b'] } : {},
        published: n % 8 !== 3,
      }
      this.items.put(dated(row(`$custom:::$default:::SKU-${n}`, title, n, more)))
    }
    for (const [n, { name }] of flows.entries()) this.fillFlow(flowId(n), name, n, seed, (one) => dated(one), row)
  }

  private fillFlow(
    flow: string,
    name: string,
    n: number,
    seed: number,
    dated: (row: ShelfRow) => ShelfRow,
    row: (id: string, name: string, n: number, more: Record<string, unknown>, of: string) => ShelfRow,
  ): void {
    const actions = new Table<ShelfRow>()
    this.actions.set(flow, actions)
    // The unfinished flow does nothing yet.
    for (let i = 0; i < (name === 'Unfinished' ? 0 : 1 + (n % 4)); i++) {
      const id = String(48_000_000 + n * 100 + i)
      const type = i % 2 === 0 ? 'send-email' : 'time-delay'
      const messages = new Table<ShelfRow>()
      actions.put(dated(row(id, type, n + i, { definition: { id, type, data: { status: 'live' }, links: { next: null } } }, flow)))
      this.messages.set(id, messages)
      if (type !== 'send-email') continue
      const message = code(6, seed, S, place('message'), n, i)
      const definition = {
        id: message,
        name: `${name} – mail ${i + 1}`,
        subject_line: 'Hello {{ first_name }}',
        from_email: 'hello@shop.example',
      }
      messages.put(dated(row(message, definition.name, n + i, { channel: 'email', definition }, id)))
    }
  }
}

/** Related rows are told by their ids alone. */
export function showShelf(type: string, row: ShelfRow, { request }: Pick<View, 'request'>): Resource {
  const parent = type === 'flow-action' ? 'flow' : type === 'flow-message' ? 'flow-action' : undefined
  const relationships =
    parent !== undefined
      ? { [parent]: { data: { type: parent, id: row.of } } }
      : type === 'tag'
        ? { 'tag-group': { data: { type: 'tag-group', id: 'tg1' } } }
        : undefined
  return {
    type,
    id: row.id,
    attributes: { ...row.more },
    ...(relationships === undefined ? {} : { relationships }),
    links: { self: `${request.origin}/api/${type}s/${row.id}/` },
  }
}
