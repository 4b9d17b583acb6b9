/** One audience's definition against the one in force: what changes in who goes where, and what follows. */
import { same } from '../../src/config/hash.js'
import type { AudienceDefinition, DestinationDefinition } from '../../src/core/audience.js'
import type { Change } from './change.js'
import { whenText } from './when.js'
import type { AudienceWorld, WantedAudience } from './world.js'

export function audienceChanges(
  { definition, hash, ...when }: WantedAudience,
  { deployment, definition: before }: AudienceWorld,
): Change[] {
  const { audience, destinations, model } = definition
  const change = (action: Change['action'], what: string, ...consequences: string[]): Change => ({
    action,
    object: 'audience',
    audience,
    what,
    consequences,
  })
  if (!deployment || !before) {
    const places = Object.entries(destinations).map(([name, one]) => `${name} (${placeOf(one)})`)
    return [
      change(
        'create',
        `keeps the people of model ${model.name} at ${places.join(', ')}`,
        `What its first push sends: weir audience preview ${audience}`,
      ),
    ]
  }
  const back = deployment.retiredAt ? [change('change', `in the project file again; ${whenText(when)}`)] : []
  if (deployment.definition === hash) return back
  // What it depends on by `after` is told with the schedule.
  const [old, next] = [withoutAfter(before, deployment.after), withoutAfter(definition, when.after)]
  const changes = [...partChanges(old, next, change), ...destinationChanges(old, next, change)]
  const isTold = changes.length > 0 || !same(before.dependsOn, definition.dependsOn)
  return [...back, ...(isTold ? changes : [change('change', 'compiled in another way than before')])]
}

function withoutAfter(definition: AudienceDefinition, after: readonly string[]): AudienceDefinition {
  const { dependsOn = [], ...rest } = definition
  return { ...rest, dependsOn: dependsOn.filter(({ sync, stream }) => stream !== undefined || !after.includes(sync)) }
}

type Say = (action: Change['action'], what: string, ...consequences: string[]) => Change

/** Parts as the project file names them; the next push goes by them. */
const parts = {
  model: 'model',
  identity: 'identity',
  defaultCountry: 'identity.default_country',
  hashed: 'identity.hashed',
  consent: 'consent',
  suppress: 'suppress',
  gates: 'gates',
  approval: 'approval',
  holdoutPercent: 'holdout',
  alerts: 'alerts',
  maxStaleness: 'max_staleness',
  maxRejectedPercent: 'max_rejected',
  dependsOn: 'what it depends on',
} as const

function partChanges(before: AudienceDefinition, after: AudienceDefinition, change: Say): Change[] {
  const said = (key: string) => [before, after].map((one) => (one as unknown as Record<string, unknown>)[key])
  const changed = Object.entries(parts).filter(([key]) => !same(...(said(key) as [unknown, unknown])))
  if (changed.length === 0) return []
  const others = changed.some(([key]) => !['gates', 'approval', 'alerts'].includes(key))
  const follows = others ? [`Who is added and removed by it: weir audience preview ${after.audience}`] : []
  return [change('change', `another ${changed.map(([, name]) => name).join(', ')}`, ...follows)]
}

function destinationChanges(before: AudienceDefinition, after: AudienceDefinition, change: Say): Change[] {
  const names = [...new Set([...Object.keys(before.destinations), ...Object.keys(after.destinations)])]
  return names.flatMap((name): Change[] => {
    const [a, b] = [before.destinations[name], after.destinations[name]]
    if (!b)
      return [
        change(
          'delete',
          `destination ${name} (${placeOf(a!)}): pushed no more`,
          'Who is held there stays, also who refuses from now on: take them off at the vendor, or push it empty first.',
        ),
      ]
    if (!a) return [change('create', `destination ${name} (${placeOf(b)})`, 'The next push sends everybody there.')]
    if (same(a, b)) return []
    if (placeOf(a) !== placeOf(b))
      return [
        change(
          'change',
          `destination ${name}: ${placeOf(a)} → ${placeOf(b)}`,
          `The next push asks first, and fills ${placeOf(b)} from the start. Who is held at ${placeOf(a)} stays there, and its ledger is set aside.`,
        ),
      ]
    const keys = (['connection', 'create', 'mode', 'map', 'settings'] as const).filter((key) => !same(a[key], b[key]))
    const follows = keys.includes('map') ? ['Members whose fields differ are sent again.'] : []
    return [change('change', `destination ${name}: another ${keys.join(', ')}`, ...follows)]
  })
}

const placeOf = ({ connection, kind, target }: DestinationDefinition): string => `${kind} ${JSON.stringify(target)} of ${connection.name}`
