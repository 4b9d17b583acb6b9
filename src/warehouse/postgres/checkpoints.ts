/** Where checkpoints stand: a live sync's, and those of a backfill, which nothing of the live sync reads or moves. */
import type pg from 'pg'
import type { Slice } from '../../core/types.js'
import type { Claim, SliceOwner } from '../driver.js'

/** The table, and by which column and value its rows are the owner's. Both tables hold the same columns beside it. */
export const checkpointsOf = ({ sync, backfill }: SliceOwner): { table: string; owner: string; id: string } =>
  backfill === undefined
    ? { table: '_weir.checkpoints', owner: 'sync', id: sync }
    : { table: '_weir.backfill_slices', owner: 'backfill', id: backfill }

/**
 * Tells the slices of backfills that are gathering rows of this range that the live sync has just replaced them: what it read is newer. The
 * caller holds the table's lock, so that a backfill's exchange comes before or sees it. A slice that is claimed later reads later.
 */
export async function markOvertaken(client: pg.ClientBase, { sync, stream, slice: { from, to, parent } }: Claim): Promise<void> {
  await client.query(
    `INSERT INTO _weir.backfill_overtaken (backfill, stream, slice, range_from, range_to)
     SELECT s.backfill, s.stream, s.slice, $3, $4 FROM _weir.backfills b JOIN _weir.backfill_slices s ON s.backfill = b.id
      WHERE b.sync = $1 AND s.stream = $2 AND s.state = 'open' AND s.epoch > 0 AND s.parent IS NOT DISTINCT FROM $5
        AND ($3::text IS NULL OR s.range_to > $3) AND ($4::text IS NULL OR s.range_from < $4)`,
    [sync, stream, from ?? null, to ?? null, parent ?? null],
  )
}

/** The ranges of a backfill's slice that the live sync has replaced since it began; they are asked for once, by its exchange. */
export async function takeOvertaken(client: pg.ClientBase, { backfill, stream, key, slice }: Claim): Promise<Slice[]> {
  const { rows } = await client.query<{ range_from: string | null; range_to: string | null }>(
    'DELETE FROM _weir.backfill_overtaken WHERE backfill = $1 AND stream = $2 AND slice = $3 RETURNING range_from, range_to',
    [backfill, stream, key],
  )
  return rows.map(({ range_from: from, range_to: to }) => ({
    pass: slice.pass,
    ...(from === null ? {} : { from }),
    ...(to === null ? {} : { to }),
    ...(slice.parent === undefined ? {} : { parent: slice.parent }),
  }))
}
