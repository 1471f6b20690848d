import { expect, test } from 'vitest'
import { selfTimes } from '../../bench/self-times.ts'

const frame = (id: number, functionName: string, url: string, children: number[] = []) => ({
  id,
  children,
  callFrame: { functionName, url, lineNumber: 9 },
})

const thread = {
  nodes: [
    frame(1, '(idle)', ''),
    frame(2, 'start', 'file:///app/node_modules/@temporalio/client/lib/client.js'),
    frame(3, 'requestVercel', 'file:///app/dist/src/vercel/client.js', [6]),
    frame(4, '(program)', ''),
    frame(5, 'nextTick', 'node:internal/process/task_queues'),
    frame(6, 'parse', ''),
  ],
  startTime: 1_000,
  // At 2, 4, 6, 7, 9 and 10 ms.
  samples: [2, 3, 1, 4, 5, 2],
  timeDeltas: [1_000, 2_000, 2_000, 1_000, 2_000, 1_000],
}

test('a sample stands for the time until the next one, and waiting is left out', () => {
  expect(selfTimes([thread], { from: 0, to: 20_000 })).toEqual([
    { place: '@temporalio/client', name: 'start client.js:10', ms: 2 },
    { place: 'src/vercel/client.js', name: 'requestVercel client.js:10', ms: 2 },
    { place: 'V8', name: '(program)', ms: 2 },
    { place: 'node:internal/process/task_queues', name: 'nextTick task_queues:10', ms: 1 },
  ])
})

test('what was sampled before or after the window is left out', () => {
  expect(selfTimes([thread], { from: 3_000, to: 6_500 })).toEqual([
    { place: 'src/vercel/client.js', name: 'requestVercel client.js:10', ms: 2 },
  ])
})

test('the same function in two threads is one function', () => {
  const [first] = selfTimes([thread, thread], { from: 3_000, to: 6_500 })
  expect(first).toMatchObject({ name: 'requestVercel client.js:10', ms: 4 })
})

test('what is native counts for the place that called it', () => {
  const native = { ...thread, samples: [6, 1], timeDeltas: [1_000, 3_000] }
  expect(selfTimes([native], { from: 0, to: 20_000 })).toEqual([
    {
      place: 'src/vercel/client.js',
      name: 'parse (native) in requestVercel client.js:10',
      ms: 3,
    },
  ])
})
