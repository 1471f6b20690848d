import { ActivityCancellationDetails } from '@temporalio/common/lib/activity-cancellation-details.js'
import { tsToMs } from '@temporalio/common/lib/time.js'
import {
  decompileRetryPolicy,
  defaultPayloadConverter,
  type Payload,
  type RetryPolicy,
} from '@temporalio/common'
import { type WorkflowClient, WorkflowExecutionAlreadyStartedError } from '@temporalio/client'
import proto from '@temporalio/proto'
import type { ActionKey } from '../../src/domain/action-key.ts'
import { ActionFailure } from '../../src/domain/failure.ts'
import { type ActivityExecution, type ActivityResult, executeActivity } from './execute-activity.ts'
import { callRemotely } from './remote-call.ts'
import { nameOf, type Script } from './script.ts'
import { SECRET_MARK } from './model-provider.ts'
import type { Alarm, Process, VirtualClock } from './virtual-clock.ts'
import type { CachedWorkflow, Command, Job, WorkflowCode } from './workflow-code.ts'

const WAIT_FOR_ITS_END: number =
  proto.coresdk.workflow_commands.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED
const { TimeoutType, RetryState } = proto.temporal.api.enums.v1

type Failure = proto.temporal.api.failure.v1.IFailure

// As the worker and the front door set them: src/temporal/worker.ts, src/dispatch/describe-run.ts.
const TASK_TIMEOUT_MS = 3000
const STICKY_TIMEOUT_MS = 2000
const RETENTION_MS = 72 * 3_600_000
/** A worker that runs local activities hands its task back after this long, and takes a new one. */
const TASK_HEARTBEAT_MS = TASK_TIMEOUT_MS * 0.8
const POLL_MS = 2
const COMPLETE_TASK_MS = 4
const RESTART_MS = 800

/** What a worker decided in one activation, and on what. */
interface Decision {
  readonly timestampMs: number
  readonly jobs: readonly Job[]
  readonly commands: readonly Command[]
}

interface LocalActivity {
  readonly seq: number
  readonly type: string
  readonly input: readonly Payload[]
  readonly startToCloseMs: number
  readonly retry: RetryPolicy
  readonly cancellationType: number
  execution: ActivityExecution | undefined
  alarm: Alarm | undefined
  canceled: boolean
}

interface ScheduledActivity {
  readonly seq: number
  readonly type: string
  readonly input: readonly Payload[]
  readonly startToCloseMs: number
  readonly scheduleToCloseMs: number
  readonly heartbeatMs: number
  readonly retry: RetryPolicy
  readonly scheduledAt: number
  readonly cancellationType: number
  attempt: number
  state: 'waiting' | 'started' | 'closed'
  /** What its current attempt is known by. */
  token: string | undefined
  cancelRequested: boolean
  heartbeatAt: number
  lastFailure: Failure | undefined
  alarms: Alarm[]
  /** Whether the workflow still wants to hear of it. */
  awaited: boolean
}

interface WorkflowTask {
  started: boolean
  jobs: Job[]
  readonly decisions: Decision[]
  alarm: Alarm | undefined
}

/** A run of a workflow, as the server keeps it. */
export interface Run {
  readonly workflowId: string
  readonly runId: string
  readonly type: string
  readonly key: ActionKey
  readonly startedAt: number
  status: 'open' | 'completed' | 'failed' | 'canceled'
  closedAt: number | undefined
  result: unknown
  /** What it would do again when it is replayed. */
  readonly history: Decision[]
  inbox: Job[]
  task: WorkflowTask | undefined
  cache: { workflow: CachedWorkflow; process: Process } | undefined
  lastProcess: Process | undefined
  locals: Map<number, LocalActivity>
  readonly activities: Map<number, ScheduledActivity>
  readonly timers: Map<number, Alarm>
  cancelRequested: boolean
}

type Activities = Record<string, (...args: never[]) => Promise<unknown>>

/**
 * A Temporal server with its workers, in virtual time: the real workflow code in the SDK's sandbox, the real activity
 * functions, and between them what the server and the SDK's core do with tasks, retries, timeouts, cancellation,
 * duplicates and crashes.
 */
