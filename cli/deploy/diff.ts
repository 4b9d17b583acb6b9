/** The project file against what is deployed. Pure: both sides come as data, and so does the time. */
import type { Allowance, Change } from './change.js'
import { definitionChanges, modeChanges, newStream } from './diff-definition.js'
import { isRetired } from './schedules.js'
import { nextText, whenText } from './when.js'
import type { SyncWorld, Wanted, WantedSync, World } from './world.js'

export interface Plan {
  changes: Change[]
  /** What stays as it is, and people should know. */
  notes: string[]
}

/** @param options.prune remove what the project file has no more, instead of leaving it paused */
export function diff(wanted: Wanted, world: World, { prune, now }: { prune: boolean; now: Date }): Plan {
  const changes = Object.entries(wanted.syncs).flatMap(([name, sync]) => [
    ...ownerChanges(name, wanted, world),
    ...syncChanges(name, sync, world),
    ...modeChanges(sync.definition, world),
    ...whenChanges(name, sync, world.syncs[name]!, now),
  ])
  const gone = Object.entries(world.syncs).filter(([name, own]) => !wanted.syncs[name] && isOurs(own, wanted))
  return {
    changes: [...changes, ...gone.flatMap(([name, own]) => goneChanges(name, own, prune))],
    notes: notesOf(wanted, world, prune ? [] : gone),
  }
}

const isOurs = ({ deployment, definition }: SyncWorld, { project, environment }: Wanted): boolean =>
  definition?.project === project && deployment?.environment === environment

/** Another project's or environment's sync of the same name is not written over in passing. */
function ownerChanges(sync: string, { project, environment }: Wanted, { warehouse, syncs }: World): Change[] {
  const { deployment, definition, schedule } = syncs[sync]!
  const told = (from: string, to: string, needs: Allowance): Change[] => [
    {
      action: 'change',
      object: 'sync',
      sync,
      what: `deployed from ${from}, now from ${to}`,
      consequences: ['What was deployed there gives way: its next run goes by this project file.'],
      needs,
    },
  ]
  const nameOf = (name: string | undefined) => (name === undefined ? 'no environment' : `environment ${name}`)
  const owner = deployment && definition ? { ...deployment, project: definition.project, warehouse } : schedule?.owner
  if (owner && owner.project !== project) return told(`project ${owner.project}`, `project ${project}`, 'project')
  if (owner && owner.environment !== environment) return told(nameOf(owner.environment), nameOf(environment), 'environment')
  if (schedule?.owner && schedule.owner.warehouse !== warehouse) return told('another warehouse', 'this one', 'warehouse')
  return []
}

function syncChanges(sync: string, { definition, hash, ...when }: WantedSync, world: World): Change[] {
  const own = world.syncs[sync]!
  const streams = Object.keys(definition.streams)
  if (!own.deployment || !own.definition) {
    const what = `reads ${streams.length} ${streams.length === 1 ? 'stream' : 'streams'} of ${definition.connection.name} into schema ${definition.schema}`
    return [
      { action: 'create', object: 'sync', sync, what, consequences: [] },
      ...streams.map((stream) => newStream(stream, definition, own)),
    ]
  }
  const back: Change[] = own.deployment.retiredAt
    ? [{ action: 'change', object: 'sync', sync, what: `in the project file again; ${whenText(when)}`, consequences: [] }]
    : []
  if (own.deployment.definition === hash) return back
  const changes = definitionChanges(definition, world)
  const isSaid = changes.length + modeChanges(definition, world).length > 0
  return [...back, ...(isSaid ? changes : [{ ...compiledOtherwise, sync }])]
}

/** Another version of Weir may compile the same words to something else. */
const compiledOtherwise = {
  action: 'change',
  object: 'sync',
  what: 'compiled in another way than before',
  consequences: [],
} satisfies Partial<Change>

/** When it runs, and whether Temporal's schedule is still what was applied. */
function whenChanges(sync: string, wanted: WantedSync, { deployment, schedule: found }: SyncWorld, now: Date): Change[] {
  const { schedule } = wanted
  const change = (action: Change['action'], what: string, ...consequences: string[]): Change[] => [
    { action, object: 'schedule', sync, what, consequences },
  ]
  const next = schedule ? [nextText(schedule, now)] : []
  const is = whenText(wanted)
  if (!deployment) {
    const taken = found && schedule ? ['The schedule of this name in Temporal gives way to it.'] : []
    return schedule || wanted.after.length > 0 ? change('create', is, ...next, ...taken) : []
  }
  const was = whenText(deployment)
  if (was !== is) return change('change', `${was} → ${is}`, ...(schedule ? next : deployment.schedule ? ['Its schedule is removed.'] : []))
  if (!schedule)
    return found
      ? change('delete', 'there is one in Temporal that the project file does not have', `It ${is.replace(/^runs/, 'is to run')}.`)
      : []
  if (!found) return change('mend', 'gone from Temporal, where somebody deleted it; made again', ...next)
  if (deployment.scheduleMark === undefined) return change('mend', 'an earlier apply did not come to its end', ...next)
  if (found.mark !== deployment.scheduleMark) return change('mend', 'changed in Temporal since it was applied; put back', ...next)
  return []
}

/** In force, and in the project file no more. */
function goneChanges(sync: string, { deployment, definition, schedule }: SyncWorld, prune: boolean): Change[] {
  const stay = `Its tables in schema ${definition!.schema}, its state and its runs stay.`
  if (prune)
    return [
      {
        action: 'delete',
        object: 'sync',
        sync,
        what: 'removed, with its schedule',
        consequences: [`The tables are updated no more. ${stay}`],
      },
    ]
  const isStopped = deployment!.retiredAt !== undefined && (schedule === undefined || schedule.isPaused)
  if (isStopped) return []
  return [
    {
      action: 'pause',
      object: 'sync',
      sync,
      what: 'not in the project file any more: nothing starts it',
      consequences: [`The tables are updated no more. ${stay}`, 'weir apply --prune removes it for good.'],
    },
  ]
}

function notesOf(wanted: Wanted, { syncs }: World, gone: readonly [string, SyncWorld][]): string[] {
  const paused = Object.keys(wanted.syncs).flatMap((sync) => {
    const { deployment, schedule } = syncs[sync]!
    const note = deployment?.paused ?? (schedule?.isPaused && !isRetired(schedule.note) ? schedule.note || 'no reason given' : undefined)
    return note === undefined ? [] : [`sync/${sync} is paused and stays so: ${note}. To go on: weir resume ${sync}`]
  })
  const left = gone
    .filter(([, { deployment }]) => deployment?.retiredAt !== undefined)
    .map(([sync]) => `sync/${sync} is not in the project file; its tables and state stay. To remove it: weir apply --prune`)
  return [...paused, ...left]
}
