import type pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { AudienceDefinition, ModelDefinition } from '../../../../src/core/audience.js'
import type { QualityCheck } from '../../../../src/core/quality.js'
import { preparePush, previewPush } from '../../../../src/engine/audience/prepare-push.js'
import { checkQuality } from '../../../../src/engine/check-quality.js'
import type { Warehouse } from '../../../../src/warehouse/driver.js'
import { audienceKey, fakeAudience, fakeDestination } from '../../../support/audience.js'
import { syncOnce } from '../../../support/engine.js'
import { fakeDefinition, fakeStream, noHttp } from '../../../support/fake-source.js'
import { openedDatabase, servers } from '../../../support/postgres.js'

const hour = 3_600_000

describe.each(servers())('what a push is made from, on PostgreSQL $name', ({ url }) => {
  let warehouse: Warehouse
  let db: pg.Client
  let close: () => Promise<void>
  let runs = 0
  const next = () => `run-${++runs}`

  beforeAll(async () => {
    ;({ warehouse, db, close } = await openedDatabase(url, { key: audienceKey }))
    await db.query('CREATE TABLE people (id text, email text, consent text, joined date, ltv numeric)')
  })
  afterAll(() => close())
  beforeEach(async () => {
    await db.query(
      'TRUNCATE people, _weir.audience_members, _weir.audience_changes, _weir.quality_results, _weir.runs, _weir.stream_runs, _weir.watermarks CASCADE',
    )
    await db.query(
      "INSERT INTO people VALUES ('1', 'ana@example.test', 'granted', '2026-05-31', 10), ('2', 'ben@example.test', 'granted', '2026-05-01', 20)",
    )
  })

  const input = (definition: AudienceDefinition, fake = fakeDestination()) => ({
    warehouse,
    definition,
    reach: async () => ({ destination: fake.destination, http: noHttp() }),
    mark: (text: string) => text,
    now: new Date('2026-06-01T00:00:00Z'),
    onProgress: () => undefined,
  })
  const seen = async (definition: AudienceDefinition) => (await previewPush(input(definition))).verdict
  const prepared = async (definition: AudienceDefinition, run = next()) => {
    const step = { audience: definition.audience, definition: 'none', kind: 'manual' as const, run }
    return { run, receipt: await preparePush({ ...input(definition), step }) }
  }
  const checked = (...quality: QualityCheck[]) => fakeAudience({ model: { ...fakeAudience().model, quality } })

  describe('checks of the model', () => {
    test('one that blocks holds the push, one that warns is only said; both stand beside those of tables', async () => {
      await db.query("INSERT INTO people VALUES ('3', 'ana@example.test', 'maybe', NULL, -1)")
      const definition = checked(
        { check: 'unique', columns: ['email'], severity: 'block' },
        { check: 'accepted_values', column: 'consent', values: ['granted', 'denied'], severity: 'warn' },
        { check: 'range', column: 'ltv', min: '0', severity: 'block' },
        { check: 'not_null', columns: ['id'], severity: 'block' },
      )
      const { run, receipt } = await prepared(definition)
      expect(receipt).toMatchObject({
        otherwise: 'hold',
        reasons: [
          'check unique(email) of model vip did not pass: 1 of 3 rows repeat the values of another row.',
          'check range(ltv) of model vip did not pass: 1 of 3 rows lie outside the range.',
        ],
      })
      const [row] = await warehouse.audiences.runs({ run, limit: 1 })
      expect(row).toMatchObject({
        status: 'waiting',
        verdict: receipt.reasons,
        notes: ['check accepted_values(consent) of model vip did not pass: 1 of 3 rows hold another value.'],
      })
      const results = await warehouse.quality.results(run)
      expect(results.map(({ sync, stream, status }) => [sync, stream, status])).toEqual(
        ['fail', 'fail', 'fail', 'pass'].map((status) => ['audience/vip', 'vip', status]),
      )
      expect(results[2]!.samples).toEqual([{ id: '3' }])
    })

    test('the first results of a push stand, and a preview keeps none', async () => {
      const definition = checked({ check: 'not_null', columns: ['email'], severity: 'block' })
      const { run } = await prepared(definition)
      await db.query("UPDATE people SET email = NULL WHERE id = '2'")
      expect((await prepared(definition, run)).receipt.reasons).toEqual([])
      expect((await seen(definition)).reasons).toEqual(['check not_null(email) of model vip did not pass: 1 of 2 rows lack a value.'])
      expect(await warehouse.quality.latest()).toHaveLength(1)
    })

    test('rows are compared with those of the push before', async () => {
      const definition = checked({ check: 'row_count_change', maxPercent: 20, against: 'last', severity: 'block' })
      expect((await prepared(definition)).receipt.reasons).toEqual([])
      await db.query("DELETE FROM people WHERE id = '2'")
      // What is compared with was checked before, by the clock of the checks.
      await db.query("UPDATE _weir.quality_results SET checked_at = '2026-05-31T00:00:00Z'")
      expect((await seen(definition)).reasons[0]).toMatch(
        /^check row_count_change of model vip did not pass: 1 rows, 2 at .*: -50 %, 20 % are allowed/,
      )
    })

    test('a check that cannot be made holds, too, and says why', async () => {
      const { reasons, otherwise } = await seen(
        checked(
          { check: 'not_null', columns: ['emial'], severity: 'block' },
          { check: 'freshness', column: 'joined', maxMs: 12 * hour, severity: 'block' },
        ),
      )
      expect(otherwise).toBe('hold')
      expect(reasons[0]).toContain('The table has no column "emial"; nearest: "email"')
      expect(reasons[1]).toMatch(/The newest value is of 2026-05-31T00:00:00.000Z: 24 h old, 12 h are allowed/)
    })

    test('those of a suppression list count as well', async () => {
      const list: ModelDefinition = { name: 'stop', sql: 'SELECT NULL::text AS id', key: 'id' }
      const quality: QualityCheck[] = [{ check: 'not_null', columns: ['id'], severity: 'block' }]
      const { reasons } = await seen(fakeAudience({ suppress: [{ model: { ...list, quality }, by: 'key' }] }))
      expect(reasons).toEqual(['check not_null(id) of model stop did not pass: 1 of 1 rows lack a value.'])
    })

    test('no gate that asks lets a person wave it through; one that fails still fails', async () => {
      const bad = checked({ check: 'not_null', columns: ['joined'], severity: 'block' })
      await db.query('UPDATE people SET joined = NULL')
      expect((await seen({ ...bad, gates: { minSize: 10, otherwise: 'ask' } })).otherwise).toBe('hold')
      expect((await seen({ ...bad, gates: { minSize: 10, otherwise: 'fail' } })).otherwise).toBe('fail')
    })
  })

  describe('what the model depends on', () => {
    const people = fakeStream({ name: 'people', pages: () => [[{ id: '1', name: 'a', updated: '2026-01-01T00:00:00Z' }]] })
    const crm = fakeDefinition({
      sync: 'crm',
      schema: 'crm',
      streams: { people: { quality: [{ check: 'not_null', columns: ['phone'], severity: 'block' }] } },
    })
    const reading = (more: Partial<AudienceDefinition>) => fakeAudience({ dependsOn: [{ sync: 'crm' }], ...more })
    const synced = async (run: string) => {
      await warehouse.definitions.put('crm', crm)
      await warehouse.runs.start({ run, sync: 'crm', definition: 'crm', kind: 'manual' })
      await syncOnce({ warehouse, stream: people, run, definition: crm })
      await db.query("UPDATE _weir.runs SET status = 'completed', finished_at = now() WHERE run_id = $1", [run])
    }
    const isOld = async (hours: number) => {
      await db.query(`UPDATE _weir.stream_runs SET started_at = now() - interval '${hours} hours'`)
      await db.query(`UPDATE _weir.watermarks SET watermark = now() - interval '${hours} hours'`)
    }

    test('is young enough, or holds the push, or goes as it is, as it is said', async () => {
      await synced(next())
      const held = reading({ maxStaleness: { ageMs: 24 * hour, otherwise: 'hold' } })
      expect(await seen(held)).toMatchObject({ reasons: [], notes: [] })
      await isOld(30)
      expect(await seen(held)).toMatchObject({
        otherwise: 'hold',
        reasons: [expect.stringMatching(/^sync\/crm\/people is complete up to .*, which is 30 h ago; 24 h are allowed \(max_staleness\)$/)],
      })
      const last = reading({ maxStaleness: { ageMs: 24 * hour, otherwise: 'use_last' } })
      expect(await seen(last)).toMatchObject({ reasons: [], notes: [expect.stringMatching(/30 h ago; .*; it is pushed as it is$/)] })
      const other = reading({ dependsOn: [{ sync: 'crm', stream: 'orders' }], maxStaleness: { ageMs: hour, otherwise: 'hold' } })
      expect((await seen(other)).reasons).toEqual([])
    })

    test('holds where it never ran, or has not for long, and where no bound is set says nothing', async () => {
      const maxStaleness = { ageMs: 24 * hour, otherwise: 'hold' as const }
      expect((await seen(reading({ maxStaleness }))).reasons).toEqual([
        'sync/crm is not applied and has not run for a week: how old its tables are is not known (max_staleness)',
      ])
      expect((await seen(reading({}))).reasons).toEqual([])
    })

    test('holds by a check of its tables that blocks, until that is asked no more', async () => {
      const run = next()
      await synced(run)
      const definition = reading({})
      expect((await seen(definition)).reasons).toEqual([])
      const ask = { warehouse, http: noHttp(), definition: crm, stream: people, run, now: new Date(), signal: new AbortController().signal }
      await checkQuality({ ...ask, redact: (text) => text })
      expect(await seen(definition)).toMatchObject({
        otherwise: 'hold',
        reasons: [expect.stringMatching(/^check not_null of sync\/crm\/people did not pass: /)],
      })
      await warehouse.definitions.put('crm2', { ...crm, streams: { people: {} } })
      await db.query("UPDATE _weir.runs SET definition = 'crm2'")
      expect((await seen(definition)).reasons).toEqual([])
    })
  })
})
