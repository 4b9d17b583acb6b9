/** What the engine asks of a warehouse. Names no database: PostgreSQL stands in `postgres/`. */
import type { AudienceDefinition } from '../core/audience.js'
import type { Definition } from '../core/definition.js'
import type { BudgetStore } from '../core/ports.js'
import type { Fields } from '../core/types.js'
import type { AlertStore } from './contract/alerts.js'
import type { AudienceStore } from './contract/audiences.js'
import type { AuditStore } from './contract/audit.js'
import type { BackfillStore } from './contract/backfills.js'
import type { ChangeStore } from './contract/changes.js'
import type { CredentialStore } from './contract/credentials.js'
import type { AudienceDeploymentStore, DeploymentStore } from './contract/deployments.js'
import type { ErasureStore } from './contract/erasures.js'
import type { LetterStore } from './contract/letters.js'
import type { PauseStore } from './contract/pauses.js'
import type { QualityStore } from './contract/quality.js'
import type { RebuildStore } from './contract/rebuilds.js'
import type { ReportStore } from './contract/reports.js'
import type { RunStore } from './contract/runs.js'
import type { SliceStore } from './contract/slices.js'
import type { StreamStanding } from './contract/standing.js'
import type { StateStore } from './contract/state.js'
import type { PlanningStore, StreamRef, StreamStore } from './contract/streams.js'
import type { TableStore } from './contract/tables.js'

export type * from './contract/changes.js'
export type * from './contract/letters.js'
export type * from './contract/quality.js'
export type * from './contract/rebuilds.js'
export type * from './contract/runs.js'
export type * from './contract/slices.js'
export type * from './contract/state.js'
export type * from './contract/streams.js'
export type * from './contract/tables.js'

export interface Warehouse {
  /** Creates or upgrades Weir's own tables; safe to call by many at once. */
  migrate: () => Promise<void>
  close: () => Promise<void>
  /** Findings of `weir check` and `weir doctor`: version, rights, clock, and how far Weir's own tables are brought up to date. Changes nothing. */
  describe: () => Promise<{ version: string; canCreate: boolean; clockSkewMs: number; migrations: { applied: number; known: number } }>

  definitions: {
    put: (hash: string, definition: Definition | AudienceDefinition) => Promise<void>
    get: (hash: string) => Promise<Definition>
    audience: (hash: string) => Promise<AudienceDefinition>
  }
  handovers: {
    put: (body: unknown) => Promise<string>
    /** Reads and deletes; undefined when gone. Rows older than an hour are swept. */
    take: (id: string) => Promise<unknown>
  }
  runs: RunStore
  planning: PlanningStore
  slices: SliceStore
  tables: TableStore
  streams: StreamStore
  state: StateStore
  quality: QualityStore
  rebuilds: RebuildStore
  catalogs: {
    put: (ref: StreamRef, fields: Fields) => Promise<void>
    get: (ref: StreamRef) => Promise<Fields>
  }
  changes: ChangeStore
  backfills: BackfillStore
  /** The streams of each sync's newest run, as they stand now. */
  standing: () => Promise<StreamStanding[]>
  /** What `weir apply` has put in force. */
  deployments: DeploymentStore
  /** The same of audiences. */
  audienceDeployments: AudienceDeploymentStore
  /** Conditions that are open, and the outbox of messages about them. */
  alerts: AlertStore
  /** People who go out: what destinations hold, what pushes change. */
  audiences: AudienceStore
  /** People who were erased. */
  erasures: ErasureStore
  /** Who asked, decided and did what. */
  audit: AuditStore
  /** Pauses of runs. */
  pauses: PauseStore
  /** What runs tell of themselves. */
  reports: ReportStore
  /** Budgets of vendors' accounts, shared by all workers. */
  budgets: BudgetStore
  tokens: CredentialStore
  letters: LetterStore
}
