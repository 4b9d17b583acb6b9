import type { AskInput } from '../../src/core/activities.js'
import type { Definition } from '../../src/core/definition.js'
import { asFailure, Failure } from '../../src/core/failure.js'
import { type ConnectAnswer, type Connecting, type ConsentAnswer, connect, whereToConsent } from '../../src/engine/connect.js'
import type { ClientDeps } from '../../src/http/client.js'
import type { Given } from '../../src/http/consent.js'
import { sealFor } from '../../src/keys/box.js'
import type { Deps } from '../deps.js'

/** Both halves of `weir connect`: where a person consents, and what becomes of the consent. */
export async function connecting(deps: Deps, input: AskInput, signal: AbortSignal): Promise<ConsentAnswer | ConnectAnswer> {
  const { definitions: stored } = deps.warehouse
  const [[first, ...others], audiences] = await Promise.all([
    Promise.all((input.definitions ?? [input.definition]).map((hash) => stored.get(hash))),
    Promise.all((input.audiences ?? []).map((hash) => stored.audience(hash))),
  ])
  const { connecting, clientDeps } = await deps.consenting([first as Definition, ...others], audiences, signal)
  // Said before the person is sent to the vendor, not after.
  if (input.recipient === undefined) await deps.warehouse.tokens.ready()
  return input.question === 'consent' ? whereToConsent(connecting) : take(deps, input, connecting, clientDeps)
}

async function take({ warehouse }: Deps, input: AskInput, what: Connecting, clientDeps: ClientDeps): Promise<ConnectAnswer> {
  const { name } = what.connection
  const given = await warehouse.handovers.take(input.handover ?? '')
  if (given === undefined)
    throw new Failure('auth', `The code for connection ${name} is gone, since it can be taken once: run \`weir connect ${name}\` again.`, {
      connection: name,
    })
  try {
    const { token, credential, scopes, endsAt } = await connect(what, given as Given, clientDeps)
    if (input.recipient !== undefined) return { scopes, endsAt, sealed: sealFor(input.recipient, credential) }
    await warehouse.tokens.update(name, () => Promise.resolve(token))
    return { scopes, endsAt }
  } catch (error) {
    // The code is taken: another attempt would only hide what happened to it.
    const { reason, message, where } = asFailure(error)
    throw new Failure(reason, message, where, { cause: error, isFinal: true })
  }
}
