export type InTurn = <Result>(
  name: string,
  signal: AbortSignal,
  work: () => Promise<Result>,
) => Promise<Result>

/**
 * Does what is asked for one name one after the other, in the order in which it was asked for, and what is for several
 * names at once. Whoever waits stops when its signal aborts. Of this process only.
 */
export function createTurns(): InTurn {
  const last = new Map<string, Promise<void>>()
  return async (name, signal, work) => {
    const before = last.get(name) ?? Promise.resolve()
    let end = () => {}
    const own = new Promise<void>((resolve) => {
      end = resolve
    })
    // Who gives up waiting does not let the next one overtake those before it.
    const all = before.then(() => own)
    last.set(name, all)
    void all.then(() => last.get(name) === all && last.delete(name))
    try {
      await unlessAborted(before, signal)
      return await work()
    } finally {
      end()
    }
  }
}

async function unlessAborted(waiting: Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  let abort = () => {}
  const aborted = new Promise<never>((_resolve, reject) => {
    abort = () => reject(signal.reason as Error)
  })
  signal.addEventListener('abort', abort, { once: true })
  try {
    await Promise.race([waiting, aborted])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
