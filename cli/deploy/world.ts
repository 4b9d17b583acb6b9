/** What is wanted, by the project file, and what there is: both sides of `weir plan`, gathered before they are compared. */
import type { Manifest } from '../../src/config/compile.js'
import { definitionHash, hashOf } from '../../src/config/hash.js'
import type { AudienceDefinition } from '../../src/core/audience.js'
import type { Definition, Schedule } from '../../src/core/definition.js'
import { pushId } from '../../src/core/push.js'
import { syncId } from '../../src/core/run-start.js'
import type { SyncMode } from '../../src/core/types.js'
import type { AudienceDeployment, Deployment, StreamNeed } from '../../src/warehouse/contract/deployments.js'
import type { Session } from '../session.js'
import { type FoundSchedule, findSchedule } from './schedules.js'

export interface WantedSync {
  definition: Definition
  /** The definition's. */
  hash: string
  schedule?: Schedule
  after: readonly string[]
}

export interface WantedAudience {
  definition: AudienceDefinition
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
  audiences: Readonly<Record<string, WantedAudience>>
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

/** What there is of one audience. */
export interface AudienceWorld {
  deployment?: AudienceDeployment
  /** The one in force. */
  definition?: AudienceDefinition
  schedule?: FoundSchedule
}

export interface World {
  /** Which warehouse this is. */
  warehouse: string
  syncs: Readonly<Record<string, SyncWorld>>
  audiences: Readonly<Record<string, AudienceWorld>>
  /** Schema → table → the mode in which it is kept. */
  modes: Readonly<Record<string, Readonly<Record<string, SyncMode>>>>
}

export function wantedOf({ project, environment, syncs, schedules, after, audiences, pushes }: Manifest): Wanted {
  const wanted = Object.entries(syncs).map(([name, definition]) => {
    const schedule = schedules[name]
    return [name, { definition, hash: definitionHash(definition), ...(schedule ? { schedule } : {}), after: after[name] ?? [] }] as const
  })
  const people = Object.entries(audiences).map(
    ([name, definition]) => [name, { definition, hash: definitionHash(definition), ...pushes[name]! }] as const,
  )
  return {
    project,
    ...(environment === undefined ? {} : { environment }),
    syncs: Object.fromEntries(wanted),
    audiences: Object.fromEntries(people),
  }
}

/** Looks at the syncs and audiences that are wanted and at those in force. */
export async function worldOf(session: Session, wanted: Wanted): Promise<World> {
  const { warehouse } = session
  const [deployments, id] = await Promise.all([warehouse.deployments.list(), warehouse.deployments.installation()])
  const names = new Set([...Object.keys(wanted.syncs), ...deployments.map(({ sync }) => sync)])
  const schemas = new Set(Object.values(wanted.syncs).map(({ definition }) => definition.schema))
  const deploymentOf = (name: string) => deployments.find(({ sync }) => sync === name)
  const [syncs, audiences, modes] = await Promise.all([
    Promise.all([...names].map(async (name) => [name, await syncWorld(session, name, deploymentOf(name))] as const)),
    audiencesOf(session, wanted),
    Promise.all([...schemas].map(async (schema) => [schema, await warehouse.tables.modes(schema)] as const)),
  ])
  return { warehouse: id, syncs: Object.fromEntries(syncs), audiences, modes: Object.fromEntries(modes) }
}

async function audiencesOf(session: Session, wanted: Wanted): Promise<World['audiences']> {
  const { warehouse } = session
  const deployments = await warehouse.audienceDeployments.list()
  const names = new Set([...Object.keys(wanted.audiences), ...deployments.map(({ audience }) => audience)])
  const deploymentOf = (name: string) => deployments.find(({ audience }) => audience === name)
  return Object.fromEntries(
    await Promise.all([...names].map(async (name) => [name, await audienceWorld(session, name, deploymentOf(name))] as const)),
  )
}

async function audienceWorld(session: Session, audience: string, deployment: AudienceDeployment | undefined): Promise<AudienceWorld> {
  const [definition, schedule] = await Promise.all([
    deployment && session.warehouse.definitions.audience(deployment.definition),
    findSchedule(session, pushId(audience)),
  ])
  return { ...(deployment ? { deployment } : {}), ...(definition ? { definition } : {}), ...(schedule ? { schedule } : {}) }
}

async function syncWorld(session: Session, sync: string, deployment: Deployment | undefined): Promise<SyncWorld> {
  const { warehouse } = session
  const [definition, schedule, state, needs] = await Promise.all([
    deployment && warehouse.definitions.get(deployment.definition),
    findSchedule(session, syncId(sync)),
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

/** What a plan was made from, part by part: whether one of these has moved tells whether the plan still holds. Runs move none of it. */
export function standOf({ syncs, audiences, modes }: World): Record<string, string> {
  const stands = Object.entries(syncs).map(([name, { deployment, schedule }]) => [`sync ${name}`, hashOf([deployment, schedule])])
  const people = Object.entries(audiences).map(([name, { deployment, schedule }]) => [`audience ${name}`, hashOf([deployment, schedule])])
  return Object.fromEntries([
    ...stands,
    ...people,
    ...Object.entries(modes).map(([schema, tables]) => [`the tables of schema ${schema}`, hashOf(tables)]),
  ])
}
