import { describe, expect, it } from 'vitest'
import { createBox, sealFor } from '../../../src/keys/box.js'

describe('a letter box', () => {
  it('is opened by whoever holds it, and by nobody else', () => {
    const [mine, yours] = [createBox(), createBox()]
    const sealed = sealFor(mine.address, 'a token – ü')
    expect(sealed).not.toContain('token')
    expect(mine.open(sealed)).toBe('a token – ü')
    expect(() => yours.open(sealed)).toThrow()
    expect(sealFor(mine.address, 'a token – ü')).not.toBe(sealed)
  })

  it('notices a text that was changed on its way, also one whose tag was cut', () => {
    const box = createBox()
    const parts = sealFor(box.address, 'a token').split('.')
    const body = Buffer.from(parts[3]!, 'base64url')
    body[0]! ^= 1
    expect(() => box.open([...parts.slice(0, 3), body.toString('base64url')].join('.'))).toThrow()
    expect(() => box.open([parts[0], parts[1], parts[2]!.slice(0, 6), parts[3]].join('.'))).toThrow()
  })
})
