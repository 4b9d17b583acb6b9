import type { Manifest } from '../src/config/compile.js'
import { didYouMean } from '../src/config/errors.js'
import type { AudienceDefinition } from '../src/core/audience.js'
import { Failure } from '../src/core/failure.js'

/** The audience that a command names. @throws Failure `config` */
export function chosenAudience({ audiences }: Manifest, name: string): AudienceDefinition {
  const found = Object.hasOwn(audiences, name) ? audiences[name] : undefined
  if (found) return found
  const known = Object.keys(audiences)
  const near = didYouMean(name, known)
  const hint = near ? `; did you mean "${near}"?` : `. It has ${known.join(', ') || 'none'}.`
  throw new Failure('config', `No audience "${name}" in the project file${hint}`)
}
