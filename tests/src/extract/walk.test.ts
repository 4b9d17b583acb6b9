import { describe, expect, it } from 'vitest'
import { Failure } from '../../../src/core/failure.js'
import type { Http, HttpRequest, Page, Rec, Resume } from '../../../src/core/types.js'
import { cursorInBody, cursorParameter, nextLink, offsetInBody, onePage } from '../../../src/extract/paginate.js'
import { type Walk, walk } from '../../../src/extract/walk.js'
import { noHttp } from '../../support/fake-source.js'

/** A vendor whose answers are a function of the request; what was asked is kept. */
function vendor(answer: (request: HttpRequest, count: number) => Rec | Promise<Rec>) {
  const asked: HttpRequest[] = []
  const http: Http = {
    ...noHttp(),
    request: async (request) => {
      asked.push(request)
      return { status: 200, headers: {}, body: await answer(request, asked.length), bytes: 0 }
    },
  }
  return { http, asked }
}

const numbered = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => ({ id: from + i }))
const links = nextLink('data', 'links.next')
/** Pages of two records, four of them. */
const book = ({ path }: HttpRequest): Rec => {
  const page = Number(/page=(\d)/.exec(path)?.[1] ?? 0)
  return { data: numbered(page * 2, page * 2 + 2), links: { next: page < 3 ? `https://v.example/x?filter=a%2Cb&page=${page + 1}` : null } }
}

async function read(input: Omit<Walk, 'paginator' | 'requests'> & Partial<Walk>) {
  const pages: Page[] = []
  for await (const page of walk({ paginator: links, requests: () => [{ path: '/x', query: { filter: 'a,b' }, budget: 'L' }], ...input }))
    pages.push(page)
  return pages
}
const ids = (pages: readonly Page[]) => pages.flatMap(({ records }) => records.map(({ id }) => id))
const failing = (status: number) => Promise.reject(new Failure('permanent', `${status}`, { status }))

describe('a walk', () => {
  it('says of a page when it came, though it is given later', async () => {
    let hour = 0
    const { http } = vendor((request) => {
      hour++
      return book(request)
    })
    const now = () => new Date(Date.UTC(2026, 0, 1, hour))
    const came: (number | undefined)[] = []
    for await (const { readAt } of walk({ http, paginator: links, requests: () => [{ path: '/x' }], now })) {
      // Whoever reads the page takes an hour, and the next one is there meanwhile.
      await new Promise((resolve) => setImmediate(resolve))
      came.push(readAt?.getUTCHours())
    }
    expect(came).toEqual([1, 2, 3, 4])
  })

  it('sends a next link back untouched, with the budget of the first request, until the vendor’s end mark', async () => {
    const { http, asked } = vendor(book)
    const pages = await read({ http })
    expect(ids(pages)).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
    expect(asked[1]).toEqual({ path: 'https://v.example/x?filter=a%2Cb&page=1', budget: 'L' })
    expect(pages.at(-1)?.resume).toBeUndefined()
  })

  it('resumes from any page with exactly what follows, also over several requests', async () => {
    const requests = () => [{ path: '/x' }, { path: '/x' }, { path: '/x' }]
    const pages = await read({ http: vendor(book).http, requests })
    expect(pages).toHaveLength(12)
    for (const [i, { resume }] of pages.slice(0, -1).entries()) {
      const rest = await read({ http: vendor(book).http, requests, resume: JSON.parse(JSON.stringify(resume)) as Resume })
      expect(ids(rest)).toEqual(ids(pages.slice(i + 1)))
    }
  })

  it('asks for the next page before it gives the current one, and never two ahead', async () => {
    const { http, asked } = vendor(book)
    const pages = walk({ http, paginator: links, requests: () => [{ path: '/x' }] })[Symbol.asyncIterator]()
    await pages.next()
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect(asked).toHaveLength(2)
    await pages.return?.()
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect(asked).toHaveLength(2)
  })

  it('takes no short, empty or repeated page for the end', async () => {
    const answers: Rec[] = [
      { data: numbered(0, 2), links: { next: '1' } },
      { data: [], links: { next: '1' } },
      { data: numbered(2, 3), links: { next: '1' } },
      { data: numbered(2, 4), links: { next: '2' } },
      { data: [], links: { next: null } },
    ]
    const { http } = vendor((_, count) => answers[count - 1]!)
    expect(ids(await read({ http }))).toEqual([0, 1, 2, 2, 3])
  })

  it.each([1, 2, 7, 40])('notices a circle of %i pages', async (length) => {
    const { http, asked } = vendor((_, count) => ({ data: [], links: { next: `p${(count + 3) % length}` } }))
    await expect(read({ http })).rejects.toMatchObject({ reason: 'permanent' })
    expect(asked.length).toBeLessThan(20 + 8 * length)
  })

  it.each([{}, { data: null }, { data: {} }, { message: 'all good' }])('does not take %j for an empty page', async (body) => {
    await expect(read({ http: vendor(() => body).http })).rejects.toMatchObject({ reason: 'transient' })
  })

  it('gives what came before a failure, then the failure', async () => {
    const { http } = vendor((request, count) => (count === 3 ? failing(500) : book(request)))
    const got: unknown[] = []
    await expect(async () => {
      for await (const { records } of walk({ http, paginator: links, requests: () => [{ path: '/x' }] })) got.push(...records)
    }).rejects.toMatchObject({ where: { status: 500 } })
    expect(got).toHaveLength(4)
  })
})

