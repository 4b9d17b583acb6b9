import type pg from 'pg'
import { Failure } from '../../core/failure.js'
import type { StoredToken } from '../../core/ports.js'
import type { CredentialStore } from '../contract/credentials.js'
import { transaction, warehouseFailure } from './pool.js'
import { createSeal } from './seal.js'

/** Tokens in `_weir.credentials`: of two workers one refreshes, and the new token is committed before it is used. */
export function createTokenStore(pool: pg.Pool, weirKey: string | undefined): CredentialStore {
  const sealer = () => {
    if (weirKey === undefined)
      throw new Failure(
        'config',
        'WEIR_KEY is not set: a token of this connection could not be kept. Set it to 32 random bytes in base64, the same for every worker.',
      )
    return createSeal(weirKey, 'credentials')
  }
  const opened = (row: { sealed: string | null } | undefined): StoredToken | undefined =>
    row?.sealed ? (JSON.parse(sealer().open(row.sealed)) as StoredToken) : undefined
  return {
    async ready() {
      sealer()
    },
    async read(connection) {
      const { rows } = await pool
        .query<{ sealed: string | null }>('SELECT sealed FROM _weir.credentials WHERE connection = $1', [connection])
        .catch((error: unknown) => {
          throw warehouseFailure(error, `Reading the token of ${connection}`)
        })
      return opened(rows[0])
    },
    async update(connection, refresh) {
      const { seal } = sealer()
      const doing = `Refreshing the token of ${connection}`
      return transaction(pool, doing, async (client) => {
        // The vendor is asked meanwhile, and a token that it has rotated must not be lost.
        await client.query("SET LOCAL idle_in_transaction_session_timeout = '10min'")
        await client.query("INSERT INTO _weir.credentials (connection, origin) VALUES ($1, '') ON CONFLICT (connection) DO NOTHING", [
          connection,
        ])
        const { rows } = await client.query<{ sealed: string | null }>(
          'SELECT sealed FROM _weir.credentials WHERE connection = $1 FOR UPDATE',
          [connection],
        )
        const token = await refresh(opened(rows[0]))
        await client.query('UPDATE _weir.credentials SET sealed = $2, origin = $3, updated_at = now() WHERE connection = $1', [
          connection,
          seal(JSON.stringify(token)),
          token.origin,
        ])
        return token
      }).catch((error: unknown) => {
        throw warehouseFailure(error, doing)
      })
    },
  }
}
