import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client, Connection } from '@temporalio/client'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { type Sandbox, startSandbox } from '../../sandbox/serve.js'
import { createActivities } from '../../worker/activities/index.js'
import { type AlertDeps, createDeps } from '../../worker/deps.js'
import { workerSettings } from '../../worker/settings.js'
import { mailReceiver, webhookReceiver } from '../src/alerts/receivers.js'
import { weirHere } from '../support/command.js'
import { type Opened, openedDatabase } from '../support/postgres.js'
import { makeProject, type Project } from '../support/project.js'
import { type Running, withWorker } from '../support/workflows.js'

describe('a sync whose key is revoked and given again', () => {
  let base: Opened
  let sandbox: Sandbox
  let project: Project
  let deps: AlertDeps
  let hook: Awaited<ReturnType<typeof webhookReceiver>>
  let mail: Awaited<ReturnType<typeof mailReceiver>>

  beforeAll(async () => {
    base = await openedDatabase(inject('postgresUrl'))
    sandbox = await startSandbox({ people: 60, now: new Date('2026-11-20T12:00:00Z'), limits: 'off' })
    hook = await webhookReceiver([500])
    mail = await mailReceiver({ disabledCommands: ['STARTTLS'] })
    project = await makeProject(`
version: 1
connections: { klaviyo: { type: klaviyo, base_url: "${sandbox.url}", api_key: "\${KLAVIYO_API_KEY}", budget: "off" } }
syncs:
  shop:
    from: klaviyo
    streams: { profiles: {}, metrics: {}, lists: {} }
    alerts:
      - webhook: "\${ALERT_HOOK}"
      - email: { to: ["\${OPS}"], from: "\${OPS}", smtp: "\${SMTP_URL}" }
        on: [failed]
`)
    writeFileSync(
      join(project.folder, '.env'),
      `KLAVIYO_API_KEY=${sandbox.klaviyo.apiKey}\nALERT_HOOK=${hook.url}\nOPS=ops@example.com\nSMTP_URL=smtp://weir:pa55word@127.0.0.1:${mail.port}\n`,
    )
    deps = {
      startSync: async () => {},
      startPush: async () => ({ isStarted: true }),
      ...createDeps(
        workerSettings({
          TEMPORAL_ADDRESS: inject('temporalAddress'),
          WAREHOUSE_URL: base.url,
          WEIR_PROJECT_DIR: project.folder,
          WEIR_LOG_LEVEL: 'error',
          WEIR_HEARTBEAT_MS: '2000',
          WEIR_RETRY_MS: '100',
          TEMPORAL_UI_URL: 'http://127.0.0.1:8233/',
        }),
      ),
    }
  })
  afterAll(async () => {
    await deps?.close()
    await Promise.all([sandbox?.stop(), hook?.close(), mail?.close(), project?.remove()])
    await base?.close()
  })

  const access = (act: string, body: object) =>
    fetch(`${sandbox.url}/_sandbox/access/klaviyo/${act}`, { method: 'POST', body: JSON.stringify(body) })
  const weir = ({ queue }: Running, ...args: string[]) =>
    weirHere([...args, '--config', join(project.folder, 'weir.yaml')], {
      TEMPORAL_ADDRESS: inject('temporalAddress'),
      WAREHOUSE_URL: base.url,
      WEIR_TASK_QUEUE: queue,
    })
  /** What the outbox would try later, it tries at the next look. */
  const hurry = () => base.db.query(`UPDATE _weir.alert_deliveries SET next_attempt_at = now() WHERE status = 'pending'`)

  it('is told once, and again when it is mended; nothing secret or personal is left anywhere', { timeout: 120_000 }, async () => {
    const activities = createActivities(deps)
    await withWorker(activities, async (running) => {
      expect((await weir(running, 'sync')).code).toBe(0)
      expect(hook.received).toEqual([])

      await access('revoke', {})
      expect((await weir(running, 'sync')).code).toBe(1)
      // The receiver was away for a moment; the mail went out at once.
      expect(hook.received).toHaveLength(1)
      expect(mail.mails).toMatchObject([{ to: ['ops@example.com'], user: 'weir' }])
      expect((await weir(running, 'status')).stdout).toMatch(
        /3 alerts are open:[\s\S]*error: shop\/profiles failed[\s\S]*could not be delivered yet/,
      )
      const listed = await weir(running, 'alerts')
      expect(listed.stdout).toMatch(/error +shop\/profiles failed \(auth\)/)
      expect(listed.stdout).toContain('HTTP 500')

      // A second failing run says nothing new; the message that was not delivered comes, with its old id.
      await hurry()
      expect((await weir(running, 'sync')).code).toBe(1)
      expect(hook.received).toHaveLength(2)
      expect(hook.received[1]!.body).toMatchObject({
        id: hook.received[0]!.body.id,
        event: 'opened',
        title: '3 streams of shop failed (auth)',
        acts: 'user: credentials',
        command: 'weir check klaviyo',
        link: expect.stringMatching(/^http:\/\/127\.0\.0\.1:8233\/namespaces\/default\/workflows\?query=RunId/),
      })
      expect(mail.mails).toHaveLength(1)

      await access('grant', { scopes: ['accounts:read', 'profiles:read', 'metrics:read', 'lists:read', 'subscriptions:read'] })
      expect((await weir(running, 'sync')).code).toBe(0)
      expect(hook.received[2]!.body).toMatchObject({ event: 'resolved', kind: 'failed', title: 'resolved: 3 streams of shop failed' })
      expect(mail.mails).toHaveLength(2)
      expect((await weir(running, 'alerts')).stdout).toContain('No alert is open.')
      expect((await weir(running, 'alerts', '--all')).stdout).toMatch(/delivered .* ago/)

      const test = await weir(running, 'alerts', 'test', 'webhook')
      expect(test).toMatchObject({ code: 0, stdout: expect.stringMatching(/webhook \$\{ALERT_HOOK\} +yes +HTTP 200/) })
      expect(hook.received[3]!.body).toMatchObject({ event: 'test' })
      expect(await weir(running, 'alerts', 'test', 'pigeon')).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('No alert target is like "pigeon"'),
      })

      const told = [
        JSON.stringify(hook.received.map(({ body }) => body)),
        ...mail.mails.map(({ text }) => text.replace(/^(From|To):.*$/gm, '')),
      ]
      const kept = [await everyRow(base), await everyHistory(running.queue)]
      expect(kept[1]!.length).toBeGreaterThan(1_000)
      for (const text of [...told, ...kept]) {
        expect(text).not.toContain(sandbox.klaviyo.apiKey)
        expect(text).not.toMatch(/5ecret|pa55word|ops@example/)
      }
    })
  })
})

/** All rows of Weir's own tables. */
async function everyRow({ db }: Opened): Promise<string> {
  const { rows } = await db.query<{ name: string }>(
    `SELECT relname AS name FROM pg_class WHERE relnamespace = '_weir'::regnamespace AND relkind = 'r'`,
  )
  const parts = await Promise.all(rows.map(async ({ name }) => JSON.stringify((await db.query(`SELECT * FROM _weir.${name}`)).rows)))
  return parts.join('\n')
}

/** Every history of a queue; payloads stand in it as base64. */
async function everyHistory(queue: string): Promise<string> {
  const connection = await Connection.connect({ address: inject('temporalAddress') })
  const client = new Client({ connection })
  const parts: string[] = []
  for await (const { workflowId, runId } of client.workflow.list({ query: `TaskQueue = "${queue}"` })) {
    const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory()
    parts.push(
      JSON.stringify(events, (_, value) =>
        value?.type === 'Buffer' || value instanceof Uint8Array ? Buffer.from(value.data ?? value).toString() : value,
      ),
    )
  }
  await connection.close()
  return parts.join('\n')
}
