import type pg from 'pg'
import { addUp, noCounts, sum } from '../../core/receipt.js'
import { lineName, sliceKey } from '../../core/slices.js'
import type { Counts, Slice } from '../../core/types.js'
import type { Progress, SliceOwner, SliceState, StreamRef, StreamRunRow, Warehouse, Watermark } from '../driver.js'
import { checkpointsOf } from './checkpoints.js'
import { countsOf } from './counts.js'
import { supersedeBySnapshot } from './letters.js'
import { transaction, warehouseFailure } from './pool.js'
import { exchange, sizes } from './replace.js'
import { beginStreamRun, endStreamRun, type StreamEnd, streamRunOf } from './runs.js'
import { type SliceRow, sliceOf } from './slices.js'
import { stageName, sweepStages } from './stage.js'
import { type MarkRow, markOf, settle, voided, voidedEnd } from './state.js'
import { tableIn } from './tables.js'
import { takeOver } from './take-over.js'

type Ref = StreamRef & { run: string }

const run = async <T>(doing: string, work: () => Promise<T>): Promise<T> => {
  try {
    return await work()
  } catch (error) {
    throw warehouseFailure(error, doing)
  }
}

export async function progress(pool: pg.Pool, { sync, stream }: StreamRef): Promise<Progress> {
  return run(`Reading the state of ${sync}/${stream}`, async () => {
    const marks = await pool.query<MarkRow>('SELECT pass, parent, watermark FROM _weir.watermarks WHERE sync = $1 AND stream = $2', [
      sync,
      stream,
    ])
    const left = await pool.query<SliceRow & { state: SliceState }>(
      'SELECT slice, pass, range_from, range_to, parent, state FROM _weir.checkpoints WHERE sync = $1 AND stream = $2 ORDER BY ordinal',
      [sync, stream],
    )
    return {
      watermarks: marks.rows.map(markOf),
      left: left.rows.map((row) => ({ slice: sliceOf(row), key: row.slice, state: row.state })),
    }
  })
}

/** Writes down what a run will read, once: a second call of the same run finds it planned and changes nothing. */
export async function recordPlan(pool: pg.Pool, ref: Ref, plan: Parameters<Warehouse['planning']['record']>[1]): Promise<void> {
  const { sync, stream } = ref
  const doing = `Planning ${sync}/${stream}`
  await run(doing, () =>
    transaction(pool, doing, async (client) => {
      // What an earlier run still holds is taken before anything of it is forgotten.
      await takeOver(pool, client, () =>
        client.query('SELECT 1 FROM _weir.checkpoints WHERE sync = $1 AND stream = $2 ORDER BY ordinal FOR UPDATE', [sync, stream]),
      )
      if ((await beginStreamRun(client, ref)).planned) return
      if (plan.reset) {
        await client.query('DELETE FROM _weir.checkpoints WHERE sync = $1 AND stream = $2', [sync, stream])
        await client.query('DELETE FROM _weir.watermarks WHERE sync = $1 AND stream = $2', [sync, stream])
      }
      await client.query('DELETE FROM _weir.checkpoints WHERE sync = $1 AND stream = $2 AND slice = ANY($3)', [sync, stream, plan.forget])
      for (const mark of plan.watermarks) await moveWatermark(client, ref, mark)
      // Attempts are ordered within a run: another run may have another clock.
      await client.query('UPDATE _weir.checkpoints SET attempt_at = NULL WHERE sync = $1 AND stream = $2', [sync, stream])
      await client.query(
        `INSERT INTO _weir.checkpoints (sync, stream, slice, pass, range_from, range_to, parent, run_id)
         SELECT $1, $2, s->>'key', s->>'pass', s->>'from', s->>'to', s->>'parent', $3 FROM jsonb_array_elements($4::jsonb) s
         ON CONFLICT (sync, stream, slice) DO NOTHING`,
        [sync, stream, ref.run, JSON.stringify(plan.slices.map((slice) => ({ ...slice, key: sliceKey(slice) })))],
      )
      await sweepStages(client, ref)
      await client.query('UPDATE _weir.stream_runs SET planned = true WHERE run_id = $1 AND stream = $2', [ref.run, stream])
    }),
  )
}

export async function isPlanned(pool: pg.Pool, ref: Ref): Promise<boolean> {
  return run(`Planning ${ref.sync}/${ref.stream}`, async () => {
    const { rowCount } = await pool.query('SELECT 1 FROM _weir.stream_runs WHERE run_id = $1 AND stream = $2 AND planned', [
      ref.run,
      ref.stream,
    ])
    return rowCount === 1
  })
}