export class ModelTemporal {
  readonly runs: Run[] = []
  readonly violations: string[] = []
  readonly #clock: VirtualClock
  readonly #script: Script
  readonly #code: WorkflowCode
  readonly #activities: Activities
  readonly #onLostProcess: (process: Process) => void
  /** Whether a worker forgets each run after each task, and so replays it for the next. */
  readonly #alwaysReplays: boolean
  #process: Process
  #processes = 0
  #waitingForProcess: (() => void)[] = []

  constructor(
    world: { clock: VirtualClock; script: Script },
    options: {
      code: WorkflowCode
      activities: Activities
      alwaysReplays: boolean
      onLostProcess: (process: Process) => void
    },
  ) {
    this.#clock = world.clock
    this.#script = world.script
    this.#code = options.code
    this.#activities = options.activities
    this.#alwaysReplays = options.alwaysReplays
    this.#onLostProcess = options.onLostProcess
    this.#process = this.#newProcess()
  }

  // What a client asks for.

  /** Stands in for the client that the front door uses. */
  readonly client = {
    start: (type: string, options: StartOptions) => {
      const latest = this.latestRun(options.workflowId)
      if (
        latest?.status === 'open' ||
        (latest && options.workflowIdReusePolicy === 'REJECT_DUPLICATE')
      )
        throw new WorkflowExecutionAlreadyStartedError('started', options.workflowId, type)
      this.#start(type, options, [])
      return Promise.resolve({})
    },
    signalWithStart: (
      type: string,
      options: StartOptions & { signal: { name: string }; signalArgs: unknown[] },
    ) => {
      const latest = this.latestRun(options.workflowId)
      const signal: Job = {
        signalWorkflow: {
          signalName: options.signal.name,
          input: options.signalArgs.map((arg) => defaultPayloadConverter.toPayload(arg)),
          identity: 'client',
          headers: {},
        },
      }
      if (latest?.status === 'open') this.#deliver(latest, signal)
      else if (latest && options.workflowIdReusePolicy === 'REJECT_DUPLICATE')
        throw new WorkflowExecutionAlreadyStartedError('started', options.workflowId, type)
      else this.#start(type, options, [signal])
      return Promise.resolve({})
    },
  } as unknown as WorkflowClient

  /** The latest run of this id that the namespace still keeps. */
  latestRun(workflowId: string): Run | undefined {
    return this.runs.findLast(
      (run) =>
        run.workflowId === workflowId &&
        (run.closedAt === undefined || run.closedAt + RETENTION_MS > this.#clock.now),
    )
  }

  /** Asks for the cancellation of the run, as an operator or the run itself does. */
  cancelRun({ runId }: { runId: string }): void {
    const run = this.runs.find((candidate) => candidate.runId === runId)
    if (run?.status !== 'open' || run.cancelRequested) return
    run.cancelRequested = true
    this.#deliver(run, { cancelWorkflow: { reason: 'asked for' } })
  }

  /** What `confirmAttempt` of src/temporal asks the server. */
  confirmAttempt = (taskToken: Uint8Array): Promise<void> => {
    const token = Buffer.from(taskToken).toString()
    const found = this.#byToken(token)
    return callRemotely(
      { clock: this.#clock, script: this.#script },
      {
        key: found?.run.key ?? keyOfToken(token, this.runs),
        step: 'confirm',
        latencyMs: 2,
        signal: AbortSignal.timeout(10_000),
        effect: () => {
          const current = this.#byToken(token)
          if (current?.activity.cancelRequested === false) {
            current.activity.heartbeatAt = this.#clock.now
            return
          }
          throw new ActionFailure('attempt_given_up', 'Given up.', { retryable: true })
        },
        fail: () => {
          throw new ActionFailure('temporal_unreachable', 'Unreachable.', { retryable: true })
        },
      },
    )
  }

  // What befalls workers.

  /** The process that takes new tasks; undefined while there is none. */
  get worker(): Process | undefined {
    return this.#process.died ? undefined : this.#process
  }

  /** The worker dies in the middle of everything; another one starts soon. */
  crash(): void {
    const process = this.#process
    if (process.died) return
    this.#script.tell('The worker dies')
    process.died = true
    this.#forget(process)
    this.#onLostProcess(process)
    this.#clock.outside(RESTART_MS, () => {
      this.#process = this.#newProcess()
      for (const go of this.#waitingForProcess.splice(0)) go()
    })
  }

  /** The worker stands still and goes on later, knowing nothing of it; another one takes over at once. */
  standStill(forMs: number): void {
    const process = this.#process
    if (process.died) return
    this.#script.tell(`The worker stands still for ${forMs} ms`)
    process.standsStillUntil = this.#clock.now + forMs
    this.#forget(process)
    this.#process = this.#newProcess()
  }

  /** The worker forgets the runs it holds, as it does when its cache is full. */
  evict(): void {
    this.#forget(this.#process)
  }

  #newProcess(): Process {
    return { name: `worker ${++this.#processes}`, died: false, standsStillUntil: 0 }
  }

