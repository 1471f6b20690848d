import * as installations from './0001-installations.ts'
import * as acceptedTransfers from './0002-accepted-transfers.ts'

/**
 * The migrations in their order, by the name that a database remembers them by. A released one is never changed:
 * what it lacks is another one, which the code of the release before can live with.
 */
export const migrations = [
  { name: '0001_installations', actions: installations },
  { name: '0002_accepted_transfers', actions: acceptedTransfers },
]
