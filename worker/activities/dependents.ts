import type { Deps } from '../deps.js'

/**
 * Starts the syncs whose turn has come with the end of a run of `sync`. What decides stands in the warehouse, so a repeat starts nothing twice,
 * and one that is running already is left alone: at its own end it asks here whether it is its turn again.
 * @returns the definition in force of `sync` itself, when its turn has come again
 */
export async function startDependents({ warehouse, log, startSync }: Deps, sync: string): Promise<string | undefined> {
  const due = await warehouse.deployments.due(sync)
  for (const { sync: dependent, definition } of due) {
    if (dependent === sync) continue
    await startSync(await warehouse.definitions.get(definition), { sync: dependent, definition, kind: 'dependent' })
    log.info(`sync ${dependent}: started after ${sync}`, { sync: dependent })
  }
  return due.find((one) => one.sync === sync)?.definition
}
