/** One push with its faults: one after the other, at random moments, until it has ended. */
import { setTimeout as sleep } from 'node:timers/promises'
import { until } from '../../cli/dev/processes.js'
import { type Dice, dice } from '../dice.js'
import { audience, type World } from './world.js'

export interface DestinationEnd {
  destination: string
  sent: number
  accepted: number
  confirmed: number
  rejected: number
  removed: number
  dropped: number
  batches: number
  /** From the push's beginning to its last batch. */
  lastSeconds: number
}
export interface PushEnd {
  run: string
  status: string
  message: string | null
  seconds: number
  destinations: DestinationEnd[]
  /** How often each fault was injected. */
  faults: Record<string, number>
}

type Fault = readonly [name: string, weight: number, inject: (world: World, random: Dice) => Promise<boolean>]

const faults: readonly Fault[] = [
  ['worker kill -9', 4, async (world) => world.kill('worker')],
  ['postgres kill -9', 2, async (world) => world.kill('postgres')],
  ['temporal kill -9', 2, async (world) => world.kill('temporal')],
  [
    'vendors restarted',
    2,
    async (world, random) => {
      await world.restartVendors(random.whole(200, 3_000))
      return true
    },
  ],
  [
    'answers lost after their effect',
    3,
    async ({ sandbox }, random) => {
      sandbox.faults.add({ method: 'POST', fault: { kind: 'reset', when: 'during' }, count: random.whole(1, 4) })
      return true
    },
  ],
]
const wheel = faults.flatMap((fault) => Array.from({ length: fault[1] }, () => fault))

const progressMs = 90_000

export interface PushOptions {
  name: string
  seed: number
  /** At most so many; 0 lets it go undisturbed. */
  faults: number
  /** Longest pause between two of them. */
  pauseMs: number
  endsWithinMs: number
  /** Of every answer of the vendors. */
  latencyMs: number
  log: (line: string) => void
}

/** @throws Error when it does not end in time */
export async function push(world: World, options: PushOptions): Promise<PushEnd> {
  const { name, seed, faults: most, pauseMs, endsWithinMs, latencyMs, log } = options
  const random = dice(seed, name)
  if (latencyMs > 0) world.sandbox.faults.add({ fault: { kind: 'slow', ms: latencyMs }, count: null })
  const counts: Record<string, number> = {}
  const startedAt = performance.now()
  const run = await start(world)
  const isOver = async () =>
    (await world.query<{ is: boolean }>('SELECT finished_at IS NOT NULL AS is FROM _weir.audience_runs WHERE run_id = $1', [run]))[0]?.is ||
    undefined
  for (let left = most, before = ''; left > 0; left--) {
    // What was struck gets on first: else all faults would fall into one moment.
    const known = before
    // A comparison that is struck begins anew: after two of them it is let through.
    if (left <= most - 2) await until(async () => (await isPrepared(world, run)) || (await isOver()), endsWithinMs, 200)
    await until(async () => (await progress(world, run)) !== known || (await isOver()), progressMs, 100)
    await sleep(random.whole(100, pauseMs))
    if (await isOver()) break
    before = await progress(world, run)
    const [fault, , inject] = random.pick(wheel)
    if (await inject(world, random)) counts[fault] = (counts[fault] ?? 0) + 1
    log(`${name}: ${fault}; ${await standing(world, run)}`)
  }
  if (!(await until(isOver, endsWithinMs, 200))) throw new Error(`The ${name} did not end: ${await standing(world, run)}`)
  world.sandbox.faults.clear()
  const [row] = await world.query<{ status: string; message: string | null }>(
    'SELECT status, message FROM _weir.audience_runs WHERE run_id = $1',
    [run],
  )
  const destinations = await world.query<DestinationEnd>(
    `SELECT destination, sum(accepted + confirmed + rejected + removed)::int AS sent, sum(accepted)::int AS accepted,
       sum(confirmed)::int AS confirmed, sum(rejected)::int AS rejected, sum(removed)::int AS removed,
       (SELECT count(*)::int FROM _weir.audience_changes AS c WHERE c.run_id = $1 AND c.destination = b.destination AND c.state = 'dropped') AS dropped,
       count(*)::int AS batches, round(extract(epoch FROM max(b.done_at) - min(r.started_at)))::int AS "lastSeconds"
     FROM _weir.audience_batches AS b JOIN _weir.audience_runs AS r USING (run_id) WHERE run_id = $1 GROUP BY destination ORDER BY destination`,
    [run],
  )
  return { run, ...row!, seconds: (performance.now() - startedAt) / 1000, destinations, faults: counts }
}

/** The workflow of the push before may end some moments after its row has. */
async function start(world: World): Promise<string> {
  let said = ''
  const run = await until(
    async () => {
      const { code, stdout, stderr } = await world.weir(['audience', 'push', audience, '--by', 'chaos', '--detach', '--json']).ended
      said = stderr
      return code === 0 ? (JSON.parse(stdout) as { run: string }).run : undefined
    },
    60_000,
    500,
  )
  if (run === undefined) throw new Error(`The push could not be started: ${said}`)
  return run
}

async function isPrepared({ query }: World, run: string): Promise<true | undefined> {
  const [row] = await query<{ is: boolean }>('SELECT prepared_at IS NOT NULL AS is FROM _weir.audience_runs WHERE run_id = $1', [run])
  return row?.is || undefined
}

/** Something that changes with every batch, and with every answer about one. */
async function progress({ query }: World, run: string): Promise<string> {
  const [row] = await query<{ is: string }>(
    `SELECT concat_ws(' ', r.status, r.prepared_at, b.batches, b.done, b.jobs) AS is FROM _weir.audience_runs AS r,
       (SELECT count(*) AS batches, count(done_at) AS done, md5(string_agg(job::text, '' ORDER BY id)) AS jobs FROM _weir.audience_batches WHERE run_id = $1) AS b
     WHERE r.run_id = $1`,
    [run],
  )
  return row?.is ?? ''
}

async function standing(world: World, run: string): Promise<string> {
  const rows = await world.query<{ destination: string; done: number; open: number; members: number }>(
    `SELECT destination, count(*) FILTER (WHERE state = 'done')::int AS done, count(*) FILTER (WHERE state <> 'done')::int AS open,
       coalesce(sum(members) FILTER (WHERE state = 'done'), 0)::int AS members
     FROM _weir.audience_batches WHERE run_id = $1 GROUP BY destination ORDER BY destination`,
    [run],
  )
  const [row] = await world.query<{ status: string }>('SELECT status FROM _weir.audience_runs WHERE run_id = $1', [run])
  return `${row?.status}: ${rows.map(({ destination, members, done, open }) => `${destination} ${members} in ${done}+${open}`).join(', ')}`
}
