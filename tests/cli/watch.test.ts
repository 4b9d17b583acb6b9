import { expect, it } from 'vitest'
import type { Printer } from '../../cli/print.js'
import { found, watched } from '../../cli/watch.js'

const printerTo = (notes: string[]) => ({ isJson: true, note: (text: string) => notes.push(text) }) as unknown as Printer

it('what ends while it is looked at is looked at once more', async () => {
  let finish: () => void = () => undefined
  const end = new Promise<void>((resolve) => {
    finish = resolve
  })
  let looks = 0
  const look = async () => {
    looks++
    if (looks > 1) return 'completed'
    // The row is read, then the run ends before the answer is there.
    finish()
    await end
    return undefined
  }
  expect(await found(end, look)).toBe('completed')
  expect(looks).toBe(2)
})

it('nothing is found where the end has come and says nothing, well or not', async () => {
  expect(await found(Promise.resolve(), async () => undefined)).toBeUndefined()
  expect(await found(Promise.reject(new Error('terminated')), async () => undefined)).toBeUndefined()
})

it('what is watched is told now and then, a look that fails is only said, and its end is the end', async () => {
  const notes: string[] = []
  let looks = 0
  const end = new Promise<string>((resolve) => {
    const look = setInterval(() => {
      if (looks < 3) return
      clearInterval(look)
      resolve('done')
    }, 1)
  })
  const look = async () => {
    looks++
    if (looks === 1) return undefined
    if (looks === 2) throw new Error('The warehouse is away.')
    return { live: 'drawn', plain: '3 of 4 slices' }
  }
  expect(await watched(end, { printer: printerTo(notes), plainEveryMs: 1, look })).toBe('done')
  expect(notes.slice(0, 2)).toEqual(['The warehouse is away.', '3 of 4 slices'])
  const refused = Promise.reject(new Error('It was refused.'))
  await expect(watched(refused, { printer: printerTo(notes), plainEveryMs: 1, look })).rejects.toThrow('It was refused.')
})
