import { describe, expect, test } from 'vitest'
import { alerts } from './broken/alerts.js'
import { columns } from './broken/columns.js'
import { connections } from './broken/connections.js'
import { files } from './broken/files.js'
import { syncs } from './broken/syncs.js'
import { syntax } from './broken/syntax.js'
import { bounded, folderOf, validated } from './project-of.js'

describe.each(Object.entries({ syntax, connections, syncs, columns, alerts, files }))('%s', (_, table) => {
  test.each(table)('$name', async ({ files: given, given: options, lines, more, prepare }) => {
    const dir = folderOf(typeof given === 'function' ? given() : given)
    prepare?.(dir)
    const said = (await bounded(() => validated(dir, options))).lines.map((line) => line.replaceAll(dir, '<dir>'))
    expect(more ? said.slice(0, lines.length) : said).toEqual(lines)
    expect(lines).not.toEqual([])
  })
})

test('what is found where a secret may stand is not repeated, and every fault is one line', () => {
  const lines = [syntax, connections, syncs, columns, alerts, files].flat().flatMap((broken) => broken.lines)
  expect(lines.length).toBeGreaterThan(200)
  expect(lines.filter((line) => /5ecret|canary|pk_|zq|root:/.test(line))).toEqual([])
  expect(lines.filter((line) => !/^[^\n]+:\d+:\d+: [^\n]+$/.test(line))).toEqual([])
  expect(lines.filter((line) => /undefined|\[object|at .*\.[jt]s:/.test(line))).toEqual([])
})
