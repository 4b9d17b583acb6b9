/** Writes docs/reference from the code. Needs a database for the tables: WAREHOUSE_URL, else an embedded one for a moment. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { catalog } from '../cli/catalog.js'
import { startPostgres } from '../cli/dev/postgres.js'
import { loadVendors } from '../cli/vendors.js'
import { program } from '../cli/weir.js'
import { createWarehouse } from '../src/warehouse/postgres/warehouse.js'
import { cliPage, configPage, failuresPage, metricsPage, sourcePage, tablesPage } from './reference.js'

const folder = await mkdtemp(join(tmpdir(), 'weir-docs-'))
const postgres = await startPostgres({ dataDir: join(folder, 'data') })
try {
  const warehouse = createWarehouse(postgres.url)
  await warehouse.migrate()
  await warehouse.close()
  const pages = {
    'failures.md': failuresPage(),
    'metrics.md': metricsPage(),
    'cli.md': cliPage(program),
    'config.md': configPage(await loadVendors()),
    'tables.md': await tablesPage(postgres.url),
    ...Object.fromEntries((await catalog()).map((entry) => [`sources/${entry.type}.md`, sourcePage(entry)])),
  }
  await mkdir(new URL('../../docs/reference/sources/', import.meta.url), { recursive: true })
  for (const [name, text] of Object.entries(pages)) await writeFile(new URL(`../../docs/reference/${name}`, import.meta.url), text)
  process.stdout.write(`wrote ${Object.keys(pages).join(', ')}\n`)
} finally {
  await postgres.stop()
  await rm(folder, { recursive: true, force: true })
}
