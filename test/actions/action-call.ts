import { onTestFinished } from 'vitest'
import type { OutcomeCall, ProvisionCall } from '../../src/actions/define-action.ts'
import { secretDeriver } from '../../src/config/derive-secret.ts'
import { silentLog } from '../../src/log.ts'

/** A call of an action for a deployment, with what it told of its progress; aborted when the test ends. */
export function actionCall<Options = Record<never, never>>(
  options: Options = {} as Options,
  resourceId = 'db 42',
) {
  const aborter = new AbortController()
  onTestFinished(() => aborter.abort())
  const told: string[] = []
  const call: ProvisionCall<Options> & OutcomeCall<Options, unknown> = {
    key: { installationId: 'icfg_A', resourceId, deploymentId: 'dpl_1', action: 'x' },
    deployment: { id: 'dpl_1', environment: 'preview', standing: 'waiting' },
    options,
    reference: undefined,
    signal: aborter.signal,
    holdpoint: 'holdpoint for tests',
    confirm: () => Promise.resolve(),
    progress: (text) => told.push(text),
    deriveSecrets: secretDeriver(['key']),
    log: silentLog,
  }
  return { call, told, abort: () => aborter.abort(new Error('aborted by the test')) }
}
