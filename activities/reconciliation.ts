import { actionDigest, type ActionKey } from '../src/domain/action-key.ts'
import {
  type Evidence,
  type FoundObject,
  judge,
  type Judgement,
  type LatestRun,
  type Lifetime,
  type ReconciliationPolicy,
  type Verdict,
} from '../src/domain/reconciliation.ts'
import type { Policy } from '../src/domain/policy.ts'
import {
  type Act,
  type ActResult,
  type Case,
  joinSurveys,
  type Suspect,
  type Survey,
} from '../src/domain/reconciliation-run.ts'
import { runStep, type StepCall } from './activity-call.ts'
import { declaredAction } from './declared-action.ts'
import type { Dependencies } from './dependencies.ts'
import { inParallel } from './in-parallel.ts'
import { pace } from './pace.ts'
import { evidenceReader } from './vercel-evidence.ts'

export interface SurveyRequest {
  readonly action: string
  readonly policy: ReconciliationPolicy
  readonly suspects: readonly Suspect[]
}

export interface ActRequest {
  /** What the survey found. */
  readonly found: Case & { readonly verdict: Act }
  readonly policy: ReconciliationPolicy
}

/** Vercel takes 500 reads a minute; the actions' own come first. */
const READ_EVERY_MS = 250
const AT_A_TIME = 4

interface Examined extends Judgement {
  readonly run: LatestRun | undefined
}

export function createReconciliationActivities(dependencies: Dependencies) {
  const { actions, vercel, holdpoint, runs, log } = dependencies
  const reads = pace(READ_EVERY_MS)

  /** Judges the object by what Temporal and Vercel say of its owner, asking as little as it takes. */
  async function examine(
    object: FoundObject,
    {
      policy,
      lifetime,
      overSinceMs,
      evidenceOf,
      signal,
    }: {
      policy: ReconciliationPolicy
      lifetime: Lifetime | undefined
      overSinceMs: number | undefined
      evidenceOf: (owner: ActionKey, signal: AbortSignal) => Promise<Evidence>
      signal: AbortSignal
    },
  ): Promise<Examined> {
    let run: LatestRun | undefined
    let evidence: Evidence | undefined
    for (;;) {
      const judgement = judge({
        object,
        holdpoint,
        policy,
        lifetime,
        overSinceMs,
        nowMs: Date.now(),
        ...(run && { run }),
        ...(evidence && { evidence }),
      })
      if (typeof judgement === 'object') return { ...judgement, run }
      const { owner } = object
      if (!owner) throw new Error(`The judgement on ${object.name} asks for an owner's run.`)
      if (judgement === 'ask-temporal') run = await runs.latest(owner)
      else evidence = await evidenceOf(owner, signal)
    }
  }

  async function doAct(
    { action, object, because }: Case,
    act: Act,
    run: LatestRun | undefined,
    call: StepCall,
  ): Promise<ActResult> {
    const { name, owner } = object
    switch (act) {
      case 'expire': {
        const { definition } = declaredAction(actions, action)
        const gone = await definition.expire?.({ ...call, action, name })
        return gone === true
          ? { kind: 'done' }
          : { kind: 'changed', because: 'The provider says that it is needed again.' }
      }
      case 'destroy':
        if (owner) await runs.withdraw(owner, `Reconciliation found it. ${because}`)
        return { kind: 'done' }
      case 'resume':
        if (owner) await runs.resume(owner, { brokenOff: run === 'broken', because })
        return { kind: 'done' }
    }
  }

  return {
    /** The actions that can tell what they made. */
    surveyedActions: (): Promise<string[]> =>
      Promise.resolve(
        [...actions.values()].flatMap(({ slug, definition }) => (definition.list ? [slug] : [])),
      ),

    /** Judges everything that the action made. Changes nothing. */
    async survey({ action, policy, suspects }: SurveyRequest): Promise<Survey> {
      return runStep(dependencies, { action }, async (call) => {
        const { definition, policy: ownPolicy } = declaredAction(actions, action)
        const lifetime = lifetimeOf(ownPolicy)
        const objects = (await definition.list?.({ ...call, action })) ?? []
        const known = new Map(suspects.map(({ digest, overSinceMs }) => [digest, overSinceMs]))
        const evidenceOf = evidenceReader(vercel, reads)
        const counts: Partial<Record<Verdict, number>> = {}
        const cases: Case[] = []
        const found: Suspect[] = []
        await inParallel(objects, AT_A_TIME, async (object) => {
          call.signal.throwIfAborted()
          const digest = object.owner && actionDigest(object.owner)
          const overSinceMs = digest === undefined ? undefined : known.get(digest)
          const context = { policy, lifetime, overSinceMs, evidenceOf, signal: call.signal }
          const { run, ...judgement } = await examine(object, context)
          counts[judgement.verdict] = (counts[judgement.verdict] ?? 0) + 1
          if (digest !== undefined && judgement.overSinceMs !== undefined)
            found.push({ action, digest, overSinceMs: judgement.overSinceMs })
          if (judgement.verdict !== 'keep' && judgement.verdict !== 'foreign')
            cases.push({ action, object, ...judgement, failedBefore: run === 'failed' })
        })
        log.info('reconciliation.surveyed', { action, ...counts })
        return joinSurveys([{ counts, cases, suspects: found }])
      })
    },

    /** Looks at the object once more, and does what is to be done if that is still the same. */
    async reconcile({ found, policy }: ActRequest): Promise<ActResult> {
      const { action, object } = found
      return runStep(dependencies, object.owner ?? { action }, async (call) => {
        const { verdict, because, run } = await examine(object, {
          policy,
          lifetime: lifetimeOf(actions.get(action)?.policy),
          overSinceMs: found.overSinceMs,
          evidenceOf: evidenceReader(vercel, reads),
          signal: call.signal,
        })
        if (verdict !== found.verdict) return { kind: 'changed', because }
        const result = await doAct({ ...found, because }, found.verdict, run, call)
        log.info('reconciliation.acted', { action, name: object.name, verdict, because, ...result })
        return result
      })
    },
  }
}

function lifetimeOf(policy: Policy | undefined): Lifetime | undefined {
  if (policy?.ttlMs === undefined) return undefined
  const { ttlMs, protectedBranches } = policy
  return { ttlMs, protectedBranches }
}
