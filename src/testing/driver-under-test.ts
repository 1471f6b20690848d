import type { BranchConnection, ResourceDriver } from '../drivers/driver.ts'

/** A driver against a real provider, and the provider's other side, by which a test sees what the driver did. */
export interface DriverUnderTest {
  readonly driver: ResourceDriver
  /**
   * Set where branches live inside their resource, as in a Neon project: they are looked for there only, and go with it.
   * Elsewhere a name means one branch of the whole provider, and a branch outlives its resource.
   */
  readonly branchesLiveInside?: true
  /** A new resource that holds these lines. `close` deletes it if nobody did. */
  makeSource(lines: readonly string[]): Promise<string>
  /** Deletes the resource at the provider, whoever works with it. */
  deleteSource(source: string): Promise<void>
  /** Comes in through the branch's connection, as the deployment does. */
  readLines(connection: BranchConnection): Promise<string[]>
  addLine(connection: BranchConnection, line: string): Promise<void>
  /** Keeps a connection to the branch open until `close`. */
  stayConnected(connection: BranchConnection): Promise<void>
  /** All that exists at the provider under this name, whoever made it. */
  remains(name: string): Promise<string[]>
  /**
   * Makes what a branch of this name is made of without the driver: with somebody else's words where the driver writes
   * the owner, or with nothing there. Answers what deletes it again.
   */
  makeLookalike?(name: string, words: string | undefined): Promise<() => Promise<void>>
  /**
   * Hands `act` a driver whose connection breaks once: the provider has done the `nth` request (1, 2, …) that is made
   * through it, and the answer is lost. Answers whether it came to that: false when `act` makes fewer requests.
   */
  loseAnswer?(nth: number, act: (driver: ResourceDriver) => Promise<unknown>): Promise<boolean>
  close(): Promise<void>
}
