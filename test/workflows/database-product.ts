import { ActionFailure } from '../../src/domain/failure.ts'
import { Secret } from '../../src/domain/secret.ts'
import { provisionResource, type ResourceCall } from '../../src/products/provision-resource.ts'
import { gate } from './branch-provider.ts'

export type CloudStep = 'provision' | 'update' | 'rotate' | 'expire' | 'deprovision'

/** A provider of databases in memory, whose steps a test may delay or break before or after their effect. */
export interface Cloud {
  /** The databases that exist, by their id, with the generations of their login that open them. */
  readonly databases: Map<string, Set<number>>
  /** Everything that was done, in order: `provision`, `provision done`. */
  readonly calls: string[]
  /** Runs before the effect of the step with this name; throw to break it there. */
  before: (step: CloudStep, call: StepCall) => Promise<void>
  /** Runs after the effect, so that what it throws loses the answer. */
  after: (step: CloudStep, call: StepCall) => Promise<void>
  /** How often the step has had its effect. */
  done(step: CloudStep): number
}

type StepCall = Pick<ResourceCall<unknown>, 'key' | 'signal'>

const nothing = () => Promise.resolve()

export function cloud(): Cloud {
  const calls: string[] = []
  return {
    databases: new Map(),
    calls,
    before: nothing,
    after: nothing,
    done: (step) => calls.filter((call) => call === `${step} done`).length,
  }
}

/** Databases of the cloud as a product. Its secret is derived, so it never leaves the process but on purpose. */
export function databaseProduct(
  provider: Cloud,
  { deadline = '1 minute' }: { deadline?: string } = {},
) {
  const rotations = new Map<string, number>()
  const step = async <Result>(name: CloudStep, call: StepCall, effect: () => Result) => {
    provider.calls.push(name)
    await provider.before(name, call)
    const result = effect()
    provider.calls.push(`${name} done`)
    await provider.after(name, call)
    return result
  }
  const loginsOf = ({ key }: StepCall): Set<number> => {
    const logins = provider.databases.get(key.resourceId)
    if (logins) return logins
    throw new ActionFailure('missing', `There is no ${key.resourceId}.`, { retryable: false })
  }
  return provisionResource<Record<string, unknown>, { generation: number }>({
    name: 'Database',
    deadline,
    plans: [{ id: 'pro', type: 'subscription', name: 'Pro', description: 'More of it' }],
    provision: (call) =>
      step('provision', call, () => {
        const { resourceId } = call.key
        if (!provider.databases.has(resourceId)) provider.databases.set(resourceId, new Set([1]))
        return { generation: 1 }
      }),
    secrets(call) {
      const { generation } = call.reference
      if (!loginsOf(call).has(generation))
        throw new ActionFailure('refused', 'The login is refused.', { retryable: false })
      const [password] = call.deriveSecrets(`${call.key.resourceId} ${generation}`)
      return Promise.resolve({
        DATABASE_URL: new Secret(`postgres://${password.reveal()}@db`),
        DATABASE_HOST: 'db',
      })
    },
    update: (call) => step('update', call, () => call.reference),
    rotate: (call) =>
      step('rotate', call, () => {
        const logins = loginsOf(call)
        const generation = rotations.get(call.rotationId) ?? Math.max(...logins) + 1
        rotations.set(call.rotationId, generation)
        logins.add(generation)
        return { generation }
      }),
    expireSecrets: (call) =>
      step('expire', call, () => {
        const logins = loginsOf(call)
        for (const each of logins) if (each < call.reference.generation) logins.delete(each)
      }),
    deprovision: (call) =>
      step('deprovision', call, () => void provider.databases.delete(call.key.resourceId)),
  })
}

/** Holds the step until the test lets go or the step is aborted; `reached` resolves when the step is there. */
export function holdCloud(provider: Cloud, when: 'before' | 'after', name: CloudStep) {
  const reached = gate()
  const release = gate()
  provider[when] = async (step, { signal }) => {
    if (step !== name) return
    reached.open()
    await Promise.race([
      release.opened,
      new Promise((_, reject) =>
        signal.addEventListener('abort', () => reject(new Error('aborted'))),
      ),
    ])
  }
  return { reached: reached.opened, release: release.open }
}
