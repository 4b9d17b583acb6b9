import { randomBytes } from 'node:crypto'

/** Part of a token that no other has, in no other start of the sandbox either: one that is kept from before is dead, and none takes its name. */
export const serial = (): string => randomBytes(10).toString('hex')
