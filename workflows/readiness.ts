/** Answers at once. Run before a process says it is ready: by then Temporal, the task queue and a worker are proved. */
export async function readiness(): Promise<'ready'> {
  return 'ready'
}
