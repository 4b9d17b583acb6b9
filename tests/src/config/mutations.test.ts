import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { loadVendors } from '../../../cli/vendors.js'
import { bounded, env, folderOf, validated } from './project-of.js'

const seeds = ['examples/klaviyo-minimal/weir.yaml', 'examples/hubspot-v3/weir.yaml'].map((name) =>
  readFileSync(join(import.meta.dirname, '../../..', name), 'utf8'),
)
seeds.push(`version: 1
defaults: &d { timezone: UTC, start: -3d }
environments: { prod: { syncs: { k: { every: 1h } } } }
connections: { k: { type: klaviyo, api_key: "\${KEY}", base_url: "https://x.example", budget: { requests: 1/s } } }
syncs: { k: { from: k, <<: *d, schedule: { cron: "* * * * *" }, streams: { "*": {}, events: { mode: append, lookback: 1h } } } }
`)
const bits = [
  '\n',
  '  ',
  ':',
  '- ',
  '{',
  '}',
  '[',
  ']',
  '"',
  "'",
  '${',
  '$',
  '*d',
  '&d ',
  '!',
  '%',
  '\t',
  '#',
  '|',
  '>',
  '? ',
  ',',
  '0',
  '1e9',
  'null',
  '~',
  '.nan',
  '.inf',
]
bits.push('<<: ', '\0', 'é', '\uFEFF', '---\n', '...\n', 'toString', '-90d', '\\', '@', '`', '')

/** The same numbers in every run. */
function dice(seed: number): (sides: number) => number {
  let state = seed
  return (sides) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return Math.floor((state / 2_147_483_648) * sides)
  }
}

test('whatever is done to a file, the answer is a project or lines that point into it', async () => {
  const dir = folderOf('')
  // The demo names vendors that the fakes do not play.
  const vendors = await loadVendors()
  const roll = dice(7)
  let right = 0
  for (let round = 0; round < 800; round += 1) {
    let text = seeds[roll(seeds.length)]!
    for (let times = roll(4) + 1; times > 0; times -= 1) {
      const at = roll(text.length)
      text = text.slice(0, at) + bits[roll(bits.length)]! + text.slice(at + [0, 0, 1, 3, 20][roll(5)]!)
    }
    writeFileSync(join(dir, 'weir.yaml'), text)
    const { project, lines } = await validated(dir, { vendors, env: { ...env, KLAVIYO_API_KEY: 'pk_x', HUBSPOT_ACCESS_TOKEN: 'pat-x' } })
    if (project) right += 1
    const count = text.split('\n').length
    for (const line of lines) {
      const [, at] = /^weir\.yaml:(\d+):[1-9]\d*: [^\n]+$/.exec(line) ?? []
      expect(Number(at), `${line}\n${text}`).toBeGreaterThan(0)
      expect(Number(at), `${line}\n${text}`).toBeLessThanOrEqual(count)
      expect(line).not.toMatch(/undefined|NaN|\[object|Invalid|Expected/)
      expect(line).not.toContain(env.KEY)
    }
  }
  expect(right).toBeGreaterThan(50)
})

const fill = (piece: (index: number) => string) => {
  const pieces: string[] = []
  for (let bytes = 0, index = 0; bytes < 1_000_000; index += 1) bytes += pieces[pieces.push(piece(index)) - 1]!.length
  return pieces.join('')
}
const syncs = (count: number, line: (at: number) => string) =>
  `version: 1\nconnections: { k: { type: klaviyo, api_key: "\${KEY}" } }\nsyncs:\n${Array.from({ length: count }, (_, at) => line(at)).join('\n')}\n`

test.each([
  ['items', () => `[${fill(() => 'a,')}]`],
  ['keys in braces', () => `{${fill((at) => `a${at}: 1,`)}}`],
  ['comments', () => fill(() => '#\n')],
  ['blank lines', () => `a:${fill(() => '\n')}`],
  ['lines of one text', () => `a: b${fill(() => '\n b')}`],
  ['lines of a block', () => `a: |\n${fill(() => '  x\n')}`],
  ['quoted texts in a row', () => fill(() => '"a" ')],
  ['aliases', () => fill(() => '*a ')],
  ['anchors', () => fill(() => '&a\n')],
  ['question marks', () => fill(() => '?\n')],
  ['backslashes', () => `"${fill(() => '\\\\')}`],
  ['dollars', () => `name: ${fill(() => '$')}`],
  ['references', () => `name: ${fill(() => '${A:-}')}`],
  ['carriage returns', () => fill(() => '\r')],
  ['one key', () => `${fill(() => 'k')}: 1`],
  ['good syncs', () => syncs(1000, (at) => `  s${at}: { from: k, start: 2024-01-01, timezone: Asia/Tokyo }`)],
  ['bad syncs', () => syncs(1000, (at) => `  s${at}: { from: x${at}, evry: 15m, streams: { a: {} } }`)],
  ['missing variables', () => `version: 1\n${Array.from({ length: 4000 }, (_, at) => `k${at}: \${V${at}}`).join('\n')}\n`],
] as [string, () => string][])('a megabyte of %s is judged in bounded time and memory', async (_, text) => {
  const dir = folderOf(text())
  await bounded(() => validated(dir))
})
