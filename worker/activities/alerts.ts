import { deliver, sendTest } from '../../src/alerts/deliver.js'
import { look } from '../../src/alerts/look.js'
import type { AlertActivities, AlertControlActivities } from '../../src/core/alerts.js'
import type { AlertDeps } from '../deps.js'
import { toTemporal } from './failure.js'

/** Alerts: looking is short and local to the workflow's worker, so neither beats a heart. */
export function alertActivities(deps: AlertDeps): AlertActivities {
  return {
    lookForAlerts: (input) => translated(deps, () => look({ ...deps, ...input })),
    deliverAlerts: () => translated(deps, () => deliver({ ...deps, resolve: deps.resolveTarget })),
  }
}

export function alertControlActivities(deps: AlertDeps): AlertControlActivities {
  return {
    testAlert: ({ definition, target }) =>
      translated(deps, async () =>
        sendTest({ ...deps, resolve: deps.resolveTarget }, await deps.warehouse.definitions.get(definition), target),
      ),
  }
}

const translated = <T>({ redact }: AlertDeps, work: () => Promise<T>): Promise<T> =>
  work().catch((error: unknown) => {
    throw toTemporal(error, redact)
  })
