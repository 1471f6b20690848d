import { branchCases, lookalikeCases } from './branch-cases.ts'
import { canceledSharingCases, cancellationCases } from './cancellation-cases.ts'
import { claimCases } from './claim-cases.ts'
import { concurrencyCases } from './concurrency-cases.ts'
import type { ContractCase } from './contract-case.ts'
import { exclusiveCases } from './exclusive-cases.ts'
import { hostileIdCases, hostileSharingCases } from './hostile-id-cases.ts'
import { lostAnswerCases, lostAnswerSharingCases } from './lost-answer-cases.ts'
import { releaseCases } from './release-cases.ts'
import { besideResourceCases, insideResourceCases } from './resource-cases.ts'

/**
 * What every driver promises; see `ResourceDriver`. Each case is a test of its own for any test runner:
 *
 * ```ts
 * import { test } from 'node:test'
 * import { driverContract } from 'holdpoint/testing'
 *
 * for (const promise of driverContract)
 *   test(promise.name, { skip: promise.skip(subject) ?? false }, () => promise.run(subject))
 * ```
 */
export const driverContract: readonly ContractCase[] = [
  ...branchCases,
  ...lookalikeCases,
  ...besideResourceCases,
  ...insideResourceCases,
  ...concurrencyCases,
  ...hostileIdCases,
  ...cancellationCases,
  ...lostAnswerCases,
  ...claimCases,
  ...releaseCases,
  ...exclusiveCases,
  ...hostileSharingCases,
  ...canceledSharingCases,
  ...lostAnswerSharingCases,
]
