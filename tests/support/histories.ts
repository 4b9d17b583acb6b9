/** Recorded histories: what tests/workflows/replay.test.ts replays on the code of a later day. */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Client } from '@temporalio/client'
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js'

export const historiesFolder = fileURLToPath(new URL('../histories/', import.meta.url))

/** Writes the history of a run beside the earlier ones, under WEIR_RECORD's word; without what says where it was recorded. */
export async function keepHistory(client: Client, name: string, workflowId: string, runId: string): Promise<void> {
  const history = await client.workflow.getHandle(workflowId, runId).fetchHistory()
  const text = historyToJSON(history)
    .replaceAll(/"identity": *"[^"]*"/g, '"identity":"worker"')
    .replaceAll(/"stackTrace": *"(?:[^"\\]|\\.)*"/g, '"stackTrace":""')
  writeFileSync(`${historiesFolder}${name}-${new Date().toISOString().slice(0, 10)}-${process.env.WEIR_RECORD}.json`, `${text}\n`)
}
