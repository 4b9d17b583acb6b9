import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { Failure } from '../../core/failure.js'
import { deriveKey, type Purpose } from '../../keys/derive.js'

/** Encrypts what Weir must keep. The text names the key that made it, so that another key is refused instead of tried. */
export interface Seal {
  seal: (plain: string) => string
  open: (sealed: string) => string
}

/** AES-256-GCM with a key of its own for each purpose, derived from WEIR_KEY. */
export function createSeal(weirKey: string, purpose: Purpose): Seal {
  const { key, fingerprint: name } = deriveKey(weirKey, purpose)
  return {
    seal(plain) {
      const nonce = randomBytes(12)
      const cipher = createCipheriv('aes-256-gcm', key, nonce)
      const body = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()])
      return [name, Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64')].join(':')
    },
    open(sealed) {
      const [by, text] = sealed.split(':')
      if (by !== name)
        throw new Failure(
          'config',
          `This was sealed with another WEIR_KEY (${by}); the one that is set is ${name}. Set the key that made it.`,
        )
      const bytes = Buffer.from(text ?? '', 'base64')
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12))
      decipher.setAuthTag(bytes.subarray(12, 28))
      return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString('utf8')
    },
  }
}
