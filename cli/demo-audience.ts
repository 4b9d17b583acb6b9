/** The demo's last act: people from three vendors' tables, pushed to all five, and what each vendor then holds. */
import type { Sandbox } from '../sandbox/serve.js'
import { pushId } from '../src/core/push.js'
import { approve, preview, push } from './commands/audience.js'
import type { Printer } from './print.js'
import type { Session } from './session.js'
import { workflowFailure } from './workflow-failure.js'

const audience = 'best_customers'
const askedBy = 'ana'
const decidedBy = 'ben'

/** @param held asks the vendors themselves */
export async function showAudience(session: Session, config: string, printer: Printer, held: Sandbox['held']): Promise<void> {
  const options = { config }
  const args = [audience]
  const say = (command: string) => printer.line(`\n$ weir audience ${command}\n`)
  printer.line('\nPeople out again: the best customers, by SQL over these tables, to all five vendors')
  say(`preview ${audience}`)
  await preview({ options, printer, args })
  say(`push ${audience} --by ${askedBy}`)
  await push({ options: { ...options, by: askedBy }, printer, args })
  const waits = await latest(session)
  if (waits.status === 'waiting') {
    const changeSet = waits.prepared!.changeSet.slice(0, 12)
    say(`approve ${audience} --change-set ${changeSet} --by ${decidedBy}`)
    await approve({ options: { ...options, changeSet, by: decidedBy }, printer, args })
  }
  await session.temporal.workflow
    .getHandle(pushId(audience), waits.run)
    .result()
    .catch((error: unknown) => {
      throw workflowFailure(error)
    })
  const { status } = await latest(session)
  printer.line(`\nThe push ended: ${status}. What the vendors hold, asked of them and not of Weir:\n`)
  printer.table(
    ['vendor', 'kind', 'name', 'members', 'added', 'removed'],
    held().map((one) => [one.vendor, one.kind, one.name, one.members, one.added, one.removed]),
  )
}

const latest = async ({ warehouse }: Session) => (await warehouse.audiences.runs({ audience, limit: 1 }))[0]!
