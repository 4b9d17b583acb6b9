/** Random numbers from one seed: the same seed gives the same faults, in the same order, with the same pauses. */
export interface Dice {
  /** From 0 up to but not including 1. */
  next: () => number
  /** A whole number, both bounds included. */
  whole: (from: number, to: number) => number
  pick: <T>(among: readonly T[]) => T
  shuffle: <T>(items: readonly T[]) => T[]
}

/** @param words what the numbers are for: each purpose has its own sequence, so that one more use here changes nothing there. */
export function dice(seed: number, ...words: (string | number)[]): Dice {
  let state = mixed(seed, words.join('/'))
  const next = () => {
    // mulberry32
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
  const whole = (from: number, to: number) => from + Math.floor(next() * (to - from + 1))
  return {
    next,
    whole,
    pick: (among) => among[whole(0, among.length - 1)]!,
    shuffle(items) {
      const all = [...items]
      for (let i = all.length - 1; i > 0; i--) {
        const j = whole(0, i)
        ;[all[i], all[j]] = [all[j]!, all[i]!]
      }
      return all
    },
  }
}

/** FNV-1a over the words, begun with the seed. */
function mixed(seed: number, text: string): number {
  let hash = (0x811c9dc5 ^ seed) >>> 0
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0
  return hash
}
