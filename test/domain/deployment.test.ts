import { describe, expect, test } from 'vitest'
import { deploymentStanding } from '../../src/domain/deployment.ts'
import { judgeRefusal } from '../../src/domain/report-refusal.ts'

describe('a deployment stands as waiting until something says that it does not', () => {
  test.each([
    [{ readyState: 'QUEUED', integrationsStatus: 'pending' }, 'waiting'],
    // The 9-key answer tells the ready state alone, and new values come without notice.
    [{ readyState: 'QUEUED' }, 'waiting'],
    [{ readyState: 'BUILDING' }, 'waiting'],
    [{ readyState: 'A_NEW_STATE', integrationsStatus: 'a-new-status' }, 'waiting'],
    [{}, 'waiting'],
    [{ readyState: 'BUILDING', integrationsStatus: 'ready' }, 'passed'],
    [{ readyState: 'READY' }, 'passed'],
    [{ readyState: 'ERROR', integrationsStatus: 'ready' }, 'passed'],
    [{ readyState: 'BUILDING', integrationsStatus: 'skipped' }, 'lapsed'],
    [{ readyState: 'ERROR', integrationsStatus: 'timeout' }, 'lapsed'],
    [{ readyState: 'CANCELED', integrationsStatus: 'pending' }, 'canceled'],
    [{ readyState: 'CANCELED', integrationsStatus: 'ready' }, 'canceled'],
    [{ readyState: 'ERROR', integrationsStatus: 'error' }, 'failed'],
    [{ readyState: 'ERROR', integrationsStatus: 'pending' }, 'failed'],
    [{ readyState: 'ERROR' }, 'failed'],
    [{ readyState: 'READY', integrationsStatus: 'ready', deletedAt: 1 }, 'gone'],
    [{ readyState: 'QUEUED', deletedAt: null }, 'waiting'],
    // Restored, and perhaps deleted once more.
    [{ readyState: 'READY', deletedAt: 1, undeletedAt: 2 }, 'passed'],
    [{ readyState: 'READY', deletedAt: 3, undeletedAt: 2 }, 'gone'],
  ] as const)('%o is %s', (evidence, standing) => {
    expect(deploymentStanding(evidence)).toBe(standing)
  })
})

describe('a refused report destroys nothing unless the deployment ended or cannot have taken one', () => {
  test.each([
    // The deployment went on: an earlier report was taken, whatever the status says.
    [400, 'passed', false, 'taken'],
    [410, 'passed', true, 'taken'],
    // The deployment ended without us.
    [404, 'gone', false, 'over'],
    // But one that may have our outcome is not believed to be gone at once.
    [410, 'gone', true, 'vanished'],
    [409, 'canceled', true, 'over'],
    // Another action failed the deployment, or timed out: ours may have been taken before.
    [409, 'lapsed', true, 'taken'],
    [409, 'lapsed', false, 'over'],
    [409, 'failed', true, 'taken'],
    [409, 'failed', false, 'over'],
    // It still waits: for other actions, or for ours.
    [400, 'waiting', false, 'refused'],
    [404, 'waiting', false, 'refused'],
    [400, 'waiting', true, 'undecided'],
    [404, 'waiting', true, 'undecided'],
    [409, 'waiting', false, 'undecided'],
    [410, 'waiting', false, 'undecided'],
    [410, 'waiting', true, 'undecided'],
  ] as const)(
    '%i from a deployment that is %s, taken perhaps: %s, is %s',
    (status, standing, maybe, verdict) => {
      expect(judgeRefusal({ status, standing, mayHaveBeenTaken: maybe })).toBe(verdict)
    },
  )
})
