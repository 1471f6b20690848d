import { describe, expect, test } from 'vitest'
import { checkRegistrationWorkflowId } from '../../src/domain/check-registration.ts'
import { checkDeadlineAt, checkRunWorkflowId, withoutMargin } from '../../src/domain/check-run.ts'

const key = { installationId: 'icfg_A', deploymentId: 'dpl_9', checkRunId: 'ckr 1/2' }

test('the workflow id of a check run never changes, and is that of no other', () => {
  expect(checkRunWorkflowId(key)).toMatch(/^check-run~icfg_A~dpl_9~ckr-1-2@[0-9a-f]{32}$/)
  const others = [
    { installationId: 'icfg_B' },
    { deploymentId: 'dpl_8' },
    { checkRunId: 'ckr-1-2' },
  ]
  const ids = [{}, ...others].map((other) => checkRunWorkflowId({ ...key, ...other }))
  expect(new Set(ids).size).toBe(4)
})

test('the workflow id of a registration is that of the connection', () => {
  const connection = { installationId: 'icfg_A', resourceId: 'db', projectId: 'prj_1' }
  expect(checkRegistrationWorkflowId(connection)).toBe('checks~icfg_A~db~prj_1')
})

test.each([
  [300_000, 270_000],
  [60_000, 45_000],
  [1000, 750],
])('of %i ms a check may take %i, so that its conclusion arrives', (timeoutMs, leftMs) => {
  expect(withoutMargin(timeoutMs)).toBe(leftMs)
})

describe('a check is concluded', () => {
  const now = 1_000_000_000_000
  const dueAfter = (about: { occurredAt?: number; timeoutSeconds?: number; deadlineMs?: number }) =>
    checkDeadlineAt({ now, occurredAt: now, deadlineMs: 270_000, ...about }) - now

  test('by its own deadline, when Vercel tells no timeout or a longer one', () => {
    expect(dueAfter({})).toBe(270_000)
    expect(dueAfter({ timeoutSeconds: 3600 })).toBe(270_000)
  })

  test('before it gets stale at Vercel', () => {
    expect(dueAfter({ timeoutSeconds: 60 })).toBe(45_000)
    expect(dueAfter({ timeoutSeconds: 300 })).toBe(270_000)
  })

  test('by its own deadline also where the number counts milliseconds', () => {
    expect(dueAfter({ timeoutSeconds: 300_000 })).toBe(270_000)
  })

  test('counted from when it began at Vercel, which is never later than now', () => {
    expect(dueAfter({ occurredAt: now - 20_000 })).toBe(250_000)
    expect(dueAfter({ occurredAt: now + 20_000 })).toBe(270_000)
  })

  test('in its full time when it was delivered later than that', () => {
    expect(dueAfter({ occurredAt: now - 270_000 })).toBe(270_000)
    expect(dueAfter({ occurredAt: 0 })).toBe(270_000)
  })
})
