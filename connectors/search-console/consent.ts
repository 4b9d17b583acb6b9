import { googleConsent } from '../../src/extract/credentials.js'
import { scope } from './service-account.js'

export const consent = googleConsent([scope])
