/** What `weir plan` says: one difference each, and what follows from it. */
import { pushId } from '../../src/core/push.js'

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
  object: 'sync' | 'stream' | 'schedule' | 'budget' | 'audience'
  /** What it is of: a sync, or an audience. */
  sync?: string | undefined
  audience?: string | undefined
  stream?: string
  what: string
  /** What it leads to, a sentence each. */
  consequences: string[]
  needs?: Allowance
}

/** The sync or the audience that a change is of. */
export type Of = { sync: string; audience?: undefined } | { audience: string; sync?: undefined }

/** `sync/klaviyo`, `sync/klaviyo/events`, `audience/vip`; so are schedules named, too. */
export const nameOf = ({ sync, audience, stream }: Pick<Change, 'sync' | 'audience' | 'stream'>): string =>
  audience === undefined ? `sync/${sync}${stream === undefined ? '' : `/${stream}`}` : pushId(audience)

/** What a person names: a sync, with or without `sync/`, or `audience/NAME`. */
export const ofName = (name: string): Of =>
  name.startsWith(pushId('')) ? { audience: name.slice(pushId('').length) } : { sync: name.replace(/^sync\//, '') }

const signs: Record<Change['action'], string> = { create: '+', change: '~', mend: '!', pause: '‖', delete: '-' }

/** A change as lines for people. */
export const linesOf = (change: Change): string[] => [
  `${signs[change.action]} ${change.action} ${change.object} ${nameOf(change)}: ${change.what}`,
  ...change.consequences.map((text) => `    ${text}`),
  ...(change.needs ? [`    needs --allow ${change.needs}: ${allowances[change.needs]}`] : []),
]
