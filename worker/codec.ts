/** Encrypts what Temporal keeps: inputs, results, details and failures of workflows and activities. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import type { Payload, PayloadCodec } from '@temporalio/common'
import proto from '@temporalio/proto'
import { Failure } from '../src/core/failure.js'
import { deriveKey } from '../src/keys/derive.js'

const { Payload: wire } = proto.temporal.api.common.v1
const encoding = 'binary/encrypted'
const text = (bytes: Uint8Array | null | undefined) => (bytes ? Buffer.from(bytes).toString('utf8') : undefined)

/**
 * AES-256-GCM with a key of its own, derived from WEIR_KEY; each payload names its key, so that another is refused. What is not encrypted is
 * read as it is: runs that began before go on.
 * @param key WEIR_KEY; without it nothing that is encrypted can be read
 * @param encrypts is what is written encrypted, too?
 */
export function payloadCodec(key: string | undefined, encrypts: boolean): PayloadCodec {
  const own = key === undefined ? undefined : deriveKey(key, 'payloads')
  if (encrypts && !own)
    throw new Failure(
      'config',
      'WEIR_ENCRYPT_PAYLOADS is set and WEIR_KEY is not: set it to 32 random bytes in base64, the same for workers and commands.',
    )

  const open = (payload: Payload): Payload => {
    if (text(payload.metadata?.encoding) !== encoding) return payload
    const by = text(payload.metadata?.['encryption-key-id'])
    if (by !== own?.fingerprint)
      throw new Failure(
        'config',
        `What Temporal holds was encrypted with the WEIR_KEY ${by}; ${own ? `the one that is set is ${own.fingerprint}` : 'none is set'}. Set the key that made it.`,
      )
    const bytes = Buffer.from(payload.data ?? [])
    const decipher = createDecipheriv('aes-256-gcm', own!.key, bytes.subarray(0, 12))
    decipher.setAuthTag(bytes.subarray(12, 28))
    return wire.decode(Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()])) as Payload
  }

  const seal = (payload: Payload): Payload => {
    const nonce = randomBytes(12)
    const cipher = createCipheriv('aes-256-gcm', own!.key, nonce)
    const body = Buffer.concat([cipher.update(wire.encode(payload).finish()), cipher.final()])
    return {
      metadata: { encoding: Buffer.from(encoding), 'encryption-key-id': Buffer.from(own!.fingerprint) },
      data: Buffer.concat([nonce, cipher.getAuthTag(), body]),
    }
  }

  return {
    encode: async (payloads) => (encrypts ? payloads.map(seal) : payloads),
    decode: async (payloads) => payloads.map(open),
  }
}

/** WEIR_ENCRYPT_PAYLOADS. @throws Failure `config` for what is neither true nor false */
export function encryptsPayloads({ WEIR_ENCRYPT_PAYLOADS: given }: NodeJS.ProcessEnv): boolean {
  if (given === undefined || given === '' || given === 'false') return false
  if (given === 'true') return true
  throw new Failure('config', `WEIR_ENCRYPT_PAYLOADS is "${given}"; it may be true or false.`)
}
