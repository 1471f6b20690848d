import { ActionFailure } from '../../src/domain/failure.ts'
import { type BranchRef, sameOwner } from '../../src/domain/branch-ref.ts'
import { Secret } from '../../src/domain/secret.ts'
import type { BranchConnection, BranchRecord, ResourceDriver } from '../../src/drivers/driver.ts'
import type { DriverUnderTest } from 'holdpoint/testing'

interface MemoryBranch {
  readonly record: BranchRecord
  readonly lines: string[]
  readonly password: Secret
}

/** A provider that keeps all in memory, and its driver: the smallest one that keeps what every driver promises. */
export function memoryUnderTest(changes: Partial<ResourceDriver> = {}): DriverUnderTest {
  const sources = new Map<string, readonly string[]>()
  const branches = new Map<string, MemoryBranch>()
  let made = 0

  const find = (ref: BranchRef): MemoryBranch | undefined => {
    const branch = branches.get(ref.name)
    if (branch && !sameOwner(branch.record.ref.owner, ref.owner))
      throw failure('branch_owner_mismatch')
    return branch
  }
  const need = (ref: BranchRef): MemoryBranch => {
    const branch = find(ref)
    if (!branch) throw failure('branch_missing')
    return branch
  }
  // One thing at a time, for all names.
  let last: Promise<unknown> = Promise.resolve()
  const alone = async <Result>(act: () => Promise<Result>): Promise<Result> => {
    const result = last.then(act)
    last = result.catch(() => {})
    return await result
  }

  const driver: ResourceDriver = {
    kind: 'memory',
    async createBranch({ source, ref }, call) {
      call.signal.throwIfAborted()
      await alone(async () => {
        if (find(ref)) return
        if (!sources.has(source)) throw failure('source_missing')
        await call.confirm()
        call.signal.throwIfAborted()
        const lines = sources.get(source)
        if (!lines) throw failure('source_missing')
        const { holdpoint } = call
        const record = { ref, source, holdpoint, createdAt: new Date(), complete: true }
        const [password] = call.deriveSecrets(ref.name)
        branches.set(ref.name, { record, lines: [...lines], password })
      })
    },
    async openBranch(ref, call) {
      call.signal.throwIfAborted()
      const { password } = need(ref)
      const place = { host: 'memory', port: 1, user: ref.name, database: ref.name }
      const url = new Secret(`memory://${ref.name}:${encodeURIComponent(password.reveal())}@memory`)
      return { ...place, password, url }
    },
    async deleteBranch(ref, call) {
      call.signal.throwIfAborted()
      await alone(async () => {
        if (find(ref)) branches.delete(ref.name)
      })
    },
    async listBranches(call) {
      call.signal.throwIfAborted()
      return [...branches.values()].map(({ record }) => record)
    },
    check: async () => [],
    close: async () => {},
    ...changes,
  }
  const linesOf = ({ user }: BranchConnection): string[] => branches.get(user)?.lines ?? []
  return {
    driver,
    async makeSource(lines) {
      made += 1
      const name = `source ${made}`
      sources.set(name, lines)
      return name
    },
    async deleteSource(source) {
      sources.delete(source)
    },
    readLines: async (connection) => [...linesOf(connection)],
    async addLine(connection, line) {
      linesOf(connection).push(line)
    },
    stayConnected: async () => {},
    remains: async (name) => (branches.has(name) ? ['branch'] : []),
    close: async () => driver.close(),
  }
}

function failure(code: string): ActionFailure {
  return new ActionFailure(code, `it cannot be done (${code})`, { retryable: false })
}
