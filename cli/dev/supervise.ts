/** Keeps one part of the stack running: whenever it ends without having been stopped, it is started again. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Exit } from './child.js'

export interface Part {
  pid: number
  exited: Promise<Exit>
  stop: () => Promise<unknown>
}

export type Happening = 'started' | 'ended' | 'restarted' | 'not restarted'

export interface Supervised<T extends Part> {
  /** What runs now, or ran last. */
  current: () => T
  /** Ends it and its supervision; may be called twice. */
  stop: () => Promise<void>
}

export interface SuperviseOptions<T extends Part> {
  /** Given what ran before, so that the same ports can be taken again. */
  start: (before: T | undefined) => Promise<T>
  /** `text` says it for people. */
  onEvent: (kind: Happening, pid: number, text: string) => void
}

/** One that was killed from outside is started again at once; one that keeps failing by itself less and less often. */
const pause = { shortestMs: 100, longestMs: 10_000, settledAfterMs: 10_000 }
const fromOutside: ReadonlySet<string> = new Set(['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP'])

/** Rejects when the first start fails; later ones are tried again for as long as it takes. */
export async function supervise<T extends Part>({ start, onEvent }: SuperviseOptions<T>): Promise<Supervised<T>> {
  const stopping = new AbortController()
  let current = await start(undefined)
  onEvent('started', current.pid, 'started')
  let pauseMs = pause.shortestMs

  const restart = async () => {
    while (!stopping.signal.aborted) {
      await sleep(pauseMs, undefined, { signal: stopping.signal }).catch(() => {})
      if (stopping.signal.aborted) return
      try {
        current = await start(current)
        onEvent('restarted', current.pid, 'started again')
        return
      } catch (error) {
        pauseMs = Math.min(pauseMs * 2, pause.longestMs)
        onEvent('not restarted', 0, `could not be started again, trying on: ${(error as Error).message}`)
      }
    }
  }
  const watch = async () => {
    while (!stopping.signal.aborted) {
      const startedAt = performance.now()
      const exit = await current.exited
      if (stopping.signal.aborted) return
      onEvent('ended', current.pid, `ended ${exit.signal ? `by ${exit.signal}` : `with exit code ${exit.code}`}; starting it again`)
      const failsByItself = !fromOutside.has(exit.signal ?? '') && performance.now() - startedAt < pause.settledAfterMs
      pauseMs = failsByItself ? Math.min(pauseMs * 2, pause.longestMs) : pause.shortestMs
      await restart()
    }
  }
  const watching = watch()
  const stop = async () => {
    stopping.abort()
    await current.stop()
    await watching
    await current.stop() // a start that was under way when we were told to stop
  }
  return { current: () => current, stop }
}
