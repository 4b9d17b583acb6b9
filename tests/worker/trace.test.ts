import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { pathShape } from '../../src/observe/trace.js'
import { type SmallProject, smallProject, startWorker, type WorkerProcess } from '../support/worker.js'

interface Span {
  traceId: string
  spanId: string
  parentSpanId?: string
  name: string
  attributes: { key: string; value: Record<string, unknown> }[]
}

/** What a collector takes: OTLP over HTTP, as JSON. */
async function startCollector(): Promise<{ url: string; spans: Span[]; server: Server }> {
  const spans: Span[] = []
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    const { resourceSpans } = JSON.parse(Buffer.concat(parts).toString()) as { resourceSpans: { scopeSpans: { spans: Span[] }[] }[] }
    spans.push(...resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)))
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, spans, server }
}

describe('the trace of a sync', () => {
  let small: SmallProject
  let collector: Awaited<ReturnType<typeof startCollector>>
  let worker: WorkerProcess
  beforeAll(async () => {
    collector = await startCollector()
    small = await smallProject(
      (url, key) => `
version: 1
connections: { klaviyo: { type: klaviyo, base_url: "${url}", api_key: "${key}", budget: "off" } }
syncs: { traced: { from: klaviyo, streams: { profiles: {}, lists: {} } } }
`,
    )
    worker = await startWorker({ ...small.env, OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_BSP_SCHEDULE_DELAY: '200' })
  }, 120_000)
  afterAll(async () => {
    await worker?.stop()
    collector?.server.close()
    await small?.remove()
  })

  it('is one and connected: run, streams, activities, requests and loads', { timeout: 90_000 }, async () => {
    const { code, stderr } = await small.weir(['sync', 'traced'])
    expect(code, stderr).toBe(0)
    const { spans } = collector
    await expect.poll(() => spans.map(({ name }) => name), { timeout: 20_000 }).toContain('RunWorkflow:syncConnection')
    const root = spans.find(({ name }) => name === 'RunWorkflow:syncConnection')!
    const ofRun = spans.filter(({ traceId }) => traceId === root.traceId)
    const byId = new Map(ofRun.map((span) => [span.spanId, span]))
    const pathOf = (span: Span | undefined): string[] => (span ? [...pathOf(byId.get(span.parentSpanId ?? '')), span.name] : [])
    expect(pathOf(ofRun.find(({ name }) => name === 'load'))).toEqual([
      'RunWorkflow:syncConnection',
      'StartChildWorkflow:syncStream',
      'RunWorkflow:syncStream',
      'StartActivity:syncSlice',
      'RunActivity:syncSlice',
      'load',
    ])
    const requests = ofRun.filter(({ name }) => name === 'GET klaviyo')
    expect(requests.length).toBeGreaterThan(2)
    for (const request of requests) expect(pathOf(request).at(-2)).toMatch(/^RunActivity:/)
    expect(ofRun.filter(({ name }) => name === 'RunWorkflow:syncStream')).toHaveLength(2)
    const loose = ofRun.filter((span) => span !== root && !byId.has(span.parentSpanId ?? ''))
    expect(loose.map(({ name }) => name)).toEqual([])
    const text = JSON.stringify(spans).replaceAll('@temporalio/worker@1.', '')
    expect(text).not.toMatch(/[\w.]+(@|%40)[\w-]+\.\w+/)
    expect(text).not.toContain(small.sandbox.klaviyo.apiKey)
  })
})

describe('the path of a request in a trace', () => {
  it('says which call it was and not about whom', () => {
    expect(pathShape('/api/profiles/01GDDKASAP8TKDDA2GRZDSVP4H/lists')).toBe('/api/profiles/{id}/lists')
    expect(pathShape('/v26.0/act_1234567/insights')).toBe('/v26.0/{id}/insights')
    expect(pathShape('/contacts/sarah%40example.com')).toBe('/contacts/{id}')
    expect(pathShape('/crm/objects/2026-09/contacts')).toBe('/crm/objects/2026-09/contacts')
  })
})
