/** What must hold after a load: rows against the vendor's truth, the counts, and what must not be left behind. */
import { until } from '../cli/dev/processes.js'
import { type Expected, type Load, sync } from './modes.js'
import { badKeys, hashOf, numberOf, type Row } from './truth.js'
import type { World } from './world.js'

export interface Verdict {
  standing: number
  lost: number
  doubled: number
  /** Rows that the vendor never showed, or not so. */
  wrong: number
  problems: string[]
}

/** @param startedAt of the load's first command */
export async function judge(world: World, load: Load, startedAt: Date): Promise<Verdict> {
  const rows = await judgeRows(world, load)
  const { lost, doubled, wrong, examples } = rows
  const content = lost + doubled + wrong > 0 ? [`${lost} rows lost, ${doubled} doubled, ${wrong} wrong: ${examples.join('; ')}`] : []
  return {
    ...rows,
    problems: [
      ...content,
      ...(await judgeCounts(world)),
      ...(await judgeLetters(world)),
      ...(await judgeState(world, startedAt)),
      ...(await judgeLeft(world)),
    ],
  }
}

async function judgeRows(world: World, load: Load): Promise<Omit<Verdict, 'problems'> & { examples: string[] }> {
  const { mode, vendor } = world
  const found = { standing: 0, lost: 0, doubled: 0, wrong: 0, examples: [] as string[] }
  const met = new Uint8Array(vendor.truth.rows)
  const blame = (what: 'lost' | 'doubled' | 'wrong', count: number, key: string) => {
    found[what] += count
    if (count > 0 && found.examples.length < 5) found.examples.push(`${what} ${key}`)
  }
  const compare = (key: string, rows: string[], expected: Expected) => {
    const distinct = new Set(rows)
    if (expected.oneOf) {
      const isOne = expected.oneOf.some((way) => way.length === distinct.size && way.every((row) => distinct.has(row)))
      blame('doubled', rows.length - distinct.size, key)
      blame(rows.length === 0 ? 'lost' : 'wrong', isOne ? 0 : 1, key)
      return
    }
    const known = [...distinct].filter((row) => expected.must.includes(row) || expected.may.includes(row)).length
    const missing = expected.must.filter((row) => !distinct.has(row)).length
    blame('wrong', distinct.size - known, key)
    blame('doubled', Math.max(rows.length - distinct.size, known - expected.most, 0), key)
    blame('lost', Math.max(missing, expected.least - known, 0), key)
  }
  for await (const [key, rows] of byKey(world)) {
    found.standing += rows.length
    const i = numberOf(key)
    if (Number.isInteger(i) && i >= 0 && i < met.length) met[i] = 1
    else {
      blame('wrong', rows.length, key)
      continue
    }
    const named = mode.named?.(vendor.truth, i, rows) ?? rows
    compare(key, named.map(hashOf), mode.expected(vendor.truth, i, load))
  }
  for (let i = 0; i < met.length; i++) if (!met[i]) compare(`record ${i}`, [], mode.expected(vendor.truth, i, load))
  return found
}

const fetchSize = 10_000

/** The rows of each key by what they say, in the order of keys. */
async function* byKey({ connect, table, mode }: World): AsyncIterable<[string, Row[]]> {
  const client = await connect()
  try {
    await client.query('BEGIN READ ONLY')
    await client.query(`DECLARE standing CURSOR FOR SELECT id, to_jsonb(t) AS row FROM ${table} t ORDER BY id`)
    let current: [string, Row[]] | undefined
    for (;;) {
      const { rows } = await client.query<{ id: string; row: Row }>(`FETCH ${fetchSize} FROM standing`)
      if (rows.length === 0) break
      for (const { id, row } of rows) {
        const said = Object.fromEntries(
          Object.entries(row).filter(([name]) => !name.startsWith('_weir_') || mode.ownColumns.includes(name)),
        )
        if (current?.[0] !== id) {
          if (current) yield current
          current = [id, []]
        }
        current[1].push(said)
      }
    }
    if (current) yield current
  } finally {
    await client.end()
  }
}

/** read = loaded + unchanged + dead letters, in every run that ended well; and the last one did. */
async function judgeCounts({ query, mode }: World): Promise<string[]> {
  const runs = await query<{
    status: string
    adds: boolean
    read: string
    loaded: string
    unchanged: string
    dead_letters: string
    reason: string | null
  }>(
    `SELECT status, read = loaded + unchanged + dead_letters AS adds, read, loaded, unchanged, dead_letters, failure_reason AS reason
       FROM _weir.stream_runs WHERE sync = $1 AND stream = $2 ORDER BY started_at`,
    [sync, mode.stream],
  )
  const wrong = runs.filter(({ status, adds }) => status.startsWith('completed') && !adds)
  const last = runs.at(-1)
  return [
    ...wrong.map((run) => `the counts of a run do not add up: ${JSON.stringify(run)}`),
    ...(last?.status.startsWith('completed') ? [] : [`the last run did not complete: ${JSON.stringify(last)}`]),
  ]
}

/** Exactly the records that no table can take, each once. */
async function judgeLetters({ query, vendor }: World): Promise<string[]> {
  const letters = await query<{ key: string; kind: string }>(
    'SELECT record_key AS key, kind FROM _weir.dead_letters WHERE sync = $1 ORDER BY 1',
    [sync],
  )
  const expected = badKeys(vendor.truth.rows).sort()
  const same = letters.length === expected.length && letters.every(({ key, kind }, at) => kind === 'record' && key === expected[at])
  return same ? [] : [`dead letters are ${letters.length}, expected ${expected.length}: ${JSON.stringify(letters.slice(0, 5))}`]
}

async function judgeState({ query }: World, startedAt: Date): Promise<string[]> {
  const [row] = await query<{ checkpoints: number; watermark: Date | null }>(
    `SELECT (SELECT count(*) FROM _weir.checkpoints WHERE sync = $1)::int AS checkpoints,
            (SELECT watermark FROM _weir.watermarks WHERE sync = $1 AND pass = 'main') AS watermark`,
    [sync],
  )
  const { checkpoints, watermark } = row!
  const from = Math.floor(startedAt.getTime() / 1000) * 1000
  const isRight = watermark !== null && watermark.getTime() >= from && watermark.getTime() <= Date.now()
  return [
    ...(checkpoints === 0 ? [] : [`${checkpoints} checkpoints are left`]),
    ...(isRight ? [] : [`the watermark is ${watermark?.toISOString()}, the load began at ${startedAt.toISOString()}`]),
  ]
}

const calmWithinMs = 10_000

async function judgeLeft({ query }: World): Promise<string[]> {
  const stages = await query<{ name: string }>(`SELECT tablename AS name FROM pg_tables WHERE schemaname = '_weir_stage'`)
  let holding: { query: string; state: string; locks: number }[] = []
  const calm = await until(
    async () => {
      holding = await query(
        `SELECT a.query, a.state, count(*)::int AS locks FROM pg_locks l JOIN pg_stat_activity a USING (pid)
          WHERE a.application_name = 'weir' AND l.locktype <> 'virtualxid' GROUP BY 1, 2`,
      )
      return holding.length === 0 ? true : undefined
    },
    calmWithinMs,
    250,
  )
  return [
    ...stages.map(({ name }) => `staging table ${name} is left`),
    ...(calm ? [] : [`connections of Weir still hold locks: ${JSON.stringify(holding)}`]),
  ]
}
