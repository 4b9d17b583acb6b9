/** The project file against what is deployed. Pure: both sides come as data, and so does the time. */
import { type Allowance, type Change, nameOf, type Of } from './change.js'
import { audienceChanges } from './diff-audience.js'
import { definitionChanges, modeChanges, newStream } from './diff-definition.js'
import { isRetired } from './schedules.js'
import { nextText, type When, whenText } from './when.js'
import type { AudienceWorld, SyncWorld, Wanted, WantedSync, World } from './world.js'

export interface Plan {
  changes: Change[]
  /** What stays as it is, and people should know. */
  notes: string[]
}

/** @param options.prune remove what the project file has no more, instead of leaving it paused */
export function diff(wanted: Wanted, world: World, { prune, now }: { prune: boolean; now: Date }): Plan {
  const changes = Object.entries(wanted.syncs).flatMap(([name, sync]) => [
    ...ownerChanges({ sync: name }, wanted, world),
    ...syncChanges(name, sync, world),
    ...modeChanges(sync.definition, world),
    ...whenChanges({ sync: name }, sync, world.syncs[name]!, now),
  ])
  const ofAudiences = Object.entries(wanted.audiences).flatMap(([name, audience]) => [
    ...ownerChanges({ audience: name }, wanted, world),
    ...audienceChanges(audience, world.audiences[name]!),
    ...whenChanges({ audience: name }, audience, world.audiences[name]!, now),
  ])
  const lost = Object.entries(world.audiences).filter(([name, own]) => !wanted.audiences[name] && isOurs(own, wanted))
  const gone = Object.entries(world.syncs).filter(([name, own]) => !wanted.syncs[name] && isOurs(own, wanted))
  return {
    changes: [
      ...changes,
      ...ofAudiences,
      ...gone.flatMap(([name, own]) => goneChanges({ sync: name }, own, goneSync(own), prune)),
      ...lost.flatMap(([name, own]) => goneChanges({ audience: name }, own, goneAudience, prune)),
    ],
    notes: notesOf(wanted, world, prune ? [] : [...gone.map(ofSync), ...lost.map(ofAudience)]),
  }
}

type Own = SyncWorld | AudienceWorld
const ofSync = ([sync, own]: [string, Own]): [Of, Own] => [{ sync }, own]
const ofAudience = ([audience, own]: [string, Own]): [Of, Own] => [{ audience }, own]
const ownOf = (of: Of, { syncs, audiences }: World): Own => (of.sync === undefined ? audiences[of.audience]! : syncs[of.sync]!)

const isOurs = ({ deployment, definition }: Own, { project, environment }: Wanted): boolean =>
  definition?.project === project && deployment?.environment === environment

/** Another project's or environment's sync or audience of the same name is not written over in passing. */
function ownerChanges(of: Of, { project, environment }: Wanted, world: World): Change[] {
  const { warehouse } = world
  const { deployment, definition, schedule } = ownOf(of, world)
  const told = (from: string, to: string, needs: Allowance): Change[] => [
    {
      action: 'change',
      object: objectOf(of),
      ...of,
      what: `deployed from ${from}, now from ${to}`,
      consequences: ['What was deployed there gives way: its next run goes by this project file.'],
      needs,
    },
  ]
  const said = (name: string | undefined) => (name === undefined ? 'no environment' : `environment ${name}`)
  const owner = deployment && definition ? { ...deployment, project: definition.project, warehouse } : schedule?.owner
  if (owner && owner.project !== project) return told(`project ${owner.project}`, `project ${project}`, 'project')
  if (owner && owner.environment !== environment) return told(said(owner.environment), said(environment), 'environment')
  if (schedule?.owner && schedule.owner.warehouse !== warehouse) return told('another warehouse', 'this one', 'warehouse')
  return []
}

const objectOf = ({ sync }: Of) => (sync === undefined ? ('audience' as const) : ('sync' as const))

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
function whenChanges(of: Of, wanted: When, { deployment, schedule: found }: Own, now: Date): Change[] {
  const { schedule } = wanted
  const change = (action: Change['action'], what: string, ...consequences: string[]): Change[] => [
    { action, object: 'schedule', ...of, what, consequences },
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

/** What becomes of what is in the project file no more. */
interface Leaving {
  stops: string
  stays: string
}
const goneSync = ({ definition }: SyncWorld): Leaving => ({
  stops: 'The tables are updated no more.',
  stays: `Its tables in schema ${definition!.schema}, its state and its runs stay.`,
})
const goneAudience: Leaving = {
  stops: 'Nobody is added or removed any more, not even who refuses: take people off its lists at the vendors, or push it empty first.',
  stays: 'What the destinations hold, its ledger and its pushes stay.',
}

/** In force, and in the project file no more. */
function goneChanges(of: Of, { deployment, schedule }: Own, { stops, stays }: Leaving, prune: boolean): Change[] {
  const object = objectOf(of)
  if (prune) return [{ action: 'delete', object, ...of, what: 'removed, with its schedule', consequences: [`${stops} ${stays}`] }]
  const isStopped = deployment!.retiredAt !== undefined && (schedule === undefined || schedule.isPaused)
  if (isStopped) return []
  return [
    {
      action: 'pause',
      object,
      ...of,
      what: 'not in the project file any more: nothing starts it',
      consequences: [`${stops} ${stays}`, 'weir apply --prune removes it for good.'],
    },
  ]
}

function notesOf(wanted: Wanted, world: World, gone: readonly [Of, Own][]): string[] {
  const kept: Of[] = [
    ...Object.keys(wanted.syncs).map((sync) => ({ sync })),
    ...Object.keys(wanted.audiences).map((audience) => ({ audience })),
  ]
  const paused = kept.flatMap((of) => {
    const { deployment, schedule } = ownOf(of, world)
    const note = deployment?.paused ?? (schedule?.isPaused && !isRetired(schedule.note) ? schedule.note || 'no reason given' : undefined)
    const resume = of.sync ?? nameOf(of)
    return note === undefined ? [] : [`${nameOf(of)} is paused and stays so: ${note}. To go on: weir resume ${resume}`]
  })
  const left = gone
    .filter(([, { deployment }]) => deployment?.retiredAt !== undefined)
    .map(([of]) => {
      const stays = of.sync === undefined ? 'its ledger stays' : 'its tables and state stay'
      return `${nameOf(of)} is not in the project file; ${stays}. To remove it: weir apply --prune`
    })
  return [...paused, ...left]
}
