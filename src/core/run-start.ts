/** How a run of a sync is started, by whomever: by hand, by its schedule, by the end of another run. */
import { type RunInput, workflowTaskMs } from './activities.js'
import type { Definition } from './definition.js'
import type { searchAttributes } from './search-attributes.js'

const keyword = (name: keyof typeof searchAttributes, value: string) => ({ key: { name, type: 'KEYWORD' as const }, value })

/** The fixed id by which a sync's run is found; its schedule has the same, and adds the time to the ids of its runs. */
export const syncId = (sync: string): string => `sync/${sync}`

const details: Partial<Record<RunInput['kind'], string>> = {
  scheduled: 'Started by its schedule.',
  manual: 'Started by hand.',
  dependent: 'Started since each sync that it runs after has completed.',
}

/** What Temporal is told, but for the queue. */
export function runStart({ sync, schema, connection, streams }: Definition, input: RunInput) {
  return {
    workflowId: syncId(sync),
    args: [input] as [RunInput],
    workflowTaskTimeout: workflowTaskMs,
    memo: { definition: input.definition },
    staticSummary: `${sync}: ${connection.type} into schema ${schema}`,
    staticDetails: `${details[input.kind] ?? ''} Streams: ${(input.streams ?? Object.keys(streams)).join(', ')}.${input.full ? ' Everything is read again.' : ''}`,
    typedSearchAttributes: [
      keyword('WeirSync', sync),
      keyword('WeirVendor', connection.type),
      keyword('WeirKind', input.kind),
      keyword('WeirStatus', 'running'),
    ],
  }
}
