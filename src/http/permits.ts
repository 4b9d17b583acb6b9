import type { BudgetKey, BudgetStore, Clock } from '../core/ports.js'
import type { Window } from './api.js'

/** Whose turn it is when permits are scarce: a live sync goes before a backfill. */
export type Priority = 'live' | 'backfill'
export const priorities: readonly Priority[] = ['live', 'backfill']
type PerPriority = Record<Priority, number>
export const none = (): PerPriority => ({ live: 0, backfill: 0 })

export interface Rules {
  windows: readonly Window[]
  /** Requests under way at once, of all holders together. */
  concurrency: number
  /** What a backfill gets of each window while live work waits, and live work keeps the rest of: 0 to 1. */
  backfillShare: number
}

/** What a holder (a process) tells of its requests, and what it asks for. */
export interface Ask {
  holder: string
  /** Requests that wait for a permit now. */
  wanted: Readonly<PerPriority>
  /** Requests answered since it asked last, and permits that nobody used. */
  answered: Readonly<PerPriority>
  returned: Readonly<PerPriority>
  /** The vendor said that nobody may ask for so long. */
  pauseMs?: number | undefined
  /** The vendor said what windows really hold. */
  learned?: readonly Window[]
}

export interface Grant {
  granted: PerPriority
  /** When to ask again, where not all that was wanted was granted; else 0. */
  waitMs: number
}

/** Requests answered between two instants close to each other: they count as if the last had been the instant of all. */
interface Answered extends PerPriority {
  fromMs: number
  toMs: number
}

interface Holder {
  /** Requests under way. */
  live: number
  backfill: number
  seenMs: number
  /** Since when requests of a priority wait there, and until when they are taken to. */
  since: PerPriority
  waits: PerPriority
}

/** What is kept of one budget. Instants in milliseconds, by the store's clock. */
export interface BudgetState {
  pausedUntilMs: number
  /** Length of a window → what the vendor said that it holds. */
  learned: Record<string, number>
  /** Length of a window → what it holds, for people who look at it. */
  most?: Record<string, number>
  /** Length of a window → what may still count in it, oldest first. */
  answered: Record<string, Answered[]>
  holders: Record<string, Holder>
}

/** A holder that was not heard of for so long is gone; what it had under way counts as answered then. Living ones tell more often. */
export const holderGoneMs = 20_000
/** When to ask again for what ends at an instant that nobody knows: a request under way elsewhere. */
const pollMs = 100
/** When to ask again for what is there, and which others that wait may take first. */
const sharedMs = 10
/** Past its time to ask again, a holder is taken to wait for so much longer. */
const lateMs = 1_000
/** Parts of a window whose answers are kept as one: a budget is used up to one such part less. */
const parts = 64

/**
 * One holder's turn. A vendor counts a request somewhen between its sending and its answer, in windows that begin when it likes. So a
 * request counts from its permit until a whole window after its answer: whatever the vendor's window, the last request that falls into it
 * saw all the others here.
 */
export function takeTurn(before: BudgetState | undefined, rules: Rules, ask: Ask, nowMs: number): { state: BudgetState; answer: Grant } {
  const state = before ?? { pausedUntilMs: 0, learned: {}, answered: {}, holders: {} }
  const self = state.holders[ask.holder] ?? { live: 0, backfill: 0, seenMs: nowMs, since: none(), waits: none() }
  state.holders[ask.holder] = self
  self.seenMs = nowMs
  for (const [name, holder] of Object.entries(state.holders)) {
    if (nowMs - holder.seenMs < holderGoneMs) continue
    delete state.holders[name]
    note(state, rules, holder, nowMs)
  }
  note(state, rules, ask.answered, nowMs)
  for (const priority of priorities) self[priority] = Math.max(0, self[priority] - ask.answered[priority] - ask.returned[priority])
  if (ask.pauseMs !== undefined) state.pausedUntilMs = Math.max(state.pausedUntilMs, nowMs + ask.pauseMs)
  for (const { count, perMs } of ask.learned ?? []) state.learned[perMs] = count
  state.most = Object.fromEntries(rules.windows.map((window) => [window.perMs, countOf(state, window)]))

  for (const priority of priorities) self.waits[priority] = ask.wanted[priority] > 0 ? nowMs + lateMs : 0
  const granted = none()
  const waits: number[] = []
  for (const priority of priorities) {
    const others = Object.values(state.holders).filter((holder) => holder !== self && holder.waits[priority] > nowMs)
    const since = self.since[priority] || nowMs
    const before = others.filter((holder) => holder.since[priority] < since).length
    const { room, waitMs } = roomFor(state, rules, priority, before, nowMs)
    // Whoever else waits finds a part of what there is.
    granted[priority] = Math.min(ask.wanted[priority], Math.ceil(room / (others.length + 1)))
    self[priority] += granted[priority]
    // Who was given something stands behind the others again.
    self.since[priority] = granted[priority] > 0 ? nowMs : since
    if (granted[priority] === ask.wanted[priority]) self.waits[priority] = 0
    else {
      const againMs = room > granted[priority] ? sharedMs : waitMs
      self.waits[priority] = nowMs + againMs + lateMs
      waits.push(againMs)
    }
  }
  if (self.live + self.backfill + self.waits.live + self.waits.backfill === 0) delete state.holders[ask.holder]
  return { state, answer: { granted, waitMs: waits.length === 0 ? 0 : Math.min(...waits) } }
}

