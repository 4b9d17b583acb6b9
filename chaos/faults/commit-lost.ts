import { setTimeout as sleep } from 'node:timers/promises'
import type { Fault } from './fault.js'

/** `COMMIT` as PostgreSQL's protocol carries it: Q, four bytes of length, the text, a zero. */
const commit = 'Q\0\0\0\x0bCOMMIT\0'

/** The server commits, but its answer is dropped and the connection cut: was it committed, or not? */
export const commitLost: Fault = {
  name: 'commit answer lost',
  weight: 5,
  async inject({ world }) {
    let watch: { cancel: () => void } | undefined
    const lost = new Promise<true>((resolve) => {
      watch = world.proxies.postgres.onNextSent(commit, (link) => void link.loseAnswer().then(() => resolve(true)))
    })
    const hit = await Promise.race([lost, sleep(8_000).then(() => false)])
    watch?.cancel()
    return hit ? undefined : 'nothing was committed for 8 s'
  },
}
