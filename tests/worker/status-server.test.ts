import { request } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { Failure } from '../../src/core/failure.js'
import { createRedact } from '../../src/observe/redact.js'
import type { Overview } from '../../src/warehouse/contract/reports.js'
import { type StatusServer, type StatusSources, startStatusServer } from '../../worker/status-server.js'
import { overview } from '../support/overview.js'

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
let servers: StatusServer[] = []
afterEach(async () => {
  await Promise.all(servers.map((server) => server.close()))
  servers = []
})

/** A server on a port of its own, over an overview that a test may change; its clock is turned by hand. */
async function served(changes: Partial<StatusSources> = {}) {
  const state = { nowMs: 0, asked: 0, answer: async (): Promise<Overview> => overview() }
  const server = await startStatusServer(
    { host: '127.0.0.1', port: 0 },
    {
      overview: () => {
        state.asked++
        return state.answer()
      },
      backfills: async () => [],
      isWorking: () => true,
      temporalUi: 'http://127.0.0.1:8233',
      namespace: 'default',
      clock: { now: () => new Date(state.nowMs), sleep: async () => {} },
      log: silent,
      redact: createRedact(() => new Set(['s3cret-of-the-url'])),
      ...changes,
    },
  )
  servers.push(server)
  return { state, url: server.url }
}

describe('the status server', () => {
  it('shows the page, the same as JSON, and whether it lives and works', async () => {
    const { url } = await served()
    const page = await fetch(url)
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
    expect(await page.text()).toContain('<h1>Weir</h1>')
    expect(await (await fetch(`${url}/status.json`)).json()).toMatchObject({ syncs: [{ sync: 'shop' }], runs: [{ run: 'run-1' }] })
    expect(await (await fetch(`${url}/healthz`)).text()).toBe('ok')
    expect((await fetch(`${url}/readyz`)).status).toBe(200)
    expect((await fetch(`${url}/etc/passwd`)).status).toBe(404)
  })

  it('only answers questions', async () => {
    const { url } = await served()
    const refused = await fetch(url, { method: 'POST', body: 'x' })
    expect([refused.status, refused.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
    expect((await fetch(url, { method: 'HEAD' })).status).toBe(200)
  })

  it('lets no script run, no other page frame it, and nothing be kept', async () => {
    const { url } = await served()
    const { headers } = await fetch(url)
    expect(headers.get('content-security-policy')).toMatch(/default-src 'none'; style-src 'sha256-[\w+/=]+'.*frame-ancestors 'none'/)
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('cache-control')).toBe('no-store')
  })

  it('answers no name but this machine’s: a foreign page must not read it by having its name lead here', async () => {
    const { url } = await served()
    const { port } = new URL(url)
    const status = await new Promise((resolve, reject) => {
      request({ port, host: '127.0.0.1', headers: { host: 'evil.example' } }, ({ statusCode }) => resolve(statusCode))
        .on('error', reject)
        .end()
    })
    expect(status).toBe(421)
  })

  it('asks the warehouse once for all who look within a few seconds', async () => {
    const { state, url } = await served()
    await Promise.all([fetch(url), fetch(url), fetch(`${url}/status.json`)])
    await fetch(url)
    expect(state.asked).toBe(1)
    state.nowMs = 6_000
    await fetch(url)
    expect(state.asked).toBe(2)
  })

  it('shows what it knew while the warehouse is away, says so without its secrets, and is not ready', async () => {
    const { state, url } = await served()
    await fetch(url)
    state.nowMs = 6_000
    state.answer = async () => {
      throw new Failure('transient', 'no connection to postgres://weir:s3cret-of-the-url@db')
    }
    const page = await fetch(url)
    const text = await page.text()
    expect(page.status).toBe(200)
    expect(text).toMatch(/did not answer: no connection/)
    expect(text).toContain('shop')
    expect(text).not.toContain('s3cret-of-the-url')
    expect((await fetch(`${url}/readyz`)).status).toBe(503)
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
  })

  it('says what it cannot show before anything is known', async () => {
    const { state, url } = await served()
    state.answer = async () => {
      throw new Failure('transient', 'no connection')
    }
    const page = await fetch(url)
    expect([page.status, await page.text()]).toEqual([503, expect.stringMatching(/role="alert".*no connection/)])
  })

  it('says which address is taken, and what to set', async () => {
    const { url } = await served()
    const taken = startStatusServer({ host: '127.0.0.1', port: Number(new URL(url).port) }, {} as StatusSources)
    await expect(taken).rejects.toMatchObject({ reason: 'config', message: expect.stringContaining('WEIR_STATUS_ADDRESS') })
  })
})
