import { DefaultFailureConverter } from '@temporalio/common'

/** Puts messages and stacks of failures where the payload codec seals them. Used only with encryption keys. */
export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true })
