import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Failure } from '../../../src/core/failure.js'
import type { Http, HttpRequest, Page, Rec, Slice } from '../../../src/core/types.js'
import { type DeclaredStream, defineStreams } from '../../../src/extract/define.js'
import { cursorParameter } from '../../../src/extract/paginate.js'
import { walk } from '../../../src/extract/walk.js'
import { noHttp } from '../../support/fake-source.js'

/** A vendor with two collections, ordered by `at`, whose page tokens expire when the test says so. */
function vendor(isExpired: (request: HttpRequest, count: number) => boolean, refusal = new Failure('permanent', 'no', { status: 400 })) {
  const asked: HttpRequest[] = []
  const things = (kind: string) =>
    Array.from({ length: 10 }, (_, i) => ({ id: `${kind}${i}`, at: new Date(Date.UTC(2026, 0, i + 1)).toISOString() }))
  const http: Http = {
    ...noHttp(),
    request: async (request) => {
      asked.push(request)
      const { after, from = '' } = request.query ?? {}
      if (after !== undefined && isExpired(request, asked.length)) throw refusal
      const all = things(request.path).filter(({ at }) => at >= String(from))
      const start = Number(after ?? 0)
      return {
        status: 200,
        headers: {},
        bytes: 0,
        body: { data: all.slice(start, start + 2), next: start + 2 < all.length ? start + 2 : null },
      }
    },
  }
  return { http, asked }
}

const stream: DeclaredStream = {
  description: 'Things.',
  key: ['id'],
  fields: { id: { type: 'text' }, at: { type: 'timestamp' } },
  mode: 'merge',
  modes: ['merge'],
  record: (raw) => raw,
  cursor: { field: 'at', ordered: true },
  passes: [
    {
      slicing: { by: 'time', lookbackMs: 0, lagMs: 0, first: 'whole' },
      ask: ({ from }) => ['a', 'b'].map((path) => ({ path, query: { from } })),
      pages: cursorParameter('data', 'next', 'after'),
    },
  ],
}
const pass = (more: Partial<DeclaredStream> = {}) => defineStreams({ things: { ...stream, ...more } }).things!.passes[0]
const slice: Slice = { pass: 'main' }
async function idsOf(pages: AsyncIterable<Page>) {
  const ids: unknown[] = []
  for await (const { records } of pages) ids.push(...records.map(({ id }) => id))
  return ids
}
const whole = ['a', 'b'].flatMap((kind) => Array.from({ length: 10 }, (_, i) => `${kind}${i}`))

describe('a walk over several requests whose page tokens expire', () => {
  it('gives every record, whichever token it is', async () => {
    for (let nth = 2; nth <= 10; nth++) {
      const { http } = vendor((_, count) => count === nth)
      const ids = await idsOf(pass().read({ http, slice, fields: {} }))
      expect([...new Set(ids)].sort(), `request ${nth}`).toEqual(whole)
      // From the last page read, not from the start: a page's worth comes twice.
      expect(ids.length).toBeLessThanOrEqual(whole.length + 2)
    }
  })

  it('gives every record of the second request, though the first one’s were read far beyond', async () => {
    const { http } = vendor((_, count) => count === 1)
    const ids = await idsOf(pass().read({ http, slice, fields: {}, resume: { at: 1, next: '4' }, reached: '2026-01-10T00:00:00.000Z' }))
    expect(ids).toEqual(whole.slice(10))
  })

  it('starts over where an instant has no zone: it could be hours from here', async () => {
    const one = { ...stream.passes[0], ask: ({ from }: Slice) => ({ path: 'a', query: { from } }) }
    for (const [reached, first] of [
      ['2026-01-05T00:00:00Z', 'a4'],
      ['2026-01-05', 'a4'],
      ['2026-01-05T00:00:00', 'a0'],
      ['2026-01-05 00:00:00', 'a0'],
    ] as const) {
      const { http } = vendor((_, count) => count === 1)
      const ids = await idsOf(pass({ passes: [one] }).read({ http, slice, fields: {}, resume: { at: 0, next: '6' }, reached }))
      expect(ids[0], reached).toBe(first)
    }
  })

  it.each(['auth', 'permission', 'config', 'throttled', 'too_large'] as const)(
    'takes no 400 that is %s for an expired token',
    async (reason) => {
      const { http, asked } = vendor(() => true, new Failure(reason, 'no', { status: 400 }))
      await expect(idsOf(pass().read({ http, slice, fields: {} }))).rejects.toMatchObject({ reason })
      expect(asked).toHaveLength(2)
    },
  )

  it('goes on for ever while it gets further, and three times when it does not', async () => {
    const moving = vendor(({ query }) => Number(query?.after) > 2)
    expect([...new Set(await idsOf(pass().read({ http: moving.http, slice, fields: {} })))].sort()).toEqual(whole)
    const stuck = vendor(() => true)
    await expect(
      idsOf(pass({ cursor: { field: 'at', ordered: false } }).read({ http: stuck.http, slice, fields: {} })),
    ).rejects.toMatchObject({
      reason: 'transient',
    })
    expect(stuck.asked).toHaveLength(8)
  })
})

describe('a walk that is left', () => {
  const lost: unknown[] = []
  const onLost = (reason: unknown) => void lost.push(reason)
  beforeEach(() => void process.on('unhandledRejection', onLost))
  afterEach(() => void process.off('unhandledRejection', onLost))
  const settled = () => new Promise((resolve) => setTimeout(resolve, 15))
  const paginator = cursorParameter('data', 'next', 'after')

  it.each(['return', 'throw'])('by %s drops the failure of the page ahead, and asks no more', async (way) => {
    let asked = 0
    const http: Http = {
      ...noHttp(),
      request: async () => {
        if (++asked > 1) {
          await new Promise((resolve) => setTimeout(resolve, 3))
          throw new Failure('transient', 'lost')
        }
        return { status: 200, headers: {}, bytes: 0, body: { data: [{ id: 1 }], next: 'x' } as Rec }
      },
    }
    const read = async () => {
      for await (const page of walk({ http, paginator, requests: () => [{ path: '/x' }] })) {
        expect(page.records).toHaveLength(1)
        if (way === 'throw') throw new Error('full')
        return
      }
    }
    await (way === 'throw' ? expect(read()).rejects.toThrow('full') : read())
    await settled()
    expect(asked).toBe(2)
    expect(lost).toEqual([])
  })

  it('meets the failure of the page ahead when that page is due, however long the consumer takes', async () => {
    const http = vendor(() => true, new Failure('auth', 'no', { status: 401 })).http
    const pages = walk({ http, paginator, requests: () => [{ path: 'a' }] })[Symbol.asyncIterator]()
    expect((await pages.next()).value?.records).toHaveLength(2)
    await settled()
    await expect(pages.next()).rejects.toMatchObject({ reason: 'auth' })
    expect((await pages.next()).done).toBe(true)
    expect(lost).toEqual([])
  })
})
