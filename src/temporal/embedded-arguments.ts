import type { ServerPorts } from './embedded-home.ts'

/** The command line of the CLI for a server that makes single workflows quick, and durable if it has a file. */
export function serverArguments(
  ports: ServerPorts,
  {
    namespace = 'default',
    databaseFile,
    codecEndpoint,
  }: {
    namespace?: string | undefined
    databaseFile?: string | undefined
    codecEndpoint?: string | undefined
  },
): string[] {
  return [
    'server',
    'start-dev',
    '--log-level=warn',
    `--namespace=${namespace}`,
    `--ip=${ports.ip}`,
    `--port=${ports.port}`,
    `--ui-port=${ports.uiPort}`,
    ...DYNAMIC_CONFIG.map((value) => `--dynamic-config-value=${value}`),
    ...(databaseFile ? [`--db-filename=${databaseFile}`, ...DURABILITY] : []),
    ...(codecEndpoint ? [`--ui-codec-endpoint=${codecEndpoint}`] : []),
  ]
}

const DYNAMIC_CONFIG = [
  // The server has one shard, and polls each queue of it at most 20 times a second by default: 50 ms a hop.
  'history.transferProcessorMaxPollRPS=2000',
  'history.timerProcessorMaxPollRPS=2000',
  // By default any timer, a retry's too, fires up to a second late.
  'history.timerProcessorMaxTimeShift="10ms"',
  // Only Temporal's list may wait: no build does for it, and a run that ends meanwhile is written to it once, not twice.
  'history.visibilityProcessorMaxPollRPS=1',
  'history.visibilityTaskBatchSize=1000',
  'history.visibilityProcessorSchedulerWorkerCount=1',
  'system.enableActivityEagerExecution=true',
  // It would ask a host on the internet for news.
  'frontend.enableServerVersionCheck=false',
]

// An acknowledged webhook must survive a power cut; the log makes that cost one sync instead of four.
const DURABILITY = ['--sqlite-pragma=journal_mode=wal', '--sqlite-pragma=synchronous=full']
