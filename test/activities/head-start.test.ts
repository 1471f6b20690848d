import { expect, test, vi } from 'vitest'
import { HeadStarts, type OpeningRead } from '../../activities/index.ts'

const key = { installationId: 'icfg_1', resourceId: 'db', deploymentId: 'dpl_1', action: 'branch' }
const read: OpeningRead = {
  deployment: { id: 'dpl_1', environment: 'preview', standing: 'waiting' },
  metadata: {},
}

test('what was begun to be read is read once, for the run that it was begun for', async () => {
  const reader = vi.fn(() => Promise.resolve(read))
  const headStarts = new HeadStarts(reader)
  const id = headStarts.begin({ key, teamId: 'team_1' })
  expect(reader.mock.calls).toEqual([[{ key, teamId: 'team_1' }]])
  expect(await headStarts.opened(id)).toBe(read)
  expect(await headStarts.opened(id)).toBeUndefined()
  expect(await headStarts.opened('of another process')).toBeUndefined()
  expect(headStarts.takeFirstReport(id)).toBe(true)
})

test('a read that failed is as if it was never begun', async () => {
  const headStarts = new HeadStarts(() => Promise.reject(new Error('Vercel is down.')))
  expect(await headStarts.opened(headStarts.begin({ key }))).toBeUndefined()
})

test('a read of long ago is not taken, though the report may still be the first', async () => {
  const headStarts = new HeadStarts(() => Promise.resolve(read))
  const now = vi.spyOn(performance, 'now').mockReturnValue(0)
  const id = headStarts.begin({ key })
  now.mockReturnValue(5001)
  expect(await headStarts.opened(id)).toBeUndefined()
  expect(headStarts.takeFirstReport(id)).toBe(true)
  now.mockRestore()
})

test('only one report is the first, and none is of a run that was not started or is forgotten', () => {
  const headStarts = new HeadStarts(() => Promise.resolve(read))
  const [one, dropped] = [headStarts.begin({ key }), headStarts.begin({ key })]
  headStarts.drop(dropped)
  expect(headStarts.takeFirstReport(dropped)).toBe(false)
  expect(headStarts.takeFirstReport(one)).toBe(true)
  expect(headStarts.takeFirstReport(one)).toBe(false)

  const oldest = headStarts.begin({ key })
  for (let others = 0; others < 10_000; others++) headStarts.begin({ key })
  expect(headStarts.takeFirstReport(oldest)).toBe(false)
})

test('a first report that was not sent is the first again, unless somebody else asked for it meanwhile', () => {
  const headStarts = new HeadStarts(() => Promise.resolve(read))
  const [alone, beside] = [headStarts.begin({ key }), headStarts.begin({ key })]
  for (let turn = 0; turn < 3; turn++) {
    expect(headStarts.takeFirstReport(alone)).toBe(true)
    expect(headStarts.returnFirstReport(alone)).toBe(true)
  }
  expect(headStarts.takeFirstReport(beside)).toBe(true)
  expect(headStarts.takeFirstReport(beside)).toBe(false)
  expect(headStarts.returnFirstReport(beside)).toBe(false)
  expect(headStarts.takeFirstReport(beside)).toBe(false)
})
