import type { ControlActivities } from '../../src/core/activities.js'
import type { Definition } from '../../src/core/definition.js'
import { ask } from '../../src/engine/ask.js'
import type { Deps } from '../deps.js'
import { running } from './context.js'

/** Short questions for people; the answers go through `_weir.handovers`, since a history must hold no record. */
export function controlActivities(deps: Deps): ControlActivities {
  return {
    ask: (input) =>
      running(deps.redact, async ({ signal }) => {
        const definition = withoutRaw(await deps.warehouse.definitions.get(input.definition))
        const { source, http } = await deps.connect(definition, signal)
        const answer = await ask({ warehouse: deps.warehouse, http, source, definition, question: input, redact: deps.redact })
        return { handover: await deps.warehouse.handovers.put(answer) }
      }),
  }
}

/** What is shown is what the vendor's fields become; a second copy of each record would only be in the way. */
const withoutRaw = (definition: Definition): Definition => ({
  ...definition,
  streams: Object.fromEntries(Object.entries(definition.streams).map(([name, { raw: _, ...settings }]) => [name, settings])),
})
