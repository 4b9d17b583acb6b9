import { describe, expect, it } from 'vitest'
import { runCampaign } from '../../chaos/campaign.js'
import { faults } from '../../chaos/faults/index.js'
import { modes } from '../../chaos/modes.js'

/** WEIR_SEED chooses another plan; `make chaos` tries every kind, and far more of them. */
const seed = Number(process.env.WEIR_SEED ?? 7)
const kinds = ['worker kill -9', 'commit answer lost', 'vendor: reset mid body']

describe(`loads under a few faults, seed ${seed}`, () => {
  it('lose no row, double none, and end by themselves', { timeout: 300_000 }, async () => {
    const lines: string[] = []
    const report = await runCampaign({
      seed,
      modes: modes.filter(({ name }) => ['merge', 'replace'].includes(name)),
      kinds: faults.filter(({ name }) => kinds.includes(name)),
      faults: 6,
      rows: 6_000,
      isFull: false,
      port: 24_900,
      log: (line) => lines.push(line),
    })
    expect(report.problems, lines.join('\n')).toEqual([])
    expect(report.modes.flatMap(({ outcomes }) => outcomes.map(({ state }) => state))).toEqual(Array(6).fill('survived'))
    expect(report.modes.map(({ verdict }) => verdict.standing)).toEqual([5_999, 5_999])
  })
})
