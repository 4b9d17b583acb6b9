/** Older values of properties. What was before the sandbox opened is made up: an empty first value for a record that was changed since. */
import { iso, type ObjectRow } from './rows.js'

interface Version {
  value: string | null
  atMs: number
}

export class History {
  /** Changes since a row was first put, newest first, by `type id` and property; and each row as it was then. */
  private readonly changes = new Map<string, Map<string, Version[]>>()
  private readonly first = new Map<string, ObjectRow>()

  changed(type: string, before: ObjectRow | undefined, row: ObjectRow): void {
    const key = `${type} ${row.id}`
    if (before === undefined) {
      this.first.set(key, row)
      return
    }
    const known = this.changes.get(key) ?? new Map<string, Version[]>()
    for (const [name, value] of Object.entries(row.properties))
      if (value !== before.properties[name]) known.set(name, [{ value, atMs: row.updatedMs }, ...(known.get(name) ?? [])])
    if (known.size > 0) this.changes.set(key, known)
  }

  /** Every value that a property is known to have had, newest first, as the API tells it. */
  of(type: string, id: string, name: string): Record<string, unknown>[] {
    const key = `${type} ${id}`
    const first = this.first.get(key)
    if (first === undefined) return []
    const value = first.properties[name] ?? null
    const wasChanged = first.updatedMs > first.createdMs
    const oldest: Version[] = wasChanged
      ? [
          { value, atMs: first.updatedMs },
          { value: null, atMs: first.createdMs },
        ]
      : [{ value, atMs: first.createdMs }]
    return [...(this.changes.get(key)?.get(name) ?? []), ...oldest].map(({ value, atMs }) => ({
      value: value ?? '',
      timestamp: iso(atMs),
      sourceType: 'CRM_UI',
      sourceId: 'userId:1000',
      sourceLabel: null,
      updatedByUserId: 1000,
    }))
  }
}
