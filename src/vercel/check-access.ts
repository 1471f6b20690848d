import type { Finding } from '../domain/finding.ts'
import { requestVercel, type VercelConnection } from './client.ts'
import { VercelApiError } from './errors.ts'

const MAX_CLOCK_SKEW_MS = 5000

/**
 * Whether Vercel answers, takes the token of this installation, and has the time that we have. Without an installation
 * the token must be one for all. Never throws.
 */
export async function checkVercelAccess(
  connection: VercelConnection,
  installationId = '',
): Promise<Finding[]> {
  return [await tokenFinding(connection, installationId), await clockFinding(connection)]
}

async function tokenFinding(
  connection: VercelConnection,
  installationId: string,
): Promise<Finding> {
  const subject = 'Vercel token'
  try {
    // No route tells what a token may do; one that is taken does not find a deployment that never was.
    await requestVercel(connection, {
      method: 'GET',
      path: ['v13', 'deployments', 'dpl_holdpoint_doctor'],
      installationId,
    })
    return { subject, level: 'ok', message: 'taken' }
  } catch (error) {
    if (!(error instanceof VercelApiError)) throw error
    if (error.status === 404)
      return { subject, level: 'ok', message: `taken by ${connection.baseUrl}` }
    if (error.code === 'no_access_token') {
      const fix = "see to it that the configuration's accessToken gives one"
      return { subject, level: 'error', message: error.message, fix }
    }
    if (error.status === 401 || error.status === 403) {
      return {
        subject,
        level: 'error',
        message: `refused (${error.status} ${error.code}), so no build could be released`,
        fix: installationId
          ? `give ${installationId} a token with the scope to update deployment actions: have it installed again`
          : "set VERCEL_ACCESS_TOKEN to the installation's token, with the scope to update deployment actions",
      }
    }
    return {
      subject,
      level: 'error',
      message: error.message,
      fix: `check VERCEL_API_URL (${connection.baseUrl}) and the way from this machine to it`,
    }
  }
}

async function clockFinding({ baseUrl, timeoutMs }: VercelConnection): Promise<Finding> {
  const subject = 'Clock'
  try {
    const response = await fetch(baseUrl, {
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    })
    await response.body?.cancel()
    const skewMs = Math.abs(Date.now() - Date.parse(response.headers.get('date') ?? ''))
    if (Number.isNaN(skewMs))
      return { subject, level: 'ok', message: 'Vercel told no time to compare with' }
    // The header has whole seconds.
    if (skewMs <= MAX_CLOCK_SKEW_MS)
      return { subject, level: 'ok', message: 'agrees with that of Vercel' }
    return {
      subject,
      level: 'warning',
      message: `${Math.round(skewMs / 1000)} s away from that of Vercel, so times in the Web UI and waits until a date are wrong`,
      fix: 'synchronise the clock of this machine (NTP)',
    }
  } catch {
    return {
      subject,
      level: 'warning',
      message: 'not compared, since Vercel did not answer',
      fix: 'mend the finding above',
    }
  }
}
