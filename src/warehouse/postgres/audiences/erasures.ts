import type pg from 'pg'
import type { DerivedKey } from '../../../keys/derive.js'
import type { ErasureInput, ErasureReport, ErasureRow, ErasureStore } from '../../contract/erasures.js'
import type { Append } from '../audit.js'
import { type LetterSeal, readPayload } from '../letter-seal.js'
import { transaction } from '../pool.js'
import { endErasures, forget, isNowhere, keyMark } from './erased.js'

interface Found {
  audience: string
  destination: string
  key: string
  is_nowhere: boolean
}

export function createErasures(pool: pg.Pool, secret: () => DerivedKey, seal: () => LetterSeal, append: Append): ErasureStore {
  return {
    ask: (input) =>
      transaction(pool, 'Erasing a person', async (client) => {
        const { key, fingerprint } = secret()
        const given = input.key ? [await markOfKey(client, key, input.key.model, input.key.key)] : [...input.marks]
        const found = await findMembers(client, input, given)
        const letters = input.isIn ? await findLetters(client, input.isIn, seal) : []
        const pending = pendingOf(found)
        const members = found.length
        if (input.isDryRun) return { pending, forgotten: found.filter(({ is_nowhere }) => is_nowhere).length, deadLetters: letters.length }
        const marks = [...given]
        for (const { audience, key: of } of found) {
          const model = input.models[audience]
          if (model !== undefined) marks.push(await markOfKey(client, key, model, of))
        }
        const { rows } = await client.query<{ id: string }>(
          `INSERT INTO _weir.erasures AS e (kind, mark, marks, key_name, asked_by, members, dead_letters) VALUES ($1, $2, $3, $4, $5, $6, $7)
           ON CONFLICT (mark) DO UPDATE SET marks = (SELECT array_agg(DISTINCT one) FROM unnest(e.marks || excluded.marks) AS one),
             members = e.members + excluded.members, dead_letters = e.dead_letters + excluded.dead_letters,
             ended_at = CASE WHEN excluded.members > 0 THEN NULL ELSE e.ended_at END
           RETURNING id::text`,
          [input.kind, given[0], [...new Set(marks)], fingerprint, input.by, members, letters.length],
        )
        const id = Number(rows[0]!.id)
        await client.query(
          `UPDATE _weir.audience_members AS m SET marks = coalesce(m.marks, '{}') || $1::text FROM unnest($2::text[], $3::text[]) AS f (audience, key)
           WHERE m.audience = f.audience AND m.key = f.key AND NOT coalesce(m.marks, '{}') @> ARRAY[$1::text]`,
          [given[0], found.map(({ audience }) => audience), found.map(({ key: of }) => of)],
        )
        let forgotten = 0
        for (const audience of new Set(found.map((one) => one.audience))) forgotten += await forget(client, audience)
        await client.query('DELETE FROM _weir.dead_letters WHERE id = ANY ($1)', [letters])
        await append(client, {
          event: 'erasure_asked',
          by: input.by,
          detail: { erasure: id, kind: input.kind, pending, forgotten, deadLetters: letters.length },
        })
        await endErasures(client, append)
        return { id, pending, forgotten, deadLetters: letters.length }
      }),

    async list(limit) {
      const { rows } = await pool.query<{ id: string; kind: ErasureRow['kind']; asked_by: string; asked_at: Date; ended_at: Date | null }>(
        'SELECT id::text, kind, asked_by, asked_at, ended_at FROM _weir.erasures ORDER BY id DESC LIMIT $1',
        [limit],
      )
      const { rows: open } = await pool.query<ErasureReport['pending'][number] & { id: string }>(
        `SELECT e.id::text, m.audience, m.destination, count(*)::int AS members FROM _weir.erasures AS e JOIN _weir.audience_members AS m ON m.marks && e.marks
         WHERE e.id = ANY ($1) GROUP BY 1, 2, 3 ORDER BY 2, 3`,
        [rows.map(({ id }) => id)],
      )
      return rows.map(({ id, kind, asked_by, asked_at, ended_at }) => ({
        id: Number(id),
        kind,
        by: asked_by,
        at: asked_at.toISOString(),
        ...(ended_at ? { endedAt: ended_at.toISOString() } : {}),
        pending: open.filter((one) => one.id === id).map(({ id: _, ...one }) => one),
      }))
    },
  }
}

async function markOfKey(client: pg.ClientBase, secret: Buffer, model: string, key: string): Promise<string> {
  const { rows } = await client.query<{ mark: string }>(`SELECT ${keyMark('$2::text', '$3::text')} AS mark`, [secret, model, key])
  return rows[0]!.mark
}

/** All ledger rows of the person: found by one, all of its key. */
async function findMembers(client: pg.ClientBase, { key, models }: ErasureInput, marks: readonly string[]): Promise<Found[]> {
  const named = key ? Object.keys(models).filter((audience) => models[audience] === key.model) : []
  const { rows } = await client.query<Found>(
    `WITH found AS (SELECT DISTINCT audience, key FROM _weir.audience_members WHERE marks && $1 OR audience = ANY ($2) AND key = $3)
     SELECT m.audience, m.destination, m.key, ${isNowhere} AS is_nowhere FROM _weir.audience_members AS m JOIN found USING (audience, key) FOR UPDATE OF m`,
    [marks, named, key?.key ?? null],
  )
  return rows
}

function pendingOf(found: readonly Found[]): ErasureReport['pending'] {
  const sums = new Map<string, ErasureReport['pending'][number]>()
  for (const { audience, destination, is_nowhere } of found) {
    if (is_nowhere) continue
    const name = JSON.stringify([audience, destination])
    sums.set(name, { audience, destination, members: (sums.get(name)?.members ?? 0) + 1 })
  }
  return [...sums.values()]
}

const pageRows = 500

/** What is encrypted is opened to be looked at, so all are read here, page by page. */
async function findLetters(client: pg.ClientBase, isIn: (text: string) => boolean, seal: () => LetterSeal): Promise<string[]> {
  const found: string[] = []
  for (let after = '0'; ; ) {
    const { rows } = await client.query<{ id: string; payload: string; sealed_by: string | null; around: string }>(
      `SELECT id::text, payload::text AS payload, sealed_by, concat_ws(' ', record_key, message) AS around FROM _weir.dead_letters
       WHERE id > $1 ORDER BY id LIMIT ${pageRows}`,
      [after],
    )
    for (const { id, payload, sealed_by, around } of rows) if (isIn(around) || isIn(readPayload(payload, sealed_by, seal))) found.push(id)
    if (rows.length < pageRows) return found
    after = rows.at(-1)!.id
  }
}
