import { expect, it } from 'vitest'
import { InOrder } from '../../../src/core/in-order.js'

it('asks once for names that come in one order, and again where another name stands', () => {
  const asked: string[] = []
  const lengths = new InOrder((name) => asked.push(name) && name.length)
  const of = (...names: string[]) => names.map((name, place) => lengths.at(place, name))
  expect(of('id', 'name')).toEqual([2, 4])
  expect(of('id', 'name')).toEqual([2, 4])
  expect(asked).toEqual(['id', 'name'])
  expect(of('id', 'mail', 'name')).toEqual([2, 4, 4])
  expect(of('name')).toEqual([4])
  expect(asked).toEqual(['id', 'name', 'mail', 'name', 'name'])
})

it('keeps answers that are undefined', () => {
  let asked = 0
  const none = new InOrder(() => void asked++)
  expect([none.at(0, 'a'), none.at(0, 'a')]).toEqual([undefined, undefined])
  expect(asked).toBe(1)
})
