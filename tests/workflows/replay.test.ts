import { readdirSync, readFileSync } from 'node:fs'
import { Worker } from '@temporalio/worker'
import { beforeAll, describe, expect, inject, it } from 'vitest'
import { bundleWorkflows } from '../../worker/bundle.js'
import { historiesFolder } from '../support/histories.js'

/** Histories that were recorded by earlier code: today's workflows must replay them, else runs in flight would break at an upgrade. */
const recorded = readdirSync(historiesFolder).filter((file) => file.endsWith('.json'))

/** Read, not imported: workflows can be loaded by a worker only. */
const index = readFileSync(new URL('../../workflows/index.ts', import.meta.url), 'utf8')
const workflows = [...index.matchAll(/^export \{(.+?)\}/gm)].flatMap(([, names]) => names!.split(',').map((name) => name.trim()))

describe('histories of earlier versions', () => {
  it('are of the workflows that there are', () => {
    expect(workflows).toEqual(expect.arrayContaining([...new Set(recorded.map(typeOf))]))
  })

  // One that is missing is recorded by a test of replay-record.test.ts.
  it.each(workflows)('are there of %s', (workflow) => {
    expect(recorded.map(typeOf)).toContain(workflow)
  })

  it.each(recorded)('%s replays on the code of today', async (file) => {
    await Worker.runReplayHistory({ workflowBundle: { codePath: inject('workflowBundle') } }, historyIn(file))
  })

  // A worker that sends traces and encrypts has another bundle: turning them on breaks no run in flight.
  describe('with the workflows of a worker that sends traces and encrypts', () => {
    let code: string
    beforeAll(async () => {
      code = await bundleWorkflows({ isTraced: true, isEncrypted: true })
    })
    it.each(recorded)('%s replays', async (file) => {
      await Worker.runReplayHistory({ workflowBundle: { code } }, historyIn(file))
    })
  })
})

const historyIn = (file: string) => JSON.parse(readFileSync(historiesFolder + file, 'utf8'))
const typeOf = (file: string): string => historyIn(file).events[0].workflowExecutionStartedEventAttributes.workflowType.name
