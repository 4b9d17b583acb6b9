import { kill } from 'node:process'
import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Mock, startMock } from '../../bench/mock.js'
import type { Stack } from '../../cli/dev/stack.js'
import type { Project } from '../support/project.js'
import { startProject } from '../support/stack.js'

/** WEIR_KILLS=30 is the figure that Weir promises; each commit takes a few. */
const kills = Number(process.env.WEIR_KILLS ?? 4)
const rows = 20_000 + 4_000 * kills

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** A repeatable sequence of numbers from 0 to 1: which moments are hit is random, but not a secret. */
function dice(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

describe(`a load whose worker is killed ${kills} times`, () => {
  let mock: Mock
  let project: Project
  let stack: Stack
  let db: pg.Client
  let stop: () => Promise<void>

  beforeAll(async () => {
    mock = await startMock({ rows, latencyMs: 20 })
    ;({ project, stack, db, stop } = await startProject(
      `
version: 1
connections: { klaviyo: { type: klaviyo, base_url: "${mock.url}", api_key: pk_bench, budget: "off" } }
syncs: { klaviyo: { from: klaviyo, streams: { profiles: {} } } }
`,
      {
        heartbeatMs: 1_500,
        retryMs: 200,
        drainMs: 5_000,
        ports: { postgres: 25_432, temporal: 27_233, temporalUi: 28_233 },
      },
    ))
  })
  afterAll(async () => {
    await stop?.()
    await mock?.stop()
  })

  it('ends by itself with every row once, and the counts add up', { timeout: 60_000 + kills * 15_000 }, async () => {
    const random = dice(7)
    const load = project.weir(['sync', '--json'])
    const isDone = load.then(() => true)
    let done = 0
    while (done < kills) {
      const ended = await Promise.race([isDone, pause(300 + random() * 2_500).then(() => false)])
      if (ended) break
      const { worker: pid } = stack.info.pids
      if (pid === undefined) continue
      try {
        kill(-pid, 'SIGKILL')
        done++
      } catch {
        // Between two lives: the supervisor is starting the next one.
      }
    }
    const { code, stdout, stderr } = await load
    expect(code, stderr).toBe(0)
    expect(done).toBe(kills)
    const [stream] = JSON.parse(stdout).runs[0].streams
    expect(stream).toMatchObject({ status: 'completed', deadLetters: 0 })
    expect(stream.read).toBe(stream.loaded + stream.unchanged)
    expect(stream.loaded).toBe(rows)
    const { rows: counted } = await db.query('SELECT count(*)::int AS n, count(DISTINCT id)::int AS ids FROM klaviyo.profiles')
    expect(counted).toEqual([{ n: rows, ids: rows }])
    const { rows: left } = await db.query(
      "SELECT (SELECT count(*) FROM _weir.checkpoints)::int AS checkpoints, (SELECT count(*) FROM pg_tables WHERE schemaname = '_weir_stage')::int AS stages",
    )
    expect(left).toEqual([{ checkpoints: 0, stages: 0 }])
  })
})
