import { describe, expect, it } from 'vitest'
import type { Column } from '../../../src/schema/encode.js'
import { Lines, type Segment } from '../../../src/schema/lines.js'

const columns: Column[] = [{ name: 'id', field: 'id', type: 'text' }]
const filled = (...lines: string[]) => {
  const made = new Lines()
  made.add(lines, columns, { run: 'a\\run', readAt: '2026-01-01' })
  return made
}
const tail = '\ta\\\\run\t2026-01-01\n'
const textOf = (segments: readonly Segment[]) => Buffer.concat(segments.flatMap(({ chunks }) => chunks)).toString()
const memoryOf = (lines: Lines) => lines.trim().flatMap(({ chunks }) => chunks.map(({ buffer }) => buffer))

describe('lines', () => {
  it('take the memory of released ones, and of no others', () => {
    const [held, given] = [filled('held'), filled('a longer line', 'and one more')]
    const memory = memoryOf(given)
    given.release()
    const [next, last] = [filled('next'), filled('last')]
    expect(memoryOf(next)).toEqual(memory)
    expect(memoryOf(next)[0]).toBe(memory[0])
    for (const lines of [held, last]) expect(memory.includes(memoryOf(lines)[0]!)).toBe(false)
    expect([held, next, last].map((lines) => textOf(lines.trim()))).toEqual(['held', 'next', 'last'].map((line) => line + tail))
  })

  it('are gone once released, however often that is said', () => {
    const lines = filled('one')
    const segments = lines.trim()
    lines.release()
    lines.release()
    expect(segments).toEqual([])
    const memory = [filled('two'), filled('three')].map((made) => memoryOf(made)[0])
    expect(new Set(memory).size).toBe(2)
  })

  it('of any length fill chunks of their own or share them', () => {
    const long = 'é'.repeat(400_000)
    const parts = Array.from({ length: 9 }, (_, i) => `${i}${'x'.repeat(150_000)}`)
    for (let round = 0; round < 3; round++) {
      const lines = filled(...parts, long, 'end')
      expect(textOf(lines.trim())).toBe([...parts, long, 'end'].map((line) => line + tail).join(''))
      expect(lines.bytes).toBe(Buffer.byteLength(textOf(lines.trim())))
      lines.release()
    }
  })
})
