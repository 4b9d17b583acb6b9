import type { AlertDeps } from '../deps.js'
import { alertActivities, alertControlActivities } from './alerts.js'
import { backfillActivities } from './backfill.js'
import { controlActivities } from './control.js'
import { pauseActivities } from './pause.js'
import { pushActivities } from './push.js'
import { rebuildActivities } from './rebuild.js'
import { replayActivities } from './replay.js'
import { syncActivities } from './sync.js'

/** Both sides of the contract in core/activities.ts: bulk work, and short questions on a queue of their own. */
export const createActivities = (deps: AlertDeps) => ({
  work: {
    ...syncActivities(deps),
    ...backfillActivities(deps),
    ...rebuildActivities(deps),
    ...replayActivities(deps),
    ...pushActivities(deps),
    ...alertActivities(deps),
  },
  control: { ...controlActivities(deps), ...alertControlActivities(deps), ...pauseActivities(deps) },
})
