import { describe, expect, it } from 'vitest'
import { judge } from '../../../src/alerts/judge.js'
import { createRedact } from '../../../src/observe/redact.js'
import type { AlertRow, StreamFacts } from '../../../src/warehouse/contract/alerts.js'
import { ago, facts, failedWith, hour, listening, now, standing, watched, webhook } from './support.js'

const redact = createRedact(() => ['sk_canary_1234'])
const verdictOn = (streams: Partial<StreamFacts>[], open: AlertRow[] = [], definition = watched(), at = now) =>
  judge(facts(streams, { now: at }), open, definition, redact)
const events = ({ messages }: ReturnType<typeof judge>) => messages.map(({ message }) => `${message.event} ${message.kind}`)

describe('what is said', () => {
  it('once, again after `repeat`, and when it is over', () => {
    const first = verdictOn([failedWith('auth')])
    expect(events(first)).toEqual(['opened failed'])
    let open = standing(first)
    expect(events(verdictOn([failedWith('auth')], open, watched(), ago(-23 * hour)))).toEqual([])
    const again = verdictOn([failedWith('auth')], open, watched(), ago(-24 * hour))
    expect(events(again)).toEqual(['repeated failed'])
    open = standing(again)
    expect(open[0]!.since).toBe(ago(60_000))
    const over = verdictOn([{}], open, watched(), ago(-25 * hour))
    expect(events(over)).toEqual(['resolved failed'])
    expect(over.resolved).toEqual([{ id: '1' }])
    expect(over.messages[0]!.message).toMatchObject({ title: 'resolved: shop/people failed', acts: 'nobody' })
  })

  it('again when a warning becomes an error, and not when an error flaps', () => {
    const open = standing(verdictOn([failedWith('transient')]))
    const worse = verdictOn([failedWith('auth')], open)
    expect(events(worse)).toEqual(['worsened failed'])
    expect(events(verdictOn([failedWith('transient')], standing(worse)))).toEqual([])
    expect(events(verdictOn([failedWith('auth')], standing(verdictOn([failedWith('transient')], standing(worse)))))).toEqual([])
  })

  it('in one message for fifty streams that fail by one dead account, with a list that is bounded', () => {
    const streams = Array.from({ length: 50 }, (_, i) => failedWith('auth', `s${i}`))
    const { messages, open } = verdictOn([...streams, failedWith('schema', 'other')])
    expect(open).toHaveLength(51)
    expect(messages.map(({ message }) => message.title)).toEqual(['50 streams of shop failed (auth)', 'shop/other failed (schema)'])
    expect(messages[0]!.message.items).toHaveLength(20)
    expect(messages[0]!.message.more).toBe(30)
    expect(messages[0]!.streams).toHaveLength(50)
    expect(messages[0]!.message).toMatchObject({ acts: 'user: credentials', command: 'weir check fake', run: 'r1' })
  })

  it('without secrets and addresses, in the table and in the message', () => {
    const leak = {
      ...failedWith('permanent'),
      last: { ...failedWith('permanent').last!, failure: { reason: 'permanent', message: 'key sk_canary_1234 of ana@example.com' } },
    }
    const text = JSON.stringify(verdictOn([leak]))
    expect(text).toContain('key *** of ***@***')
    expect(text).not.toMatch(/canary|ana@/)
  })
})

describe('who hears it', () => {
  const pending = [{ id: 1, change: 'field_new', field: 'x', createdAt: now }]
  const blocked = [{ check: 'unique', isBlocking: true, message: 'twice', checkedAt: now, run: 'r1' }]
  const checked = { streams: { people: { quality: [{ check: 'unique' as const, columns: ['id'], severity: 'block' as const }] } } }

  it.each([
    [
      'a kind that is named',
      listening('dead_letters'),
      { letters: [{ reason: 'record', letters: 1, firstSeenAt: now, newestAt: now }] },
      1,
    ],
    ['no other', listening('dead_letters'), failedWith('auth'), 0],
    ['a pending change as a schema change', listening('schema_change'), { pending }, 1],
    ['and as an approval', listening('approval'), { pending }, 1],
    ['but once where it listens to both', listening('approval', 'schema_change'), { pending }, 1],
    ['a check that blocks as a failure', listening('failed'), { checks: blocked }, 1],
    ['once', listening('failed', 'quality'), { checks: blocked }, 1],
    [
      'no wait that is short for it',
      webhook({ quotaWaitMs: 10 * hour }),
      { wait: { since: now, until: ago(-9 * hour), for: 'quota' as const } },
      0,
    ],
  ])('%s', (_, target, streams: Partial<StreamFacts>, count) => {
    const definition = watched({ ...checked, alerts: [target] })
    expect(verdictOn([streams], [], definition).messages).toHaveLength(count)
  })

  it('a target that comes later hears what is open, and one that was never told hears no end', () => {
    const open = standing(verdictOn([failedWith('auth')]))
    const two = watched({ alerts: [webhook(), webhook({ url: '${OTHER}' })] })
    expect(verdictOn([failedWith('auth')], open, two).messages.map(({ target }) => target)).toEqual(['webhook ${OTHER}'])
    expect(verdictOn([{}], open, two).messages.map(({ target }) => target)).toEqual(['webhook ${HOOK}'])
  })

  it('two entries of one address are told once', () => {
    const twice = watched({ alerts: [webhook(), listening('failed')] })
    const first = verdictOn([failedWith('auth')], [], twice)
    expect(first.messages).toHaveLength(1)
    expect(verdictOn([{}], standing(first), twice).messages).toHaveLength(1)
  })

  it('nobody, where nobody is named: it is written down all the same', () => {
    const { messages, open } = verdictOn([failedWith('auth')], [], watched({ alerts: [] }))
    expect(messages).toEqual([])
    expect(open).toHaveLength(1)
  })
})

it('a schema change is told once and stands as over', () => {
  const changes = [{ id: 3, change: 'column_added', field: 'x', createdAt: now }]
  const { open, notices, messages } = verdictOn([{ changes }])
  expect(open).toEqual([])
  expect(notices).toMatchObject([{ kind: 'schema_change', told: { 'webhook ${HOOK}': { at: now } } }])
  expect(messages).toHaveLength(1)
})

it('what is open of a stream that is no longer read ends, and says why', () => {
  const open = standing(verdictOn([failedWith('auth')]))
  const { resolved, messages } = verdictOn([], open, watched({ streams: { orders: {} } }))
  expect(resolved).toEqual([{ id: '1', resolution: 'the stream is no longer read' }])
  expect(messages[0]!.message.items[0]!.message).toBe('It was: it said auth Now the stream is no longer read.')
})
