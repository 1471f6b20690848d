import type { Figure } from './figures.ts'

// The figures that scenarios record and requirements are stated in.

export const SEQUENTIAL = 'one at a time'

export function overhead(percent: number, load: string, latencyMs: number): Figure {
  return { name: `overhead p${percent}, ${load}, Vercel ${latencyMs} ms`, unit: 'ms' }
}

export function ack(percent: number, load: string, latencyMs: number): Figure {
  return { name: `ack p${percent}, ${load}, Vercel ${latencyMs} ms`, unit: 'ms' }
}

export const greatestRate: Figure = { name: 'greatest rate', unit: '/s' }
export const cpuPerAction: Figure = { name: 'CPU per action at that rate', unit: 'ms' }
export const cpuOfApp: Figure = { name: '  of it the application', unit: 'ms' }
export const cpuOfServer: Figure = { name: '  of it the Temporal server', unit: 'ms' }
export const cpuOfDatabase: Figure = { name: '  of it the database of the server', unit: 'ms' }

export function events(action: string): Figure {
  return { name: `history events, ${action}`, unit: '' }
}

export function billable(action: string): Figure {
  return { name: `billable Temporal actions, ${action}`, unit: '' }
}

export const startUp: Figure = { name: 'start-up', unit: 's' }
export const peakMemoryOfApp: Figure = { name: 'peak memory, application', unit: 'MiB' }
export const peakMemoryOfServer: Figure = { name: 'peak memory, Temporal server', unit: 'MiB' }

export function grown(what: 'overhead p50' | 'CPU', actions: number): Figure {
  return { name: `${what} per action, after ${actions} actions`, unit: 'ms' }
}

export const openAtOnce: Figure = { name: 'actions open at once', unit: '' }
export const unfinished: Figure = { name: '  of them never finished', unit: '' }
export const memoryOfAppWithOpen: Figure = { name: '  memory, application', unit: 'MiB' }
export const memoryOfServerWithOpen: Figure = { name: '  memory, Temporal server', unit: 'MiB' }
export const peakOfAppWithOpen: Figure = { name: '  peak memory, application', unit: 'MiB' }
export const drainedAfter: Figure = { name: '  all finished after', unit: 's' }

export const neighbourIdle: Figure = { name: 'neighbour, overhead p95 when idle', unit: 'ms' }
export const neighbourMeanwhile: Figure = {
  name: 'neighbour, overhead p50 while a flood comes in',
  unit: 'ms',
}
export const neighbourBeside: Figure = {
  name: 'neighbour, overhead p95 beside a queued flood',
  unit: 'ms',
}
export const neighbourActions: Figure = { name: '  of so many actions', unit: '' }
export const floodFailed: Figure = { name: 'flood, actions reported failed', unit: '' }
export const floodLost: Figure = { name: 'flood, terminal statuses lost', unit: '' }
export const floodTook: Figure = { name: 'flood, until the last terminal status', unit: 's' }
export const refusedCalls: Figure = { name: 'calls answered with 429', unit: '%' }
