import { Client, Connection } from '@temporalio/client'
import type { Manifest } from '../src/config/compile.js'
import { definitionHash } from '../src/config/hash.js'
import type { AudienceDefinition } from '../src/core/audience.js'
import type { Definition } from '../src/core/definition.js'
import { Failure } from '../src/core/failure.js'
import { searchAttributes } from '../src/core/search-attributes.js'
import type { Warehouse } from '../src/warehouse/driver.js'
import { createWarehouse } from '../src/warehouse/postgres/warehouse.js'
import { encryptsPayloads, payloadCodec } from '../worker/codec.js'
import { reach, type TemporalConnection, temporalSettings } from '../worker/temporal.js'
import { findStack, projectKey } from './dev/project-folder.js'
import { type Stack, startStack } from './dev/stack.js'
import type { Printer } from './print.js'
import { loadManifest, type Project } from './project.js'
import { registerSearchAttributes } from './search-attributes.js'
import type { Common } from './usage/command.js'
import { workerCommand } from './worker-command.js'

/** Task queue of the workflows; production workers listen on the same. */
export const queue = () => process.env.WEIR_TASK_QUEUE ?? 'weir'

/** What a command works with: the project, its warehouse, and Temporal. */
export interface Session {
  manifest: Manifest
  projectDir: string
  warehouseUrl: string
  warehouse: Warehouse
  temporal: Client
  /** WEIR_KEY, where one is set. */
  key: string | undefined
  /** Where the Temporal UI is, when the stack here has one. */
  uiUrl?: string
  /** Did this command start the stack itself? Then it ends with the command. */
  ownsStack: boolean
  close: () => Promise<void>
}

/**
 * Opens what a command needs: Temporal at TEMPORAL_ADDRESS, else the stack of a running `weir dev`, else a stack of the
 * command's own, for its own duration, which it says.
 * @param judge refuses what is wrong with the command before anything is started
 */
export async function openSession(options: Common, printer: Printer, judge: (manifest: Manifest) => unknown = () => {}): Promise<Session> {
  const project = await loadManifest(options)
  judge(project.manifest)
  const there = await stackOf(project)
  if (there) return connect(project, there)
  printer.note(
    'No `weir dev` is running here and TEMPORAL_ADDRESS is not set: starting PostgreSQL, Temporal and a worker for this command.',
  )
  const { stack, session } = await startHere(project, printer)
  return {
    ...session,
    ownsStack: true,
    close: async () => {
      await session.close()
      await stack.stop()
    },
  }
}

/** What is left to itself needs somebody to run it. @throws Failure `config` where the stack ends with the command */
export function refuseDetach({ detach }: { detach?: boolean }, { ownsStack }: Session): void {
  if (detach && ownsStack)
    throw new Failure('config', '--detach needs a stack that stays: start `weir dev` in another terminal, or set TEMPORAL_ADDRESS.')
}

/** Where a project's Temporal and warehouse are. */
export interface Place {
  temporal: { connection: TemporalConnection; namespace: string }
  warehouseUrl: string
  temporalUiUrl?: string
  key: string | undefined
}

/** At TEMPORAL_ADDRESS, else where a running `weir dev` has them; undefined when neither is there. */
export async function stackOf(project: Project): Promise<Place | undefined> {
  const temporal = temporalOf(project.manifest)
  if (temporal) return { temporal, warehouseUrl: warehouseUrl(project.manifest), key: process.env.WEIR_KEY || undefined }
  const running = await findStack(project.projectDir)
  return running && { ...running, temporal: local(project, running.temporalAddress), key: await stackKey(project) }
}

/** A stack of this process, and a session with it. The caller stops both. */
export async function openDev(options: Common, printer: Printer): Promise<{ stack: Stack; session: Session }> {
  return startHere(await loadManifest(options), printer)
}

