import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * How glibc keeps what is freed: few arenas, and large buffers go back at once. A worker holds some 35 MB less, idle and loading, for a few
 * percent of its CPU (bench/RESULTS.md). The Dockerfile sets the same.
 */
const memory = { MALLOC_ARENA_MAX: '2', MALLOC_TRIM_THRESHOLD_: '131072', MALLOC_MMAP_THRESHOLD_: '262144' }

/** How the embedded stack starts its worker: in a process of its own, with the short waits of one machine. */
export function workerCommand(): { command: string; args: string[]; env: Record<string, string> } {
  const main = fileURLToPath(new URL(`../worker/main${extname(import.meta.url)}`, import.meta.url))
  return {
    command: process.execPath,
    args: [main],
    env: {
      ...memory,
      WEIR_HEARTBEAT_MS: process.env.WEIR_HEARTBEAT_MS ?? '10000',
      WEIR_RETRY_MS: process.env.WEIR_RETRY_MS ?? '1000',
    },
  }
}
