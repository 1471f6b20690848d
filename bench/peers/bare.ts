import { getDeployment, patchRunning, patchSucceeded } from './vercel.ts'
import { type Action, takeWebhooks } from './webhook.ts'

// No durability: what is in hand when the process ends is lost. The floor that durable systems are compared with.

const sideBySide = process.env['SIDE_BY_SIDE'] === '1'

async function work(action: Action): Promise<void> {
  if (sideBySide) {
    await Promise.all([getDeployment(action), patchRunning(action)])
  } else {
    await getDeployment(action)
    await patchRunning(action)
  }
  await patchSucceeded(action)
}

takeWebhooks(async (action) => {
  // After the 2xx has gone out.
  setImmediate(() => void work(action).catch(console.error))
})
