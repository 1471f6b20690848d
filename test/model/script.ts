import type { ActionKey } from '../../src/domain/action-key.ts'

/** What our code asks of others while it works for an action, in words of the action. */
export const STEPS = [
  /** Temporal is asked to store a webhook. */
  'accept',
  /** A task of the workflow begins. */
  'task',
  'fetch deployment',
  'report running',
  'report succeeded',
  'report failed',
  /** The deployment is read because a report was refused. */
  'judge refusal',
  /** The provider lets a step in, before it excludes any other for the same branch. */
  'enter provider',
  /** Temporal is asked whether a step is still wanted. */
  'confirm',
  'create branch',
  'open branch',
  'delete branch',
  'list branches',
  /** A deployment's claim is put on a shared branch, or taken off. */
  'claim branch',
  'release claim',
  'migrate',
  'ready',
  'request cancellation',
] as const

export type Step = (typeof STEPS)[number]

/** How a call goes wrong. */
export const FAULTS = [
  'unreachable',
  'cut off before its effect',
  'cut off after its effect',
  'silent, without effect',
  'silent, after its effect',
  'slow to take effect',
  'a second late',
  'slow to answer',
  'too busy',
  'broken before its effect',
  'broken after its effect',
  'unauthorized',
  'refused as 400',
  'refused as 404',
  'refused as 409',
  'refused as 410',
] as const

export type Fault = (typeof FAULTS)[number]

/** A script decides what happens at which step. */
export interface Script {
  /** The step has come to this point, for this action. */
  reached(key: ActionKey, step: Step, when: 'before' | 'after'): void
  /** How the call that now begins goes wrong, if it does. Asked once for each call. */
  nextFault(key: ActionKey, step: Step): Fault | undefined
  /** Notes one line of the story. */
  tell(line: string): void
}

export function nameOf(key: ActionKey): string {
  return `${key.deploymentId}/${key.action}`
}
