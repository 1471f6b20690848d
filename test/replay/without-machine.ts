/** Takes out what tells of the machine: who did it (`pid@host`, also in names of sticky queues), and stacks. */
export function withoutMachine(json: string): string {
  const history: unknown = JSON.parse(json, (key, value: unknown) =>
    key === 'stackTrace' ? '' : value,
  )
  const text = JSON.stringify(history, null, 2)
  return `${text.replaceAll(/\d+@[A-Za-z0-9_.-]+/g, 'a-worker')}\n`
}
