/** What `weir apply` has put in force: which definition each sync runs by, and when. */
import type { Schedule } from '../../core/definition.js'

export interface Deployment {
  sync: string
  /** Hash in `_weir.definitions`. */
  definition: string
  /** Without one the sync runs by hand, or after others. */
  schedule?: Schedule
  /** The overlay that was selected. */
  environment?: string
  appliedAt: string
  appliedBy: string
}

export interface DeploymentStore {
  list: () => Promise<Deployment[]>
  /** Puts them in force; what was in force of the same syncs gives way. */
  put: (deployments: readonly Omit<Deployment, 'appliedAt'>[]) => Promise<void>
  /** Takes syncs out of force; their tables, state and runs stay. */
  remove: (syncs: readonly string[]) => Promise<void>
}
