/** How a run of a sync or a push is started, by whomever: by hand, by its schedule, by the end of another run; and what each workflow is found by. */
import { type RunInput, workflowTaskMs } from './activities.js'
import type { Definition } from './definition.js'
import { type PushInput, pushId } from './push.js'
import type { searchAttributes } from './search-attributes.js'

/** What a workflow is about; `kind` as in `WeirKind`. */
export interface Subject {
  sync?: string
  stream?: string
  vendor?: string
  kind: string
  /** Hash of the definition that it runs by. */
  definition: string
  /** Does it tell its own status as it goes on (`WeirStatus`)? */
  tellsStatus: boolean
}

/** What every workflow of a sync can be found by in Temporal, and the memo that goes with it. */
export function labels({ sync, stream, vendor, kind, definition, tellsStatus }: Subject) {
  const values: [keyof typeof searchAttributes, string | undefined][] = [
    ['WeirSync', sync],
    ['WeirStream', stream],
    ['WeirVendor', vendor],
    ['WeirKind', kind],
    ['WeirStatus', tellsStatus ? 'running' : undefined],
  ]
  return {
    memo: { definition },
    typedSearchAttributes: values.flatMap(([name, value]) =>
      value === undefined ? [] : [{ key: { name, type: 'KEYWORD' as const }, value }],
    ),
  }
}

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
    staticSummary: `${sync}: ${connection.type} into schema ${schema}`,
    staticDetails: `${details[input.kind] ?? ''} Streams: ${(input.streams ?? Object.keys(streams)).join(', ')}.${input.full ? ' Everything is read again.' : ''}`,
    ...labels({ sync, vendor: connection.type, kind: input.kind, definition: input.definition, tellsStatus: true }),
  }
}

/** What Temporal is told of a push, but for the queue. */
export function pushStart(input: PushInput) {
  const { audience, definition, kind, requestedBy } = input
  const who = requestedBy === undefined ? 'Started by hand.' : `Asked for by ${requestedBy}.`
  return {
    workflowId: pushId(audience),
    args: [input] as [PushInput],
    workflowTaskTimeout: workflowTaskMs,
    staticSummary: `push of audience ${audience}`,
    staticDetails: kind === 'manual' ? who : (details[kind] ?? ''),
    ...labels({ kind, definition, tellsStatus: true }),
  }
}

/** What a schedule starts to start a push: its id is the schedule's, and Temporal adds the time. */
export function tickStart(input: PushInput) {
  const { typedSearchAttributes, ...start } = pushStart(input)
  const { audience } = input
  return {
    ...start,
    staticSummary: `starts a push of audience ${audience}`,
    staticDetails: 'Started by its schedule. The push has a run of its own.',
    typedSearchAttributes: typedSearchAttributes.filter(({ key }) => key.name === 'WeirKind'),
  }
}
