/** Which records belong together. Each direction has its own type ids; a primary link carries two types. */
import type { TypeName } from './types.js'

export interface Link {
  toId: string
  primary: boolean
}

/** Plain and primary type id of each direction, from the vendor's guide. */
const typeIds: Record<string, readonly [plain: number, primary: number | null]> = {
  'contacts companies': [279, 1],
  'companies contacts': [280, 2],
  'deals contacts': [3, null],
  'contacts deals': [4, null],
  'deals companies': [341, 5],
  'companies deals': [342, 6],
  'contacts tickets': [15, null],
  'tickets contacts': [16, null],
  'tickets companies': [339, 26],
  'companies tickets': [340, 25],
}

export class Associations {
  private readonly links = new Map<string, Map<string, Link[]>>()

  link(from: TypeName, fromId: string, to: TypeName, toId: string, primary: boolean): void {
    this.one(from, fromId, to, { toId, primary })
    this.one(to, toId, from, { toId: fromId, primary })
  }

  of(from: TypeName, fromId: string, to: TypeName): readonly Link[] {
    return this.links.get(`${from} ${to}`)?.get(fromId) ?? []
  }

  types(from: TypeName, to: TypeName, { primary }: Link): { category: string; typeId: number; label: string | null }[] {
    const [plain, first] = typeIds[`${from} ${to}`] ?? [0, null]
    const types = [{ category: 'HUBSPOT_DEFINED', typeId: plain, label: null as string | null }]
    if (primary && first !== null) types.push({ category: 'HUBSPOT_DEFINED', typeId: first, label: 'Primary' })
    return types
  }

  labels(from: TypeName, to: TypeName): { category: string; typeId: number; label: string | null }[] {
    return this.types(from, to, { toId: '', primary: true })
  }

  private one(from: TypeName, fromId: string, to: TypeName, link: Link): void {
    const key = `${from} ${to}`
    let table = this.links.get(key)
    if (table === undefined) {
      table = new Map()
      this.links.set(key, table)
    }
    const known = table.get(fromId)
    if (known === undefined) table.set(fromId, [link])
    else if (!known.some(({ toId }) => toId === link.toId)) known.push(link)
  }
}