  #forget(process: Process): void {
    for (const run of this.runs) {
      if (run.cache?.process !== process) continue
      // A task in hand is lost with it, unless only the cache is.
      if (run.task?.started) {
        if (
          process === this.#process &&
          !process.died &&
          process.standsStillUntil <= this.#clock.now
        )
          continue
      }
      this.#drop(run)
    }
  }

  #drop(run: Run): void {
    const { cache } = run
    run.cache = undefined
    for (const local of run.locals.values()) local.alarm?.cancel()
    run.locals = new Map()
    void cache?.workflow.dispose()
  }

  // Runs.

  #start(type: string, options: StartOptions, signals: Job[]): void {
    const [request] = options.args as [{ key: ActionKey }]
    const runId = `run-${this.runs.length + 1}`
    const run: Run = {
      workflowId: options.workflowId,
      runId,
      type,
      key: request.key,
      startedAt: this.#clock.now,
      status: 'open',
      closedAt: undefined,
      result: undefined,
      history: [],
      inbox: [
        {
          initializeWorkflow: {
            workflowId: options.workflowId,
            workflowType: type,
            arguments: options.args.map((arg) => defaultPayloadConverter.toPayload(arg)),
            headers: {},
          },
        },
        ...signals,
      ],
      task: undefined,
      cache: undefined,
      lastProcess: undefined,
      locals: new Map(),
      activities: new Map(),
      timers: new Map(),
      cancelRequested: false,
    }
    this.#search(run, options)
    this.runs.push(run)
    this.#script.tell(`Temporal: ${type} of ${nameOf(run.key)} starts (${runId})`)
    this.#scheduleTask(run)
  }

  #deliver(run: Run, job: Job): void {
    if (run.status !== 'open') return
    run.inbox.push(job)
    this.#scheduleTask(run)
  }

  // Workflow tasks.

  #scheduleTask(run: Run): void {
    if (run.task || run.status !== 'open') return
    run.task = { started: false, jobs: [], decisions: [], alarm: undefined }
    const { task } = run
    const { lastProcess } = run
    const sticky = lastProcess !== undefined && !this.#works(lastProcess)
    run.lastProcess = undefined
    this.#clock.outside(sticky ? STICKY_TIMEOUT_MS : POLL_MS, () => this.#startTask(run, task))
  }

  #startTask(run: Run, task: WorkflowTask): void {
    if (this.#process.died) {
      this.#waitingForProcess.push(() =>
        this.#clock.outside(POLL_MS, () => this.#startTask(run, task)),
      )
      return
    }
    const process = this.#process
    this.#script.reached(run.key, 'task', 'before')
    task.started = true
    task.jobs = run.inbox.sort((one, other) => rank(one) - rank(other))
    run.inbox = []
    run.lastProcess = process
    task.alarm = this.#clock.outside(TASK_TIMEOUT_MS, () => this.#loseTask(run, task))
    this.#clock.within(process, () => {
      this.#clock.after(TASK_HEARTBEAT_MS, () => {
        if (run.locals.size > 0 && run.cache?.process === process) this.#completeTask(run, task)
      })
      this.#letWork(run, task, process, task.jobs)
    })
  }

  #letWork(run: Run, task: WorkflowTask, process: Process, jobs: Job[]): void {
    const work = this.#work(run, task, process, jobs).catch((error: unknown) => {
      // A worker would try again for ever.
      this.#violated(`${run.type} of ${nameOf(run.key)}: ${String(error)}`)
      this.#close(run, 'failed', undefined)
      this.#drop(run)
    })
    this.#clock.takesNoTime(work)
  }

  /** The worker's part: replays the run if it does not hold it, and lets it decide on these jobs. */
  async #work(run: Run, task: WorkflowTask, process: Process, jobs: Job[]): Promise<void> {
    if (run.cache && run.cache.process !== process) this.#drop(run)
    run.cache ??= { workflow: await this.#replay(run), process }
    let left = jobs
    // A task that only goes on with local activities brings nothing new.
    while (left.length > 0) {
      const timestampMs = this.#clock.now
      const commands = await run.cache.workflow.activate({
        timestampMs,
        jobs: left,
        isReplaying: false,
      })
      this.#search(run, commands)
      task.decisions.push({ timestampMs, jobs: left, commands })
      this.#checkSilence(run, task, commands)
      left = this.#followLocally(run, task, commands)
    }
    this.#afterActivation(run, task)
  }

  /** A run that knows it is withdrawn reports no failure. */
  #checkSilence(run: Run, task: WorkflowTask, commands: readonly Command[]): void {
    const withdrawn = [...run.history, ...task.decisions].some(({ jobs }) =>
      jobs.some((job) => job.signalWorkflow ?? job.cancelWorkflow),
    )
    if (
      withdrawn &&
      commands.some((command) => command.scheduleActivity?.activityType === 'reportFailed')
    )
      this.#violated(`${nameOf(run.key)} is reported failed though it is withdrawn`)
  }

  #afterActivation(run: Run, task: WorkflowTask): void {
    if (run.locals.size === 0 || closes(task)) {
      this.#clock.after(COMPLETE_TASK_MS, () => this.#completeTask(run, task))
      return
    }
    for (const local of run.locals.values()) {
      if (!local.execution && !local.alarm) this.#executeLocally(run, local, 1)
    }
  }

  /** Takes up what the worker itself does of these commands. Answers what the workflow hears of at once. */
  #followLocally(run: Run, task: WorkflowTask, commands: readonly Command[]): Job[] {
    const answers: Job[] = []
    for (const command of commands) {
      if (command.scheduleLocalActivity) addLocal(run, command)
      if (command.requestCancelLocalActivity) {
        const seq = command.requestCancelLocalActivity.seq ?? 0
        const local = run.locals.get(seq)
        if (!local || local.canceled) continue
        local.canceled = true
        local.execution?.cancel(
          'CANCELLED',
          new ActivityCancellationDetails({ cancelRequested: true }),
        )
        if (local.cancellationType !== WAIT_FOR_ITS_END || !local.execution) {
          local.alarm?.cancel()
          run.locals.delete(seq)
          answers.push(canceledJob(seq, local.type, true))
        }
      }
      if (command.requestCancelActivity) {
        const seq = command.requestCancelActivity.seq ?? 0
        const unsent = task.decisions
          .flatMap(({ commands }) => commands)
          .find((other) => other.scheduleActivity?.seq === seq)?.scheduleActivity
        if (unsent) answers.push(canceledJob(seq, unsent.activityType ?? '', false))
        else {
          const activity = run.activities.get(seq)
          if (activity && activity.cancellationType !== WAIT_FOR_ITS_END) {
            activity.awaited = false
            answers.push(canceledJob(seq, activity.type, false))
          }
        }
      }
    }
    return answers
  }

  #completeTask(run: Run, task: WorkflowTask): void {
    if (run.task !== task) return
    task.alarm?.cancel()
    if (closes(task) && run.inbox.length > 0) {
      // The server refuses to close a run that has news; the worker decides anew, knowing them.
      this.#script.tell(`Temporal: ${nameOf(run.key)} has news, so its end is refused`)
      this.#loseTask(run, task)
      return
    }
    run.task = undefined
    run.history.push(...task.decisions)
    const commands = task.decisions.flatMap((decision) => decision.commands)
    const unsent = new Set<number>()
    for (const { requestCancelActivity } of commands) {
      const seq = requestCancelActivity?.seq
      if (seq != null && commands.some((command) => command.scheduleActivity?.seq === seq))
        unsent.add(seq)
    }
    for (const command of commands) {
      if (run.status !== 'open') break
      this.#follow(run, command, unsent)
    }
    if (run.status !== 'open') {
      this.#drop(run)
      return
    }
    if (this.#alwaysReplays && run.locals.size === 0) this.#drop(run)
    if (run.inbox.length > 0 || run.locals.size > 0) this.#scheduleTask(run)
  }

  /** The task's worker is gone, or its answer was refused: what it was told is told again, after a replay. */
  #loseTask(run: Run, task: WorkflowTask): void {
    if (run.task !== task) return
    task.alarm?.cancel()
    this.#drop(run)
    run.inbox = [...task.jobs, ...run.inbox]
    run.task = undefined
    this.#scheduleTask(run)
  }

  async #replay(run: Run): Promise<CachedWorkflow> {
    const workflow = await this.#code.create({
      workflowId: run.workflowId,
      runId: run.runId,
      workflowType: run.type,
      startedAt: run.startedAt,
      taskTimeoutMs: TASK_TIMEOUT_MS,
    })
    run.locals = new Map()
    for (const { timestampMs, jobs, commands } of run.history) {
      const again = await workflow.activate({ timestampMs, jobs, isReplaying: true })
      const before = printedBefore.get(commands) ?? printed(commands)
      printedBefore.set(commands, before)
      if (printed(again) !== before)
        this.#violated(`${run.type} of ${nameOf(run.key)} does something else when replayed`)
      for (const command of commands) {
        if (command.scheduleLocalActivity) addLocal(run, command)
      }
      for (const { resolveActivity } of jobs) {
        if (resolveActivity?.isLocal) run.locals.delete(resolveActivity.seq ?? 0)
      }
    }
    return workflow
  }

  // Commands.

  #follow(run: Run, command: Command, unsent: ReadonlySet<number>): void {
    const { startTimer, cancelTimer, scheduleActivity, requestCancelActivity } = command
    if (startTimer) {
      const seq = startTimer.seq ?? 0
      const alarm = this.#clock.outside(tsToMs(startTimer.startToFireTimeout), () => {
        run.timers.delete(seq)
        this.#deliver(run, { fireTimer: { seq } })
      })
      run.timers.set(seq, alarm)
    }
    if (cancelTimer) {
      const seq = cancelTimer.seq ?? 0
      run.timers.get(seq)?.cancel()
      run.timers.delete(seq)
      run.inbox = run.inbox.filter(({ fireTimer }) => fireTimer?.seq !== seq)
    }
    if (scheduleActivity && !unsent.has(scheduleActivity.seq ?? 0)) {
      const activity: ScheduledActivity = {
        seq: scheduleActivity.seq ?? 0,
        type: scheduleActivity.activityType ?? '',
        input: scheduleActivity.arguments ?? [],
        startToCloseMs: ms(scheduleActivity.startToCloseTimeout),
        scheduleToCloseMs: ms(scheduleActivity.scheduleToCloseTimeout),
        heartbeatMs: ms(scheduleActivity.heartbeatTimeout),
        retry: decompileRetryPolicy(scheduleActivity.retryPolicy) ?? {},
        scheduledAt: this.#clock.now,
        cancellationType: scheduleActivity.cancellationType ?? 0,
        attempt: 1,
        state: 'waiting',
        token: undefined,
        cancelRequested: false,
        heartbeatAt: 0,
        lastFailure: undefined,
        alarms: [],
        awaited: true,
      }
      run.activities.set(activity.seq, activity)
      this.#clock.outside(POLL_MS, () => this.#startAttempt(run, activity))
    }
    if (requestCancelActivity) {
      const activity = run.activities.get(requestCancelActivity.seq ?? 0)
      if (activity && activity.state !== 'closed') {
        activity.cancelRequested = true
        if (activity.state === 'waiting')
          this.#closeActivity(run, activity, {
            cancelled: { failure: { message: 'canceled', canceledFailureInfo: {} } },
          })
      }
    }
    if (command.completeWorkflowExecution) {
      const { result } = command.completeWorkflowExecution
      this.#close(run, 'completed', result && defaultPayloadConverter.fromPayload(result))
    }
    if (command.failWorkflowExecution)
      this.#close(run, 'failed', command.failWorkflowExecution.failure?.message)
    if (command.cancelWorkflowExecution) this.#close(run, 'canceled', undefined)
  }

  #close(run: Run, status: 'completed' | 'failed' | 'canceled', result: unknown): void {
    run.status = status
    run.closedAt = this.#clock.now
    run.result = result
    for (const alarm of run.timers.values()) alarm.cancel()
    for (const activity of run.activities.values()) this.#stopAlarms(activity)
    this.#script.tell(
      `Temporal: ${run.type} of ${nameOf(run.key)} is ${status} (${run.runId}) ${JSON.stringify(result) ?? ''}`,
    )
  }

  // Activities.

  #startAttempt(run: Run, activity: ScheduledActivity): void {
    if (run.status !== 'open' || activity.state !== 'waiting') return
    if (this.#process.died) {
      this.#waitingForProcess.push(() =>
        this.#clock.outside(POLL_MS, () => this.#startAttempt(run, activity)),
      )
      return
    }
    const process = this.#process
    const token = `${run.runId}/${activity.seq}/${activity.attempt}`
    activity.state = 'started'
    activity.token = token
    activity.heartbeatAt = this.#clock.now
    const timeOut = (type: number) =>
      this.#attemptFailed(run, activity, token, timeoutFailure(type))
    activity.alarms = [
      this.#clock.outside(activity.startToCloseMs, () =>
        timeOut(TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE),
      ),
    ]
    if (activity.heartbeatMs < Infinity) this.#watchHeartbeats(run, activity, token, timeOut)
    this.#clock.within(process, () => {
      const execution = executeActivity({
        run,
        activity,
        token,
        isLocal: false,
        fn: this.#activities[activity.type]!,
        onHeartbeat: () =>
          this.#clock.after(1, () => this.#heartbeat(activity, token, execution), { timer: true }),
        onEnd: (result) =>
          this.#clock.after(POLL_MS, () => {
            this.#search(run, result)
            this.#attemptEnded(run, activity, token, result)
          }),
      })
      // The worker stops waiting for an attempt that takes too long, a while after the server did.
      this.#clock.after(activity.startToCloseMs + 5000, () =>
        execution.cancel('TIMED_OUT', new ActivityCancellationDetails({ timedOut: true })),
      )
    })
  }

  #watchHeartbeats(
    run: Run,
    activity: ScheduledActivity,
    token: string,
    timeOut: (type: number) => void,
  ): void {
    const left = activity.heartbeatAt + activity.heartbeatMs - this.#clock.now
    activity.alarms.push(
      this.#clock.outside(left, () => {
        if (activity.token !== token || activity.state !== 'started') return
        if (this.#clock.now >= activity.heartbeatAt + activity.heartbeatMs)
          timeOut(TimeoutType.TIMEOUT_TYPE_HEARTBEAT)
        else this.#watchHeartbeats(run, activity, token, timeOut)
      }),
    )
  }

  #heartbeat(activity: ScheduledActivity, token: string, execution: ActivityExecution): void {
    if (activity.token !== token || activity.state !== 'started') {
      execution.cancel('NOT_FOUND', new ActivityCancellationDetails({ notFound: true }))
      return
    }
    activity.heartbeatAt = this.#clock.now
    if (activity.cancelRequested)
      execution.cancel('CANCELLED', new ActivityCancellationDetails({ cancelRequested: true }))
  }

  #attemptEnded(
    run: Run,
    activity: ScheduledActivity,
    token: string,
    result: ActivityResult,
  ): void {
    if (run.status !== 'open' || activity.token !== token || activity.state !== 'started') return
    if (result.completed) this.#closeActivity(run, activity, { completed: result.completed })
    else if (result.failed) this.#attemptFailed(run, activity, token, result.failed.failure ?? {})
    else if (result.cancelled && activity.cancelRequested)
      this.#closeActivity(run, activity, { cancelled: { failure: result.cancelled.failure ?? {} } })
    // A cancellation that nobody asked for is refused by the server: the attempt times out.
  }

  #attemptFailed(run: Run, activity: ScheduledActivity, token: string, failure: Failure): void {
    if (run.status !== 'open' || activity.token !== token || activity.state !== 'started') return
    this.#stopAlarms(activity)
    const { retry, attempt } = activity
    const application = failure.applicationFailureInfo
    const pauseMs = pauseAfter(retry, attempt, failure)
    const expired = this.#clock.now + pauseMs >= activity.scheduledAt + activity.scheduleToCloseMs
    if (
      activity.cancelRequested ||
      application?.nonRetryable ||
      attempt >= (retry.maximumAttempts ?? Infinity) ||
      expired
    ) {
      this.#closeActivity(run, activity, { failed: { failure } })
      return
    }
    activity.state = 'waiting'
    activity.attempt++
    activity.lastFailure = failure
    this.#clock.outside(pauseMs + POLL_MS, () => this.#startAttempt(run, activity))
  }

  #closeActivity(
    run: Run,
    activity: ScheduledActivity,
    result: proto.coresdk.activity_result.IActivityResolution,
  ): void {
    this.#stopAlarms(activity)
    activity.state = 'closed'
    if (!activity.awaited) return
    const wrap = (failure: Failure): Failure => ({
      message: 'the activity failed',
      cause: failure,
      activityFailureInfo: {
        activityId: `${activity.seq}`,
        activityType: { name: activity.type },
        retryState: RetryState.RETRY_STATE_UNSPECIFIED,
      },
    })
    this.#deliver(run, {
      resolveActivity: {
        seq: activity.seq,
        isLocal: false,
        result: result.completed
          ? { completed: result.completed }
          : result.failed
            ? { failed: { failure: wrap(result.failed.failure ?? {}) } }
            : { cancelled: { failure: wrap(result.cancelled?.failure ?? {}) } },
      },
    })
  }

  #stopAlarms(activity: ScheduledActivity): void {
    for (const alarm of activity.alarms.splice(0)) alarm.cancel()
  }

  // Local activities.

  #executeLocally(run: Run, local: LocalActivity, attempt: number): void {
    local.alarm = undefined
    const startedAt = this.#clock.now
    local.execution = executeActivity({
      run,
      activity: {
        ...local,
        attempt,
        heartbeatMs: Infinity,
        scheduleToCloseMs: Infinity,
        scheduledAt: startedAt,
      },
      token: `${run.runId}/${local.seq}/${attempt}/local`,
      isLocal: true,
      fn: this.#activities[local.type]!,
      onHeartbeat: () => {},
      onEnd: (result) => end(result),
    })
    const { execution } = local
    const timeout = this.#clock.after(local.startToCloseMs, () => {
      execution.cancel('TIMED_OUT', new ActivityCancellationDetails({ timedOut: true }))
      end({ failed: { failure: timeoutFailure(TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE) } })
    })
    const end = (result: ActivityResult) => {
      timeout.cancel()
      if (local.execution !== execution || run.locals.get(local.seq) !== local) return
      local.execution = undefined
      this.#search(run, result)
      const failure = result.failed?.failure
      const final =
        failure?.applicationFailureInfo?.nonRetryable ||
        attempt >= (local.retry.maximumAttempts ?? Infinity)
      if (failure && !final && !local.canceled) {
        local.alarm = this.#clock.after(pauseAfter(local.retry, attempt, failure), () =>
          this.#executeLocally(run, local, attempt + 1),
        )
        return
      }
      this.#script.tell(`${nameOf(run.key)}: ${local.type} took ${this.#clock.now - startedAt} ms`)
      this.#clock.after(0, () => this.#resolveLocally(run, local, result))
    }
  }

  #resolveLocally(run: Run, local: LocalActivity, result: ActivityResult): void {
    if (run.locals.get(local.seq) !== local || !run.cache) return
    const { task } = run
    if (!task?.started) {
      // Between two tasks: the next one takes it.
      this.#clock.after(POLL_MS, () => this.#resolveLocally(run, local, result))
      return
    }
    run.locals.delete(local.seq)
    const resolved: Job = {
      resolveActivity: {
        seq: local.seq,
        isLocal: true,
        result: result.completed
          ? { completed: result.completed }
          : result.cancelled
            ? canceledJob(local.seq, local.type, true).resolveActivity!.result!
            : // Unlike that of a regular one, it comes without a wrapping.
              { failed: { failure: result.failed?.failure ?? {} } },
      },
    }
    this.#letWork(run, task, run.cache.process, [resolved])
  }

  #byToken(token: string): { run: Run; activity: ScheduledActivity } | undefined {
    const run = this.runs.find(({ runId }) => token.startsWith(`${runId}/`))
    if (run?.status !== 'open') return undefined
    for (const activity of run.activities.values()) {
      if (activity.token === token && activity.state === 'started') return { run, activity }
    }
    return undefined
  }

  #works(process: Process): boolean {
    return !process.died && process.standsStillUntil <= this.#clock.now
  }

  /** Looks for secrets in what the server keeps. */
  #search(run: Run, kept: unknown): void {
    if (reveals(kept)) this.#violated(`a secret stands in the history of ${nameOf(run.key)}`)
  }

  #violated(line: string): void {
    this.#script.tell(`VIOLATED: ${line}`)
    this.violations.push(line)
  }
}

