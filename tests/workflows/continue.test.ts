import { randomUUID } from 'node:crypto'
import { Client, Connection } from '@temporalio/client'
import { NativeConnection, Worker } from '@temporalio/worker'
import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import { freePort } from '../../cli/dev/ports.js'
import { startTemporal, type Temporal } from '../../cli/dev/temporal.js'
import { resolveTemporal } from '../../cli/dev/temporal-binary.js'
import { noCounts } from '../../src/core/receipt.js'
import { searchAttributes } from '../../src/core/search-attributes.js'
import { fakeActivities } from '../support/workflows.js'

/** A server that suggests a new history after so many events; others after 4,096, and they end a run at 51,200. */
const suggestedAfter = 200
const [realSuggestion, realLimit, planned] = [4_096, 51_200, 100]
const [slices, handful] = [300, 25]

let server: Temporal
beforeAll(async () => {
  const dynamicConfig = { 'limit.historyCount.suggestContinueAsNew': String(suggestedAfter) }
  const port = await freePort(24_233)
  server = await startTemporal({ bin: await resolveTemporal(() => {}), port, uiPort: false, searchAttributes, dynamicConfig })
})
afterAll(() => server?.stop())

it('a stream of very many slices begins its history anew, and reads each once', { timeout: 120_000 }, async () => {
  const { address } = server
  const [native, connection] = [await NativeConnection.connect({ address }), await Connection.connect({ address })]
  const client = new Client({ connection })
  const left = new Set(Array.from({ length: slices }, (_, i) => `main/${i}`))
  const read: string[] = []
  const taskQueue = `t-${randomUUID()}`
  const worker = await Worker.create({
    connection: native,
    taskQueue,
    workflowBundle: { codePath: inject('workflowBundle') },
    activities: {
      ...fakeActivities({
        planSlices: async () => ({
          slices: [...left].slice(0, handful).map((key) => ({ key, label: key })),
          more: left.size > handful,
          parallel: 8,
        }),
        syncSlice: async ({ slice }) => {
          left.delete(slice)
          read.push(slice)
          return { ...noCounts(), read: 1, loaded: 1 }
        },
      }),
    },
  })
  const handle = await worker.runUntil(async () => {
    const started = await client.workflow.start('syncStream', {
      taskQueue,
      workflowId: 'stream/many/a',
      args: [{ sync: 'many', definition: 'none', stream: 'a', run: 'r' }],
    })
    await started.result()
    return started
  })
  expect(read).toHaveLength(slices)
  expect(new Set(read).size).toBe(slices)

  const lengths: number[] = []
  for (let runId: string | null | undefined = handle.firstExecutionRunId; runId; ) {
    const { events } = await client.workflow.getHandle(handle.workflowId, runId).fetchHistory()
    lengths.push(events!.length)
    runId = events!.at(-1)!.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId
  }
  const perSlice = lengths.reduce((sum, length) => sum + length, 0) / slices
  const longest = realSuggestion + planned * Math.ceil(perSlice) + 20
  const message = `${slices} slices in ${lengths.length} histories of ${lengths.join(', ')} events: ${perSlice.toFixed(1)} a slice, so at most ${longest} of ${realLimit}`
  console.log(message)
  expect(lengths.length, message).toBeGreaterThan(3)
  // It looks after each handful, so a history ends less than a handful past the suggestion.
  expect(Math.max(...lengths), message).toBeLessThan(suggestedAfter + handful * Math.ceil(perSlice) + 20)
  expect(longest, message).toBeLessThan(realLimit / 5)
  await connection.close()
  await native.close()
})
