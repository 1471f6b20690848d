/** Does the work of each name one after the other, in the order in which it came. */
export type TakeTurns = <Result>(
  name: string,
  signal: AbortSignal,
  work: () => Promise<Result>,
) => Promise<Result>

/**
 * Turns in this process. Who is aborted while he waits leaves with the signal's reason, and nobody comes in earlier for
 * that. Keeps nothing of a name that nobody works on.
 */
export function createTurns(): TakeTurns {
  const lasts = new Map<string, Promise<void>>()
  return async (name, signal, work) => {
    const before = lasts.get(name) ?? Promise.resolve()
    let leave = () => {}
    const left = new Promise<void>((resolve) => {
      leave = resolve
    })
    const last = before.then(() => left)
    lasts.set(name, last)
    void last.then(() => {
      if (lasts.get(name) === last) lasts.delete(name)
    })
    try {
      await untilAborted(before, signal)
      return await work()
    } finally {
      leave()
    }
  }
}

async function untilAborted(before: Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  let abort = () => {}
  const aborted = new Promise<never>((_resolve, reject) => {
    abort = () => reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
  })
  try {
    await Promise.race([before, aborted])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
