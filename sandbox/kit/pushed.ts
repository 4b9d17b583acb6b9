/** What was pushed by calls of the API: how often each person was effectively put somewhere, and taken away again. */

/** Nothing yet. A vendor that counts more says so. */
export const none = { added: 0, removed: 0 }
type Counts = typeof none

/** By list, and there by person. */
export class Pushed<Of extends Counts = Counts> extends Map<string, Map<string, Of>> {
  constructor(private readonly start: Of) {
    super()
  }

  count(list: string, who: string, what: keyof Of & string): void {
    this.set(list, counted(this.get(list) ?? new Map<string, Of>(), who, what, this.start))
  }
}

/** The same people, one of them counted once more. */
export function counted<Of extends Counts>(people: Map<string, Of>, who: string, what: keyof Of & string, start: Of): Map<string, Of> {
  const counts: Of = people.get(who) ?? start
  return people.set(who, { ...counts, [what]: Number(counts[what]) + 1 })
}

/** A list, campaign or audience that was pushed to, as the vendor itself holds it. */
export interface HeldList {
  kind: string
  name: string
  /** On it now, as the vendor counts: people, or each identifier by itself. */
  members: number
  /** How often one was effectively put on it and taken off it: who came and went counts in both. */
  added: number
  removed: number
}

export function heldList(kind: string, name: string, members: number, pushed: ReadonlyMap<string, Counts>): HeldList {
  const sum = (what: keyof Counts) => [...pushed.values()].reduce((all, one) => all + one[what], 0)
  return { kind, name, members, added: sum('added'), removed: sum('removed') }
}