export async function openSlices(pool: pg.Pool, ref: SliceOwner, limit: number): Promise<{ key: string; slice: Slice }[]> {
  const { table, owner, id } = checkpointsOf(ref)
  return run(`Planning ${ref.sync}/${ref.stream}`, async () => {
    const { rows } = await pool.query<SliceRow>(
      `SELECT slice, pass, range_from, range_to, parent FROM ${table} WHERE ${owner} = $1 AND stream = $2 AND state = 'open' ORDER BY ordinal LIMIT $3`,
      [id, ref.stream, limit],
    )
    return rows.map((row) => ({ key: row.slice, slice: sliceOf(row) }))
  })
}

async function moveWatermark(client: pg.ClientBase, ref: Ref, { pass, parent = '', watermark }: Watermark): Promise<void> {
  await client.query(
    `INSERT INTO _weir.watermarks AS w (sync, stream, pass, parent, watermark, run_id) VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT (sync, stream, pass, parent) DO UPDATE SET watermark = excluded.watermark, run_id = excluded.run_id, updated_at = now()
     WHERE w.watermark < excluded.watermark`,
    [ref.sync, ref.stream, pass, parent, watermark, ref.run],
  )
}

/**
 * The end of the unbroken row of finished slices of each pass, or of each parent in it; a slice set aside counts as passed. Slices of two
 * runs may overlap: the one that reaches furthest counts, not the one that begins last.
 */
export function newWatermarks(slices: readonly { slice: Slice; isFinished: boolean }[]): Watermark[] {
  const marks = new Map<string, Watermark>()
  const broken = new Set<string>()
  const ordered = slices
    .filter(({ slice }) => slice.to !== undefined)
    .sort((a, b) => (a.slice.from ?? '').localeCompare(b.slice.from ?? ''))
  for (const { slice, isFinished } of ordered) {
    const { pass, parent, to } = slice
    const line = lineName(slice)
    const mark = marks.get(line)
    if (!isFinished) broken.add(line)
    else if (!broken.has(line) && (mark === undefined || mark.watermark < to!))
      marks.set(line, { pass, ...(parent === undefined ? {} : { parent }), watermark: to! })
  }
  return [...marks.values()]
}

export async function finishStream(pool: pg.Pool, ref: Ref, outcome: Parameters<Warehouse['streams']['finish']>[1]): Promise<StreamRunRow> {
  const { sync, stream } = ref
  const doing = `Finishing ${sync}/${stream}`
  return run(doing, () =>
    transaction(pool, doing, async (client) => {
      const found = await beginStreamRun(client, ref)
      if (found.finished_at !== null) return streamRunOf(found)
      const { rows } = await takeOver(pool, client, () =>
        client.query('SELECT * FROM _weir.checkpoints WHERE sync = $1 AND stream = $2 ORDER BY ordinal FOR UPDATE', [sync, stream]),
      )
      const own = rows.filter((row) => row.run_id === ref.run)
      let counts: Counts = sum([noCounts(), ...own.map(countsOf)])
      const spent = addUp(own.map((row) => row.spent as Record<string, number>))
      const letters = rows.filter(({ state, run_id }) => (state === 'dead_letter' || state === 'refused') && run_id === ref.run).length
      const { table } = outcome
      const isVoid = found.status === voided
      let end: StreamEnd | undefined = isVoid ? voidedEnd : undefined
      let isInPlace = table.mode !== 'replace'
      if (table.mode === 'replace' && !outcome.endedEarly && !isVoid) {
        const stage = stageName(ref)
        const held = outcome.hold({ ...(await sizes(client, table, stage)), setAside: letters })
        if (held) end = { status: 'failed', failure: held }
        else {
          const changed = await exchange(client, await tableIn(client, table), stage, counts.deadLetters > 0 ? { refusedIn: ref } : {})
          counts = { ...counts, ...changed, unchanged: counts.read - counts.deadLetters - changed.loaded }
          await supersedeBySnapshot(client, ref)
          isInPlace = true
        }
        await sweepStages(client, ref)
      }
      end ??= outcome.status(counts, letters)
      if (isInPlace) {
        const slices = rows
          .filter(({ state }) => state !== 'halved')
          .map((row) => ({ slice: sliceOf(row), isFinished: row.state === 'finished' || row.state === 'dead_letter' }))
        for (const mark of newWatermarks(slices)) await moveWatermark(client, ref, mark)
      }
      await settle(client, ref, counts.loaded)
      return endStreamRun(client, ref, end, { ...counts, spent })
    }),
  )
}
