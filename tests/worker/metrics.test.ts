import { randomUUID } from 'node:crypto'
import { Client, Connection } from '@temporalio/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freePort } from '../../cli/dev/ports.js'
import { metrics } from '../../src/observe/metrics.js'
import { exprsOf, temporalMetricsIn } from '../support/ops.js'
import { type SmallProject, smallProject, startWorker, type WorkerProcess } from '../support/worker.js'

const project = (url: string, key: string) => `
version: 1
connections: { klaviyo: { type: klaviyo, base_url: "${url}", api_key: "${key}", budget: { requests: 20/1s } } }
syncs:
  measured:
    from: klaviyo
    streams: { profiles: { quality: [ { not_null: external_id, severity: warn } ] }, lists: {} }
`

/** Prometheus' text: the value of a series, by its name and some of its labels. */
function seriesOf(text: string, name: string, labels: Record<string, string> = {}): number | undefined {
  const line = text
    .split('\n')
    .filter((one) => one.startsWith(`${name}{`))
    .find((one) => Object.entries(labels).every(([label, value]) => one.includes(`${label}="${value}"`)))
  return line === undefined ? undefined : Number(line.slice(line.lastIndexOf(' ')))
}

describe('the metrics of a running worker', () => {
  let small: SmallProject
  let worker: WorkerProcess
  let address: string
  beforeAll(async () => {
    small = await smallProject(project)
    address = `127.0.0.1:${await freePort(29_464)}`
    worker = await startWorker({ ...small.env, WEIR_METRICS_ADDRESS: address })
  })
  afterAll(async () => {
    await worker?.stop()
    await small?.remove()
  })
  const scrape = async () => (await fetch(`http://${address}/metrics`)).text()

  it('tell of a run what its report tells, beside those of the SDK, with no secret and nobody in them', { timeout: 60_000 }, async () => {
    const { code, stdout, stderr } = await small.weir(['sync', 'measured', '--json'])
    expect(code, stderr).toBe(0)
    const streams: { stream: string; read: number; loaded: number; requests: number; bytes: number }[] = JSON.parse(stdout).runs[0].streams
    const profiles = streams.find(({ stream }) => stream === 'profiles')!
    expect(profiles.loaded).toBeGreaterThan(50)
    const labels = { sync: 'measured', stream: 'profiles', vendor: 'klaviyo' }
    // The state of the warehouse is read every quarter of a minute.
    const isSampled = async () => {
      const text = await scrape()
      return text.includes('weir_budget_used_ratio{') && seriesOf(text, 'weir_slices_open', labels) === 0
    }
    await expect.poll(isSampled, { timeout: 40_000, interval: 500 }).toBe(true)
    const text = await scrape()
    expect(seriesOf(text, 'weir_records_read_total', labels)).toBe(profiles.read)
    expect(seriesOf(text, 'weir_rows_loaded_total', labels)).toBe(profiles.loaded)
    const lists = streams.find(({ stream }) => stream === 'lists')!
    expect(lists.loaded).toBeGreaterThan(0)
    expect(seriesOf(text, 'weir_rows_loaded_total', { ...labels, stream: 'lists' })).toBe(lists.loaded)
    expect(seriesOf(text, 'weir_runs_total', { sync: 'measured', status: 'completed', reason: 'none' })).toBe(1)
    expect(seriesOf(text, 'weir_stream_runs_total', { ...labels, status: 'completed', reason: 'none' })).toBe(1)
    expect(seriesOf(text, 'weir_run_seconds_count', { sync: 'measured' })).toBe(1)
    const requests = streams.reduce((sum, one) => sum + one.requests, 0)
    expect(seriesOf(text, 'weir_requests_total', { sync: 'measured', reason: 'ok' })).toBeGreaterThanOrEqual(requests)
    expect(seriesOf(text, 'weir_quality_failures_total', labels)).toBeGreaterThanOrEqual(0)
    expect(seriesOf(text, 'weir_budget_used_ratio', { vendor: 'klaviyo' })).toBeLessThanOrEqual(1)
    expect(text).toContain('temporal_activity_execution_latency_seconds')
    expect(text).not.toContain('@')
    expect(text).not.toContain(small.sandbox.klaviyo.apiKey)
  })

  it('stand beside lines of JSON that say of which run, stream and slice each is', async () => {
    const lines = worker.lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Record<string, unknown>)
    const slices = lines.filter(({ activity }) => activity === 'syncSlice')
    expect(slices.length).toBeGreaterThan(1)
    for (const line of slices)
      expect(line).toMatchObject({ sync: 'measured', run: expect.any(String), stream: expect.any(String), slice: expect.any(String) })
    const done = slices.find(
      ({ msg, stream, slice }) => msg === 'syncSlice done' && stream === 'profiles' && String(slice).startsWith('main/'),
    )
    expect(done).toMatchObject({ level: 'info', attempt: 1, loaded: expect.any(Number), ms: expect.any(Number) })
  })

  it('are all that the table names, and no other of our own', async () => {
    const text = await scrape()
    const served = [...text.matchAll(/^# TYPE (weir_\w+) (\w+)/gm)].map(([, name, kind]) => [name, kind])
    expect(Object.fromEntries(served)).toEqual(Object.fromEntries(Object.entries(metrics).map(([name, { kind }]) => [name, kind])))
    for (const [name, { kind, labels }] of Object.entries(metrics)) {
      const [series = ''] = text.match(new RegExp(`^${name}${kind === 'histogram' ? '_count' : ''}{.*}`, 'm')) ?? []
      const given = [...series.matchAll(/(\w+)="/g)].map(([, label]) => label).filter((label) => label !== 'service_name')
      expect(given.sort(), name).toEqual([...labels].sort())
    }
  })

  it('of Temporal are there that ops/ asks for', { timeout: 60_000 }, async () => {
    // One of them comes with the first task that fails: of a workflow that this worker does not know.
    const connection = await Connection.connect({ address: small.env.TEMPORAL_ADDRESS! })
    const client = new Client({ connection })
    const lost = await client.workflow.start('noSuchWorkflow', {
      taskQueue: small.env.WEIR_TASK_QUEUE!,
      workflowId: `lost-${randomUUID()}`,
    })
    const asked = temporalMetricsIn(exprsOf())
    expect(asked.length).toBeGreaterThan(2)
    const missing = async () => {
      const text = await scrape()
      return asked.filter((name) => !text.includes(`\n${name}{`))
    }
    await expect.poll(missing, { timeout: 30_000, interval: 500 }).toEqual([])
    await lost.terminate()
    await connection.close()
  })

  it('are refused at an address that another worker has', async () => {
    await expect(startWorker({ ...small.env, WEIR_METRICS_ADDRESS: address })).rejects.toThrow(/WEIR_METRICS_ADDRESS: .* cannot be had/)
  })
})
