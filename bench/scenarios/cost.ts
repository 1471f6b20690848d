import { join } from 'node:path'
import { Client, Connection } from '@temporalio/client'
import type { temporal } from '@temporalio/proto'
import { actionWorkflowId } from '../../src/domain/action-key.ts'
import { type Bench, type Scenario, warmUp } from '../bench.ts'
import { billableActions } from '../billable-actions.ts'
import { type StartedAction, startAction, type Target } from '../load/action.ts'
import { oneAtATime } from '../load/loads.ts'
import { within } from '../load/within.ts'
import { residentMib } from '../processes/usage.ts'
import {
  billable,
  events,
  peakMemoryOfApp,
  peakMemoryOfServer,
  startUp,
} from '../report/known-figures.ts'
import { startHoldpoint } from '../systems/holdpoint.ts'
import type { RunningSystem, Surroundings, SystemId, TemporalPlace } from '../systems/system.ts'
import { startSourceDatabase } from './source-database.ts'

type History = temporal.api.history.v1.IHistory

/**
 * What an action costs at Temporal: events of its history, and what Temporal Cloud bills. How long a system takes to
 * start on nothing, and its peak memory after some 300 actions.
 */
export const cost: Scenario = {
  name: 'cost',
  about: 'history events and billable Temporal actions of an action, start-up, memory',
  async run(bench) {
    const { quick, systems } = bench.options
    await bench.eachRound(systems, async (id, running, target) => {
      bench.figures.record(startUp, id, running.startUpMs / 1000)
      await warmUp(target, quick)
      await oneAtATime(target, { count: quick ? 5 : 200, limitMs: 30_000 })
      await countEvents(bench, id, running, target)
      const app = await residentMib(running.app)
      bench.figures.record(peakMemoryOfApp, id, app.peak)
      if (running.server) {
        const server = await residentMib(running.server)
        bench.figures.record(peakMemoryOfServer, id, server.peak)
      }
    })
    if (systems.includes('holdpoint')) await countEventsOfBranch(bench)
  },
}

async function countEventsOfBranch(bench: Bench): Promise<void> {
  bench.progress('  a branch of a database')
  await bench.measure(
    (running, target) => countEvents(bench, 'holdpoint', running, { ...target, action: 'branch' }),
    startWithPostgres,
  )
}

async function startWithPostgres(surroundings: Surroundings): Promise<RunningSystem> {
  const postgres = await startSourceDatabase(join(surroundings.directory, 'postgres'), 'store')
  try {
    const holdpoint = await startHoldpoint(surroundings, {
      config: 'branch.config.ts',
      variables: { POSTGRES_URL: postgres.url },
    })
    return {
      ...holdpoint,
      async stop() {
        await holdpoint.stop()
        await postgres.stop()
      },
    }
  } catch (error) {
    await postgres.stop()
    throw error
  }
}

/** Nothing, for a system without Temporal. */
async function countEvents(
  { figures }: Bench,
  id: SystemId,
  { temporal }: RunningSystem,
  target: Target,
): Promise<void> {
  if (!temporal) return
  const started = startAction(target)
  await within(60_000, 'an action to end', started.measured)
  const history = await closedHistory(temporal, workflowIdOf(id, started))
  figures.record(events(target.action), id, history.events?.length ?? 0)
  figures.record(billable(target.action), id, billableActions(history))
}

function workflowIdOf(id: SystemId, started: StartedAction): string {
  return id.startsWith('plain') ? `plain-${started.deploymentId}` : actionWorkflowId(started)
}

async function closedHistory(
  { address, namespace }: TemporalPlace,
  workflowId: string,
): Promise<History> {
  const connection = await Connection.connect({ address })
  try {
    const run = new Client({ connection, namespace }).workflow.getHandle(workflowId)
    await within(30_000, `workflow ${workflowId} to close`, run.result())
    return await run.fetchHistory()
  } finally {
    await connection.close()
  }
}
