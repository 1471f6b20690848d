import { fileURLToPath } from 'node:url'
import { Client, Connection } from '@temporalio/client'
import { NativeConnection, Worker } from '@temporalio/worker'
import * as activities from '../vercel.ts'
import { takeWebhooks } from '../webhook.ts'
import type { releaseDeployment } from './workflows.ts'

// A Temporal application as the first example of the documentation writes one: default settings everywhere.

const address = process.env['TEMPORAL_ADDRESS'] ?? ''
const taskQueue = 'plain'

const worker = await Worker.create({
  connection: await NativeConnection.connect({ address }),
  workflowsPath: fileURLToPath(new URL('workflows.js', import.meta.url)),
  activities,
  taskQueue,
})
const client = new Client({ connection: await Connection.connect({ address }) })

takeWebhooks(async (action) => {
  await client.workflow.start<typeof releaseDeployment>('releaseDeployment', {
    workflowId: `plain-${action.deploymentId}`,
    taskQueue,
    args: [action],
  })
})
await worker.run()
process.exit()
