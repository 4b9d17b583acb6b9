import { existsSync } from 'node:fs'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { noCounts } from '../../src/core/receipt.js'
import { systemClock } from '../../worker/deps.js'
import { type StatusServer, startStatusServer } from '../../worker/status-server.js'
import { syncOnce } from '../support/engine.js'
import { fakeDefinition, fakeStream } from '../support/fake-source.js'
import { type Opened, openedDatabase } from '../support/postgres.js'

const executablePath = process.env.WEIR_TEST_CHROMIUM ?? '/usr/bin/chromium'
const isThere = existsSync(executablePath)
if (!isThere)
  console.warn(`SKIPPED: the status page in a browser. There is none at ${executablePath}; WEIR_TEST_CHROMIUM may name another.`)

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
const records = Array.from({ length: 12 }, (_, i) => ({ id: String(i), name: `name ${i}`, updated: '2026-01-01T00:00:00Z' }))

/** Run in the browser, hence a text: words whose contrast with the page is below 4.5 to 1 (WCAG AA). */
const tooPale = `(() => {
  const light = (colour) => {
    const [r, g, b] = colour.match(/[0-9.]+/g).slice(0, 3).map((one) => {
      const part = Number(one) / 255
      return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const paper = light(getComputedStyle(document.body).backgroundColor)
  return [...document.querySelectorAll('p, th, td, a, h1, h2, h3, caption, span')].flatMap((one) => {
    const ink = light(getComputedStyle(one).color)
    const contrast = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05)
    return contrast < 4.5 ? [one.textContent + ' ' + contrast.toFixed(1)] : []
  })
})()`

/** A warehouse with a run in it, the real server over it, and a browser that looks at it. */
describe.runIf(isThere)('the status page in a browser', { timeout: 60_000 }, () => {
  let opened: Opened
  let server: StatusServer
  let browser: Browser
  let page: Page
  const problems: string[] = []

  beforeAll(async () => {
    opened = await openedDatabase()
    const { warehouse } = opened
    const definition = fakeDefinition({ sync: 'shop', schema: 'shop' })
    await warehouse.definitions.put('hash', definition)
    await warehouse.runs.start({ run: 'run-1', sync: 'shop', definition: 'hash', kind: 'manual', workflow: 'sync/shop' })
    await syncOnce({ warehouse, stream: fakeStream({ name: 'orders', pages: () => [records] }), run: 'run-1', definition })
    await warehouse.runs.finish(
      'run-1',
      'failed',
      { ...noCounts(), read: 12, loaded: 12 },
      { reason: 'auth', message: '<b>The key was refused.</b>' },
    )
    server = await startStatusServer(
      { host: '127.0.0.1', port: 0 },
      {
        overview: warehouse.reports.overview,
        backfills: async () => [],
        isWorking: () => true,
        temporalUi: 'http://127.0.0.1:8233',
        namespace: 'default',
        clock: systemClock,
        log: silent,
        redact: (text) => text,
      },
    )
    browser = await chromium.launch({
      executablePath,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    })
    page = await browser.newPage({ javaScriptEnabled: false })
    page.on('console', (message) => problems.push(message.text()))
    page.on('requestfailed', (request) => problems.push(`${request.url()} failed`))
    await page.goto(server.url)
  }, 120_000)
  afterAll(async () => {
    await browser?.close()
    await server?.close()
    await opened?.close()
  })

  it('is read by roles and names, as a screen reader does, without a script', async () => {
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('Weir')
    for (const role of ['banner', 'main', 'navigation'] as const) expect(await page.getByRole(role).count()).toBe(1)
    const streams = page.getByRole('table', { name: 'Streams of shop' })
    expect(await streams.getByRole('columnheader').allInnerTexts()).toContain('complete up to')
    expect(await streams.getByRole('row', { name: /^orders completed/ }).count()).toBe(1)
    expect(await page.getByRole('img', { name: /shop: 12 rows loaded in 14 days.*1 runs failed/ }).count()).toBe(1)
  })

  it('says of a failed run what, whose move and what next, as text', async () => {
    const text = await page.getByRole('main').textContent()
    expect(text).toContain('<b>The key was refused.</b> Reason: auth. Whose move: user: credentials. Next: weir check')
  })

  it('links the run to its workflow', async () => {
    expect(await page.getByRole('link', { name: 'run-1' }).getAttribute('href')).toBe(
      'http://127.0.0.1:8233/namespaces/default/workflows/sync%2Fshop/run-1',
    )
  })

  it('obeys its own security headers: its style is taken, nothing is missing, nothing is refused', async () => {
    expect(problems).toEqual([])
    const collapse = await page.evaluate("getComputedStyle(document.querySelector('table')).borderCollapse")
    expect(collapse).toBe('collapse')
  })

  it.each(['light', 'dark'] as const)('is legible in %s: every word has a contrast of 4.5 to 1', async (colorScheme) => {
    const coloured = await browser.newPage({ colorScheme })
    await coloured.goto(server.url)
    const low = await coloured.evaluate(tooPale)
    await coloured.close()
    expect(low).toEqual([])
  })
})
