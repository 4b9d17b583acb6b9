import { type AudienceDefinition, type DestinationDefinition, isMissingTarget, type Wanted } from '../../core/audience.js'
import type { ConnectionDefinition } from '../../core/definition.js'
import { asFailure } from '../../core/failure.js'
import type { Finding } from '../../core/types.js'
import type { Reached } from './prepare-push.js'

export interface DestinationFindings {
  destination: string
  connection: string
  findings: Finding[]
}

export interface CheckDestinationsInput {
  definition: AudienceDefinition
  reach: (connection: ConnectionDefinition, kind: string) => Promise<Reached>
  redact: (text: string) => string
}

/** What stands in the way of a push, destination by destination, as the vendor has it now. Nothing is made and nobody is sent. */
export async function checkDestinations({ definition, reach, redact }: CheckDestinationsInput): Promise<DestinationFindings[]> {
  return Promise.all(
    Object.entries(definition.destinations).map(async ([destination, wanted]) => {
      const findings = await checkOne(wanted, reach)
      return {
        destination,
        connection: wanted.connection.name,
        findings: findings.map((one) => ({ ...one, message: redact(one.message) })),
      }
    }),
  )
}

async function checkOne(wanted: DestinationDefinition, reach: CheckDestinationsInput['reach']): Promise<Finding[]> {
  const findings: Finding[] = []
  try {
    const { destination, http } = await reach(wanted.connection, wanted.kind)
    if (destination.check) for await (const finding of destination.check(http, wanted)) findings.push(finding)
    // What does not fit, or is there, is said already: opening it would say the same again.
    if (findings.every(({ name, ok }) => ok && name !== wanted.kind))
      findings.push(await targetOf(() => destination.open(http, { ...wanted, create: false }), wanted))
  } catch (error) {
    const { reason, message } = asFailure(error)
    findings.push({ name: 'destination', ok: false, message, ...hintOf(reason) })
  }
  return findings
}

const hintOf = (reason: string): Pick<Finding, 'hint'> =>
  reason === 'permission' || reason === 'auth'
    ? { hint: 'Give the credential of the connection what a push needs, beside what reading needs.' }
    : {}

async function targetOf(
  open: () => Promise<{ id: string; name: string }>,
  { kind, target, create }: Pick<Wanted, 'target' | 'create'> & { kind: string },
): Promise<Finding> {
  try {
    const { id, name } = await open()
    return { name: kind, ok: true, message: id === name ? name : `${name} (${id})` }
  } catch (error) {
    const failure = asFailure(error)
    if (!isMissingTarget(failure)) throw error
    if (create) return { name: kind, ok: true, message: `${target} is not there yet: the first push makes it` }
    return { name: kind, ok: false, message: failure.message }
  }
}
