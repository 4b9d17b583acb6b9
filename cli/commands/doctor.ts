import type { Client, Connection } from '@temporalio/client'
import { asFailure } from '../../src/core/failure.js'
import type { Finding } from '../../src/core/types.js'
import { createWarehouse } from '../../src/warehouse/postgres/warehouse.js'
import { type Asking, answerTo, askDestinations, startAsking } from '../ask.js'
import { machineFindings, portFindings } from '../doctor/machine.js'
import { clockFinding, finding, temporalFindings, warehouseFindings, workerFinding } from '../doctor/servers.js'
import { exit } from '../exit.js'
import { type Printer, printFindings } from '../print.js'
import { loadManifest, type Project } from '../project.js'
import { clientOf, connectTemporal, type Place, queue, stackOf } from '../session.js'
import type { Common } from '../usage/command.js'

interface Group {
  group: string
  findings: Finding[]
}

/** Looks at everything that must be right, and says of each thing that is not what to do. Only before vendors are asked are Weir's own tables brought up to date. */
export async function run({ options, printer }: { options: Common; printer: Printer }): Promise<number> {
  const groups = await examine(options)
  const findings = groups.flatMap((one) => one.findings)
  const failed = findings.filter(({ ok }) => !ok).length
  printer.json({ ok: failed === 0, groups })
  for (const { group, findings } of groups) {
    printer.line(group)
    printFindings(findings, printer)
  }
  printer.line(failed === 0 ? '\nAll is well.' : `\n${failed} of ${findings.length} are not right.`)
  return failed === 0 ? exit.done : exit.failed
}

async function examine(options: Common): Promise<Group[]> {
  let project: Project
  try {
    project = await loadManifest(options)
  } catch (error) {
    const failed = asFailure(error)
    if (failed.reason !== 'config') throw error
    return [
      { group: 'project', findings: [{ name: 'project file', ok: false, message: failed.message, hint: 'weir validate tells the same.' }] },
    ]
  }
  const valid = { name: 'project file', ok: true, message: `${project.file}, ${Object.keys(project.manifest.syncs).length} syncs` }
  const own = { group: 'project and machine', findings: [valid, ...(await machineFindings(project))] }
  let place: Place | undefined
  try {
    place = await stackOf(project)
  } catch (error) {
    return [own, { group: 'servers', findings: [{ name: 'warehouse', ok: false, message: asFailure(error).message }] }]
  }
  if (place) return [own, ...(await examineServers(project, place))]
  const none = {
    name: 'Temporal',
    ok: true,
    message: 'none runs here',
    hint: '`weir dev` starts PostgreSQL, Temporal and a worker; or set TEMPORAL_ADDRESS.',
  }
  return [own, { group: 'servers', findings: [none, ...(await portFindings())] }]
}

async function examineServers(project: Project, place: Place): Promise<Group[]> {
  const { namespace } = place.temporal
  const warehouse = createWarehouse(place.warehouseUrl, { connections: 2, key: place.key })
  let connection: Connection | undefined
  try {
    const ofWarehouse = { group: 'warehouse', findings: await warehouseFindings(warehouse) }
    const reached = await finding('Temporal', 'Start it, or set TEMPORAL_ADDRESS.', async () => {
      connection = await connectTemporal(place.temporal)
      return { name: 'Temporal', ok: true, message: `answers at ${place.temporal.connection.address}` }
    })
    if (!connection) return [ofWarehouse, { group: 'Temporal', findings: [reached] }]
    const worker = await workerFinding(connection, namespace, queue())
    const ofTemporal = { group: 'Temporal', findings: [reached, ...(await temporalFindings(connection, namespace)), worker] }
    const canAsk = [...ofWarehouse.findings, ...ofTemporal.findings].every(({ ok }) => ok)
    if (!canAsk) return [ofWarehouse, ofTemporal, { group: 'vendors', findings: [notAsked] }]
    let temporal: Client
    try {
      temporal = clientOf(connection, place)
    } catch (error) {
      return [ofWarehouse, ofTemporal, { group: 'vendors', findings: [{ name: 'vendors', ok: false, message: asFailure(error).message }] }]
    }
    await warehouse.migrate()
    const { clock, groups } = await vendors({ manifest: project.manifest, warehouse, temporal })
    ofTemporal.findings.push(...clock)
    const destinations = await ofAudiences({ manifest: project.manifest, warehouse, temporal })
    return [ofWarehouse, ofTemporal, ...groups, ...destinations]
  } finally {
    await connection?.close()
    await warehouse.close()
  }
}

const notAsked: Finding = {
  name: 'vendors',
  ok: false,
  message: 'not asked: a worker asks them, over Temporal and the warehouse',
  hint: 'Mend what is above first.',
}

/** Each connection is asked once. By when Temporal says that a question began one sees how its clock goes. */
async function vendors(session: Asking): Promise<{ clock: Finding[]; groups: Group[] }> {
  const syncs = Object.values(session.manifest.syncs)
  const clock: Finding[] = []
  const byConnection = new Map(syncs.map(({ sync, connection }) => [connection.name, sync]))
  const groups = await Promise.all(
    [...byConnection].map(async ([connection, sync], index) => {
      const group = `connection ${connection}`
      try {
        const before = Date.now()
        const asked = await startAsking(session, sync, { question: 'check' })
        const after = Date.now()
        if (index === 0) clock.push(clockFinding('clock of Temporal', outside((await asked.handle.describe()).startTime, before, after)))
        const { findings } = await answerTo(session, sync, asked)
        return { group, findings: findings.filter(({ name }) => name !== 'warehouse' && name !== 'clock') }
      } catch (error) {
        return { group, findings: [{ name: 'vendor', ok: false, message: asFailure(error).message }] }
      }
    }),
  )
  return { clock, groups }
}

/** What stands in the way of pushes, audience by audience. */
const ofAudiences = (session: Asking): Promise<Group[]> =>
  Promise.all(
    Object.keys(session.manifest.audiences).map(async (audience) => {
      const group = `audience ${audience}`
      try {
        const found = await askDestinations(session, audience)
        return {
          group,
          findings: found.flatMap(({ destination, findings }) => findings.map((one) => ({ ...one, name: `${destination}, ${one.name}` }))),
        }
      } catch (error) {
        return { group, findings: [{ name: 'destinations', ok: false, message: asFailure(error).message }] }
      }
    }),
  )

/** How far an instant lies outside of a span; negative before it. */
const outside = (at: Date, from: number, to: number): number => Math.min(0, at.getTime() - from) + Math.max(0, at.getTime() - to)
