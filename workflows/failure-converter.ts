import { DefaultFailureConverter } from '@temporalio/common'

/** Messages and stacks of failures as a payload, which the codec encrypts; used where payloads are encrypted. */
export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true })
