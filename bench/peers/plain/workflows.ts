import { proxyActivities } from '@temporalio/workflow'
import type { Action } from '../webhook.ts'
import type * as activities from '../vercel.ts'

const { getDeployment, patchRunning, patchSucceeded } = proxyActivities<typeof activities>({
  startToCloseTimeout: '1 minute',
})

export async function releaseDeployment(action: Action): Promise<void> {
  await getDeployment(action)
  await patchRunning(action)
  await patchSucceeded(action)
}
