import { conformance } from './suite.js'

await conformance('google_ads')
