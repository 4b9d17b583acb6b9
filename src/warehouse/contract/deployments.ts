/** What `weir apply` has put in force: which definition each sync and each audience runs by, and when. */
import type { Schedule } from '../../core/definition.js'

export interface InForce {
  /** Hash in `_weir.definitions`. */
  definition: string
  /** Without one it runs by hand, or after syncs. */
  schedule?: Schedule
  /** The syncs after which it runs; none for what runs by the clock or by hand. */
  after: readonly string[]
  /** The overlay that was selected. */
  environment?: string
  appliedAt: string
  appliedBy: string
  /** How the schedule looked in Temporal when it was applied: where it looks otherwise, somebody changed it there. */
  scheduleMark?: string
  /** Why somebody stopped what runs after syncs, and who; what runs by the clock is paused in its schedule. */
  paused?: string
  /** ISO instant since when it is in the project file no more. Tables, state and ledger stay. */
  retiredAt?: string
}

export interface Deployment extends InForce {
  sync: string
}
export interface AudienceDeployment extends InForce {
  audience: string
}

/** What is put in force. */
export type NewDeployment<D extends InForce = Deployment> = Omit<D, 'appliedAt' | 'scheduleMark' | 'paused' | 'retiredAt'>

/** The same of syncs and of audiences, by their names. */
interface InForceStore<D extends InForce> {
  list: () => Promise<D[]>
  /** Puts them in force; what was in force under the same names gives way, but a pause stays. */
  put: (deployments: readonly NewDeployment<D>[]) => Promise<void>
  /** Notes how its schedule looks in Temporal. */
  mark: (name: string, scheduleMark: string | undefined) => Promise<void>
  /** Stops what runs after syncs, or lets it go on. @param note why and by whom; undefined to go on */
  pause: (name: string, note: string | undefined) => Promise<void>
  /** Notes that they are in the project file no more; nothing starts them then. */
  retire: (names: readonly string[]) => Promise<void>
  /** Takes them out of force; tables, state, ledger and runs stay. */
  remove: (names: readonly string[]) => Promise<void>
}

export interface AudienceDeploymentStore extends InForceStore<AudienceDeployment> {
  /** Audiences whose turn has come: each sync of their `after` has completed since their last push began. Looked at are those that name `sync`. */
  due: (of: { sync: string } | { audience: string }) => Promise<{ audience: string; definition: string }[]>
}

export interface DeploymentStore extends InForceStore<Deployment> {
  /** What tells this warehouse from others that share a Temporal namespace with it. */
  installation: () => Promise<string>
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
