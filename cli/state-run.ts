import { Failure } from '../src/core/failure.js'
import type { StateEntry, Warehouse } from '../src/warehouse/driver.js'

const everyEntry = 1_000_000
const candidatesShown = 5

/** What a run left of the streams that it read; throws `config`, with runs to choose from, when the history holds nothing of it. */
export async function runEntries(warehouse: Warehouse, ref: { sync: string; stream?: string }, run: string): Promise<StateEntry[]> {
  const { sync, stream } = ref
  const entries = (await warehouse.state.history({ ...ref, run, limit: everyEntry })).filter(({ kind }) => kind === 'run')
  if (entries.length > 0) return entries
  const rows = await warehouse.runs.streams(run)
  const other = rows.find((row) => row.sync !== sync)
  const own = rows.find((row) => row.sync === sync && (stream === undefined || row.stream === stream))
  const why = other
    ? `Run ${run} is of sync ${other.sync}, not of ${sync}.`
    : own && !own.finishedAt
      ? `Run ${run} has not come to its end, so it left no state.`
      : own
        ? `Run ${run} is older than the history of state that is kept.`
        : rows.length > 0
          ? `Run ${run} of sync ${sync} did not read ${stream}.`
          : `There is no run ${run} in this warehouse.`
  throw new Failure('config', `${why} ${await candidates(warehouse, ref)}`, { sync })
}

async function candidates(warehouse: Warehouse, ref: { sync: string; stream?: string }): Promise<string> {
  const name = ref.stream ? `${ref.sync}/${ref.stream}` : ref.sync
  const history = await warehouse.state.history({ ...ref, limit: everyEntry })
  const ended = new Map(history.filter(({ kind }) => kind === 'run').map(({ run, at }) => [run, at]))
  if (ended.size === 0) return `No run has left a state of ${name} yet.`
  const newest = [...ended].slice(0, candidatesShown).map(([run, at]) => `${run} (${at})`)
  return `Runs that left a state of ${name}, newest first: ${newest.join(', ')}${ended.size > candidatesShown ? `, and ${ended.size - candidatesShown} more` : ''}. All: weir state show ${ref.sync} --history`
}
