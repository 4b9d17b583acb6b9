import { deliver } from '../src/alerts/deliver.js'
import { look } from '../src/alerts/look.js'
import { asFailure } from '../src/core/failure.js'
import type { AlertDeps, Starters } from './deps.js'

/** `weir/watch` looks every minute. Silent for so long, it is taken for away: Temporal is down, or nobody made it. */
const silentMs = 5 * 60_000

/**
 * Looks for alerts, and sends them, when nobody else has for a while: what people should be told of may be that Temporal is down. Several
 * workers that do so at once say nothing twice.
 * @returns looks once, unless somebody has lately; `true` where it did
 */
export function createWatchman(deps: Omit<AlertDeps, keyof Starters>, limits: { silentMs?: number } = {}): () => Promise<boolean> {
  const { warehouse, clock, log } = deps
  const startedAt = clock.now().getTime()
  const patienceMs = limits.silentMs ?? silentMs
  return async () => {
    // A worker that has just started gives the others their time.
    if (clock.now().getTime() - startedAt < patienceMs) return false
    const ms = await warehouse.alerts.sinceRoundMs()
    if (ms !== undefined && ms < patienceMs) return false
    const { opened, resolved } = await look(deps)
    // Shortly, so that a worker that is to stop can.
    await deliver({ ...deps, resolve: deps.resolveTarget, limits: { workMs: 5_000 } })
    log.warn('nobody looked for alerts: this worker did. Is Temporal up, does the schedule weir/watch exist?', { opened, resolved })
    return true
  }
}

/** Asks the watchman now and then, until it is stopped. */
export function startWatchman(deps: Omit<AlertDeps, keyof Starters>, everyMs = 60_000): { stop: () => Promise<void> } {
  const watchman = createWatchman(deps)
  let round: Promise<unknown> = Promise.resolve()
  const timer = setInterval(() => {
    round = round
      .then(watchman)
      .catch((error: unknown) => deps.log.warn('a look for alerts failed', { error: deps.redact(asFailure(error).message) }))
  }, everyMs)
  return {
    async stop() {
      clearInterval(timer)
      await round
    },
  }
}
