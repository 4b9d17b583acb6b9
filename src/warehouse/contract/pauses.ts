/** Pauses of runs: who, why, from when to when. A pause of a run holds all its streams; one of a stream holds that stream alone. */
import type { Pause } from '../../core/pause.js'

export interface PauseRow extends Pause {
  run: string
  sync: string
  /** Of which stream alone; without one it is the whole run's. */
  stream?: string
  /** ISO instant. */
  resumedAt?: string
  /** Nobody, where the run ended while it was paused. */
  resumedBy?: string
}

export interface PauseStore {
  /** Writes the pause down and makes it the status of the run, or of the stream. Repeats harmlessly. */
  begin: (of: { run: string; sync: string; stream: string | undefined }, pause: Pause) => Promise<void>
  /** Ends what is in force of the run (its streams' own pauses too), or of the stream. Repeats harmlessly. */
  end: (of: { run: string; stream: string | undefined }, end: { by: string; at: string }) => Promise<void>
  /** Oldest first. */
  list: (run: string) => Promise<PauseRow[]>
}
