import type { Files, Given } from '../project-of.js'

export interface Broken {
  name: string
  /** A text is `weir.yaml`. Large ones are made when they are needed. */
  files: Files | (() => Files)
  /** All that is said, in order. */
  lines: string[]
  /** `lines` is only how the answer begins. */
  more?: boolean
  given?: Given
  /** What must be done to the folder first: links, devices. */
  prepare?: (dir: string) => void
}

/** One working connection on lines 1 to 3; what a case adds begins on line 4. */
export const head = 'version: 1\nconnections:\n  klaviyo: { type: klaviyo, api_key: "${KEY}" }\n'
/** The same with a sync, on lines 1 to 5. */
export const whole = `${head}syncs:\n  klaviyo: { from: klaviyo }\n`
