/** What `weir apply` has put in force: which definition each sync runs by, and when. */
import type { Schedule } from '../../core/definition.js'

export interface Deployment {
  sync: string
  /** Hash in `_weir.definitions`. */
  definition: string
  /** Without one the sync runs by hand, or after others. */
  schedule?: Schedule
  /** The syncs after which it runs; none for one that runs by the clock or by hand. */
  after: readonly string[]
  /** The overlay that was selected. */
  environment?: string
  appliedAt: string
  appliedBy: string
  /** How the schedule looked in Temporal when it was applied: where it looks otherwise, somebody changed it there. */
  scheduleMark?: string
  /** Why somebody stopped a sync that runs after others, and who; one that runs by the clock is paused in its schedule. */
  paused?: string
  /** ISO instant since when the sync is in the project file no more. Its tables and its state stay. */
  retiredAt?: string
}

/** What is put in force of a sync. */
export type NewDeployment = Omit<Deployment, 'appliedAt' | 'scheduleMark' | 'paused' | 'retiredAt'>

export interface DeploymentStore {
  /** What tells this warehouse from others that share a Temporal namespace with it. */
  installation: () => Promise<string>
  list: () => Promise<Deployment[]>
  /** Puts them in force; what was in force of the same syncs gives way, but a pause stays. */
  put: (deployments: readonly NewDeployment[]) => Promise<void>
  /** Notes how the schedule of a sync looks in Temporal. */
  mark: (sync: string, scheduleMark: string | undefined) => Promise<void>
  /** Stops a sync that runs after others, or lets it go on. @param note why and by whom; undefined to go on */
  pause: (sync: string, note: string | undefined) => Promise<void>
  /** Notes that syncs are in the project file no more; nothing starts them then. */
  retire: (syncs: readonly string[]) => Promise<void>
  /** Takes syncs out of force; their tables, state and runs stay. */
  remove: (syncs: readonly string[]) => Promise<void>
  /**
   * Syncs whose turn has come now that `sync` has ended: each sync of their `after` has completed since their own last run began.
   * Looked at are those that name `sync`, and `sync` itself: what it waits for may have completed while it ran.
   */
  due: (sync: string) => Promise<{ sync: string; definition: string }[]>
  /** What runs of a sync have needed, stream by stream; streams that never completed are left out. */
  needs: (sync: string) => Promise<StreamNeed[]>
}

/** What completed runs of a stream have needed. */
export interface StreamNeed {
  stream: string
  /** The newest of them. */
  last: { requests: number; ms: number }
  /** The one with the most requests: as a rule the one that read everything. */
  most: { requests: number; ms: number }
  /** Of the runs that moved a watermark: how many days of the vendor's time they read, look-back left out, and with how many requests. */
  ranges: { days: number; requests: number; runs: number }
}
