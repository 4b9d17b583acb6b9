import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { type Sandbox, startSandbox } from '../../sandbox/serve.js'
import { packaged } from '../checkout.js'
import { showAudience } from '../demo-audience.js'
import { exitOf } from '../exit.js'
import { number, type Printer, tableText } from '../print.js'
import { openDev, type Session } from '../session.js'
import { untilSignal } from '../until-signal.js'
import { follow, report, startSync } from './sync.js'

/** The demo project of this repository. */
const project = fileURLToPath(packaged('config/weir.yaml'))

/** All five vendors in one question. */
const bySpend = `WITH spend AS (
      SELECT 'Google' AS network, c.name AS campaign, substring(c.final_url_suffix FROM 'utm_campaign=([^&]+)') AS utm, d.customer_currency_code AS currency, sum(d.cost_micros) / 1e6 AS spend
        FROM google_ads.campaign_daily d JOIN google_ads.campaigns c ON c.id = d.campaign_id GROUP BY 2, 3, 4
      UNION ALL
      SELECT 'Meta', i.campaign_name, t.utm, i.account_currency, sum(i.spend)
        FROM meta.campaign_insights i JOIN (SELECT DISTINCT a.campaign_id, substring(c.url_tags FROM 'utm_campaign=([^&]+)') AS utm
          FROM meta.ads a JOIN meta.ad_creatives c ON c.id = a.creative->>'id') t ON t.campaign_id = i.campaign_id GROUP BY 2, 3, 4),
    won AS (SELECT utm_campaign__c AS utm, count(*) AS deals, sum(amount) AS revenue FROM salesforce.opportunities WHERE is_won AND _weir_deleted_at IS NULL GROUP BY 1),
    people AS (SELECT h.utm_campaign AS utm, count(DISTINCT h.id) AS contacts, count(DISTINCT e.profile_id) AS buyers
        FROM hubspot.contacts h LEFT JOIN klaviyo.profiles p ON lower(trim(p.email)) = lower(trim(h.email))
        LEFT JOIN (SELECT e.profile_id FROM klaviyo.events e JOIN klaviyo.metrics m ON m.id = e.metric_id AND m.name = 'Placed Order') e ON e.profile_id = p.id GROUP BY 1)
  SELECT network, campaign, round(spend)::int AS spend, currency, contacts::int AS hubspot_contacts, buyers::int AS klaviyo_buyers, deals::int AS salesforce_won, round(revenue)::int AS revenue
    FROM spend LEFT JOIN won USING (utm) LEFT JOIN people USING (utm) ORDER BY revenue DESC NULLS LAST LIMIT 8`

const queries = [
  {
    says: 'What happened, by kind of event',
    sql: 'SELECT m.name AS event, count(*)::int AS events, count(DISTINCT e.profile_id)::int AS people FROM klaviyo.events e JOIN klaviyo.metrics m ON m.id = e.metric_id GROUP BY m.name ORDER BY events DESC LIMIT 5',
  },
  {
    says: 'Who may be written to, as Klaviyo knows it',
    sql: "SELECT coalesce(subscriptions->'email'->'marketing'->>'consent', 'none') AS consent, count(*)::int AS people, count(*) FILTER (WHERE jsonb_array_length(subscriptions->'email'->'marketing'->'suppression') > 0)::int AS suppressed FROM klaviyo.profiles GROUP BY 1 ORDER BY people DESC",
  },
  {
    says: 'The same people in both vendors, however their address is spelled',
    sql: 'SELECT c.lifecyclestage AS stage, count(*)::int AS people, count(p.last_event_date)::int AS with_events FROM hubspot.contacts c JOIN klaviyo.profiles p ON lower(trim(p.email)) = lower(trim(c.email)) WHERE c._weir_deleted_at IS NULL GROUP BY 1 ORDER BY people DESC LIMIT 5',
  },
  {
    says: 'Spend by campaign in both ad networks, and what came of it in HubSpot, Klaviyo and Salesforce, by the utm_campaign that they share',
    sql: bySpend,
  },
]

/** The whole product on this machine: vendors, PostgreSQL, Temporal and a worker; at a terminal until Ctrl-C, elsewhere once. */
export async function run({ printer }: { printer: Printer }): Promise<number> {
  const startedAt = Date.now()
  const sandbox = await startSandbox({ port: 18790 }).catch(() => startSandbox({ port: 0 }))
  try {
    process.env.SANDBOX_URL = sandbox.klaviyo.url
    printer.note(`The sandbox plays the vendors at ${sandbox.klaviyo.url}.`)
    const { stack, session } = await openDev({ config: project }, printer)
    try {
      return await show(session, { printer, startedAt, sandbox, statusUrl: stack.info.statusUrl })
    } finally {
      await session.close()
      await stack.stop()
    }
  } finally {
    await sandbox.stop()
  }
}

interface Shown {
  printer: Printer
  startedAt: number
  statusUrl: string
  sandbox: Sandbox
}

async function show(session: Session, { printer, startedAt, statusUrl, sandbox }: Shown): Promise<number> {
  const isFirst = (await session.warehouse.runs.list({ limit: 1 })).length === 0
  printer.note(isFirst ? 'First run: everything is read.' : 'Not the first run: only what changed since the last one is read.')
  const started = []
  for (const name of Object.keys(session.manifest.syncs)) started.push(await startSync(session, name))
  const ended = await follow(session, started, printer)
  report(ended, printer)
  const rows = ended.flatMap(({ streams }) => streams)
  const sum = (key: 'read' | 'loaded' | 'unchanged' | 'requests') => number(rows.reduce((total, row) => total + row[key], 0))
  printer.line(
    `\n${sum('read')} records read in ${sum('requests')} requests, ${sum('loaded')} rows loaded, ${sum('unchanged')} unchanged; ${((Date.now() - startedAt) / 1000).toFixed(0)} s since the start.`,
  )
  if (!isFirst) printer.line('This run was incremental: it went on where the last one ended.')
  await ask(session.warehouseUrl, printer)
  await showAudience(session, project, printer, sandbox.held)
  printer.line(
    `\nHow to look\n  status page   ${statusUrl || 'off'}\n  Temporal UI   ${session.uiUrl}\n  the tables    psql "${session.warehouseUrl}"`,
  )
  printer.line(
    '\nHow to go on\n  make demo                      once more: incremental\n  ./bin/weir init my-project     a project of your own\n  docs/quickstart.md             the first ten minutes',
  )
  if (process.stdout.isTTY) {
    printer.line('\nEverything stays up until Ctrl-C.')
    await untilSignal()
    printer.note('Stopping.')
  }
  return exitOf(ended.map(({ status }) => status))
}

async function ask(url: string, printer: Printer): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    for (const { says, sql } of queries) {
      const { rows, fields } = await client.query<Record<string, string | number>>(sql)
      printer.line(`\n${says}\n  ${sql}\n`)
      const names = fields.map(({ name }) => name)
      printer.line(
        tableText(
          names,
          rows.map((row) => names.map((name) => row[name] ?? '–')),
        ).replace(/^/gm, '  '),
      )
    }
  } finally {
    await client.end()
  }
}
