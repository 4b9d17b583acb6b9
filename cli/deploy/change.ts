/** What `weir plan` says: one difference each, and what follows from it. */

/** What a person must agree to by name, beside the plan as a whole. */
export type Allowance = 'mode' | 'project' | 'environment' | 'warehouse'

export const allowances: Record<Allowance, string> = {
  mode: 'keep tables in another mode, with what that does to their rows',
  project: 'take over what another project has deployed',
  environment: 'take over what was deployed from another environment',
  warehouse: 'take over schedules that were deployed for another warehouse',
}

export interface Change {
  /** `mend`: what is applied differs from what Temporal has, since somebody changed it there. */
  action: 'create' | 'change' | 'delete' | 'pause' | 'mend'
  object: 'sync' | 'stream' | 'schedule' | 'budget'
  sync: string
  stream?: string
  what: string
  /** What it leads to, a sentence each. */
  consequences: string[]
  needs?: Allowance
}

/** `sync/klaviyo`, `sync/klaviyo/events` */
export const nameOf = ({ sync, stream }: Change): string => `sync/${sync}${stream === undefined ? '' : `/${stream}`}`

const signs: Record<Change['action'], string> = { create: '+', change: '~', mend: '!', pause: '‖', delete: '-' }

/** A change as lines for people. */
export const linesOf = (change: Change): string[] => [
  `${signs[change.action]} ${change.action} ${change.object} ${nameOf(change)}: ${change.what}`,
  ...change.consequences.map((text) => `    ${text}`),
  ...(change.needs ? [`    needs --allow ${change.needs}: ${allowances[change.needs]}`] : []),
]
