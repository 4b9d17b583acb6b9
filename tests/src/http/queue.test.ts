import { describe, expect, it } from 'vitest'
import { createQueue } from '../../../src/http/queue.js'

describe('a queue', () => {
  it('lets so many in at once, the smaller place first, and in the order of asking', async () => {
    const queue = createQueue(2)
    const inside: (() => void)[] = []
    const order: string[] = []
    const ask = (name: string, place: number) =>
      queue.enter(place, undefined).then((leave) => {
        order.push(name)
        inside.push(leave)
      })
    const all = ['b1', 'b2', 'b3', 'l1', 'b4', 'l2'].map((name) => ask(name, name.startsWith('l') ? 0 : 1))
    await Promise.all(all.slice(0, 2))
    expect(order).toEqual(['b1', 'b2'])
    while (inside.length > 0) {
      inside.shift()!()
      await new Promise(setImmediate)
      expect(inside.length).toBeLessThanOrEqual(2)
    }
    await Promise.all(all)
    expect(order).toEqual(['b1', 'b2', 'l1', 'l2', 'b3', 'b4'])
  })

  it('forgets whoever stops waiting, and keeps their room for others', async () => {
    const queue = createQueue(1)
    const leave = await queue.enter(0, undefined)
    const abort = new AbortController()
    const gone = queue.enter(0, abort.signal)
    const next = queue.enter(0, new AbortController().signal)
    abort.abort(new Error('stop'))
    await expect(gone).rejects.toThrow('stop')
    await expect(queue.enter(0, abort.signal)).rejects.toThrow('stop')
    leave()
    const last = await next
    // One that stops after it was let in has room, and gives it back itself.
    last()
    const again = await queue.enter(0, undefined)
    again()
  })

  it('has room for everybody without a bound', async () => {
    const queue = createQueue(Number.POSITIVE_INFINITY)
    await Promise.all(Array.from({ length: 500 }, () => queue.enter(0, undefined)))
  })
})
