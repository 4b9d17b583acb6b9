/** Real databases for tests: `describe.each(servers())` runs on the oldest and on the embedded PostgreSQL, `freshDatabase` gives each file its own. */
import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { inject } from 'vitest'

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

async function run(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}
