import type pg from 'pg'
import { isDataError } from './pool.js'

/**
 * Does `work` with all items in one savepoint; where the database refuses the data, with each half, down to the culprits alone,
 * which are handed to `refused`. What the database refuses for any other reason is thrown.
 */
export async function halve<T>(
  client: pg.ClientBase,
  items: readonly T[],
  work: (items: readonly T[]) => Promise<void>,
  refused: (item: T, error: Error & { code: string }) => void,
): Promise<void> {
  const [first] = items
  if (first === undefined) return
  await client.query('SAVEPOINT part')
  try {
    await work(items)
    await client.query('RELEASE SAVEPOINT part')
  } catch (error) {
    if (!isDataError(error)) throw error
    await client.query('ROLLBACK TO SAVEPOINT part')
    if (items.length === 1) return refused(first, error as Error & { code: string })
    const middle = items.length >> 1
    await halve(client, items.slice(0, middle), work, refused)
    await halve(client, items.slice(middle), work, refused)
  }
}
