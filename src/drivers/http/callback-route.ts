import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { ResourceDriver } from '../driver.ts'
import type { HttpDriver } from './driver.ts'

const LARGEST_BODY_BYTES = 4 * 1024

/**
 * The route where providers say that there is news of a branch. 202 `accepted`, for an unknown branch and the second
 * time too: it wakes who waits for that branch in this process, and nothing else depends on it. 401 when no driver's
 * secret signed it; 400 signed but no `{ "branch" }`; 413 over 4 KiB.
 */
export function httpCallbackRoutes(drivers: readonly HttpDriver[]): Hono {
  const limit = bodyLimit({
    maxSize: LARGEST_BODY_BYTES,
    onError: (c) => c.json(error('body_too_large', TOO_LARGE), 413),
  })
  return new Hono().post('/', limit, async (c) => {
    const request = {
      headers: c.req.header(),
      body: new Uint8Array(await c.req.arrayBuffer()),
    }
    const outcomes = drivers.map((driver) => driver.receiveCallback(request))
    if (outcomes.includes('taken')) return c.json({ status: 'accepted' }, 202)
    if (outcomes.includes('invalid')) return c.json(error('invalid_callback', INVALID), 400)
    return c.json(error('invalid_signature', UNSIGNED), 401)
  })
}

/** The drivers that providers may call back. */
export function httpDriversOf(drivers: readonly (ResourceDriver | undefined)[]): HttpDriver[] {
  return [...new Set(drivers)].filter((driver) => driver !== undefined).filter(isHttpDriver)
}

function isHttpDriver(driver: ResourceDriver): driver is HttpDriver {
  return driver.kind === 'http' && 'receiveCallback' in driver
}

const TOO_LARGE = 'The body is over 4 KiB, more than any callback needs: it was not read.'
const INVALID =
  'The body does not name a branch, so nobody can be told of it: send { "branch": "<name>" }.'
const UNSIGNED =
  'This is not signed with the secret of an HTTP driver, or not in the last five minutes, so nobody knows who sent it: sign it as docs/http-driver.md says.'

function error(code: string, message: string): { error: { code: string; message: string } } {
  return { error: { code, message } }
}
