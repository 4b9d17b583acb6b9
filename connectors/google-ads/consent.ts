import { googleConsent } from '../../src/extract/credentials.js'
import type { Consent } from '../../src/http/consent.js'
import { audienceScope, scope } from './oauth.js'

export const consent: Consent = { ...googleConsent([scope]), ofDestination: () => [audienceScope] }
