/** The stage of a scripted week: a company whose days go by, three vendors, a receiver of alerts, and a project that reads them by the clock. */
import { Client, Connection } from '@temporalio/client'
import { expect, vi } from 'vitest'
import { startSandbox } from '../../../sandbox/serve.js'
import type { StatusView } from '../../../src/status/view.js'
import { webhookReceiver } from '../../src/alerts/receivers.js'
import { daysAsWritten } from '../../support/compared.js'
import { startProject } from '../../support/stack.js'

export const dayMs = 86_400_000
const days = 7
/** What changed just now a pass may leave to the next one: HubSpot's search is asked up to five minutes ago. */
const unreadMs = 3_600_000
/** Of the instant that a backfill begins at. */
export const monthsBack = 24

export const syncs = ['klaviyo', 'hubspot', 'google_ads'] as const
export type Sync = (typeof syncs)[number]

/** What a message says, of the alerts of some streams. */
export interface Message {
  sync: string
  event: string
  kind: string
  title: string
  items: { stream?: string }[]
}

const settings = {
  heartbeatMs: 5_000,
  retryMs: 200,
  drainMs: 5_000,
  ports: { postgres: 25_832, temporal: 27_633, temporalUi: 28_633 },
  client: { types: { getTypeParser: daysAsWritten } },
}

export type Stage = Awaited<ReturnType<typeof openStage>>

/** The company's week ends now: Weir's clock and Temporal's cannot be turned, so nothing of it may lie ahead of them. */
export async function openStage() {
  const nowMs = Math.floor(Date.now() / 1_000) * 1_000
  const begin = new Date(nowMs - days * dayMs - unreadMs)
  const midnight = new Date(Math.floor(begin.getTime() / dayMs) * dayMs)
  const dayOf = (ms: number) => new Date(ms).toISOString().slice(0, 10)
  const from = new Date(Date.UTC(midnight.getUTCFullYear(), midnight.getUTCMonth() - monthsBack, midnight.getUTCDate()))
  const liveFrom = dayOf(midnight.getTime() - 3 * dayMs)
  const sandbox = await startSandbox({
    people: 60,
    now: begin,
    openedAt: midnight,
    limits: 'off',
    adsSince: new Date(liveFrom),
  })
  const hook = await webhookReceiver()
  const running = await startProject(yamlOf(sandbox, hook.url, liveFrom), settings)
  const { project, stack, db } = running
  const connection = await Connection.connect({ address: stack.info.temporalAddress })
  const { workflow, schedule } = new Client({ connection })

  const weir = async (...args: string[]) => {
    const { code, stdout, stderr } = await project.weir([...args, '--json'])
    expect(code, `weir ${args.join(' ')}: ${stdout}${stderr}`).toBe(0)
    return JSON.parse(stdout)
  }
  const query = async <T>(text: string, values: unknown[] = []) => (await db.query(text, values)).rows as T[]
  const count = async (what: string, values: unknown[] = []) =>
    (await query<{ n: number }>(`SELECT count(*)::int AS n FROM ${what}`, values))[0]!.n

  return {
    sandbox,
    project,
    db,
    stack,
    workflow,
    weir,
    query,
    count,
    range: { from: dayOf(from.getTime()), to: dayOf(midnight.getTime()) },
    /** What the status page says of now: it looks every few seconds at most. */
    page: (): Promise<StatusView> => {
      const askedAt = new Date()
      return until(async () => {
        const view = (await (await fetch(`${stack.info.statusUrl}/status.json`)).json()) as StatusView
        expect(new Date(view.at) >= askedAt).toBe(true)
        return view
      })
    },
    messages: (sync: Sync, kind: string, event: string) =>
      hook.received
        .map(({ body }) => body as unknown as Message)
        .filter((one) => one.sync === sync && one.kind === kind && one.event === event),

    /** A day of the company goes by, and every sync is run by its schedule, to its end, once or more. */
    async nextDay() {
      sandbox.clock.advance(dayMs)
      sandbox.company.editMany(5)
      await this.nextRuns()
    },
    async nextRuns(of: readonly Sync[] = syncs) {
      const [{ now }] = (await query<{ now: Date }>('SELECT now()')) as [{ now: Date }]
      const ran = `(SELECT DISTINCT sync FROM _weir.runs WHERE kind = 'scheduled' AND status = 'completed' AND started_at > $1 AND sync = ANY ($2)) one`
      await until(async () => expect(await count(ran, [now, of])).toBe(of.length))
    },
    /** Schedules in seconds, which a project file may not have. */
    async quicken(everyMs: number) {
      for (const id of ['weir/watch', ...syncs.map((sync) => `sync/${sync}`)])
        await schedule.getHandle(id).update((there) => ({ ...there, spec: { intervals: [{ every: everyMs }] } }))
    },
    /** No schedule fires any more, and what was under way has ended. */
    async rest() {
      for (const sync of syncs) await schedule.getHandle(`sync/${sync}`).pause('the week is over')
      await until(async () => expect(await count('_weir.runs WHERE finished_at IS NULL')).toBe(0))
    },
    async close() {
      await connection.close()
      await running.stop()
      await Promise.all([sandbox.stop(), hook.close()])
    },
  }
}

/** For as long as a busy machine may take; nothing is said of how long it took. */
export const until = <T>(check: () => Promise<T>) => vi.waitFor(check, { timeout: 300_000, interval: 200 })

function yamlOf({ url, klaviyo, hubspot, google_ads }: Awaited<ReturnType<typeof startSandbox>>, hook: string, liveFrom: string): string {
  const { clientId, clientSecret, refreshToken } = google_ads.oauth
  // The company's clock lies up to a week behind ours: what it writes, it writes before the watermark.
  return `
version: 1
defaults:
  lookback: 14d
  dead_letters: { max_percent: 0 }
  alerts: [{ webhook: "${hook}", quota_wait: 5s }]
connections:
  klaviyo: { type: klaviyo, base_url: "${url}", api_key: "${klaviyo.apiKey}", budget: "off" }
  hubspot: { type: hubspot, base_url: "${url}", access_token: "${hubspot.token}", budget: "off" }
  google_ads: { type: google_ads, base_url: "${url}", oauth_base_url: "${url}", budget: "off", login_customer_id: "5555555555",
    client_id: "${clientId}", client_secret: "${clientSecret}", refresh_token: "${refreshToken}" }
syncs:
  klaviyo:
    from: klaviyo
    every: 1m
    streams: { profiles: { on_schema_change: approve }, events: { start: ${liveFrom} }, metrics: {}, lists: {}, list_members: {} }
  hubspot: { from: hubspot, every: 1m, streams: { contacts: {}, companies: {}, deals: {}, owners: {} } }
  google_ads: { from: google_ads, every: 1m, streams: { campaigns: {}, campaign_daily: { start: ${liveFrom} } } }
`
}
