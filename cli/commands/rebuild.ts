import type { WorkflowHandle } from '@temporalio/client'
import type { RebuildInput, RebuildReceipt } from '../../src/core/rebuild.js'
import { labels } from '../../src/core/run-start.js'
import { exitOf } from '../exit.js'
import { number, type Printer } from '../print.js'
import { chosenStreams } from '../project.js'
import { openSession, putDefinition, queue, type Session } from '../session.js'
import type { Common } from '../usage/command.js'
import { workflowFailure } from '../workflow-failure.js'

interface RebuildOptions extends Common {
  stream: string
  dryRun?: boolean
}

/** Types a table anew from its raw records, without the vendor. */
export async function run({ options, printer, args }: { options: RebuildOptions; printer: Printer; args: string[] }): Promise<number> {
  const session = await openSession(options, printer, (manifest) => chosenStreams(manifest, args, [options.stream]))
  try {
    const sync = args[0]!
    const handle = await start(session, sync, options)
    printer.note(`rebuild/${sync}/${options.stream}: run ${handle.firstExecutionRunId}`)
    const receipt = await endOf(handle, { sync, stream: options.stream })
    printer.json({ sync, stream: options.stream, run: handle.firstExecutionRunId, dryRun: options.dryRun ?? false, ...receipt })
    printer.table(
      ['stream', 'rows examined', options.dryRun ? 'would be rewritten' : 'rewritten', 'without raw', 'dead letters'],
      [[options.stream, receipt.examined, receipt.rewritten, receipt.withoutRaw, receipt.deadLetters]],
    )
    if (receipt.withoutRaw > 0)
      printer.line(
        `\n${number(receipt.withoutRaw)} rows hold no raw record and stay as they are. \`weir sync ${sync} --stream ${options.stream} --full\` reads again what the vendor still shows; older versions of a history or append table stay.`,
      )
    return exitOf([receipt.status])
  } finally {
    await session.close()
  }
}

async function start(session: Session, sync: string, { stream, dryRun }: RebuildOptions) {
  const definition = await putDefinition(session, session.manifest.syncs[sync]!)
  const input: RebuildInput = { sync, definition, stream, ...(dryRun ? { dryRun } : {}) }
  try {
    return await session.temporal.workflow.start('rebuildTable', {
      taskQueue: queue(),
      workflowId: `rebuild/${sync}/${stream}`,
      args: [input],
      staticSummary: `${sync} / ${stream}: rebuild from raw records${dryRun ? ', dry run' : ''}`,
      staticDetails: `Types the rows of ${sync}/${stream} anew from the raw records beside them; the vendor is not asked.`,
      ...labels({ sync, stream, kind: 'rebuild', definition, tellsStatus: true }),
    })
  } catch (error) {
    const underWay = `A rebuild of ${sync}/${stream} is under way. Wait for its end, or cancel it in the Temporal UI.`
    throw workflowFailure(error, { sync, stream }, underWay)
  }
}

/** The receipt; Ctrl-C cancels, and what is rewritten stays so. */
async function endOf(handle: WorkflowHandle, where: { sync: string; stream: string }): Promise<RebuildReceipt> {
  const cancel = () => void handle.cancel().catch(() => process.exit(1))
  process.once('SIGINT', cancel)
  try {
    return (await handle.result()) as RebuildReceipt
  } catch (error) {
    throw workflowFailure(error, where)
  } finally {
    process.off('SIGINT', cancel)
  }
}