async function startHere(project: Project, printer: Printer): Promise<{ stack: Stack; session: Session }> {
  const { url } = project.manifest.warehouse
  const stack = await startStack({
    projectDir: project.projectDir,
    worker: workerCommand(),
    searchAttributes,
    log: printer.note,
    ...(url === 'embedded' ? {} : { warehouseUrl: url }),
  })
  try {
    return {
      stack,
      session: await connect(project, {
        ...stack.info,
        temporal: local(project, stack.info.temporalAddress),
        key: await stackKey(project),
      }),
    }
  } catch (error) {
    await stack.stop()
    throw error
  }
}

/** Is Temporal named by the environment or the project file? Otherwise the stack of this machine is meant. */
export function isTemporalNamed({ temporal }: Manifest): boolean {
  const { TEMPORAL_ADDRESS, TEMPORAL_PROFILE, TEMPORAL_CONFIG_FILE } = process.env
  return Boolean(TEMPORAL_ADDRESS || TEMPORAL_PROFILE || TEMPORAL_CONFIG_FILE || temporal.address)
}

/** The Temporal that is named; undefined where none is. */
function temporalOf(manifest: Manifest): Place['temporal'] | undefined {
  if (!isTemporalNamed(manifest)) return undefined
  const { connection, namespace = manifest.temporal.namespace } = temporalSettings(process.env, manifest.temporal)
  return { connection, namespace }
}

/** The stack of this machine: on loopback, with nothing to prove. */
const local = ({ manifest }: Project, address: string): Place['temporal'] => ({
  connection: { address },
  namespace: process.env.TEMPORAL_NAMESPACE ?? manifest.temporal.namespace,
})

/** The warehouse alone, for commands that only read it. */
function warehouseUrl(manifest: Manifest): string {
  const url = process.env.WAREHOUSE_URL ?? (manifest.warehouse.url === 'embedded' ? undefined : manifest.warehouse.url)
  if (!url)
    throw new Failure(
      'config',
      'TEMPORAL_ADDRESS is set, so the warehouse must be named too: set WAREHOUSE_URL, or `warehouse.url` in the project file.',
    )
  return url
}

/** The key that the stack here gave its worker. */
const stackKey = async ({ projectDir }: Project): Promise<string> => process.env.WEIR_KEY || (await projectKey(projectDir))

/** @throws Failure `transient` when nobody answers there, `config` where what it takes is not right */
export const connectTemporal = ({ connection }: Place['temporal']): Promise<Connection> =>
  reach(connection, () => Connection.connect({ ...connection, connectTimeout: '10s' }))

/** A client of the place's namespace, which encrypts as its workers do. @throws Failure `config` where the key to do so is missing */
export const clientOf = (connection: Connection, { temporal: { namespace }, key }: Pick<Place, 'temporal' | 'key'>): Client =>
  new Client({ connection, namespace, dataConverter: { payloadCodecs: [payloadCodec(key, encryptsPayloads(process.env))] } })

async function connect({ manifest, projectDir }: Project, at: Place): Promise<Session> {
  const warehouse = createWarehouse(at.warehouseUrl, { connections: 4, key: at.key })
  const connecting = connectTemporal(at.temporal)
  try {
    const [connection] = await Promise.all([connecting, warehouse.migrate()])
    await registerSearchAttributes(connection, at.temporal.namespace)
    return {
      manifest,
      projectDir,
      warehouseUrl: at.warehouseUrl,
      warehouse,
      temporal: clientOf(connection, at),
      key: at.key,
      ...(at.temporalUiUrl ? { uiUrl: at.temporalUiUrl } : {}),
      ownsStack: false,
      close: async () => {
        await connection.close()
        await warehouse.close()
      },
    }
  } catch (error) {
    await Promise.allSettled([connecting.then((connection) => connection.close()), warehouse.close()])
    throw error
  }
}

/** Stores a sync's compiled definition under its hash, so that workers find it; answers with the hash. */
export async function putDefinition(
  { warehouse }: Pick<Session, 'warehouse'>,
  definition: Definition | AudienceDefinition,
): Promise<string> {
  const hash = definitionHash(definition)
  await warehouse.definitions.put(hash, definition)
  return hash
}
