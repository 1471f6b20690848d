#!/usr/bin/env node
import { Command, Option } from 'commander'
import type { ActionsOptions } from './actions.ts'
import type { DemoOptions } from './demo.ts'
import type { GcOptions } from './gc.ts'
import type { ServiceSettings } from './service.ts'

/** What every command takes. */
export interface CommonOptions {
  readonly config: string
  readonly dataDir: string
  readonly ephemeral: boolean
}

const program = new Command('holdpoint').description(
  'Durable deployment integration actions for Vercel Marketplace providers',
)

/** A command on the provider's configuration. */
function command(name: string, description: string): Command {
  return withServers(name, description).option(
    '--config <file>',
    'the configuration',
    'temporal.config.ts',
  )
}

function withServers(name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .option('--data-dir <directory>', 'where embedded servers keep their data', '.holdpoint')
    .option('--ephemeral', 'forget the data of embedded servers at the end', false)
}

function role(name: string, description: string, roles: ServiceSettings['roles']): void {
  command(name, description).action(async (options: CommonOptions) =>
    (await import('./run-roles.ts')).runRoles(options, roles),
  )
}

// A command is imported when it is called: without all the others, a service that was killed is back sooner.
command('dev', 'run everything on this machine, with a local Vercel to deploy on').action(
  async (options: CommonOptions) => (await import('./dev.ts')).dev(options),
)
withServers('demo', 'show builds that are released, canceled and removed, and a customer who goes')
  .option('--config <file>', 'the configuration, in place of one of its own')
  .action(async (options: DemoOptions) => (await import('./demo.ts')).demo(options))
role('start', 'take webhooks and do the work, in one process', { server: true, worker: true })
role('server', 'take webhooks and hand them to Temporal', { server: true, worker: false })
role('worker', 'do the work that Temporal hands out', { server: false, worker: true })
command(
  'actions',
  "print the declared actions, checks and products, to enter them in Vercel's Integration Console",
)
  .addOption(new Option('--json', 'as JSON').default(false))
  .action(async (options: ActionsOptions) => (await import('./actions.ts')).printActions(options))
command('gc', 'find what nobody needs any more, and say what would be done')
  .option('--apply', 'do it', false)
  .option('--min-age <duration>', 'take away nothing younger')
  .option('--grace <duration>', 'how long things outlive their deleted deployment')
  .option('--cap <number>', 'do no more than this at once')
  .option('--json', 'as JSON', false)
  .action(async (options: GcOptions) => (await import('./gc.ts')).gc(options))
command('doctor', 'check the set-up and say how to mend what is wrong').action(
  async (options: CommonOptions) => (await import('./doctor.ts')).doctor(options),
)

try {
  await program.parseAsync()
} catch (error) {
  process.stderr.write(`\n${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
// Native handles of Temporal's SDK may outlive the work; every command has closed what it opened.
process.exit()