interface StartOptions {
  readonly workflowId: string
  readonly workflowIdReusePolicy: 'REJECT_DUPLICATE' | 'ALLOW_DUPLICATE'
  readonly args: readonly unknown[]
}

function addLocal(run: Run, { scheduleLocalActivity }: Command): void {
  const seq = scheduleLocalActivity?.seq ?? 0
  run.locals.set(seq, {
    seq,
    type: scheduleLocalActivity?.activityType ?? '',
    input: scheduleLocalActivity?.arguments ?? [],
    startToCloseMs: ms(scheduleLocalActivity?.startToCloseTimeout),
    retry: decompileRetryPolicy(scheduleLocalActivity?.retryPolicy) ?? {},
    cancellationType: scheduleLocalActivity?.cancellationType ?? 0,
    execution: undefined,
    alarm: undefined,
    canceled: false,
  })
}

function canceledJob(seq: number, type: string, isLocal: boolean): Job {
  return {
    resolveActivity: {
      seq,
      isLocal,
      result: {
        cancelled: {
          failure: {
            message: 'the activity was canceled',
            cause: { message: 'canceled', canceledFailureInfo: {} },
            activityFailureInfo: { activityId: `${seq}`, activityType: { name: type } },
          },
        },
      },
    },
  }
}

function timeoutFailure(timeoutType: number): Failure {
  return { message: 'the activity timed out', timeoutFailureInfo: { timeoutType } }
}

