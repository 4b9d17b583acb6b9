/** Three places answer how things stand: `weir status`, the status page, and Temporal. They say the same. */
import { expect } from 'vitest'
import type { Stage } from './stage.js'

interface Told {
  stream: string
  status: string
  run: string
  upTo?: string
  openSlices: number
  openDeadLetters: number
}

/** What Temporal shows of a workflow: its attributes in lists, and its current details. */
export async function shownBy({ workflow }: Pick<Stage, 'workflow'>, id: string, run?: string) {
  const handle = workflow.getHandle(id, run)
  const { searchAttributes, runId } = await handle.describe()
  const { currentDetails } = await handle.query<{ currentDetails: string }>('__temporal_workflow_metadata')
  return { status: searchAttributes.WeirStatus?.[0], rows: searchAttributes.WeirRows?.[0], runId, details: currentDetails }
}

/** @returns how many streams were asked about */
export async function expectOneAnswer(stage: Stage): Promise<number> {
  const [status, page] = [await stage.weir('status'), await stage.page()]
  let asked = 0
  for (const { sync, underWay, streams } of status.syncs as { sync: string; underWay: unknown[]; streams: Told[] }[]) {
    expect(underWay).toEqual([])
    const shown = page.syncs.find((one) => one.sync === sync)!
    const [newest] = page.runs.filter((run) => run.sync === sync && run.kind !== 'backfill')
    const run = await shownBy(stage, `sync/${sync}`, newest!.run)
    expect(run, sync).toMatchObject({ status: newest!.status, rows: newest!.read })
    for (const one of streams) {
      const { status, completeUpTo, openSlices, openDeadLetters } = shown.streams.find(({ stream }) => stream === one.stream)!
      expect({ status, upTo: completeUpTo, openSlices, openDeadLetters, run: newest!.run }, `${sync}/${one.stream}`).toEqual({
        status: one.status,
        upTo: one.upTo,
        openSlices: one.openSlices,
        openDeadLetters: one.openDeadLetters,
        run: one.run,
      })
      const stream = await shownBy(stage, `stream/${sync}/${one.stream}`)
      expect(stream.status).toBe(one.status)
      expect(stream.details).toContain(`**${sync} / ${one.stream}**: ${one.status}.`)
      expect(run.details).toMatch(new RegExp(`\\| ${one.stream}&nbsp;&nbsp; \\| ${one.status}&nbsp;`))
      asked++
    }
  }
  return asked
}
