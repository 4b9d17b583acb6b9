import type { Deps } from '../deps.js'

/**
 * Starts the syncs and the pushes whose turn has come with the end of a run of `sync`. What decides stands in the warehouse, so a repeat starts nothing twice,
 * and one that is running already is left alone: at its own end it asks whether it is its turn again.
 * @returns the definition in force of `sync` itself, when its turn has come again
 */
export async function startDependents(deps: Deps, sync: string): Promise<string | undefined> {
  const { warehouse, log, startSync, startPush } = deps
  const due = await warehouse.deployments.due(sync)
  for (const { sync: dependent, definition } of due) {
    if (dependent === sync) continue
    await startSync(await warehouse.definitions.get(definition), { sync: dependent, definition, kind: 'dependent' })
    log.info(`sync ${dependent}: started after ${sync}`, { sync: dependent })
  }
  for (const { audience, definition } of await warehouse.audienceDeployments.due({ sync })) {
    const { isStarted } = await startPush({ audience, definition, kind: 'dependent' })
    if (isStarted) log.info(`audience ${audience}: pushed after ${sync}`, { audience })
    else log.warn(await skipPush(deps, audience), { audience })
  }
  return due.find((one) => one.sync === sync)?.definition
}

/** Notes that a push came due while another of the audience is under way. @returns why it was left out */
export async function skipPush({ warehouse }: Pick<Deps, 'warehouse'>, audience: string): Promise<string> {
  const open = await warehouse.audiences.skip(audience)
  const why = !open
    ? 'another one is under way'
    : open.status === 'waiting'
      ? `the one of ${open.startedAt} waits for a decision${open.expiresAt ? ` until ${open.expiresAt}` : ''}`
      : `the one of ${open.startedAt} is under way`
  return `A push of ${audience} was due and was left out: ${why}.`
}
