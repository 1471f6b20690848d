import type { MigrationBuilder } from 'node-pg-migrate'

/**
 * Who accepted a transfer stays known, so that whoever lost the answer is answered the same. The release before forgets
 * an accepted claim, which is all the same to it.
 */
export function up(database: MigrationBuilder): void {
  database.sql('ALTER TABLE holdpoint.transfer_requests ADD accepted_by text')
}

// It would forget what was accepted.
export const down = false
