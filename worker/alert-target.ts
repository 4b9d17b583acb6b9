import { addressOf, mailServerOf } from '../src/config/hosts.js'
import type { Sources } from '../src/config/references.js'
import { resolveSettings, secretValues, urlSecrets } from '../src/config/secrets.js'
import type { AlertTarget, ResolvedTarget } from '../src/core/alerts.js'
import { Failure } from '../src/core/failure.js'

/**
 * A target with the addresses of this moment, their hosts judged again: the environment of a worker need not be that of whoever applied.
 * @param learn told what must not be printed
 * @throws Failure `config`
 */
export function resolveTarget(target: AlertTarget, sources: Sources, learn: (secret: string) => void): ResolvedTarget {
  for (const value of secretValues({ target }, sources)) for (const secret of [value, ...urlSecrets(value)]) learn(secret)
  const resolved = resolveSettings({ target }, sources).target as AlertTarget
  const { allowPrivateHosts: isAllowed = false } = target
  const address = resolved.kind === 'email' ? mailServerOf(resolved.smtp, isAllowed) : addressOf(resolved.url, isAllowed, { query: true })
  if ('problem' in address) {
    const named = target.kind === 'email' ? target.smtp : target.url
    throw new Failure('config', `The ${target.kind} address in ${named} is ${address.problem}${address.hint ? `: ${address.hint}` : ''}.`)
  }
  return { ...resolved, isLocal: address.loopback }
}
