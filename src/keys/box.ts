import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  randomBytes,
} from 'node:crypto'

/** A letter box: whoever knows its address can put a text in, and only who holds it can take one out. */
export interface Box {
  /** Public; may stand in a history. */
  address: string
  open: (sealed: string) => string
}

export function createBox(): Box {
  const { publicKey, privateKey } = generateKeyPairSync('x25519', {
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'der' },
  })
  return {
    address: publicKey.toString('base64url'),
    open(sealed) {
      const [sender = '', nonce = '', tag = '', body = ''] = sealed.split('.')
      const decipher = createDecipheriv('aes-256-gcm', keyOf(privateKey, bytesOf(sender)), bytesOf(nonce), { authTagLength: 16 })
      decipher.setAuthTag(bytesOf(tag))
      return Buffer.concat([decipher.update(bytesOf(body)), decipher.final()]).toString('utf8')
    },
  }
}

/** X25519 with a pair of keys for this one text, HKDF-SHA256, AES-256-GCM. */
export function sealFor(address: string, text: string): string {
  const { publicKey, privateKey } = generateKeyPairSync('x25519', {
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'der' },
  })
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', keyOf(privateKey, bytesOf(address)), nonce, { authTagLength: 16 })
  const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
  return [publicKey, nonce, cipher.getAuthTag(), body].map((part) => part.toString('base64url')).join('.')
}

const bytesOf = (text: string) => Buffer.from(text, 'base64url')

function keyOf(own: Buffer, other: Buffer): Buffer {
  const shared = diffieHellman({
    privateKey: createPrivateKey({ key: own, type: 'pkcs8', format: 'der' }),
    publicKey: createPublicKey({ key: other, type: 'spki', format: 'der' }),
  })
  return Buffer.from(hkdfSync('sha256', shared, '', 'weir/box', 32))
}
