/**
 * One tight budget of one account, shared by eight processes: four syncs and four of a load of lower priority, against a server that counts
 * as a vendor does and bans whoever oversteps. Tells how much of what is allowed was used, and by whom.
 *
 *   npm run build && node dist/bench/budgets.js            SECONDS=60 LATENCY_MS=20 PER_SECOND=20 PER_MINUTE=900
 */
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { startPostgres } from '../cli/dev/postgres.js'
import { tableText } from '../cli/print.js'
import type { Api, Window } from '../src/http/api.js'
import { createAccounts, type Priority } from '../src/http/budget.js'
import { createHttp } from '../src/http/client.js'
import { createWarehouse } from '../src/warehouse/postgres/warehouse.js'
import { systemClock as clock } from '../worker/deps.js'

const given = (name: string, byDefault: number) => Number(process.env[name] ?? byDefault)
const seconds = given('SECONDS', 130)
const latencyMs = given('LATENCY_MS', 20)
const windows: readonly Window[] = [
  { count: given('PER_SECOND', 20), perMs: 1_000 },
  { count: given('PER_MINUTE', 900), perMs: 60_000 },
]
const processes = 8

const vendor: Api = {
  name: 'Vendor',
  origin: 'https://vendor.example',
  versions: [{ name: '1' }],
  headers: () => ({}),
  auth: () => ({ kind: 'header', headers: { authorization: 'Key bench' } }),
  budgets: { calls: { windows, concurrency: 12 } },
  account: () => 'bench',
  errorCode: () => undefined,
  errorMessage: () => undefined,
  failures: [],
}

/** A process of its own: four lanes, each asking again as soon as it is answered, until it is told to stop. */
async function load(url: string, databaseUrl: string, priority: Priority): Promise<void> {
  const warehouse = createWarehouse(databaseUrl, { connections: 3 })
  const quiet = () => undefined
  const log = { debug: quiet, info: quiet, warn: quiet, error: quiet }
  const stop = new AbortController()
  const http = createHttp(
    vendor,
    { name: 'bench', type: 'vendor', baseUrl: url, settings: {} },
    { clock, log, accounts: createAccounts(clock, warehouse.budgets), priority, signal: stop.signal },
  )
  process.on('message', () => stop.abort())
  const lane = async () => {
    while (!stop.signal.aborted) await http.request({ path: `/${priority}` })
  }
  await Promise.allSettled(Array.from({ length: 4 }, lane))
  process.send?.({ priority, waitedMs: http.used.waitedMs })
  await warehouse.close()
  process.disconnect?.()
}

/** Counts in sliding windows; beyond one of them it bans, for good. */
async function serve() {
  const counted: { at: number; priority: Priority }[] = []
  let bans = 0
  const server = createServer((request, response) => {
    const at = performance.now()
    for (const { count, perMs } of windows) if (counted.filter((one) => one.at > at - perMs).length >= count) bans++
    counted.push({ at, priority: request.url === '/live' ? 'live' : 'backfill' })
    setTimeout(() => {
      response.writeHead(bans > 0 ? 403 : 200, { 'content-type': 'application/json' }).end('{}')
    }, latencyMs)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { url, counted, bans: () => bans, close: () => server.close() }
}

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'weir-budgets-'))
  const postgres = await startPostgres({ dataDir: join(folder, 'pg'), port: 26_532 })
  const server = await serve()
  try {
    const warehouse = createWarehouse(postgres.url)
    await warehouse.migrate()
    await warehouse.close()
    const children = Array.from({ length: processes }, (_, i) => {
      const child = spawn(
        process.execPath,
        [fileURLToPath(import.meta.url), server.url, postgres.url, i < processes / 2 ? 'live' : 'backfill'],
        {
          stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
        },
      )
      return { child, ended: new Promise((resolve) => child.once('exit', resolve)) }
    })
    await sleep(seconds * 1000)
    for (const { child } of children) child.send('stop')
    await Promise.all(children.map(({ ended }) => ended))
    report(server.counted, server.bans())
  } finally {
    server.close()
    await postgres.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

/** As many as can be sent in so long when each goes out as soon as every window takes it. */
function mostIn(spanMs: number): number {
  const sent: number[] = []
  for (;;) {
    const at = Math.max(0, ...windows.map(({ count, perMs }) => (sent[sent.length - count] ?? -perMs) + perMs))
    if (at > spanMs) return sent.length
    sent.push(at)
  }
}

function report(counted: readonly { at: number; priority: Priority }[], bans: number): void {
  const spanMs = counted.at(-1)!.at - counted[0]!.at
  const of = (priority: Priority) => counted.filter((one) => one.priority === priority).length
  const allowed = mostIn(spanMs)
  process.stdout.write(
    `${new Date().toISOString()}  ${cpus().length} cores; ${processes} processes, ${windows.map(({ count, perMs }) => `${count} in ${perMs / 1000} s`).join(' and ')}, ${latencyMs} ms a request, ${(spanMs / 1000).toFixed(0)} s\n\n`,
  )
  process.stdout.write(
    `${tableText(
      ['bans', 'requests', 'allowed', 'used', 'by four syncs', 'by the load of lower priority'],
      [[bans, counted.length, allowed, `${((100 * counted.length) / allowed).toFixed(1)} %`, of('live'), of('backfill')]],
    )}\n`,
  )
}

const [url, databaseUrl, priority] = process.argv.slice(2)
if (url && databaseUrl) await load(url, databaseUrl, priority as Priority)
else await main()
