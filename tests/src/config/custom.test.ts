import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { errorLine } from '../../../src/config/errors.js'
import { jsonSchema } from '../../../src/config/json-schema.js'
import { validateOffline } from '../../../src/config/project.js'
import type { Vendors } from '../../../src/config/vendors.js'
import { Failure } from '../../../src/core/failure.js'
import { folderOf, now } from './project-of.js'
import { vendors as plainVendors } from './vendors.js'

const report = {
  mode: 'replace_slice',
  modes: ['replace_slice', 'append'],
  isDefault: false,
  hasCursor: true,
  fields: { day: 'date', clicks: 'bigint' },
  columns: [
    { field: 'day', name: 'day', type: 'date' },
    { field: 'clicks', name: 'clicks', type: 'bigint' },
  ],
  discovers: false,
  key: ['day'],
  ordering: ['day'],
} as const
const vendors: Vendors = {
  ...plainVendors,
  ads: {
    title: 'Ads',
    settings: z.object({}),
    streams: { campaigns: { ...report, isDefault: true } },
    custom: {
      keys: z.object({
        query: z.string().min(1).describe('The query of a report.'),
        level: z.enum(['account', 'ad']).default('ad'),
      }),
      streamOf: (_, { query }) => {
        if (!String(query).includes('FROM')) throw new Failure('config', 'The query names no resource (FROM).')
        return report
      },
    },
  },
}

const project = (streams: string) => `version: 1
connections: { ads: { type: ads }, hubspot: { type: hubspot, access_token: "\${KEY}" } }
syncs:
  ads:
    from: ads
    streams:
${streams
  .split('\n')
  .map((line) => `      ${line}`)
  .join('\n')}
`
const judged = async (streams: string) => {
  const answer = await validateOffline({ dir: folderOf(project(streams)), vendors, env: { KEY: 'canary_123' }, now })
  return 'project' in answer ? { streams: answer.project.manifest.syncs.ads!.streams, lines: [] } : { lines: answer.errors.map(errorLine) }
}

describe('a stream that a user defines', () => {
  it('is compiled with the vendor’s keys and the settings of any stream', async () => {
    const { streams } = await judged(
      'campaigns:\nmy_report: { query: SELECT day FROM ad, mode: append, start: 2026-01-01, quality: [{ not_null: clicks }] }',
    )
    expect(streams).toEqual({
      campaigns: { mode: 'replace_slice' },
      my_report: {
        mode: 'append',
        custom: { query: 'SELECT day FROM ad', level: 'ad' },
        start: '2026-01-01T00:00:00.000Z',
        quality: [expect.objectContaining({ check: 'not_null' })],
      },
    })
  })

  it('takes the settings of "*" too, and beside it the default set is read', async () => {
    const { streams } = await judged('"*": { start: -30d }\nmy_report: { query: SELECT day FROM ad }')
    expect(streams).toEqual({
      campaigns: { mode: 'replace_slice', start: '-30d' },
      my_report: { mode: 'replace_slice', custom: { query: 'SELECT day FROM ad', level: 'ad' }, start: '-30d' },
    })
  })

  it.each([
    [
      'an unknown name without its keys',
      'my_report: { mode: append }',
      /:7:7: .*Ads has no stream "my_report"; .*a stream of your own has "query", "level"/,
    ],
    ['a name that is nearly another', 'campaign:', /:7:7: .*no stream "campaign".*did you mean "campaigns"\?; a stream of your own has/],
    [
      'a key that is nearly another',
      'my_report: { query: SELECT 1 FROM a, levl: ad }',
      /:7:44: .*unknown key "levl"; did you mean "level"\?/,
    ],
    ['a key of the wrong kind', 'my_report: { query: [] }', /:7:27: .*expected text, found a list/],
    ['a value that is none', 'my_report: { query: SELECT 1 FROM a, level: day }', /:7:51: .*expected "account" or "ad", found "day"/],
    ['a key that is missing', 'my_report: { level: ad }', /:7:18: .*"query" is missing/],
    ['what the connector refuses', 'my_report: { query: SELECT 1 }', /:7:18: .*The query names no resource/],
    ['a mode that it has not', 'my_report: { query: SELECT 1 FROM a, mode: merge }', /:7:50: .*no mode "merge"/],
    ['a name that is no table', 'My-Report: { query: SELECT 1 FROM a }', /:7:7: .*a name is a lower-case letter/],
    ['its keys under a stream that the vendor has', 'campaigns: { query: SELECT 1 FROM a }', /:7:20: .*"query"/],
  ])('is refused with its place for %s', async (_, streams, line) => {
    const { lines } = await judged(streams)
    expect(lines).toEqual([expect.stringMatching(line)])
  })

  it('is none at a vendor that has none: the error stays what it was', async () => {
    const dir = folderOf(
      'version: 1\nconnections: { hubspot: { type: hubspot, access_token: "${KEY}" } }\nsyncs: { h: { from: hubspot, streams: { mine: { query: x } } } }\n',
    )
    const answer = await validateOffline({ dir, vendors, env: { KEY: 'canary_123' }, now })
    expect('errors' in answer && answer.errors.map(errorLine).join('\n')).toMatch(/no stream "mine"/)
    expect('errors' in answer && answer.errors.map(errorLine).join('\n')).not.toContain('of your own')
  })

  it('stands in the schema for editors', () => {
    const text = JSON.stringify(jsonSchema(vendors))
    expect(text).toContain('The query of a report.')
    expect(JSON.stringify(jsonSchema(plainVendors))).not.toContain('The query of a report.')
  })
})
