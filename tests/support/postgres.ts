/** Real databases for tests: `describe.each(servers())` runs on the oldest and on the embedded PostgreSQL, `freshDatabase` gives each file its own. */
import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { inject } from 'vitest'
import type { Warehouse } from '../../src/warehouse/driver.js'
import { createWarehouse } from '../../src/warehouse/postgres/warehouse.js'

export interface Server {
  /** Major version. */
  name: string
  url: string
}

/** Those that run; the start of the test run says so when one is missing. */
export const servers = (): Server[] =>
  [
    { name: '15', url: inject('postgres15Url') },
    { name: '18', url: inject('postgresUrl') },
  ].filter((server) => server.url !== '')

export interface Database {
  url: string
  drop: () => Promise<void>
}

/** An empty database with a name of its own, on the embedded server unless another is given. */
export async function freshDatabase(server: string = inject('postgresUrl')): Promise<Database> {
  const name = `t_${randomUUID().replaceAll('-', '')}`
  await run(server, `CREATE DATABASE ${name}`)
  const url = new URL(server)
  url.pathname = `/${name}`
  return { url: url.href, drop: () => run(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`) }
}

/** A fresh database with Weir's tables in it, its warehouse, and a client beside it that speaks in UTC. */
export interface Opened {
  url: string
  warehouse: Warehouse
  db: pg.Client
  close: () => Promise<void>
}

export async function openedDatabase(server?: string, options: { key?: string } = {}): Promise<Opened> {
  const { url, drop } = await freshDatabase(server)
  const warehouse = createWarehouse(url, options)
  const db = new pg.Client({ connectionString: url, options: '-c timezone=UTC' })
  const close = async () => {
    await db.end()
    await warehouse.close()
    await drop()
  }
  try {
    await warehouse.migrate()
    await db.connect()
    return { url, warehouse, db, close }
  } catch (error) {
    await close()
    throw error
  }
}

async function run(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}
