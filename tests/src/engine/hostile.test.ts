/** From the vendor's text through HTTP, engine and PostgreSQL to the table. `WEIR_DICE` is the number of pages' sets to draw for each server, `WEIR_SEED` where the dice begin. */
import fc from 'fast-check'
import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { SchemaPolicy } from '../../../src/core/definition.js'
import type { Fields, Http, Page, ReadContext, Rec, SyncMode } from '../../../src/core/types.js'
import type { Warehouse } from '../../../src/warehouse/driver.js'
import { syncOnce } from '../../support/engine.js'
import { fakeDefinition, fakeStream } from '../../support/fake-source.js'
import { pages } from '../../support/hostile/documents.js'
import { type Doc, readExactly } from '../../support/hostile/exact.js'
import { judge, type Stored } from '../../support/hostile/judge.js'
import type { StoredColumn } from '../../support/hostile/reading.js'
import { openedDatabase, servers } from '../../support/postgres.js'
import { client, reply, type Served, serve } from '../http/support.js'

const dice = Number(process.env.WEIR_DICE ?? 80)
const seed = Number(process.env.WEIR_SEED ?? 1)

const modes: readonly SyncMode[] = ['merge', 'append', 'replace', 'replace_slice', 'history']
const policies: readonly SchemaPolicy[] = ['evolve', 'capture']
const ways = modes.flatMap((mode) => policies.map((policy) => ({ mode, policy })))

const fields: Fields = {
  id: { type: 'text' },
  updated: { type: 'timestamp' },
  t: { type: 'text' },
  num: { type: 'numeric' },
  int: { type: 'bigint' },
  dbl: { type: 'double' },
  flag: { type: 'boolean' },
  day: { type: 'date' },
  at: { type: 'timestamp' },
  doc: { type: 'json' },
}

describe.each(servers())('hostile data on PostgreSQL $name', ({ url }) => {
  let warehouse: Warehouse
  let db: pg.Client
  let close: (() => Promise<void>) | undefined
  let count = 0
  let vendor: Served
  let http: Http
  let texts: readonly string[] = []
  const rows = async (sql: string, values: unknown[] = []) => (await db.query(sql, values)).rows as Record<string, string>[]

  beforeAll(async () => {
    ;({ warehouse, db, close } = await openedDatabase(url))
    vendor = await serve((request, response) => reply(200, texts[Number(request.url!.slice(1))])(request, response))
    http = client({ baseUrl: vendor.url, budget: 'off' }).http
  })
  afterAll(async () => {
    vendor?.close()
    await close?.()
  })

  const sync = (name: string, mode: SyncMode, policy: SchemaPolicy, batchBytes: number) =>
    syncOnce({
      warehouse,
      stream: { ...fakeStream({ name, mode, fields, pages: () => [] }), passes: [{ name: 'main', slicing: { by: 'all' }, read }] },
      http,
      run: `run-${++count}`,
      definition: fakeDefinition({
        streams: { [name]: { onSchemaChange: policy } },
        deadLetters: { maxRows: 1e9, maxPercent: 100 },
      }),
      limits: { batchBytes },
    })

  async function* read({ http }: ReadContext): AsyncIterable<Page> {
    for (let at = 0; at < texts.length; at++) {
      const { body } = await http.request({ path: `/${at}` })
      yield { records: body.data as Rec[], ...(at + 1 < texts.length ? { resume: { at } } : {}) }
    }
  }

  async function stored(name: string): Promise<Stored> {
    const versions = await rows('SELECT columns FROM _weir.schema_versions WHERE table_name = $1 ORDER BY version DESC LIMIT 1', [name])
    return {
      columns: (versions[0]?.columns ?? []) as unknown as StoredColumn[],
      rows: (await rows(`SELECT to_jsonb(whole_row.*)::text AS row FROM fake."${name}" whole_row`)).map(({ row }) => readExactly(row!)),
      letters: (await rows('SELECT payload::text, message, record_key AS key FROM _weir.dead_letters WHERE stream = $1', [name])).map(
        (letter) => ({
          payload: readExactly(letter.payload!),
          message: letter.message!,
          key: letter.key,
        }),
      ),
    }
  }

  it.each(ways)(
    '$mode, $policy: every record loads exactly or is a dead letter that says why',
    { timeout: 3_600_000 },
    async ({ mode, policy }) => {
      const property = fc.asyncProperty(pages, fc.constantFrom(1, 300, 1e6), fc.boolean(), async (drawn, batchBytes, isNew) => {
        const name = `s${++count}`
        // A table that an earlier run made is filled on another way.
        texts = ['{"data":[]}']
        if (!isNew) await sync(name, mode, policy, batchBytes)
        texts = drawn
        const sent = texts.flatMap((text) => itemsOf(readExactly(text.replace(/^\ufeff/, ''))))
        try {
          const { read, loaded, unchanged, deadLetters } = await sync(name, mode, policy, batchBytes)
          expect(read).toBe(sent.length)
          expect(loaded + unchanged + deadLetters).toBe(read)
          expect(judge(mode, sent, await stored(name))).toEqual([])
        } finally {
          await db.query(`DROP TABLE IF EXISTS fake."${name}"`)
        }
      })
      await fc.assert(property, { seed, numRuns: Math.ceil(dice / ways.length) })
    },
  )
})

function itemsOf(page: Doc): Doc[] {
  const data = page.is === 'object' ? page.members.get('data') : undefined
  return data?.is === 'list' ? data.items : []
}
