/** Which faults come, in which order and after which pauses; the same seed gives the same plan. */
import { dice } from './dice.js'
import type { Fault } from './faults/fault.js'
import type { Load } from './modes.js'

export interface Planned {
  fault: Fault
  load: Load
  /** From the progress after the fault before. */
  afterMs: number
  /** For the fault's own random numbers. */
  index: number
}

/** One planned fault in so many falls into the second load of a mode that then reads everything again; else only two do. */
const secondLoadShare = 0.25

/** Every kind comes as often as its weight says, at least once where there is room; the order is random. */
export function planFaults({
  seed,
  mode,
  readsAll,
  count,
  kinds,
}: {
  seed: number
  mode: string
  readsAll: boolean
  count: number
  kinds: readonly Fault[]
}): Planned[] {
  const random = dice(seed, mode, 'plan')
  const chosen = random.shuffle(shares(kinds, count))
  const inSecond = Math.min(readsAll ? Math.round(count * secondLoadShare) : 2, Math.floor(count / 2))
  for (let at = count - inSecond; at < chosen.length; at++) {
    if (!chosen[at]!.isOfFirst) continue
    const earlier = random.whole(0, count - inSecond - 1)
    ;[chosen[at], chosen[earlier]] = [chosen[earlier]!, chosen[at]!]
  }
  return chosen.map((fault, index) => ({
    fault,
    load: index < count - inSecond ? 'first' : 'second',
    afterMs: random.whole(0, 1_000),
    index,
  }))
}

function shares(kinds: readonly Fault[], count: number): Fault[] {
  const given = new Map(kinds.map((fault) => [fault, 0]))
  const most = (fault: Fault) => fault.most ?? Number.POSITIVE_INFINITY
  /** Whoever lags most behind its share is next; whoever has not come at all goes before. */
  const lag = (fault: Fault) => (given.get(fault) === 0 ? Number.POSITIVE_INFINITY : fault.weight / (given.get(fault)! + 1))
  const chosen: Fault[] = []
  for (let open = [...kinds]; chosen.length < count && open.length > 0; open = open.filter((fault) => given.get(fault)! < most(fault))) {
    const next = open.reduce((best, fault) => (lag(fault) > lag(best) ? fault : best))
    given.set(next, given.get(next)! + 1)
    chosen.push(next)
  }
  return chosen
}
