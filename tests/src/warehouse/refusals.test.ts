import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Warehouse } from '../../../src/warehouse/driver.js'
import { createWarehouse } from '../../../src/warehouse/postgres/warehouse.js'
import { syncOnce } from '../../support/engine.js'
import { fakeStream } from '../../support/fake-source.js'
import { openedDatabase, servers } from '../../support/postgres.js'

describe('a pooler in transaction mode', () => {
  it('is refused at once, with what to do', async () => {
    // What PgBouncer answers to a session's settings in the start-up packet (docs: ignore_startup_parameters).
    const fields = ['SFATAL', 'C08P01', 'Munsupported startup parameter: options', ''].map((field) => `${field}\0`).join('')
    const answer = Buffer.concat([Buffer.from('E'), Buffer.alloc(4), Buffer.from(fields)])
    answer.writeInt32BE(answer.length - 1, 1)
    const pooler = createServer((socket) => {
      socket.on('error', () => {})
      socket.once('data', () => socket.end(answer))
    }).listen(0, '127.0.0.1')
    await once(pooler, 'listening')
    const warehouse = createWarehouse(`postgres://weir:weir@127.0.0.1:${(pooler.address() as AddressInfo).port}/weir`)
    try {
      await expect(warehouse.migrate()).rejects.toMatchObject({
        reason: 'warehouse',
        message: expect.stringContaining('Point `warehouse.url` at PostgreSQL itself'),
      })
    } finally {
      await warehouse.close()
      pooler.close()
    }
  })
})

/** What an operator must mend: the message names the cause and what to do. */
describe.each(servers())('a warehouse that refuses, PostgreSQL $name', ({ url }) => {
  const role = `weir_${randomUUID().slice(0, 8)}`
  let db: pg.Client
  let address: string
  let database: string
  let close: (() => Promise<void>) | undefined
  const opened: Warehouse[] = []

  /** The warehouse as a user of few rights sees it. */
  const asRole = () => {
    const warehouse = createWarehouse(Object.assign(new URL(address), { username: role, password: 'weir' }).href)
    opened.push(warehouse)
    return warehouse
  }
  const stream = fakeStream({ pages: () => [[{ id: '1', name: 'a', updated: '2026-01-01T00:00:00Z' }]] })

  beforeAll(async () => {
    ;({ db, url: address, close } = await openedDatabase(url))
    database = new URL(address).pathname.slice(1)
    await db.query(`CREATE ROLE ${role} LOGIN PASSWORD 'weir'`)
    await db.query(`GRANT USAGE ON SCHEMA _weir, _weir_stage TO ${role}`)
    await db.query(`GRANT ALL ON ALL TABLES IN SCHEMA _weir TO ${role}`)
    await db.query(`GRANT ALL ON ALL SEQUENCES IN SCHEMA _weir TO ${role}`)
  })
  afterAll(async () => {
    for (const warehouse of opened) await warehouse.close()
    await db.query(`DROP OWNED BY ${role}`)
    await close?.()
  })

  it('says that the right to make a schema is missing, and which', async () => {
    await expect(syncOnce({ warehouse: asRole(), stream, run: 'run-1' })).rejects.toMatchObject({
      reason: 'warehouse',
      message: expect.stringMatching(/permission denied for database .*\(42501\).*Grant CREATE on the database and on the schema/),
    })
  })

  it('says that the right to a table is missing, when it belongs to somebody else', async () => {
    await db.query('CREATE SCHEMA fake')
    await db.query(`GRANT USAGE ON SCHEMA fake TO ${role}`)
    await expect(syncOnce({ warehouse: asRole(), stream, run: 'run-2' })).rejects.toMatchObject({
      reason: 'warehouse',
      message: expect.stringMatching(/permission denied for .*\(42501\).*Grant CREATE/),
    })
  })

  it('says that the warehouse is read-only, as a standby is', async () => {
    await db.query(`ALTER ROLE ${role} IN DATABASE ${database} SET default_transaction_read_only = on`)
    await expect(syncOnce({ warehouse: asRole(), stream, run: 'run-3' })).rejects.toMatchObject({
      reason: 'warehouse',
      message: expect.stringMatching(/read-only transaction \(25006\).*Point `warehouse.url` at the primary/),
    })
    await db.query(`ALTER ROLE ${role} IN DATABASE ${database} RESET ALL`)
  })

  it('says that there are too many connections; that may pass by itself', async () => {
    await db.query(`ALTER ROLE ${role} CONNECTION LIMIT 0`)
    await expect(syncOnce({ warehouse: asRole(), stream, run: 'run-4' })).rejects.toMatchObject({
      reason: 'transient',
      message: expect.stringMatching(/too many connections for role .*\(53300\)/),
    })
  })
})
