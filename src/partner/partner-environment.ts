import type { InstallationStore } from '../installations/store.ts'
import type { VerifyOidc } from './verify-oidc.ts'

/** What every request of the partner API carries. */
export interface PartnerEnvironment {
  readonly Variables: { readonly verify: VerifyOidc; readonly store: InstallationStore }
}
