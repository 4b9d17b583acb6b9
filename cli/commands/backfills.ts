import type { WorkflowHandle } from '@temporalio/client'
import type { BackfillInput, BackfillOrder } from '../../src/core/backfill.js'
import { Failure } from '../../src/core/failure.js'
import type { BackfillDetail } from '../../src/warehouse/contract/backfills.js'
import { who } from '../confirm.js'
import { ago, duration, type Printer } from '../print.js'
import { chosenSyncs } from '../project.js'
import { runningRun } from '../runs.js'
import { openSession, refuseDetach, type Session } from '../session.js'
import type { Common } from '../usage/command.js'
import { refusalOf } from '../workflow-failure.js'
import { followed, printBackfill, startBackfill, workflowIdOf } from './backfill.js'

type Context<O extends Common = Common> = { options: O; printer: Printer; args: string[] }

export async function list({ options, printer, args }: Context<Common & { limit: number }>): Promise<number> {
  const session = await openSession(options, printer, (manifest) => chosenSyncs(manifest, args))
  try {
    const [sync] = args
    const backfills = await session.warehouse.backfills.list({ limit: options.limit, ...(sync ? { sync } : {}) })
    printer.json({ backfills })
    if (backfills.length === 0) printer.line('No backfill yet. Start one: weir backfill NAME --from 2025-01-01 --to 2025-04-01')
    else
      printer.table(
        [
          'backfill',
          'sync',
          'streams',
          'status',
          'slices',
          'done',
          'set aside',
          'read',
          'loaded',
          'dead letters',
          'begun',
          'done in about',
        ],
        backfills.map((row) => [
          row.id,
          row.sync,
          row.streams.length > 3 ? `${row.streams.length} streams` : row.streams.join(', '),
          row.status,
          row.slices.total,
          row.slices.done,
          row.slices.failed,
          row.read,
          row.loaded,
          row.deadLetters,
          ago(row.createdAt),
          row.endsAt ? duration(Math.max(0, Date.parse(row.endsAt) - Date.now())) : '',
        ]),
      )
    return 0
  } finally {
    await session.close()
  }
}

/** What a command about one backfill works with. */
interface Known {
  session: Session
  row: BackfillDetail
  handle: WorkflowHandle
  /** Does its workflow run? One that was terminated, or whose Temporal was lost, does not, whatever its row says. */
  isRunning: boolean
}

async function withBackfill({ options, printer, args }: Context, work: (known: Known) => Promise<number>): Promise<number> {
  const session = await openSession(options, printer)
  try {
    const [id] = args as [string]
    const row = await session.warehouse.backfills.get(id)
    if (!row) throw new Failure('config', `No backfill "${id}" in this warehouse. Those that are there: weir backfill list`)
    const handle = session.temporal.workflow.getHandle(workflowIdOf(row))
    return await work({ session, row, handle, isRunning: (await runningRun(session, handle.workflowId)) !== undefined })
  } finally {
    await session.close()
  }
}

const show = (context: Context): Promise<number> =>
  withBackfill(context, async ({ row, isRunning }) => {
    context.printer.json({ backfill: row })
    printBackfill(row, context.printer)
    if (!row.finishedAt && !isRunning)
      context.printer.line(`\nNothing runs it: its workflow is gone. weir backfill resume ${row.id} starts it again where it was.`)
    return 0
  })

const pause = (context: Context): Promise<number> =>
  withBackfill(context, async ({ row, handle, isRunning }) => {
    if (!isRunning) throw over(row)
    await send(handle, 'pause')
    return say(context, row.id, 'paused', `Paused. Slices under way stop within a minute. Go on: weir backfill resume ${row.id}`)
  })

/** Goes on with one that is paused, failed or was cancelled, or whose workflow is gone. */
const resume = (context: Context<Common & { detach?: boolean }>): Promise<number> =>
  withBackfill(context, async ({ session, row, handle, isRunning }) => {
    const { printer, options } = context
    if (isRunning) {
      await send(handle, 'resume')
      return say(context, row.id, 'running', `Goes on. Watch it: weir backfill show ${row.id}`)
    }
    if (row.status === 'completed') throw over(row)
    refuseDetach(options, session)
    const { connection } = await session.warehouse.definitions.get(row.definition)
    const started = await startBackfill(session, inputOf(row), connection.type)
    if (options.detach) return say(context, row.id, 'running', `Goes on where it ended. Watch it: weir backfill show ${row.id}`)
    printer.note(`${started.workflowId} goes on where it ended`)
    return followed(session, row.id, started, printer)
  })

const cancel = (context: Context): Promise<number> =>
  withBackfill(context, async ({ session, row, handle, isRunning }) => {
    const { printer } = context
    if (row.finishedAt) throw over(row)
    if (isRunning) {
      await handle.cancel()
      // It settles what it holds; its end is what was asked for, so it is no failure here.
      await handle.result().catch((error: unknown) => printer.note(`Ended: ${(error as Error).message}`))
    } else await session.warehouse.backfills.finish(row.id, 'cancelled')
    return say(context, row.id, 'cancelled', `Cancelled; what is loaded stays. Go on with it: weir backfill resume ${row.id}`)
  })

export const commands = { show, pause, resume, cancel }

function say({ printer }: Context, backfill: string, status: string, text: string): number {
  printer.json({ backfill, status })
  printer.line(text)
  return 0
}

const over = ({ id, status, finishedAt }: BackfillDetail) =>
  new Failure(
    'config',
    finishedAt ? `Backfill ${id} has ended: ${status}.` : `Nothing runs backfill ${id}: go on with weir backfill resume ${id}.`,
  )

const inputOf = ({ id, sync, definition, streams, from, to, createdBy, sliceDays, parallel }: BackfillDetail): BackfillInput => ({
  id,
  sync,
  definition,
  streams,
  from,
  to,
  by: createdBy,
  ...(sliceDays === undefined ? {} : { sliceDays }),
  ...(parallel === undefined ? {} : { parallel }),
})

/** @throws Failure `config` with the workflow's own words where it refuses */
async function send(handle: WorkflowHandle, order: 'pause' | 'resume'): Promise<void> {
  const by = who()
  const asked: BackfillOrder = by === undefined ? {} : { by }
  try {
    await handle.executeUpdate(order, { args: [asked] })
  } catch (error) {
    throw refusalOf(error)
  }
}
