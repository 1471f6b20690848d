import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { bundleWorkflowCode } from '@temporalio/worker'
import { encryptedFailureConverterPath } from '../src/temporal/data-converter.ts'
import { bundledWorkflows } from '../src/temporal/worker.ts'

// Part of `npm run build`: bundles the workflow code once, so that no worker does it at each start.
const workflowsPath = fileURLToPath(new URL('../workflows/index.js', import.meta.url))
const quiet = {
  log() {},
  trace() {},
  debug() {},
  info() {},
  warn: console.warn,
  error: console.error,
}
// The SDK takes the stack of every promise, for the Web UI's call stack: a quarter of what Holdpoint does in an action.
// In the same line as the code begins in, so that its source map holds.
const WITHOUT_TRACES = 'Error.stackTraceLimit = 0; '

for (const encrypted of [false, true]) {
  const { code } = await bundleWorkflowCode({
    workflowsPath,
    logger: quiet,
    ...(encrypted && { failureConverterPath: encryptedFailureConverterPath }),
  })
  const { codePath } = bundledWorkflows(encrypted)
  mkdirSync(new URL('.', `file://${codePath}`), { recursive: true })
  writeFileSync(codePath, WITHOUT_TRACES + code)
}
