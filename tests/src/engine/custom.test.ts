import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as z from 'zod'
import { vendorOf } from '../../../cli/vendors.js'
import { validateOffline } from '../../../src/config/project.js'
import type { Source } from '../../../src/core/types.js'
import { ask } from '../../../src/engine/ask.js'
import { withCustom } from '../../../src/extract/custom.js'
import type { Warehouse } from '../../../src/warehouse/driver.js'
import { syncOnce } from '../../support/engine.js'
import { fakeStream, noHttp } from '../../support/fake-source.js'
import { openedDatabase, servers } from '../../support/postgres.js'
import { folderOf, now } from '../config/project-of.js'

/** A vendor whose reports are what is asked: a record for each word of the query. */
const source: Source = {
  type: 'fake',
  streams: { people: fakeStream({ pages: () => [[{ id: '1', name: 'ana' }]] }) },
  custom: (name, { words }) =>
    fakeStream({
      name,
      slicing: { by: 'all' },
      pages: () => [
        String(words)
          .split(' ')
          .map((word, i) => ({ id: String(i), name: word })),
      ],
    }),
  async *check() {},
}
const custom = z.object({ words: z.string() })

describe.each(servers())('a stream that a user defines, on PostgreSQL $name', ({ url }) => {
  let warehouse: Warehouse
  let db: pg.Client
  let close: (() => Promise<void>) | undefined
  beforeAll(async () => {
    ;({ warehouse, db, close } = await openedDatabase(url))
  })
  afterAll(async () => {
    await close?.()
  })

  it('goes from the file into its table, and is shown as any other', async () => {
    const dir = folderOf(
      'version: 1\nconnections: { f: { type: fake } }\nsyncs: { f: { from: f, schema: fake, streams: { people: {}, poem: { words: so much depends } } } }\n',
    )
    const vendors = { fake: vendorOf({ title: 'Fake', settings: z.object({}), source, custom }) }
    const answer = await validateOffline({ dir, vendors, env: {}, now })
    if (!('project' in answer)) return expect.fail(answer.errors.map(({ message }) => message).join())
    const definition = answer.project.manifest.syncs.f!
    const { streams, ...rest } = withCustom(source, definition.streams)
    expect(Object.keys(streams)).toEqual(['people', 'poem'])
    expect(await syncOnce({ warehouse, stream: streams.poem!, definition, run: 'run-1' })).toMatchObject({ status: 'completed', loaded: 3 })
    expect((await db.query('SELECT name FROM fake.poem ORDER BY id')).rows.map(({ name }) => name)).toEqual(['so', 'much', 'depends'])
    const question = { question: 'preview', stream: 'poem', limit: 2 } as const
    const shown = await ask({ warehouse, http: noHttp(), source: { ...rest, streams }, definition, question, redact: (text) => text })
    expect(shown).toMatchObject({ stream: 'poem', records: [{ name: 'so' }, { name: 'much' }] })
  })

  it('is refused by a worker whose connector makes none', () => {
    const { custom: _, ...older } = source
    expect(() => withCustom(older, { poem: { custom: { words: 'x' } } })).toThrow(/older than the definition/)
    expect(withCustom(older, { people: {} })).toBe(older)
  })
})
