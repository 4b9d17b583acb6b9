import { setTimeout as sleep } from 'node:timers/promises'
import type { Fault } from './fault.js'
import { targetTables } from './target.js'

/** Another session holds the table that is being written for some seconds, as a careless ALTER TABLE would. */
export const lock: Fault = {
  name: 'table locked',
  weight: 2,
  lasts: true,
  async inject({ world, random, isFull }) {
    const client = await world.connect()
    try {
      await client.query('BEGIN')
      await client.query(`SET LOCAL lock_timeout = '20s'`)
      const [table] = await targetTables(world)
      await client.query(`LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`)
      await sleep(isFull ? 60_000 : random.whole(2_000, 6_000))
      await client.query('ROLLBACK')
      return undefined
    } finally {
      await client.end()
    }
  },
}
