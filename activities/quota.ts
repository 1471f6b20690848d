import { setTimeout as delay } from 'node:timers/promises'
import type {
  DeclaredAction,
  ListCall,
  ProvisionCall,
  ProvisionedObject,
} from '../src/actions/define-action.ts'
import { ActionFailure } from '../src/domain/failure.ts'
import { isMadeFor, judgeQuota, type WantedObject } from '../src/domain/quota.ts'

const LOOK_AGAIN_EVERY_MS = 100

/**
 * Does the work that provisions, if the quota of the action's policy leaves room for it, and makes room where the
 * policy says so. Fails for good when there is none. What is there already, from an earlier attempt or because others
 * share it, takes no room.
 *
 * Those who count for one quota wait for one another where the action can do that: not until the work is done, which
 * may be a long copy, but until the list tells that it is there for this key.
 */
export async function withinQuota<Result>(
  { slug, definition, policy }: DeclaredAction,
  call: ProvisionCall<unknown>,
  work: () => Promise<Result>,
): Promise<Result> {
  const quota = policy?.quota
  if (!policy || !quota || !definition.list) return await work()
  const { key } = call
  const listCall: ListCall = { ...call, action: slug }
  const wanted: WantedObject = { key, name: definition.nameOf?.(call) }
  const list = async (signal: AbortSignal): Promise<ProvisionedObject[]> =>
    (await definition.list?.({ ...listCall, signal })) ?? []

  const makeRoom = async (signal: AbortSignal): Promise<void> => {
    const tried = new Set<string>()
    for (;;) {
      const objects = await list(signal)
      const { protectedBranches } = policy
      const { holdpoint } = call
      const judgement = judgeQuota({ quota, protectedBranches, objects, wanted, holdpoint })
      if (judgement.kind === 'room') return
      const next = judgement.evictable.find((name) => !tried.has(name))
      if (quota.whenFull === 'fail' || next === undefined)
        throw new ActionFailure('quota_full', judgement.because, { retryable: false })
      tried.add(next)
      const gone = await definition.evict?.({ ...listCall, signal, name: next })
      call.log.info('quota.evicted', { ...key, name: next, gone })
    }
  }

  const { installationId, resourceId } = key
  const place = {
    installationId,
    ...(quota.perInstallation === undefined && { resourceId }),
  }
  const begun: { work?: Promise<Result> } = {}
  const begin = async (signal: AbortSignal): Promise<void> => {
    await makeRoom(signal)
    begun.work = work()
    // What it shares may be listed long before, but for nobody, and then the next one could still evict it.
    await untilSeen(begun.work, signal, async () =>
      (await list(signal)).some((object) => isMadeFor(key, object)),
    )
  }
  try {
    if (definition.exclusively) await definition.exclusively({ ...listCall, place }, begin)
    else await begin(call.signal)
  } finally {
    // However this ends, the work must not go on when the activity has ended.
    await begun.work?.catch(() => {})
  }
  if (!begun.work) throw new Error(`The action ${slug} did not do its work exclusively.`)
  return await begun.work
}

/** Returns once the work has ended, well or not, or what it makes is seen. */
async function untilSeen(
  work: Promise<unknown>,
  signal: AbortSignal,
  isSeen: () => Promise<boolean>,
): Promise<void> {
  let ended = false
  const end = work.catch(() => {}).then(() => void (ended = true))
  for (;;) {
    await Promise.race([end, delay(LOOK_AGAIN_EVERY_MS, undefined, { signal })])
    if (ended || (await isSeen())) return
  }
}
