import type { Deps } from '../deps.js'
import { controlActivities } from './control.js'
import { pauseActivities } from './pause.js'
import { rebuildActivities } from './rebuild.js'
import { replayActivities } from './replay.js'
import { syncActivities } from './sync.js'

/** Both sides of the contract in core/activities.ts: bulk work, and short questions on a queue of their own. */
export const createActivities = (deps: Deps) => ({
  work: { ...syncActivities(deps), ...rebuildActivities(deps), ...replayActivities(deps) },
  control: { ...controlActivities(deps), ...pauseActivities(deps) },
})
