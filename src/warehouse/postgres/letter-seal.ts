import { Failure } from '../../core/failure.js'
import { createSeal } from './seal.js'

/** Seals payloads of dead letters; `by` is the fingerprint of the key. */
export interface LetterSeal {
  seal: (plain: string) => { text: string; by: string }
  open: (sealed: string) => string
}

/** Answers with the seal of WEIR_KEY. @throws Failure `config` while it is not set */
export function letterSeal(weirKey: string | undefined): () => LetterSeal {
  let made: LetterSeal | undefined
  return () => {
    if (weirKey === undefined)
      throw new Failure(
        'config',
        'WEIR_KEY is not set: dead letters are encrypted with it (dead_letters.encrypt). Set it to 32 random bytes in base64, the same for workers and commands.',
      )
    if (made) return made
    const { seal, open } = createSeal(weirKey, 'dead-letters')
    made = {
      seal: (plain) => {
        const text = seal(plain)
        return { text, by: text.slice(0, text.indexOf(':')) }
      },
      open,
    }
    return made
  }
}

/** A letter's payload out of its column: opened where it is sealed, JSON text again where it was kept as text. */
export function readPayload(stored: string, sealedBy: string | null, seal: () => LetterSeal): string {
  if (sealedBy !== null) return seal().open(JSON.parse(stored) as string)
  return stored.startsWith('"') ? (JSON.parse(stored) as string) : stored
}
