/** What Temporal and the warehouse have to say. Nothing is changed there. */
import type { Connection } from '@temporalio/client'
import proto from '@temporalio/proto'
import { asFailure } from '../../src/core/failure.js'
import type { Finding } from '../../src/core/types.js'
import type { Warehouse } from '../../src/warehouse/driver.js'
import { missingSearchAttributes } from '../search-attributes.js'

const { TaskQueueType } = proto.temporal.api.enums.v1

/** What was asked, or how asking failed. */
export async function finding(name: string, hint: string, look: () => Promise<Finding>): Promise<Finding> {
  try {
    return await look()
  } catch (error) {
    return { name, ok: false, message: asFailure(error).message, hint }
  }
}

export async function temporalFindings(connection: Connection, namespace: string): Promise<Finding[]> {
  const reaches = `Does the namespace "${namespace}" exist, and may this client use it? TEMPORAL_NAMESPACE names another.`
  return [
    await finding('Temporal', reaches, async () => {
      const { serverVersion } = await connection.workflowService.getSystemInfo({})
      await connection.workflowService.describeNamespace({ namespace })
      return { name: 'Temporal', ok: true, message: `server ${serverVersion}, namespace ${namespace}` }
    }),
    await finding('search attributes', reaches, async () => {
      const missing = await missingSearchAttributes(connection, namespace)
      if (missing === undefined) return { name: 'search attributes', ok: true, message: 'this Temporal lets nobody but its own tool look' }
      return missing.length === 0
        ? { name: 'search attributes', ok: true, message: 'registered' }
        : { name: 'search attributes', ok: false, message: `missing: ${missing.join(', ')}`, hint: 'weir apply registers them.' }
    }),
  ]
}

/** Does a worker ask for work? Without one, runs wait. */
export async function workerFinding(connection: Connection, namespace: string, queue: string): Promise<Finding> {
  const hint = 'Start one: weir worker (or weir dev on one machine), with the same TEMPORAL_ADDRESS, namespace and WEIR_TASK_QUEUE.'
  const kinds = [
    [queue, TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW],
    [queue, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY],
    [`${queue}-control`, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY],
  ] as const
  return finding('worker', hint, async () => {
    const pollers = await Promise.all(
      kinds.map(async ([name, taskQueueType]) => {
        const { pollers: found } = await connection.workflowService.describeTaskQueue({ namespace, taskQueue: { name }, taskQueueType })
        return new Set((found ?? []).map(({ identity }) => identity)).size
      }),
    )
    const count = Math.min(...pollers)
    return count > 0
      ? { name: 'worker', ok: true, message: `${count} on queue ${queue}` }
      : { name: 'worker', ok: false, message: `none asks for work on queue ${queue}`, hint }
  })
}

export async function warehouseFindings(warehouse: Warehouse): Promise<Finding[]> {
  let found: Awaited<ReturnType<Warehouse['describe']>>
  try {
    found = await warehouse.describe()
  } catch (error) {
    return [{ name: 'warehouse', ok: false, message: asFailure(error).message, hint: 'Is WAREHOUSE_URL right, and does the server run?' }]
  }
  const { version, canCreate, clockSkewMs, migrations } = found
  const { applied, known } = migrations
  const isNewEnough = Number.parseInt(version, 10) >= 15
  return [
    { name: 'warehouse', ok: isNewEnough, message: `PostgreSQL ${version}`, ...(isNewEnough ? {} : { hint: 'Weir needs 15 or newer.' }) },
    {
      name: 'rights',
      ok: canCreate,
      message: canCreate ? 'may create schemas' : 'may not create schemas',
      ...(canCreate ? {} : { hint: 'Grant CREATE on the database to the warehouse user.' }),
    },
    clockFinding('clock of the warehouse', clockSkewMs),
    applied > known
      ? { name: '_weir tables', ok: false, message: `of a newer Weir (${applied}, this one knows ${known})`, hint: 'Upgrade Weir here.' }
      : {
          name: '_weir tables',
          ok: true,
          message:
            applied === known ? `up to date (${applied})` : `${applied} of ${known}; the next command or worker brings them up to date`,
        },
  ]
}

const mostSkewMs = 5_000

export function clockFinding(name: string, skewMs: number): Finding {
  const message = `${Math.abs(skewMs / 1000).toFixed(1)} s ${skewMs < 0 ? 'behind' : 'ahead of'} this machine`
  return Math.abs(skewMs) < mostSkewMs
    ? { name, ok: true, message }
    : { name, ok: false, message, hint: 'Set all clocks by NTP: slices end at now, and schedules fire by Temporal’s clock.' }
}
