import type { MemberState, PushStatus } from '../src/core/audience.js'
import { ago, number, type Printer } from './print.js'
import type { Session } from './session.js'

export interface AudienceStanding {
  audience: string
  status: PushStatus | 'never pushed'
  run?: string
  lastPush?: string
  destinations: { destination: string; held: number; rejected: number; dead: number; removing: number }[]
}

/** Each audience of the project: its last push, and how many members each destination holds or refused. */
export async function audienceStandings({ manifest, warehouse: { audiences } }: Session): Promise<AudienceStanding[]> {
  return Promise.all(
    Object.values(manifest.audiences).map(async ({ audience, destinations }) => {
      const [[last], counts] = await Promise.all([audiences.runs({ audience, limit: 1 }), audiences.standing(audience)])
      const of = (name: string, ...states: MemberState[]) =>
        counts
          .filter(({ destination, state }) => destination === name && states.includes(state))
          .reduce((sum, { members }) => sum + members, 0)
      return {
        audience,
        status: last?.status ?? ('never pushed' as const),
        ...(last ? { run: last.run, lastPush: last.finishedAt ?? last.startedAt } : {}),
        destinations: Object.keys(destinations).map((name) => ({
          destination: name,
          held: of(name, 'accepted', 'confirmed'),
          rejected: of(name, 'rejected'),
          dead: of(name, 'dead'),
          removing: of(name, 'removing'),
        })),
      }
    }),
  )
}

export function printAudiences(standings: readonly AudienceStanding[], printer: Printer): void {
  if (standings.length === 0) return
  printer.table(
    ['audience', 'last push', 'when', 'destination', 'holds', 'rejected', 'dead', 'removing'],
    standings.flatMap(({ audience, status, lastPush, destinations }) =>
      destinations.map((one) => [
        audience,
        status,
        lastPush ? ago(lastPush) : '',
        one.destination,
        one.held,
        one.rejected,
        one.dead,
        one.removing,
      ]),
    ),
  )
  for (const { audience, destinations } of standings) {
    const dead = destinations.reduce((sum, one) => sum + one.dead, 0)
    if (dead > 0)
      printer.line(
        `${number(dead)} dead members of ${audience}: weir audience members ${audience} --state dead; weir audience retry ${audience}`,
      )
  }
  printer.line()
}
