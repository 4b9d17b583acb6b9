import { describe, expect, it } from 'vitest'
import { conditionsOf } from '../../../src/alerts/conditions.js'
import { completeAt } from '../../../src/core/freshness.js'
import type { StreamFacts } from '../../../src/warehouse/contract/alerts.js'
import { ago, facts, failedWith, hour, now, stream, watched, webhook } from './support.js'

const lastingOf = (streams: Partial<StreamFacts>[], definition = watched(), more = {}) =>
  conditionsOf(facts(streams, more), definition).lasting

describe('failed', () => {
  it('is an error where somebody must act, and a warning where it may pass by itself', () => {
    expect(lastingOf([failedWith('auth')])).toEqual([
      { stream: 'people', kind: 'failed', severity: 'error', reason: 'auth', message: 'it said auth', run: 'r1', since: ago(60_000) },
    ])
    expect(lastingOf([failedWith('transient')])).toMatchObject([{ kind: 'failed', severity: 'warning' }])
  })

  it('is said of the run where no stream of it failed', () => {
    const failure = { reason: 'config', message: 'no such stream' }
    const lastRun = { run: 'r2', status: 'failed' as const, failure, finishedAt: now, failedStreams: 0 }
    expect(lastingOf([{}], watched(), { lastRun })).toMatchObject([{ stream: '', kind: 'failed', reason: 'config', run: 'r2' }])
    expect(lastingOf([failedWith('auth')], watched(), { lastRun: { ...lastRun, failedStreams: 1 } })).toMatchObject([{ stream: 'people' }])
  })

  it.each(['completed', 'completed_with_dead_letters', 'skipped'] as const)('is not a stream that is %s', (status) => {
    expect(lastingOf([{ last: { run: 'r1', status, finishedAt: now } }])).toEqual([])
  })

  it('leaves a check that blocks to quality', () => {
    const checks = [{ check: 'unique', isBlocking: true, message: '2 rows twice', checkedAt: now, run: 'r1' }]
    const definition = watched({ streams: { people: { quality: [{ check: 'unique', columns: ['id'], severity: 'block' }] } } })
    expect(lastingOf([{ ...failedWith('quality'), checks }], definition)).toMatchObject([
      { kind: 'quality', severity: 'error', message: '2 rows twice' },
    ])
    expect(lastingOf([{ checks }])).toEqual([]) // checks that are no longer asked for
  })
})

describe('stale', () => {
  const fresh = watched({ freshness: { warnMs: 4 * hour, failMs: 12 * hour } })

  it.each([
    [3.9, undefined],
    [4.1, 'warning'],
    [12.1, 'error'],
  ])('after %s hours: %s', (hours, severity) => {
    const found = lastingOf([{ completedFrom: ago(hours * hour) }], fresh)
    expect(found.map((one) => [one.kind, one.severity])).toEqual(severity ? [['stale', severity]] : [])
    if (severity) expect(found[0]!.since).toBe(ago((hours - 4) * hour))
  })

  it('needs no run that failed: a schedule that does not fire makes it so', () => {
    expect(lastingOf([{ completedFrom: ago(5 * hour) }], fresh)).toMatchObject([
      { reason: 'no_run', message: expect.stringMatching(/No run has brought it further: does its schedule fire/) },
    ])
    const last = { ...failedWith('auth').last!, finishedAt: ago(hour) }
    expect(lastingOf([{ completedFrom: ago(5 * hour), last }], fresh)).toContainEqual(
      expect.objectContaining({ kind: 'stale', reason: 'runs_fail' }),
    )
  })

  it('counts from the later of the last completed run and the watermark, else from the first try, else from the order', () => {
    expect(completeAt(stream({ completedFrom: ago(9 * hour), watermark: ago(2 * hour) }))).toBe(ago(2 * hour))
    expect(completeAt(stream({ completedFrom: ago(2 * hour), watermark: ago(30 * hour) }))).toBe(ago(2 * hour))
    const { completedFrom: _, ...never } = stream()
    expect(completeAt({ ...never, firstRunAt: ago(7 * hour) }, ago(8 * hour))).toBe(ago(7 * hour))
    expect(completeAt(never, ago(8 * hour))).toBe(ago(8 * hour))
    expect(completeAt(never)).toBeUndefined()
  })

  it('says of what was never complete that it never was', () => {
    const { completedFrom: _, ...never } = stream()
    const found = conditionsOf({ ...facts([]), streams: [never], appliedAt: ago(13 * hour) }, fresh).lasting
    expect(found).toMatchObject([
      { kind: 'stale', severity: 'error', message: expect.stringMatching(/^It was never complete, for 13 h; 12 h are/) },
    ])
  })

  it('is a matter of each stream, and of none without a word', () => {
    const old = { completedFrom: ago(5 * hour) }
    expect(lastingOf([old], watched())).toEqual([])
    expect(lastingOf([old], watched({ ...fresh, streams: { people: { freshness: 'off' } } }))).toEqual([])
    const own = watched({ ...fresh, streams: { people: { freshness: { failMs: hour } } } })
    expect(lastingOf([old], own)).toMatchObject([{ severity: 'error' }])
  })
})

describe('the others', () => {
  it('dead letters, by reason, from when the oldest was met', () => {
    const letters = [
      { reason: 'record', letters: 10, firstSeenAt: ago(3 * hour), newestAt: ago(hour) },
      { reason: 'permanent', letters: 2, firstSeenAt: ago(9 * hour), newestAt: ago(2 * hour) },
    ]
    expect(lastingOf([{ letters }])).toEqual([
      {
        stream: 'people',
        kind: 'dead_letters',
        severity: 'warning',
        message: `12 dead letters are open (10 record, 2 permanent), the newest of ${ago(hour)}.`,
        since: ago(9 * hour),
      },
    ])
  })

  it('a wait for a quota, as soon as it is known to be long', () => {
    const wait = { since: ago(60_000), until: ago(-9 * hour), for: 'quota' as const }
    expect(lastingOf([{ wait }])).toMatchObject([
      { kind: 'quota_wait', waitMs: 9 * hour + 60_000, message: expect.stringMatching(/the vendor's quota since .*9 h/) },
    ])
    expect(lastingOf([{ wait: { ...wait, for: 'vendor' } }])[0]!.message).toContain('It waits for the vendor, which is down, since')
    expect(lastingOf([{ wait: { since: now, until: ago(-hour / 2), for: 'quota' } }])).toEqual([])
    const patient = watched({ alerts: [webhook({ quotaWaitMs: 10 * hour })] })
    expect(lastingOf([{ wait }], patient)).toEqual([])
  })

  it('what waits for a decision lasts, what has happened does not', () => {
    const change = { id: 7, change: 'field_new', field: 'shoe_size', createdAt: ago(hour) }
    const { lasting, happened } = conditionsOf(
      facts([{ pending: [change], changes: [{ ...change, id: 8, change: 'column_added' }] }]),
      watched(),
    )
    expect(lasting).toMatchObject([{ kind: 'approval', message: expect.stringContaining('field new shoe_size (7)') }])
    expect(happened).toMatchObject([{ kind: 'schema_change', message: 'column added shoe_size (8).' }])
  })

  it('names a bounded number of changes', () => {
    const changes = Array.from({ length: 300 }, (_, id) => ({ id, change: 'column_added', field: `f${id}`, createdAt: now }))
    const [found] = conditionsOf(facts([{ changes }]), watched()).happened
    expect(found!.message).toMatch(/and 290 more\.$/)
    expect(found!.message.length).toBeLessThan(400)
  })
})