/**
 * How many permits there are for a priority, and where there are none, how long until that may change.
 * @param before how many holders wait for longer: each wakes for the permit that will be its own, not all for the first
 */
function roomFor(state: BudgetState, rules: Rules, priority: Priority, before: number, nowMs: number): { room: number; waitMs: number } {
  if (state.pausedUntilMs > nowMs) return { room: 0, waitMs: state.pausedUntilMs - nowMs }
  const holders = Object.values(state.holders)
  const underWay = (of: (counts: PerPriority) => number) => holders.reduce((sum, holder) => sum + of(holder), 0)
  const both = ({ live, backfill }: PerPriority) => live + backfill
  const other = priority === 'live' ? 'backfill' : 'live'
  const isShared = holders.some(({ waits }) => waits[other] > nowMs)
  let room = concurrencyOf(state, rules) - underWay(both)
  let waitMs = room > 0 ? 0 : pollMs
  for (const window of rules.windows) {
    const count = countOf(state, window)
    const answered = (state.answered[window.perMs] ?? []).filter(({ toMs }) => toMs > nowMs - spanOf(window))
    const limits = [
      { most: count, of: both },
      ...(isShared ? [{ most: shareOf(rules, count, priority), of: (one: PerPriority) => one[priority] }] : []),
    ]
    for (const { most, of } of limits) {
      const free = most - underWay(of) - answered.reduce((sum, one) => sum + of(one), 0)
      room = Math.min(room, free)
      if (free <= 0) waitMs = Math.max(waitMs, freedIn(answered, of, 1 - free + before, window, nowMs))
    }
  }
  // A share ends when the others stop waiting, which no window tells.
  return { room: Math.max(0, room), waitMs: isShared ? Math.min(waitMs, lateMs) : waitMs }
}

/** How long until so many of the answered requests no longer count. */
function freedIn(
  answered: readonly Answered[],
  of: (counts: PerPriority) => number,
  needed: number,
  window: Window,
  nowMs: number,
): number {
  let freed = 0
  for (const one of answered) {
    freed += of(one)
    if (freed >= needed) return one.toMs + spanOf(window) - nowMs
  }
  // It is for requests under way to end first.
  return pollMs
}

/** Share of the fullest window that counts as used now: 0 to 1. */
export function usedShare(state: BudgetState, { windows }: Rules, nowMs: number): number {
  const both = ({ live, backfill }: PerPriority) => live + backfill
  const underWay = Object.values(state.holders).reduce((sum, holder) => sum + both(holder), 0)
  const shares = windows.map((window) => {
    const answered = (state.answered[window.perMs] ?? []).filter(({ toMs }) => toMs > nowMs - spanOf(window))
    return (underWay + answered.reduce((sum, one) => sum + both(one), 0)) / countOf(state, window)
  })
  return Math.min(1, Math.max(0, ...shares))
}

/** Each priority is sure of its share while both wait, and of one request at least. */
function shareOf({ backfillShare }: Rules, count: number, priority: Priority): number {
  const backfill = Math.max(1, Math.floor(count * backfillShare))
  return priority === 'backfill' ? backfill : Math.max(1, count - backfill)
}

const countOf = (state: BudgetState, { count, perMs }: Window): number => state.learned[perMs] ?? count
/** With fewer under way than a window holds, a permit is always a matter of time. */
const concurrencyOf = (state: BudgetState, { concurrency, windows }: Rules): number =>
  Math.min(concurrency, ...windows.map((window) => countOf(state, window)))
/** Clocks are read in whole milliseconds, and the vendor's may run a little slower. */
const spanOf = ({ perMs }: Window): number => perMs + Math.max(5, Math.min(250, perMs / 100))

/** Writes requests down as answered, and forgets what no longer counts. */
function note(state: BudgetState, { windows }: Rules, { live, backfill }: PerPriority, nowMs: number): void {
  for (const window of windows) {
    const kept = (state.answered[window.perMs] ?? []).filter(({ toMs }) => toMs > nowMs - spanOf(window))
    state.answered[window.perMs] = kept
    if (live + backfill === 0) continue
    const last = kept.at(-1)
    if (last && nowMs - last.fromMs < window.perMs / parts) {
      last.live += live
      last.backfill += backfill
      last.toMs = Math.max(last.toMs, nowMs)
    } else kept.push({ fromMs: nowMs, toMs: nowMs, live, backfill })
  }
}

/** Budgets of this process alone. */
export function memoryStore(clock: Clock): BudgetStore {
  const states = new Map<string, unknown>()
  return {
    async update<S, T>({ vendor, account, budget }: BudgetKey, change: (state: S | undefined, nowMs: number) => { state: S; answer: T }) {
      const key = `${vendor}\n${account}\n${budget}`
      const { state, answer } = change(states.get(key) as S | undefined, clock.now().getTime())
      states.set(key, state)
      return answer
    },
  }
}
