import { describe, expect, it } from 'vitest'
import { Failure } from '../../../src/core/failure.js'
import type { Http, HttpRequest, Rec, Slice } from '../../../src/core/types.js'
import { type DeclaredStream, defineStreams } from '../../../src/extract/define.js'
import { nextLink } from '../../../src/extract/paginate.js'
import { noHttp } from '../../support/fake-source.js'

const declared: DeclaredStream = {
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
      ask: ({ from }) => ({ path: '/things', query: { from } }),
      pages: nextLink('data', 'next'),
    },
  ],
}

const of = (answer: (request: HttpRequest) => Rec): { http: Http; asked: HttpRequest[] } => {
  const asked: HttpRequest[] = []
  const request: Http['request'] = async (one) => {
    asked.push(one)
    return { status: 200, headers: {}, body: answer(one), bytes: 0 }
  }
  return { http: { ...noHttp(), request }, asked }
}
const all = async (pages: AsyncIterable<{ records: readonly Rec[] }>) => {
  const records: Rec[] = []
  for await (const page of pages) records.push(...page.records)
  return records
}
const gone = (reason: 'permanent' | 'auth') => () => {
  throw new Failure(reason, 'gone', { status: 404 })
}
const expiring = ({ path }: HttpRequest): Rec => {
  if (path === 'next') throw new Failure('permanent', 'expired', { status: 400 })
  return { data: [], next: null }
}

describe('declared streams', () => {
  it('keep what was said of them, and are default, alone and whole without a word', () => {
    const { things } = defineStreams({ things: declared })
    expect(things).toMatchObject({ name: 'things', isDefault: true, parallel: 1, key: ['id'], mode: 'merge' })
    expect(things?.passes.map(({ name }) => name)).toEqual(['main'])
  })

  it('start again from what is committed when a page token has expired, but not before the slice', async () => {
    const pass = defineStreams({ things: declared }).things!.passes[0]
    const slice: Slice = { pass: 'main', from: '2026-01-01T00:00:00.000Z' }
    for (const [reached, from] of [
      ['2026-02-01 10:00:00+02:00', '2026-02-01T08:00:00.000Z'],
      ['2025-02-01T10:00:00Z', slice.from],
      ['not a date', slice.from],
    ]) {
      const { http, asked } = of(expiring)
      await all(pass.read({ http, slice, fields: {}, resume: { at: 0, next: 'next' }, reached }))
      expect(asked.at(-1)?.query).toEqual({ from })
    }
  })

  it('start again from the slice’s start where a pass has another order', async () => {
    const [main] = declared.passes
    const pass = defineStreams({ things: { ...declared, passes: [{ ...main, isOrdered: false }] } }).things!.passes[0]
    const { http, asked } = of(expiring)
    await all(pass.read({ http, slice: { pass: 'main' }, fields: {}, resume: { at: 0, next: 'next' }, reached: '2026-02-01T10:00:00Z' }))
    expect(asked.at(-1)?.query).toEqual({ from: undefined })
  })

  it('write the parent into each record, and take a parent that is gone for an empty one', async () => {
    const parents = async function* () {
      yield 'L1'
    }
    const child: DeclaredStream = {
      ...declared,
      passes: [{ ...declared.passes[0], slicing: { by: 'parent', parents }, parentField: 'list_id', mayBeGone: true }],
    }
    const pass = defineStreams({ members: child }).members!.passes[0]
    const read = (http: Http) => all(pass.read({ http, slice: { pass: 'main', parent: 'L1' }, fields: {} }))
    expect(await read(of(() => ({ data: [{ id: 'a' }] })).http)).toEqual([{ id: 'a', list_id: 'L1' }])
    expect(await read(of(gone('permanent')).http)).toEqual([])
    // A token endpoint that is not there is no list that is gone.
    await expect(read(of(gone('auth')).http)).rejects.toMatchObject({ reason: 'auth' })
  })
})
