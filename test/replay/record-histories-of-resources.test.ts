import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import packageJson from '../../package.json' with { type: 'json' }
import { dispatchEvent } from '../../src/dispatch/dispatch-event.ts'
import { removeInstallation } from '../../src/dispatch/remove-installation.ts'
import { deploymentRemovalWorkflowId } from '../../src/domain/deployment-removal.ts'
import { ActionFailure } from '../../src/domain/failure.ts'
import { removalWorkflowId } from '../../src/domain/installation-removal.ts'
import { type ResourceKey, resourceWorkflowId } from '../../src/domain/resource-key.ts'
import { secretsExpiryWorkflowId } from '../../src/domain/resource-run.ts'
import { devServerEnvironment, type TemporalEnvironment } from '../servers/temporal-environment.ts'
import { type CloudStep, holdCloud } from '../workflows/database-product.ts'
import { type ResourcesUnderTest, resourcesUnderTest } from '../workflows/resources-under-test.ts'
import { withoutMachine } from './without-machine.ts'

// As `record-histories.test.ts`, of resources and removals.

const directory = join(import.meta.dirname, 'histories', packageJson.version)

let environment: TemporalEnvironment
beforeAll(async () => {
  environment = await devServerEnvironment()
  await mkdir(directory, { recursive: true })
})
afterAll(() => environment.teardown())

interface Story {
  /** Type and status of the run that is recorded. */
  readonly end: string
  readonly answerWithinMs?: number
  /** Answers with the workflow id whose run is recorded: the latest one, unless another is named. */
  readonly play: (under: ResourcesUnderTest) => Promise<{ workflowId: string; runId?: string }>
}

const rotation = (keepOldMs: number) => ({ kind: 'rotation', rotationId: 'r1', keepOldMs }) as const
const renaming = { kind: 'update', changes: { name: 'Renamed' } } as const
const ofResource = (key: ResourceKey) => ({ workflowId: resourceWorkflowId(key) })

async function provisioned(under: ResourcesUnderTest): Promise<ResourceKey> {
  const key = await under.wanted()
  await under.door.provision(key)
  return key
}

function refuse(step: CloudStep) {
  return (at: CloudStep) =>
    at === step
      ? Promise.reject(new ActionFailure('refused', 'There is no room.', { retryable: false }))
      : Promise.resolve()
}

/** Whatever the provider lists is gone once its destruction was asked for. */
function destroyable({ branches }: ResourcesUnderTest): void {
  branches.before = (_, { key }) => {
    branches.branches.delete(key.deploymentId)
    return Promise.resolve()
  }
}

const stories: Record<string, Story> = {
  'resource-provisioned': {
    end: 'resourceProvisioning COMPLETED',
    play: async (under) => ofResource(await provisioned(under)),
  },

  'resource-not-provisioned': {
    end: 'resourceProvisioning FAILED',
    play: async (under) => {
      under.databases.after = refuse('provision')
      return ofResource(await provisioned(under))
    },
  },

  'resource-told-later': {
    end: 'resourceProvisioning COMPLETED',
    answerWithinMs: 50,
    play: async (under) => {
      const key = await under.wanted()
      const step = holdCloud(under.databases, 'before', 'provision')
      expect(await under.door.provision(key)).toEqual({ kind: 'goes-on' })
      step.release()
      return ofResource(key)
    },
  },

  'resource-removed-while-provisioning': {
    end: 'resourceProvisioning CONTINUED_AS_NEW',
    play: async (under) => {
      const key = await under.wanted()
      const step = holdCloud(under.databases, 'after', 'provision')
      const asked = under.door.provision(key)
      await step.reached
      const handle = environment.client.workflow.getHandle(resourceWorkflowId(key))
      const { runId } = await handle.describe()
      await under.door.remove(key, 'The customer deleted it.')
      await asked
      await handle.result()
      return { ...ofResource(key), runId }
    },
  },

  'resource-updated': {
    end: 'resourceChange COMPLETED',
    play: async (under) => {
      const key = await provisioned(under)
      await under.door.change(key, renaming)
      return ofResource(key)
    },
  },

  'resource-not-updated': {
    end: 'resourceChange FAILED',
    play: async (under) => {
      const key = await provisioned(under)
      under.databases.before = refuse('update')
      await under.door.change(key, renaming)
      return ofResource(key)
    },
  },

  'secrets-rotated': {
    end: 'resourceChange COMPLETED',
    play: async (under) => {
      const key = await provisioned(under)
      await under.door.change(key, rotation(3_600_000))
      return ofResource(key)
    },
  },

  'secrets-expired': {
    end: 'secretsExpiry COMPLETED',
    play: async (under) => {
      const key = await provisioned(under)
      await under.door.change(key, rotation(500))
      return { workflowId: secretsExpiryWorkflowId(key, 'r1') }
    },
  },

  'resource-removed': {
    end: 'resourceRemoval COMPLETED',
    play: async (under) => {
      destroyable(under)
      const key = await provisioned(under)
      under.placeBranch('dpl_1', key)
      await under.door.remove(key, 'The customer deleted it.')
      return ofResource(key)
    },
  },

  'installation-removed': {
    end: 'installationRemoval COMPLETED',
    play: async (under) => {
      destroyable(under)
      const key = await provisioned(under)
      under.placeBranch('dpl_1', key)
      const { installationId } = under
      await removeInstallation(under.dispatch, { installationId, because: 'Uninstalled.' })
      return { workflowId: removalWorkflowId(installationId) }
    },
  },

  'deployment-removed': {
    end: 'deploymentRemoval COMPLETED',
    play: async (under) => {
      destroyable(under)
      const { installationId } = under
      under.placeBranch('dpl_1', { installationId, resourceId: 'db' })
      await dispatchEvent(under.dispatch, { kind: 'deployment-removed', deploymentId: 'dpl_1' })
      return { workflowId: deploymentRemovalWorkflowId('dpl_1') }
    },
  },
}

test.each(Object.entries(stories))(
  '%s',
  async (name, { end, answerWithinMs = 10_000, play }) => {
    const under = await resourcesUnderTest(environment, { answerWithinMs })
    const { workflowId, runId } = await play(under)
    const handle = environment.client.workflow.getHandle(workflowId, runId)
    await vi.waitFor(
      async () => {
        const { type, status } = await handle.describe()
        expect(`${type} ${status.name}`).toBe(end)
      },
      { timeout: 30_000 },
    )
    const json = withoutMachine(historyToJSON(await handle.fetchHistory()))
    await writeFile(join(directory, `${name}.json`), json)
  },
  60_000,
)