describe('a page token that has expired', () => {
  const once = (at: number) => vendor((request, count) => (count === at ? failing(400) : book(request)))

  it('starts the request over where pages have no order', async () => {
    expect(ids(await read({ http: once(3).http }))).toEqual([0, 1, 2, 3, 0, 1, 2, 3, 4, 5, 6, 7])
  })

  it('goes on from the last page read where they have one', async () => {
    const froms: (string | undefined)[] = []
    const requests = (from?: string) => {
      froms.push(from)
      return [{ path: from === undefined ? '/x' : `/x?page=${from}` }]
    }
    const cursorOf = (records: readonly Rec[]) => String(Math.floor(Number(records[0]?.id) / 2))
    expect(ids(await read({ http: once(3).http, requests, cursorOf }))).toEqual([0, 1, 2, 3, 2, 3, 4, 5, 6, 7])
    expect(froms).toEqual([undefined, '1'])
  })

  it('goes on from what an earlier walk had committed', async () => {
    const requests = (from?: string) => [{ path: from === undefined ? '/x' : `/x?page=${from}` }]
    const input = { http: once(1).http, requests, cursorOf: () => undefined, reached: '2', resume: { at: 0, next: 'gone' } }
    expect(ids(await read(input))).toEqual([4, 5, 6, 7])
  })

  it('is no excuse for a first request that is refused, nor for ever', async () => {
    await expect(read({ http: once(1).http })).rejects.toMatchObject({ where: { status: 400 } })
    const { http, asked } = vendor((request) => (request.path === '/x' ? book(request) : failing(400)))
    await expect(read({ http })).rejects.toMatchObject({ reason: 'transient' })
    expect(asked.length).toBeLessThan(10)
  })
})

describe('ways to the next page', () => {
  const next = async (input: Partial<Walk>, answers: Rec[]) => {
    const { http, asked } = vendor((_, count) => answers[count - 1]!)
    return { pages: await read({ http, ...input }), asked }
  }

  it('a cursor in the query', async () => {
    const { asked } = await next(
      { paginator: cursorParameter('results', 'paging.next.after', 'after'), requests: () => [{ path: '/x', query: { limit: 2 } }] },
      [{ results: numbered(0, 2), paging: { next: { after: 152 } } }, { results: [] }],
    )
    expect(asked[1]?.query).toEqual({ limit: 2, after: '152' })
  })

  it('a cursor in the body', async () => {
    const { asked } = await next(
      { paginator: cursorInBody('results', 'paging.next.after', 'after'), requests: () => [{ path: '/x', body: { count: 5 } }] },
      [{ results: [], paging: { next: { after: 'abc' } } }, { results: [] }],
    )
    expect(asked[1]?.body).toEqual({ count: 5, after: 'abc' })
  })

  it('an offset in the body, while the vendor says that there is more', async () => {
    const { asked, pages } = await next(
      { paginator: offsetInBody('lists', 'offset', 'hasMore'), requests: () => [{ path: '/x', body: { offset: 0 } }] },
      [
        { lists: numbered(0, 2), offset: 2, hasMore: true },
        { lists: numbered(2, 3), offset: 3, hasMore: false },
      ],
    )
    expect(asked[1]?.body).toEqual({ offset: 2 })
    expect(ids(pages)).toEqual([0, 1, 2])
  })

  it('none', async () => {
    const { asked } = await next({ paginator: onePage('results') }, [{ results: [], paging: { next: { after: '1' } } }])
    expect(asked).toHaveLength(1)
  })
})
