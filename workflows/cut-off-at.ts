import {
  type ApplicationFailure,
  CancellationScope,
  isCancellation,
  sleep,
} from '@temporalio/workflow'

/** Does the work until it ends or the deadline comes, in milliseconds since 1970; then it throws `outOfTime`. */
export async function cutOffAt<Result>(
  deadlineAt: number,
  outOfTime: ApplicationFailure,
  work: () => Promise<Result>,
): Promise<Result> {
  const leftMs = deadlineAt - Date.now()
  if (leftMs <= 0) throw outOfTime
  const inTime = new CancellationScope()
  let late = false
  const ring = () => {
    late = true
    inTime.cancel()
  }
  // When the work has ended the alarm is left to itself: to take it back is one event more.
  sleep(leftMs).then(ring, () => {})
  try {
    return await inTime.run(work)
  } catch (error) {
    throw late && isCancellation(error) ? outOfTime : error
  }
}
