import { ServiceError } from '@temporalio/client'
import { describe, expect, it } from 'vitest'
import { patiently } from '../../cli/patience.js'
import { Failure } from '../../src/core/failure.js'

/** Fails with each of these in turn, then answers. */
function question(failures: readonly unknown[]): { ask: () => Promise<string>; asked: () => number } {
  let asked = 0
  return {
    asked: () => asked,
    ask: async () => {
      const failure = failures[asked++]
      if (failure !== undefined) throw failure
      return 'answer'
    },
  }
}

const refused = (code: number) =>
  new ServiceError('Temporal said no', { cause: Object.assign(new Error('grpc'), { code, details: '', metadata: {} }) })
const lost = new Failure('transient', 'Reading runs: the connection was lost.')

describe('who waits for a run', () => {
  it('asks again while the warehouse or Temporal is away, and says so once', async () => {
    const { ask, asked } = question([lost, refused(14), lost])
    const notes: string[] = []
    expect(await patiently(ask, { note: (text) => notes.push(text), everyMs: 1 })).toBe('answer')
    expect(asked()).toBe(4)
    expect(notes).toEqual(['Reading runs: the connection was lost. The run goes on; waiting for an answer.'])
  })

  it.each([
    ['a permission that Temporal denies', refused(7)],
    ['a table that is missing', new Failure('warehouse', 'no such table')],
    ['a bug', new TypeError('undefined is not a function')],
  ])('does not wait for %s', async (_, failure) => {
    const { ask, asked } = question([failure])
    await expect(patiently(ask, { note: () => {}, everyMs: 1 })).rejects.toBe(failure)
    expect(asked()).toBe(1)
  })

  it('gives up in the end', async () => {
    const { ask } = question(Array(1_000).fill(lost))
    await expect(patiently(ask, { note: () => {}, everyMs: 1, forMs: 20 })).rejects.toBe(lost)
  })
})
