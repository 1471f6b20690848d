import { execFile } from 'node:child_process'
import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os'
import { promisify } from 'node:util'

/** What figures depend on besides the code. */
export interface Machine {
  readonly date: string
  readonly cpu: string
  readonly cores: number
  readonly memoryGib: number
  readonly kernel: string
  readonly node: string
  /** Of the directory that databases are kept in. */
  readonly filesystem: string
  /** How many processes wanted a core in the minute before; well under 1 on a quiet machine. */
  readonly loadBefore: number
}

export async function describeMachine(directory: string): Promise<Machine> {
  return {
    date: new Date().toISOString(),
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGib: Math.round(totalmem() / 2 ** 30),
    kernel: `${type()} ${release()}`,
    node: process.version,
    filesystem: await filesystemOf(directory),
    loadBefore: Math.round((loadavg()[0] ?? 0) * 100) / 100,
  }
}

async function filesystemOf(directory: string): Promise<string> {
  const { stdout } = await promisify(execFile)('df', ['--output=fstype', directory])
  return stdout.trim().split('\n').at(-1) ?? 'unknown'
}

export function machineLines(machine: Machine): string {
  const { date, cpu, cores, memoryGib, kernel, node, filesystem, loadBefore } = machine
  return [
    `${date}  load before: ${loadBefore}`,
    `${cores} cores (${cpu}), ${memoryGib} GiB, ${kernel}, Node ${node}, ${filesystem}`,
  ].join('\n')
}
