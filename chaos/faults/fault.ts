import type { Dice } from '../dice.js'
import type { World } from '../world.js'

/** What a fault needs of the load that it meets. */
export interface Scene {
  world: World
  /** This fault's own random numbers. */
  random: Dice
  /** Every wait at its full length, as the long campaign has it. */
  isFull: boolean
  /** Waits for the run's end, which must be a failure of this reason, and starts the sync again once `mend` is through. */
  endsRun: (reason: string, mend: () => Promise<void>) => Promise<void>
  /** Counts something that the report shows. */
  note: (what: 'late commits refused') => void
}

export interface Fault {
  name: string
  /** How often it comes, beside the others. */
  weight: number
  /**
   * Does harm, and takes it back where it does not pass by itself. What it answers with did not come about, and why: no fault was injected then.
   */
  inject: (scene: Scene) => Promise<string | undefined>
  /** Does the clock for "from fault to progress" start at its end (it lasts), rather than at its start (a kill)? */
  lasts?: true
  /** Said aloud instead of being injected, where the machine does not allow it. */
  isImpossible?: () => Promise<string | undefined>
  /** At most so many a load. */
  most?: number
  /** Strikes what is written, so it comes in the first load: the second one may find that most of what it reads stands. */
  isOfFirst?: true
}
