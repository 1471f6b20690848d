/** Does the work in so many lanes at once: most of it is waiting, for processes and for timeouts. */
export async function inLanes<Result>(
  lanes: number,
  work: (lane: number) => Promise<Result>,
): Promise<Result[]> {
  return await Promise.all(Array.from({ length: lanes }, (_, lane) => work(lane)))
}
