/** Upload sessions of an ad account: batches in order, 90 minutes from the first, and none after the last. */
import { invalidParameter, refuse } from './errors.js'
import { jsonOf, type Parameters } from './parameters.js'

const lifeMs = 90 * 60_000
const largest = 2n ** 63n - 1n

export interface Session {
  id: string
  audience: string
  startedMs: number
  endedMs?: number
  seq: number
  received: number
  invalid: number
  matched: number
}

export class Sessions {
  private readonly known = new Map<string, Session>()

  /** The session of a call, begun where it is new. `isLate`: what comes with it is discarded, without a word. */
  enter(account: string, audience: string, parameters: Parameters, nowMs: number): { session: Session; isLate: boolean } | undefined {
    const given = jsonOf(parameters, 'session') as Record<string, unknown> | undefined
    if (given === undefined) return undefined
    const id = String(given.session_id ?? '')
    if (!/^[1-9]\d*$/.test(id) || BigInt(id) > largest) throw invalidParameter('session_id must be a positive 64 bit integer')
    const seq = Number(given.batch_seq)
    if (!Number.isInteger(seq) || seq < 1) throw invalidParameter('batch_seq must be a positive integer')
    const before = this.known.get(`${account}/${id}`)
    if (before && before.audience !== audience) throw invalidParameter(`session_id ${id} is in use for another audience`)
    if (!before && seq !== 1)
      throw refuse({ code: 2650, subcode: 1_870_147, message: '(#2650) The first batch of a session must have batch_seq 1' })
    if (before?.endedMs !== undefined) throw refuse({ code: 2650, subcode: 1_870_159, message: '(#2650) The session has finished already' })
    const session = before ?? { id, audience, startedMs: nowMs, seq: 0, received: 0, invalid: 0, matched: 0 }
    this.known.set(`${account}/${id}`, session)
    if (nowMs - session.startedMs > lifeMs || seq <= session.seq) return { session, isLate: true }
    session.seq = seq
    if (given.last_batch_flag === true || given.last_batch_flag === 'true') session.endedMs = nowMs
    return { session, isLate: false }
  }

  of(audience: string): Session[] {
    return [...this.known.values()].filter((session) => session.audience === audience)
  }
}
