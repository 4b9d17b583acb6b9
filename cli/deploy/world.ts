/** What is wanted, by the project file, and what there is: both sides of `weir plan`, gathered before they are compared. */
import type { Manifest } from '../../src/config/compile.js'
import { definitionHash, hashOf } from '../../src/config/hash.js'
import type { Definition, Schedule } from '../../src/core/definition.js'
import type { SyncMode } from '../../src/core/types.js'
import type { Deployment, StreamNeed } from '../../src/warehouse/contract/deployments.js'
import type { Session } from '../session.js'
import { type FoundSchedule, findSchedule } from './schedules.js'

export interface WantedSync {
  definition: Definition
  /** The definition's. */
  hash: string
  schedule?: Schedule
  after: readonly string[]
}

/** What the project file asks for. */
export interface Wanted {
  project: string
  environment?: string
  syncs: Readonly<Record<string, WantedSync>>
}

/** What there is of one sync. */
export interface SyncWorld {
  deployment?: Deployment
  /** The one in force. */
  definition?: Definition
  schedule?: FoundSchedule
  /** Streams of which earlier runs, by hand say, have left a state. */
  known: ReadonlySet<string>
  needs: readonly StreamNeed[]
}

export interface World {
  /** Which warehouse this is. */
  warehouse: string
  syncs: Readonly<Record<string, SyncWorld>>
  /** Schema → table → the mode in which it is kept. */
  modes: Readonly<Record<string, Readonly<Record<string, SyncMode>>>>
}

export function wantedOf({ project, environment, syncs, schedules, after }: Manifest): Wanted {
  const wanted = Object.entries(syncs).map(([name, definition]) => {
    const schedule = schedules[name]
    return [name, { definition, hash: definitionHash(definition), ...(schedule ? { schedule } : {}), after: after[name] ?? [] }] as const
  })
  return { project, ...(environment === undefined ? {} : { environment }), syncs: Object.fromEntries(wanted) }
}

/** Looks at the syncs that are wanted and at those in force. */
export async function worldOf(session: Session, wanted: Wanted): Promise<World> {
  const { warehouse } = session
  const [deployments, id] = await Promise.all([warehouse.deployments.list(), warehouse.deployments.installation()])
  const names = new Set([...Object.keys(wanted.syncs), ...deployments.map(({ sync }) => sync)])
  const schemas = new Set(Object.values(wanted.syncs).map(({ definition }) => definition.schema))
  const deploymentOf = (name: string) => deployments.find(({ sync }) => sync === name)
  const [syncs, modes] = await Promise.all([
    Promise.all([...names].map(async (name) => [name, await syncWorld(session, name, deploymentOf(name))] as const)),
    Promise.all([...schemas].map(async (schema) => [schema, await warehouse.tables.modes(schema)] as const)),
  ])
  return { warehouse: id, syncs: Object.fromEntries(syncs), modes: Object.fromEntries(modes) }
}

async function syncWorld(session: Session, sync: string, deployment: Deployment | undefined): Promise<SyncWorld> {
  const { warehouse } = session
  const [definition, schedule, state, needs] = await Promise.all([
    deployment && warehouse.definitions.get(deployment.definition),
    findSchedule(session, sync),
    warehouse.state.read({ sync }),
    warehouse.deployments.needs(sync),
  ])
  return {
    ...(deployment ? { deployment } : {}),
    ...(definition ? { definition } : {}),
    ...(schedule ? { schedule } : {}),
    known: new Set([...state.watermarks, ...state.checkpoints].map(({ stream }) => stream)),
    needs,
  }
}

/** What a plan was made from, sync by sync: whether one of these has moved tells whether the plan still holds. Runs move none of it. */
export function standOf({ syncs, modes }: World): Record<string, string> {
  const stands = Object.entries(syncs).map(([name, { deployment, schedule }]) => [`sync ${name}`, hashOf([deployment, schedule])])
  return Object.fromEntries([
    ...stands,
    ...Object.entries(modes).map(([schema, tables]) => [`the tables of schema ${schema}`, hashOf(tables)]),
  ])
}
