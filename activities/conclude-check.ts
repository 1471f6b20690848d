import { Context } from '@temporalio/activity'
import type { CheckRunKey, CheckVerdict } from '../src/domain/check-run.ts'
import type { Log } from '../src/log.ts'
import type { Dependencies } from './dependencies.ts'
import { isFinalRefusal } from './final-refusal.ts'

/**
 * Has `send` tell Vercel the verdict, and answers whether Vercel took it now. A refusal is an answer too: nobody waits
 * for it any more, or an earlier try had it taken. `send` answers false where there is nobody to tell. What is logged are
 * the key and `told`.
 */
export async function concludeCheck(
  { log }: Pick<Dependencies, 'log'>,
  { key, verdict, told }: { key: CheckRunKey; verdict: CheckVerdict; told: object },
  send: (verdict: CheckVerdict) => Promise<boolean>,
): Promise<boolean> {
  const { attempt } = Context.current().info
  try {
    const { externalUrl: given, ...rest } = verdict
    const externalUrl = usableUrl(given, key, log)
    const sent = await send({ ...rest, ...(externalUrl !== undefined && { externalUrl }) })
    if (!sent) return false
    log.info('check.concluded', { ...key, ...told })
    return true
  } catch (error) {
    if (!isFinalRefusal(error, attempt)) throw error
    log.warn('check.conclusion_not_taken', { ...key, ...told, error })
    return false
  }
}

/** An address that Vercel would refuse must not cost the conclusion. */
export function usableUrl(url: string | undefined, key: CheckRunKey, log: Log): string | undefined {
  if (url === undefined || (/^(https?:\/\/|sso:)/.test(url) && URL.canParse(url))) return url
  log.warn('check.external_url_unusable', { ...key, url })
  return undefined
}
