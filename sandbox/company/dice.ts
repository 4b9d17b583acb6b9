/**
 * Numbers from a seed and a place, not from a sequence: what person 4711 looks like does not depend on who was asked for
 * before. That is what lets the company be built in any order, or in part, and still be the same company.
 */

/** A whole number in [0, 2^32) from a seed and any number of places. */
export function hash(seed: number, ...places: number[]): number {
  let h = seed | 0
  for (const place of places) {
    h = Math.imul(h ^ (place | 0), 0x9e3779b1)
    h = Math.imul(h ^ (h >>> 15), 0x85ebca6b)
    h ^= h >>> 13
  }
  h = Math.imul(h ^ (h >>> 16), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

/** A fraction in [0, 1) from a seed and any number of places. */
export const roll = (seed: number, ...places: number[]): number => hash(seed, ...places) / 4294967296

/** A place made of a word, so that two uses of one number do not meet. */
export function place(word: string): number {
  let h = 0x811c9dc5
  for (let i = 0; i < word.length; i++) h = Math.imul(h ^ word.charCodeAt(i), 0x01000193)
  return h | 0
}

/** A run of numbers from one place: cheaper than a hash for each when many are wanted together. */
export class Dice {
  private state: number

  constructor(seed: number, ...places: number[]) {
    this.state = hash(seed, ...places)
  }

  next(): number {
    this.state = (this.state + 0x6d2b79f5) | 0
    let t = Math.imul(this.state ^ (this.state >>> 15), this.state | 1)
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }

  below(limit: number): number {
    return Math.floor(this.next() * limit)
  }

  chance(share: number): boolean {
    return this.next() < share
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)] as T
  }
}

const codeLetters = 'ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789'
const ulidLetters = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/** A short mixed-case code such as e-mail tools give to lists and metrics. */
export function code(length: number, seed: number, ...places: number[]): string {
  let text = ''
  let rest = 0
  for (let i = 0; i < length; i++) {
    // One hash is good for five letters.
    if (i % 5 === 0) rest = hash(seed, ...places, i)
    text += codeLetters[rest % codeLetters.length]
    rest = Math.floor(rest / codeLetters.length)
  }
  return text
}

/** A ULID: ten letters of time, sixteen of chance; sorts by the instant it was made. */
export function ulid(atMs: number, seed: number, ...places: number[]): string {
  let head = ''
  for (let rest = atMs, i = 0; i < 10; i++, rest = Math.floor(rest / 32)) head = ulidLetters[rest % 32] + head
  const dice = new Dice(seed, ...places)
  let tail = ''
  for (let i = 0; i < 16; i++) tail += ulidLetters[dice.below(32)]
  return head + tail
}

/** A version 4 UUID from a place. */
export function uuid(seed: number, ...places: number[]): string {
  const part = (n: number) =>
    hash(seed, ...places, n)
      .toString(16)
      .padStart(8, '0')
  const hex = part(0) + part(1) + part(2) + part(3)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`
}
