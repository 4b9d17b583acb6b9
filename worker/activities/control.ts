import type { AskInput, ControlActivities } from '../../src/core/activities.js'
import type { ConnectionDefinition, Definition } from '../../src/core/definition.js'
import { ask } from '../../src/engine/ask.js'
import { checkDestinations } from '../../src/engine/audience/check-destinations.js'
import type { Deps } from '../deps.js'
import { connecting } from './connect.js'
import { running } from './context.js'

/** Short questions for people; the answers go through `_weir.handovers`, since a history must hold no record. */
export function controlActivities(deps: Deps): ControlActivities {
  return {
    ask: (input) =>
      running(deps.redact, async ({ signal }) => {
        if (input.question === 'consent' || input.question === 'connect')
          return { handover: await deps.warehouse.handovers.put(await connecting(deps, input, signal)) }
        if (input.question === 'destinations') {
          const audience = await deps.warehouse.definitions.audience(input.definition)
          const reach = (connection: ConnectionDefinition, kind: string) => deps.reach(connection, kind, signal)
          return {
            handover: await deps.warehouse.handovers.put(await checkDestinations({ definition: audience, reach, redact: deps.redact })),
          }
        }
        const definition = shownTo(input.question, await deps.warehouse.definitions.get(input.definition))
        const connected = await deps.connect(definition, signal)
        const question = { ...input, question: input.question }
        const answer = await ask({ ...connected, warehouse: deps.warehouse, definition, question, redact: deps.redact })
        return { handover: await deps.warehouse.handovers.put(answer) }
      }),
  }
}

/**
 * A preview shows what the column policy leaves, without a second copy of each record. What fields there are is asked without
 * the policy: its names are those.
 */
function shownTo(question: AskInput['question'], definition: Definition): Definition {
  const { columns: shared, streams, ...rest } = definition
  const isPreview = question === 'preview'
  const kept = Object.entries(streams).map(([name, { raw: _, columns, ...settings }]) => [
    name,
    { ...settings, ...(isPreview && columns ? { columns } : {}) },
  ])
  return { ...rest, ...(isPreview && shared ? { columns: shared } : {}), streams: Object.fromEntries(kept) }
}