function pauseAfter(retry: RetryPolicy, attempt: number, failure: Failure): number {
  const asked = failure.applicationFailureInfo?.nextRetryDelay
  if (asked) return tsToMs(asked)
  const initial = Number(retry.initialInterval ?? 1000)
  const longest = Number(retry.maximumInterval ?? 100 * initial)
  return Math.min(initial * (retry.backoffCoefficient ?? 2) ** (attempt - 1), longest)
}

function closes(task: WorkflowTask): boolean {
  return task.decisions.some(({ commands }) =>
    commands.some(
      (command) =>
        command.completeWorkflowExecution ??
        command.failWorkflowExecution ??
        command.cancelWorkflowExecution,
    ),
  )
}

/** The order in which a worker hands a task's news to the workflow. */
function rank(job: Job): number {
  if (job.initializeWorkflow) return 0
  if (job.signalWorkflow) return 1
  return job.resolveActivity?.isLocal ? 3 : 2
}

function ms(duration: Parameters<typeof tsToMs>[0]): number {
  return duration ? tsToMs(duration) : Infinity
}

function keyOfToken(token: string, runs: readonly Run[]): ActionKey {
  const run = runs.find(({ runId }) => token.startsWith(`${runId}/`))
  if (!run) throw new Error(`no run has the token ${token}`)
  return run.key
}

/** A long history is replayed many times. */
const printedBefore = new WeakMap<readonly Command[], string>()

function printed(commands: readonly Command[]): string {
  return JSON.stringify(commands, (_, value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value).toString() : value,
  )
}

function reveals(value: unknown): boolean {
  if (typeof value === 'string') return value.includes(SECRET_MARK)
  if (value instanceof Uint8Array) return Buffer.from(value).includes(SECRET_MARK)
  if (typeof value !== 'object' || value === null) return false
  return Object.values(value).some(reveals)
}
