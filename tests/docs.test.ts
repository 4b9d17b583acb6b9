import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { catalog } from '../cli/catalog.js'
import { loadVendors } from '../cli/vendors.js'
import { program } from '../cli/weir.js'
import { registry } from '../connectors/registry.js'
import { cliPage, configPage, failuresPage, metricsPage, sourcePage, tablesPage } from '../scripts/reference.js'
import { createWarehouse } from '../src/warehouse/postgres/warehouse.js'
import { type Database, freshDatabase } from './support/postgres.js'

const page = (name: string) => readFileSync(new URL(`../docs/reference/${name}`, import.meta.url), 'utf8')

describe('docs/reference says what the code says (else: npm run docs)', () => {
  let database: Database

  beforeAll(async () => {
    database = await freshDatabase()
    const warehouse = createWarehouse(database.url)
    await warehouse.migrate()
    await warehouse.close()
  })
  afterAll(() => database.drop())

  it('failures.md', () => expect(page('failures.md')).toBe(failuresPage()))
  it('metrics.md', () => expect(page('metrics.md')).toBe(metricsPage()))
  it('cli.md', () => expect(page('cli.md')).toBe(cliPage(program)))
  it('config.md', async () => expect(page('config.md')).toBe(configPage(await loadVendors())))
  it.each(Object.keys(registry))('sources/%s.md', async (type) => {
    const [entry] = await catalog(type)
    expect(page(`sources/${type}.md`)).toBe(sourcePage(entry!))
  })
  it('tables.md', async () => expect(page('tables.md')).toBe(await tablesPage(database.url)))
})

describe('every link in the documents', () => {
  it.each([
    'README.md',
    'ARCHITECTURE.md',
    'CONTRIBUTING.md',
    'docs/quickstart.md',
    'docs/guides/columns.md',
    'docs/guides/configuration.md',
    'docs/guides/operate.md',
    'docs/guides/production.md',
    'docs/guides/upgrade.md',
    'docs/guides/observe.md',
    'docs/guides/modes.md',
    'docs/guides/schema-changes.md',
    'docs/guides/state.md',
    'docs/guides/backfill.md',
    'docs/guides/quality.md',
    'docs/guides/dead-letters.md',
    'docs/guides/alerts.md',
  ])('%s leads somewhere', (file) => {
    const url = new URL(`../${file}`, import.meta.url)
    const targets = [...readFileSync(url, 'utf8').matchAll(/\]\((?!http)([^)#]+)/g)].map((match) => match[1]!)
    for (const target of targets) expect(() => readDirOrFile(new URL(target, url)), target).not.toThrow()
  })
})

function readDirOrFile(url: URL): void {
  try {
    readFileSync(url)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EISDIR') throw error
  }
}
